package dev.jvloop.host;

import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.jvloop.Python;
import dev.jvloop.PythonLoop;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.Flow;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.reactivestreams.tck.TestEnvironment;
import org.reactivestreams.tck.flow.FlowPublisherVerification;
import org.testng.SkipException;
import org.testng.annotations.Test;

/** The rules of Reactive Streams for publishers: their own tests, written for TestNG, as tests of JUnit's. */
class HostedPublisherRulesTest {
    private static Python python;
    private static PythonLoop loop;

    @BeforeAll
    static void start() {
        python = Pythons.startedOrAbort();
        python.exec("""
            async def count(n):
                for i in range(n):
                    yield i

            async def for_ever():
                while True:
                    yield 0

            async def fail():
                raise ValueError
                yield
            """);
        loop = python.loop();
    }

    @AfterAll
    static void end() {
        if (python != null) {
            python.close(Duration.ofSeconds(20));
        }
    }

    /** How long they wait to see that nothing comes. */
    private static final long QUIET_MILLIS = 50;

    private static final class Rules extends FlowPublisherVerification<Integer> {
        Rules(long timeoutMillis) {
            super(new TestEnvironment(timeoutMillis, QUIET_MILLIS), 500);
        }

        @Override
        public Flow.Publisher<Integer> createFlowPublisher(long elements) {
            return elements == Long.MAX_VALUE
                    ? loop.publish(Integer.class, "__main__", "for_ever")
                    : loop.publish(Integer.class, "__main__", "count", elements);
        }

        /** One whose function is missing: it has no element to begin with. */
        @Override
        public Flow.Publisher<Integer> createFailedFlowPublisher() {
            return loop.publish(Integer.class, "__main__", "missing");
        }
    }

    @TestFactory
    Stream<DynamicTest> rules() {
        return Arrays.stream(FlowPublisherVerification.class.getMethods())
                .filter(method -> method.isAnnotationPresent(Test.class))
                // "Untested" ones say in which words a rule cannot be tested.
                .filter(method -> !method.getName().startsWith("untested"))
                .map(method -> dynamicTest(method.getName(), () -> run(method)));
    }

    private static void run(Method rule) throws Throwable {
        // These wait for the whole of it, after what they look for has come.
        Rules rules = new Rules(rule.getName().contains("spec309") ? 2_000 : 20_000);
        rules.setUp();
        try {
            rule.invoke(rules);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof SkipException skipped) {
                abort(skipped.getMessage());
            }
            throw e.getCause();
        }
    }
}
