package dev.jvloop.loop;

import dev.jvloop.foreign.Memory;
import dev.jvloop.py.Py;
import dev.jvloop.py.Refs;
import dev.jvloop.py.Scratch;
import dev.jvloop.py.ThreadGuard;

/** Lets one thread at a time use a loop, for methods of {@code jvloop.Loop} that are not thread-safe. */
public final class LoopGuard implements ThreadGuard {
    @Override
    public Claim enterOrNull(long self) {
        return EngineObject.of(self).claimOrNull();
    }

    /** Lets all threads through, with the loop if it is free: for methods that {@link #leaveToLoopThread}. */
    static Claim enterIfFreeOrNull(long self) {
        return EngineObject.of(self).claimIfFreeOrNull();
    }

    /**
     * Has the loop's thread call a method, if the calling one does not have the loop. What ends a connection or a sleep
     * may come from another thread without any mistake of the program's: a lost StreamWriter closes its transport when
     * it is finalised, and the garbage collector finalises on whatever thread it runs. The method's guard has tried to
     * take the loop ({@link EventLoop#claimIfFreeOrNull}).
     *
     * @param object whose method it is
     * @param argumentOrZero the method's argument, if it takes one
     * @return false if the calling thread is to do it itself
     */
    public static boolean leaveToLoopThread(EventLoop loop, long object, long method, long argumentOrZero) {
        if (loop.isMine()) {
            return false;
        }
        long ownedMethod = Py.newAttribute(object, method);
        try (Scratch.Piece argument = Scratch.take(8)) {
            Memory.putLong(argument.address(), argumentOrZero);
            return leaveCallToLoopThread(loop, ownedMethod, argument.address(), argumentOrZero == 0 ? 0 : 1);
        } finally {
            Refs.decref(ownedMethod);
        }
    }

    /** {@link #leaveToLoopThread(EventLoop, long, long, long)} for any callable, of arguments at an address. */
    static boolean leaveCallToLoopThread(EventLoop loop, long callable, long arguments, long count) {
        if (loop.isMine()) {
            return false;
        }
        loop.callSoon(callable, arguments, count, 0);
        loop.wakeup();
        return true;
    }
}
