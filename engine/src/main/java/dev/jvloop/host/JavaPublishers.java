package dev.jvloop.host;

import dev.jvloop.py.Calls;
import dev.jvloop.py.Gil;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.Namespace;
import java.util.concurrent.Flow;

/** Java's publishers as asynchronous iterables, {@code JavaPublisher} in _host_streams.py. In Python. */
final class JavaPublishers {
    private static final long PUBLISHER = Namespace.object("type.JavaPublisher");
    private static final long ELEMENTS = Namespace.object("type.ReceivedElements");

    private JavaPublishers() {}

    /** A new reference to the Python object for a publisher. */
    static long newObject(Flow.Publisher<?> publisher) {
        return Calls.newResult(PUBLISHER, new Calls.Owned(JavaReference.newFor(publisher)));
    }

    /** Subscribes; a new reference to the {@code ReceivedElements}. */
    static long newSubscription(Flow.Publisher<?> publisher, int prefetch) {
        PrefetchingSubscriber subscriber = new PrefetchingSubscriber(prefetch);
        long ownedElements = Calls.newResult(ELEMENTS, new Calls.Owned(JavaReference.newFor(subscriber)));
        // The program's code, which may do anything, send elements too.
        Gil.without(() -> {
            try {
                publisher.subscribe(subscriber);
            } catch (RuntimeException e) {
                subscriber.onError(e);
            }
            return null;
        });
        return ownedElements;
    }
}
