package dev.jvloop.loop;

import java.util.function.LongConsumer;

/** A Java object that owns references to Python objects, which the cyclic garbage collector has to see. */
public interface ReferenceHolder {
    /** Shows each owned reference. Called during a collection: must not touch a refcount or run Python. */
    void visitReferences(LongConsumer visit);

    /** Gives every owned reference back. */
    void releaseReferences();
}
