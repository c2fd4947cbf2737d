import dev.jvloop.HostModule;
import dev.jvloop.PyObject;
import dev.jvloop.Python;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Functions for a Python program. */
public final class Greetings implements HostModule {
    @Override
    public void register(Python python) {
        python.functions().register("greet", arguments -> "Hello " + arguments[0]);
        python.functions().register("later", arguments -> {
            CompletableFuture<Object> later = new CompletableFuture<>();
            CompletableFuture.delayedExecutor(1, TimeUnit.MILLISECONDS).execute(() -> later.complete(arguments[0]));
            return later;
        });
        python.functions().registerBlocking("call_back", arguments -> {
            try (PyObject callback = (PyObject) arguments[0]) {
                return callback.call(Thread.currentThread().isVirtual()).as(Object.class);
            }
        });
        python.functions().register("fail", arguments -> {
            throw new IllegalStateException("on purpose");
        });
        python.functions().register("submit", arguments -> python.loop()
                .submit(Object.class, (String) arguments[0], (String) arguments[1], arguments[2]).join());
        python.functions().register("close_python", arguments -> {
            python.close();
            return null;
        });
        List<Object> kept = new ArrayList<>(List.of("a"));
        python.functions().register("kept", arguments -> python.wrap(kept));
        python.functions().register("is_kept", arguments -> arguments[0] == kept);
        python.functions().register("echo", arguments -> arguments[0]);
        python.functions().register("class_of", arguments -> arguments[0].getClass().getName());
        python.functions().register("stages", arguments -> List.of(CompletableFuture.completedFuture(7)));
    }
}
