package dev.jvloop.host;

import dev.jvloop.foreign.Memory;
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
        table("type.JavaChannel")
                .oneArgument("_add", "($self, element, /)", "Add an element: None, or Nothing if there is no room.")
                .noArguments("_poll", "($self, /)", "Take an element; Nothing if there is none now.")
                .positional("_wait_for_room", "($self, loop, future, /)", "Note who waits.")
                .positional("_wait_for_element", "($self, loop, future, /)", "Note who waits.")
                .oneArgument("_give_up", "($self, wait, /)", "End a wait that did not end by itself.")
                .noArguments("close", "($self, /)", "Let nothing more be sent. What is there can still be received.")
                .noArguments("is_closed", "($self, /)", "Whether nothing more can be sent.");
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

    private static Channel<?> channel(long self) {
        return (Channel<?>) StreamHalf.of(self);
    }

    private static long _add(long self, long element, long unused1, long unused2) {
        return channel(self).newAdded(element);
    }

    private static long _poll(long self, long unused1, long unused2, long unused3) {
        return channel(self).newTaken();
    }

    private static long _wait_for_room(long self, long arguments, long count, long unused) {
        return channel(self).newWait(true, Memory.getLong(arguments), Memory.getLong(arguments + 8));
    }

    private static long _wait_for_element(long self, long arguments, long count, long unused) {
        return channel(self).newWait(false, Memory.getLong(arguments), Memory.getLong(arguments + 8));
    }

    private static long _give_up(long self, long wait, long unused1, long unused2) {
        Channel.giveUp(wait);
        return Py.newNone();
    }

    private static long close(long self, long unused1, long unused2, long unused3) {
        channel(self).close();
        return Py.newNone();
    }

    private static long is_closed(long self, long unused1, long unused2, long unused3) {
        return Py.newBool(channel(self).isClosed());
    }
}
