package dev.jvloop.transport;

import dev.jvloop.capi.Memory;
import dev.jvloop.loop.EngineObject;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.py.ThreadGuard;

/** Keeps a transport to the thread that has its loop, in free-threaded Python. */
final class TransportGuard implements ThreadGuard {
    @Override
    public Claim enterOrNull(long self) {
        return loopOf(self).claimOrNull();
    }

    /** Lets all threads through, for methods that are left to the loop's thread then. */
    static Claim enterIfFreeOrNull(long self) {
        return loopOf(self).claimIfFreeOrNull();
    }

    private static EventLoop loopOf(long self) {
        // Only a transport that is being made has no Java half yet; only one that has ended has no loop any more.
        boolean opened = Memory.getLong(self + TransportLayout.JAVA_HALF) != 0;
        return opened ? TransportLayout.of(self).loop() : EngineObject.of(Memory.getLong(self + TransportLayout.LOOP));
    }
}
