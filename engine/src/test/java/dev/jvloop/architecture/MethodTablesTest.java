package dev.jvloop.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.bridge.Bootstrap;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Upcalls;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.reflect.AccessFlag;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The tables that give Python classes their methods, and the bodies behind them, read from the compiled classes. */
class MethodTablesTest {
    /** What a C function pointer is made of: {@code long (long, long, long, long)}. */
    private static final String BODY_SHAPE = "(JJJJ)J";

    private static final Set<String> KINDS = Set.of("noArguments", "oneArgument", "positional", "keywords");

    private record Entry(String kind, String name, String signature, String doc) {}

    private final List<ClassModel> classes = Bytecode.besides(MethodTable.class);

    private static List<Entry> tableOf(ClassModel model) {
        List<Entry> entries = new ArrayList<>();
        for (Bytecode.Call call : Bytecode.calls(model)) {
            if (call.owner().equals(MethodTable.class.getName()) && KINDS.contains(call.name())) {
                List<String> three = call.strings()
                        .subList(call.strings().size() - 3, call.strings().size());
                entries.add(new Entry(call.name(), three.get(0), three.get(1), three.get(2)));
            }
        }
        return entries;
    }

    /** Bodies that are not a Python method's but a type slot's: looked up in the class itself, or by a helper in it. */
    private static Set<String> slotBodiesOf(ClassModel model) {
        Set<String> names = new HashSet<>();
        Set<String> helpers = new HashSet<>();
        for (Bytecode.Call call : Bytecode.calls(model)) {
            if (call.owner().equals(Upcalls.class.getName()) && call.name().equals("body")) {
                names.addAll(call.strings());
                helpers.add(call.in());
            }
        }
        for (Bytecode.Call call : Bytecode.calls(model)) {
            if (helpers.contains(call.owner() + "." + call.name())
                    && !call.strings().isEmpty()) {
                names.add(call.strings().getLast());
            }
        }
        // The name of the type itself may stand before that of its first slot.
        names.removeIf(name -> name.contains("."));
        return names;
    }

    private static Map<String, MethodModel> bodiesOf(ClassModel model) {
        return model.methods().stream()
                .filter(method -> method.methodType().stringValue().equals(BODY_SHAPE))
                .filter(method -> method.flags().has(AccessFlag.STATIC))
                .collect(Collectors.toMap(method -> method.methodName().stringValue(), method -> method));
    }

    private List<ClassModel> tables() {
        return classes.stream().filter(model -> !tableOf(model).isEmpty()).toList();
    }

    private ClassModel classNamed(String name) {
        return classes.stream()
                .filter(model -> Bytecode.nameOf(model).equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void everyTableIsAttachedAtTheStartOrWithItsPart() {
        Set<String> attached = Stream.of(
                        Bootstrap.class.getName(),
                        "dev.jvloop.transport.LateMethods",
                        "dev.jvloop.transport.Tls",
                        "dev.jvloop.host.Attachment")
                .flatMap(name -> Bytecode.calls(classNamed(name)).stream())
                .filter(call -> call.name().equals("attach"))
                .map(Bytecode.Call::owner)
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> found = tables().stream().map(Bytecode::nameOf).collect(Collectors.toCollection(TreeSet::new));
        assertTrue(found.size() >= 3, () -> "tables: " + found);
        assertEquals(found, attached);
    }

    @Test
    void everyNameHasABodyAndEveryBodyAName() {
        for (ClassModel model : tables()) {
            Set<String> names = tableOf(model).stream().map(Entry::name).collect(Collectors.toCollection(TreeSet::new));
            assertEquals(names, new TreeSet<>(bodiesOf(model).keySet()), Bytecode.nameOf(model));
        }
    }

    @Test
    void textSignaturesFitTheCallingConvention() {
        for (ClassModel model : tables()) {
            for (Entry entry : tableOf(model)) {
                assertTrue(entry.signature.startsWith("($self, ") && entry.signature.endsWith(")"), entry::toString);
                String rest = entry.signature.substring("($self, ".length(), entry.signature.length() - 1);
                boolean fits = switch (entry.kind) {
                    case "noArguments" -> rest.equals("/");
                    case "oneArgument" -> rest.matches("\\w+, /");
                    case "positional" -> rest.matches("\\w+(, \\w+)+, /");
                    default -> rest.contains("=") || rest.contains("**");
                };
                assertTrue(fits, entry::toString);
                assertTrue(entry.doc.endsWith("."), entry::toString);
            }
        }
    }

    @Test
    void bodiesAreReachableOnlyThroughTheTrampolines() {
        for (ClassModel model : classes) {
            String owner = Bytecode.nameOf(model);
            Set<String> registered = tableOf(model).stream().map(Entry::name).collect(Collectors.toSet());
            registered.addAll(slotBodiesOf(model));
            Map<String, MethodModel> bodies = bodiesOf(model);
            for (String name : registered) {
                assertTrue(bodies.containsKey(name), () -> owner + " has no body " + name);
                assertTrue(bodies.get(name).flags().has(AccessFlag.PRIVATE), () -> owner + "." + name);
            }
            for (Bytecode.Call call : Bytecode.calls(model)) {
                boolean direct = call.owner().equals(owner) && registered.contains(call.name());
                assertFalse(direct, () -> call.in() + " calls the body " + call.name());
            }
        }
    }

    @Test
    void functionPointersAreMadeForMethodTablesAndTypeSlotsOnly() {
        Set<String> callers = classes.stream()
                .flatMap(model -> Bytecode.calls(model).stream())
                .filter(call -> call.owner().equals(Upcalls.class.getName())
                        && Set.of("raising", "raisingStatus", "neverRaising").contains(call.name())
                        && !call.in().startsWith(Upcalls.class.getName()))
                .map(Bytecode.Call::in)
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(Set.of("dev.jvloop.py.MethodTable.add", "dev.jvloop.py.NativeType.newType"), callers);
    }

    @Test
    void everyTypeSlotHasABodyAndEveryBodyASlot() {
        Set<String> types = new TreeSet<>();
        for (ClassModel model : classes) {
            Set<String> slots = slotBodiesOf(model);
            if (!slots.isEmpty()) {
                types.add(Bytecode.nameOf(model));
                assertEquals(slots, bodiesOf(model).keySet(), Bytecode.nameOf(model));
                boolean isReference = Bytecode.calls(model).stream()
                        .anyMatch(call -> call.owner().equals(JavaReference.class.getName())
                                && call.name().equals("newType"));
                assertTrue(isReference || slots.contains("dealloc"), () -> Bytecode.nameOf(model) + " frees nothing");
            }
        }
        assertTrue(types.contains("dev.jvloop.loop.EngineObject"), () -> "types: " + types);
    }
}
