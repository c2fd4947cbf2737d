package dev.jvloop.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import dev.jvloop.capi.Ceval;
import dev.jvloop.capi.ThreadStates;
import dev.jvloop.py.Gil;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Names;
import dev.jvloop.py.Py;
import dev.jvloop.py.Upcalls;
import java.lang.foreign.Linker;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The layers of the engine, and those of its laws that can be read off the classes. */
class ArchitectureTest {
    private static final JavaClasses ENGINE =
            new ClassFileImporter().withImportOption(new DoNotIncludeTests()).importPackages("dev.jvloop");

    /** Static fields that hold what may change, each with the reason why it does not hang off a loop. */
    private static final Map<String, String> MUTABLE_STATICS = Map.ofEntries(
            Map.entry(
                    "dev.jvloop.py.Namespace.ENTRIES",
                    "what the Python package handed over, at start-up and for TLS; entries do not change"),
            Map.entry(
                    "dev.jvloop.transport.Tls.ready",
                    "whether the entries for TLS are there: as ENTRIES, of the process"),
            Map.entry("dev.jvloop.py.Registry.table", "objects of all loops by id: an upcall has nothing but the id"),
            Map.entry("dev.jvloop.py.Registry.freeIds", "as table"),
            Map.entry("dev.jvloop.py.Registry.freeCount", "as table"),
            Map.entry(
                    "dev.jvloop.py.Arguments.contextNames",
                    "a memo of an immutable Python tuple, right for every loop"),
            Map.entry("dev.jvloop.py.Scratch.OF_THREAD", "memory of each thread's own, empty between two calls"),
            Map.entry("dev.jvloop.linux.BlockingWait.kernelLacksPwait2", "a fact about the kernel, found out once"),
            Map.entry("dev.jvloop.linux.BlockingWait.tried", "whether that was found out"),
            Map.entry("dev.jvloop.host.Interpreter.PROCESS", "a process has one Python, and can start it once"),
            Map.entry(
                    "dev.jvloop.host.ViewedArena.OPEN", "arenas by all that a segment knows of its own: their scope"));

    private static final String IMMUTABLE_TYPES =
            "java\\.lang\\.(String|System\\$Logger|invoke\\..*|foreign\\..*)|sun\\.misc\\.Unsafe|java\\.time\\.Duration|dev\\.jvloop\\.(py\\.PythonError|foreign\\.CFunction|linux\\.SystemCall)";

    @Test
    void layers() {
        layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .layer("foreign")
                .definedBy("dev.jvloop.foreign..")
                .layer("capi")
                .definedBy("dev.jvloop.capi..")
                .layer("linux")
                .definedBy("dev.jvloop.linux..")
                .layer("py")
                .definedBy("dev.jvloop.py..")
                .layer("timer")
                .definedBy("dev.jvloop.timer..")
                .layer("openssl")
                .definedBy("dev.jvloop.openssl..")
                .layer("loop")
                .definedBy("dev.jvloop.loop..")
                .layer("transport")
                .definedBy("dev.jvloop.transport..")
                .layer("bridge")
                .definedBy("dev.jvloop.bridge..")
                .layer("host")
                .definedBy("dev.jvloop.host..")
                .layer("reactor")
                .definedBy("dev.jvloop.reactor..")
                .layer("api")
                .definedBy("dev.jvloop")
                .whereLayer("api")
                .mayOnlyBeAccessedByLayers("host", "reactor")
                .whereLayer("reactor")
                .mayOnlyBeAccessedByLayers("api")
                .whereLayer("host")
                .mayOnlyBeAccessedByLayers("api")
                .whereLayer("bridge")
                .mayOnlyBeAccessedByLayers("host")
                .whereLayer("transport")
                .mayOnlyBeAccessedByLayers("bridge")
                .whereLayer("loop")
                .mayOnlyBeAccessedByLayers("transport", "bridge", "host")
                .whereLayer("timer")
                .mayOnlyBeAccessedByLayers("loop", "reactor")
                .whereLayer("openssl")
                .mayOnlyBeAccessedByLayers("loop", "transport", "bridge")
                .whereLayer("py")
                .mayOnlyBeAccessedByLayers("openssl", "loop", "transport", "bridge", "host")
                .whereLayer("capi")
                .mayOnlyBeAccessedByLayers("py", "openssl", "loop", "transport", "bridge", "host")
                .whereLayer("linux")
                .mayOnlyBeAccessedByLayers("loop", "transport", "bridge", "host", "reactor")
                .whereLayer("foreign")
                .mayOnlyBeAccessedByLayers(
                        "capi", "linux", "py", "openssl", "loop", "transport", "bridge", "host", "reactor")
                .check(ENGINE);
    }

