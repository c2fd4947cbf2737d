package dev.jvloop.host;

import dev.jvloop.LoopWorker;
import dev.jvloop.LoopWorkers;
import dev.jvloop.RestartPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/** What a worker is started with. */
final class WorkerBuilder implements LoopWorker.Builder {
    /** The coroutine that a run begins with. */
    record Main(String module, String function, Object[] arguments) {}

    private final Loops loops;
    private final String name;
    private Main mainOrNull;
    private RestartPolicy policy = RestartPolicy.never();
    private BiConsumer<LoopWorker, LoopWorker.State> listener = (worker, state) -> {};

    WorkerBuilder(Loops loops, String name) {
        this.loops = loops;
        this.name = name;
    }

    @Override
    public LoopWorker.Builder main(String function, Object... arguments) {
        int colon = function.indexOf(':');
        if (colon <= 0 || colon == function.length() - 1) {
            throw new IllegalArgumentException("a main coroutine is \"module:function\", not \"" + function + "\"");
        }
        mainOrNull = new Main(function.substring(0, colon), function.substring(colon + 1), arguments.clone());
        return this;
    }

    @Override
    public LoopWorker.Builder restart(RestartPolicy restartPolicy) {
        policy = restartPolicy;
        return this;
    }

    @Override
    public LoopWorker.Builder listener(BiConsumer<LoopWorker, LoopWorker.State> stateListener) {
        listener = stateListener;
        return this;
    }

    @Override
    public LoopWorker start() {
        return start(name);
    }

    @Override
    public LoopWorkers start(int count) {
        List<LoopWorker> workers = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            workers.add(start(name + "-" + i));
        }
        return LoopWorkers.of(workers);
    }

    private LoopWorker start(String ownName) {
        return loops.startWorker(new Worker(loops, ownName, mainOrNull, policy, listener));
    }
}
