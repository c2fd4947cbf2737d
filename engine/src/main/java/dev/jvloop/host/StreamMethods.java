package dev.jvloop.host;

import dev.jvloop.capi.Memory;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import java.lang.invoke.MethodHandles;
import java.util.concurrent.Flow;

/** The Java methods of the classes in _host_streams.py. */
@SuppressWarnings("unused")
final class StreamMethods {
    private StreamMethods() {}

    /** Gives the Python classes their methods. */
    static void attach() {
        table("type.JavaStream")
                .positional("_must_wait", "($self, loop, future, /)", "Note who waits; False if nobody need wait.")
                .noArguments("_forget_waiter", "($self, /)", "Nobody waits any more.");
        table("type.DemandedElements")
                .noArguments("_has_demand", "($self, /)", "Whether the subscriber wants an element.")
                .noArguments("_was_cancelled", "($self, /)", "Whether the subscription has cancelled its task.")
                .oneArgument(
                        "_put", "($self, element, /)", "Give the subscriber an element; whether it wants another.");
        table("type.JavaPublisher").oneArgument("_subscribe", "($self, prefetch, /)", "A new subscription's elements.");
        table("type.ReceivedElements")
                .noArguments("_take", "($self, /)", "A tuple of what there is, which may be empty; None at the end.")
                .noArguments("_cancel", "($self, /)", "End the subscription.");
    }

    private static MethodTable table(String type) {
        return new MethodTable(MethodHandles.lookup(), StreamMethods.class, Namespace.object(type));
    }

    private static long _must_wait(long self, long arguments, long count, long unused) {
        StreamHalf stream = (StreamHalf) StreamHalf.of(self);
        return Py.newBool(stream.mustWait(Memory.getLong(arguments), Memory.getLong(arguments + 8)));
    }

    private static long _forget_waiter(long self, long unused1, long unused2, long unused3) {
        ((StreamHalf) StreamHalf.of(self)).forgetWaiter();
        return Py.newNone();
    }

    private static AsyncIterableSubscription<?> subscription(long self) {
        return (AsyncIterableSubscription<?>) StreamHalf.of(self);
    }

    private static long _has_demand(long self, long unused1, long unused2, long unused3) {
        return Py.newBool(subscription(self).hasDemand());
    }

    private static long _was_cancelled(long self, long unused1, long unused2, long unused3) {
        return Py.newBool(subscription(self).wasCancelled());
    }

    private static long _put(long self, long element, long unused1, long unused2) {
        AsyncIterableSubscription<?> subscription = subscription(self);
        subscription.put(element);
        return Py.newBool(subscription.hasDemand());
    }

    private static long _subscribe(long self, long prefetch, long unused1, long unused2) {
        return JavaPublishers.newSubscription((Flow.Publisher<?>) StreamHalf.of(self), (int) Py.toDouble(prefetch));
    }

    private static PrefetchingSubscriber subscriber(long self) {
        return (PrefetchingSubscriber) StreamHalf.of(self);
    }

    private static long _take(long self, long unused1, long unused2, long unused3) {
        return subscriber(self).newBatch();
    }

    private static long _cancel(long self, long unused1, long unused2, long unused3) {
        subscriber(self).cancel();
        return Py.newNone();
    }
}
