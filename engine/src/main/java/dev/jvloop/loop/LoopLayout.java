package dev.jvloop.loop;

import dev.jvloop.py.Namespace;

/** Offsets, in bytes, of the slots of {@code jvloop.Loop} that Java reads. */
public final class LoopLayout {
    public static final long ENGINE = Namespace.integer("slot.Loop._engine");
    static final long DEBUG = Namespace.integer("slot.Loop._debug");
    static final long CLOSED = Namespace.integer("slot.Loop._closed");
    static final long STOPPING = Namespace.integer("slot.Loop._stopping");
    static final long TASK_FACTORY = Namespace.integer("slot.Loop._task_factory");

    private LoopLayout() {}
}