    @Test
    void everyClassIsInALayer() {
        classes()
                .should()
                .resideInAnyPackage(
                        "dev.jvloop.foreign..",
                        "dev.jvloop.capi..",
                        "dev.jvloop.linux..",
                        "dev.jvloop.py..",
                        "dev.jvloop.timer..",
                        "dev.jvloop.openssl..",
                        "dev.jvloop.loop..",
                        "dev.jvloop.transport..",
                        "dev.jvloop.bridge..",
                        "dev.jvloop.host..",
                        "dev.jvloop.reactor..",
                        "dev.jvloop")
                .check(ENGINE);
    }

    @Test
    void thePublicApiShowsNothingOfTheEngine() {
        classes()
                .that()
                .resideInAPackage("dev.jvloop")
                .should(haveNoPublicMethodThatShows("dev.jvloop."))
                .check(ENGINE);
    }

    @Test
    void noCycles() {
        slices().matching("dev.jvloop.(*)..").should().beFreeOfCycles().check(ENGINE);
    }

    @Test
    void nothingButTheJdk() {
        classes()
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage("dev.jvloop..", "java..", "javax.management..", "sun.misc..")
                .because("the jar goes into the wheel as it is")
                .check(ENGINE);
        noClasses()
                .that()
                .doNotHaveFullyQualifiedName("dev.jvloop.foreign.Memory")
                .and()
                .doNotHaveFullyQualifiedName("dev.jvloop.foreign.DirectMemory")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("sun..")
                .because("Unsafe may be absent, so one place knows of it")
                .check(ENGINE);
    }

    @Test
    void linuxAndTheReactorKnowNoPython() {
        noClasses()
                .that()
                .resideInAnyPackage("dev.jvloop.linux..", "dev.jvloop.timer..", "dev.jvloop.reactor..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.jvloop.capi..")
                .because("descriptors, epoll and timers can be used without an interpreter")
                .check(ENGINE);
    }

    @Test
    void law1OnlyUpcallsMakesStubs() {
        noClasses()
                .that()
                .areNotAssignableTo(Upcalls.class)
                .should()
                .callMethodWhere(target(name("upcallStub")))
                .because("an exception that leaves an upcall kills the process: all go through its trampolines")
                .check(new ClassFileImporter().importPackages("dev.jvloop")); // the tests' too
    }

    @Test
    void onlyTheRawLayersLink() {
        noClasses()
                .that()
                .resideOutsideOfPackages("dev.jvloop.foreign..", "dev.jvloop.capi..", "dev.jvloop.linux..")
                .and()
                .areNotAssignableTo(Upcalls.class)
                .should()
                .dependOnClassesThat()
                .areAssignableTo(Linker.class)
                .check(ENGINE);
    }

    @Test
    void law3OnePlaceReleasesTheGil() {
        noClasses()
                .that()
                .areNotAssignableTo(Gil.class)
                .and()
                .areNotAssignableTo(Ceval.class)
                .and()
                .areNotAssignableTo(ThreadStates.class)
                .should()
                .callMethodWhere(
                        target(nameMatching("PyEval_(Save|Restore|Acquire|Release)Thread|Py(GIL|Thread)State_.*")))
                .check(ENGINE);
    }

