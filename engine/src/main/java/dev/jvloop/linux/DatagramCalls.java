package dev.jvloop.linux;

import dev.jvloop.foreign.Downcall;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;

/**
 * The system calls of datagram sockets, through the errno funnel of {@link SystemCalls}. They have six parameters, a
 * shape of their own that costs some milliseconds to bind: it is bound with the first datagram transport.
 *
 * <p>recvmmsg and sendmmsg are not here. Measured with an echo server in C over the loopback (1 KiB, 16 and 64 clients,
 * nine interleaved rounds on a busy machine, CPU time a datagram): repeated recvfrom takes 7 to 11 % less than one
 * recvfrom for each poll; recvmmsg in its place was 0.98 and 1.10 times as good as that, within the noise of the rounds,
 * and would need room for a batch of 64 KiB datagrams and a place for those that are left when a protocol pauses or
 * raises. With sendmmsg as well it was 1.10 and 1.17 times as good, but each datagram would be held back until the
 * batch is done, and its error with it.
 */
public final class DatagramCalls {
    private static final FunctionDescriptor SHAPE = Downcall.longs(6);
    private static final MethodHandle RECVFROM = critical("recvfrom");
    private static final MethodHandle SENDTO = critical("sendto");

    /** The descriptors are non-blocking; with this nothing that a program does to them makes a critical call wait. */
    private static final long MSG_DONTWAIT = 0x40;

    private static final long MSG_NOSIGNAL = 0x4000;

    private final SystemCalls calls;

    /** @param calls of the loop whose thread makes the calls: it holds where errno is captured */
    public DatagramCalls(SystemCalls calls) {
        this.calls = calls;
    }

    private static MethodHandle critical(String name) {
        return Downcall.of(name, SHAPE, SystemCall.ERRNO, Linker.Option.critical(false));
    }

    /**
     * Receives one datagram.
     *
     * @param addressLength address of a socklen_t: in, the room at {@code address}; out, the length of the sender's
     *     address, 0 if it has none
     */
    public long recvfrom(int fd, long buffer, long length, long address, long addressLength) {
        try {
            return calls.result((long)
                    RECVFROM.invokeExact(calls.state, (long) fd, buffer, length, MSG_DONTWAIT, address, addressLength));
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    /** Sends one datagram to a struct sockaddr. */
    public long sendto(int fd, long buffer, long length, long address, int addressLength) {
        try {
            return calls.result((long) SENDTO.invokeExact(
                    calls.state, (long) fd, buffer, length, MSG_DONTWAIT | MSG_NOSIGNAL, address, (long)
                            addressLength));
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
