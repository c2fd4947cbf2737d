// A TCP echo server on dev.jvloop.Reactor: epoll, without Python, without a framework. docs/low-level.md is its guide.
//
//     java --enable-native-access=ALL-UNNAMED -cp engine/target/jvloop-engine.jar examples/ReactorEcho.java 8888

import dev.jvloop.Interest;
import dev.jvloop.Reactor;
import dev.jvloop.Reactor.Registration;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteOrder;

void main(String[] arguments) throws IOException {
    int listener = listen(arguments.length == 0 ? 0 : Integer.parseInt(arguments[0]));
    try (Reactor reactor = Reactor.open()) {
        reactor.register(listener, Interest.READ, (_, _) -> {
            int connection = call("accept4", listener, 0, 0, SOCK_NONBLOCK);
            if (connection >= 0) {
                reactor.register(connection, Interest.READ, new Echo());
            }
        });
        IO.println("listening on 127.0.0.1:" + portOf(listener));
        while (reactor.isOpen()) {
            reactor.runOnce();
        }
    }
}

/** Gives back what comes. While a client does not read, nothing more is read from it. */
class Echo implements Reactor.Handler {
    final MemorySegment buffer = Arena.ofAuto().allocate(64 * 1024);
    int start;
    int end;

    @Override
    public void ready(Registration registration, Interest ready) throws IOException {
        int fd = registration.fd();
        if (ready.reads()) {
            start = 0;
            end = call("recv", fd, buffer.address(), buffer.byteSize(), 0);
        }
        int sent = end <= 0 ? -1 : call("send", fd, buffer.address() + start, end - start, MSG_NOSIGNAL);
        if (end <= 0 || (sent < 0 && ready.writes())) {
            // The client has gone. First the registration, then the descriptor.
            registration.cancel();
            call("close", fd, 0, 0, 0);
            return;
        }
        start += Math.max(0, sent);
        registration.setInterest(start < end ? Interest.WRITE : Interest.READ);
    }
}

// ---- the C library

static final int AF_INET = 2;
static final int SOCK_STREAM = 1;
static final int SOCK_NONBLOCK = 0x800;
static final int MSG_NOSIGNAL = 0x4000;

static final Linker LINKER = Linker.nativeLinker();
static final Map<String, MethodHandle> FUNCTIONS = new HashMap<>();
static final FunctionDescriptor SHAPE = FunctionDescriptor.of(
        ValueLayout.JAVA_INT,
        ValueLayout.JAVA_LONG,
        ValueLayout.JAVA_LONG,
        ValueLayout.JAVA_LONG,
        ValueLayout.JAVA_LONG);

/** Calls a function that takes up to four numbers and addresses; -1 is a failure. */
static int call(String name, long a, long b, long c, long d) {
    MethodHandle function = FUNCTIONS.computeIfAbsent(
            name, _ -> LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), SHAPE));
    try {
        return (int) function.invokeExact(a, b, c, d);
    } catch (Throwable t) {
        throw new IllegalStateException(t);
    }
}

/** A socket that listens on 127.0.0.1; port 0 is any that is free. */
static int listen(int port) throws IOException {
    int socket = call("socket", AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, 0);
    MemorySegment address = Arena.ofAuto().allocate(16, 4);
    address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_INET);
    address.set(ValueLayout.JAVA_SHORT.withOrder(ByteOrder.BIG_ENDIAN), 2, (short) port);
    address.asSlice(4).copyFrom(MemorySegment.ofArray(new byte[] {127, 0, 0, 1}));
    if (call("bind", socket, address.address(), 16, 0) < 0 || call("listen", socket, 128, 0, 0) < 0) {
        throw new IOException("cannot listen on port " + port);
    }
    return socket;
}

static int portOf(int socket) {
    MemorySegment address = Arena.ofAuto().allocate(20, 4);
    address.set(ValueLayout.JAVA_INT, 16, 16);
    call("getsockname", socket, address.address(), address.address() + 16, 0);
    return address.get(ValueLayout.JAVA_SHORT.withOrder(ByteOrder.BIG_ENDIAN), 2) & 0xffff;
}