    @Test
    void law3NoLocks() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAPackage("java.util.concurrent.locks..")
                .because("who waits for the GIL with a Java lock held blocks whoever holds the GIL and wants the lock")
                .check(ENGINE);
    }

    /**
     * Classes with a lock of their own, held for a few instructions in which nothing of Python is called: its garbage
     * collector, which stops threads where they call it, never stops one that holds such a lock.
     */
    private static final Set<String> SHORT_LOCKS = Set.of(
            "dev.jvloop.py.Registry",
            "dev.jvloop.loop.Mailbox",
            "dev.jvloop.loop.WakeUp",
            "dev.jvloop.loop.DescriptorOwners",
            "dev.jvloop.reactor.Inbox");

    @Test
    void law3OnlyShortLocks() {
        methods()
                .that()
                .areDeclaredInClassesThat(
                        describe("have no short lock", (JavaClass type) -> !SHORT_LOCKS.contains(type.getName())))
                .should()
                .notHaveModifier(JavaModifier.SYNCHRONIZED)
                .check(ENGINE);
    }

    @Test
    void law3NothingOfPythonIsCalledWithALockHeld() {
        noClasses()
                .that(describe("have a short lock", (JavaClass type) -> SHORT_LOCKS.contains(type.getName())))
                .should()
                .dependOnClassesThat(describe(
                        "are the engine's others, which may call Python",
                        (JavaClass type) -> type.getPackageName().startsWith("dev.jvloop")
                                && !type.getPackageName().equals("dev.jvloop.linux")
                                && !SHORT_LOCKS.contains(type.getName())))
                .check(ENGINE);
    }

    @Test
    void law3NamesAreInternedAtStartUp() {
        noClasses()
                .that()
                .areNotAssignableTo(Names.class)
                .and()
                .areNotAssignableTo(MethodTable.class)
                .and()
                .doNotHaveFullyQualifiedName("dev.jvloop.transport.TlsNames")
                .and()
                .doNotHaveFullyQualifiedName("dev.jvloop.host.HostNames")
                .should()
                .callMethod(Py.class, "internForever", String.class)
                .because("a thread may be stopped in it by the garbage collector of free-threaded Python; in a static"
                        + " initialiser that runs later, others would wait for that thread")
                .check(ENGINE);
    }

    @Test
    void law6NoMutableStatics() {
        fields().that()
                .areStatic()
                .and(describe(
                        "are not excepted", (JavaField field) -> !MUTABLE_STATICS.containsKey(field.getFullName())))
                .and(describe(
                        "are not the compiler's",
                        (JavaField field) -> !field.getName().contains("$")))
                .should()
                .beFinal()
                .andShould()
                .haveRawType(ofAnImmutableType())
                .because("all state hangs off a loop")
                .check(ENGINE);
    }

    @Test
    void law6EveryExceptionIsStillThere() {
        for (String field : MUTABLE_STATICS.keySet()) {
            int dot = field.lastIndexOf('.');
            assertTrue(ENGINE.get(field.substring(0, dot))
                    .getField(field.substring(dot + 1))
                    .getModifiers()
                    .contains(JavaModifier.STATIC));
        }
    }

    @Test
    void law7NothingSleepsOrSpins() {
        noClasses()
                .should()
                .callMethodWhere(target(nameMatching("sleep|yield|onSpinWait|wait|join"))
                        .and(target(owner(nameMatching("java\\.lang\\.(Thread|Object)")))))
                .check(ENGINE);
    }

    @Test
    void noThreads() {
        noClasses()
                .that()
                .haveNameNotMatching("dev\\.jvloop\\.loop\\.ThreadClaim")
                .and()
                .resideOutsideOfPackages("dev.jvloop.host", "dev.jvloop.reactor", "dev.jvloop")
                .should()
                .dependOnClassesThat()
                .areAssignableTo(Thread.class)
                .because("the loop runs on Python's thread")
                .check(ENGINE);
    }

    @Test
    void threadsAreComparedAndNothingElse() {
        noClasses()
                .that()
                .resideOutsideOfPackages("dev.jvloop.host", "dev.jvloop.reactor", "dev.jvloop")
                .should()
                .callMethodWhere(
                        target(owner(nameMatching("java\\.lang\\.Thread"))).and(not(target(name("currentThread")))))
                .check(ENGINE);
    }

    @Test
    void nothingEndsTheProcess() {
        noClasses()
                .should()
                .callMethodWhere(target(nameMatching("exit|halt"))
                        .and(target(owner(nameMatching("java\\.lang\\.(System|Runtime)")))))
                .check(ENGINE);
    }

    @Test
    void nothingPrints() {
        noClasses()
                .should()
                .callMethodWhere(target(name("printStackTrace")))
                .orShould()
                .accessField(System.class, "out")
                .orShould()
                .accessField(System.class, "err")
                .because("the process and its output are the Python program's")
                .check(ENGINE);
    }

    private static ArchCondition<JavaClass> haveNoPublicMethodThatShows(String packagePrefix) {
        return new ArchCondition<>("have no public method that shows a type of " + packagePrefix + "*") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                for (JavaMethod method : type.getMethods()) {
                    boolean shows = method.getModifiers().contains(JavaModifier.PUBLIC)
                            && Stream.concat(
                                            Stream.of(method.getRawReturnType()),
                                            method.getRawParameterTypes().stream())
                                    .anyMatch(shown -> shown.getPackageName().startsWith(packagePrefix));
                    if (shows) {
                        events.add(SimpleConditionEvent.violated(method, method.getFullName()));
                    }
                }
            }
        };
    }

    private static DescribedPredicate<JavaClass> ofAnImmutableType() {
        return describe(
                "immutable",
                type -> type.isPrimitive() || type.isEnum() || type.getName().matches(IMMUTABLE_TYPES));
    }
}
