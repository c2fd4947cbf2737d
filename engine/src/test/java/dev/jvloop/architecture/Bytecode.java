package dev.jvloop.architecture;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeElement;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Reads compiled classes without initialising them, which most could not be without a Python in the process. */
final class Bytecode {
    /**
     * A call.
     *
     * @param strings the string constants that were loaded since the call before it
     * @param lastString the last one loaded in the method so far, "" if none was
     */
    record Call(String in, String owner, String name, List<String> strings, String lastString) {}

    private Bytecode() {}

    /** All classes that were built to the same place as {@code sample}. */
    static List<ClassModel> besides(Class<?> sample) {
        try {
            Path root = Path.of(
                    sample.getProtectionDomain().getCodeSource().getLocation().toURI());
            try (Stream<Path> files = Files.walk(root)) {
                List<ClassModel> models = new ArrayList<>();
                for (Path file :
                        files.filter(path -> path.toString().endsWith(".class")).toList()) {
                    models.add(ClassFile.of().parse(Files.readAllBytes(file)));
                }
                return models;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    static String nameOf(ClassModel model) {
        return model.thisClass().asInternalName().replace('/', '.');
    }

    static List<Call> calls(ClassModel model) {
        List<Call> calls = new ArrayList<>();
        for (MethodModel method : model.methods()) {
            List<String> strings = new ArrayList<>();
            String lastString = "";
            for (CodeElement element :
                    method.code().map(code -> code.elementList()).orElse(List.of())) {
                if (element instanceof ConstantInstruction constant
                        && constant.constantValue() instanceof String text) {
                    strings.add(text);
                    lastString = text;
                } else if (element instanceof InvokeInstruction invoke) {
                    calls.add(new Call(
                            nameOf(model) + "." + method.methodName().stringValue(),
                            invoke.owner().asInternalName().replace('/', '.'),
                            invoke.name().stringValue(),
                            List.copyOf(strings),
                            lastString));
                    strings.clear();
                }
            }
        }
        return calls;
    }
}
