package dev.jvloop.transport;

import dev.jvloop.capi.Abstract;
import dev.jvloop.capi.Contexts;
import dev.jvloop.foreign.Memory;
import dev.jvloop.linux.Errno;
import dev.jvloop.linux.FdHandler;
import dev.jvloop.linux.Poller;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.loop.IoScratch;
import dev.jvloop.loop.ReferenceHolder;
import dev.jvloop.py.Calls;
import dev.jvloop.py.ContextSwitch;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;
import java.util.function.LongConsumer;

/** A listening stream socket: accepts connections and makes a protocol and a transport for each. */
public final class Listener implements FdHandler, ReferenceHolder {
    /**
     * As many TLS connections are accepted at once, the next ones in a later iteration, when those before have got on.
     * Where all of a burst of 1000 are accepted first, the memory of their handshakes, which are then in progress
     * together, leaves 56 KiB a connection behind; this way it is 30.
     */
    private static final int TLS_ACCEPTED_AT_ONCE = 8;

    private final EventLoop loop;
    private final int fd;
    private final int backlog;
    private final AcceptPace pace = new AcceptPace(System.nanoTime());
    private long ownedProtocolFactory;
    private long ownedSock;
    private long ownedServer;
    private long ownedContext;

    private Listener(EventLoop loop, int fd, int backlog) {
        this.loop = loop;
        this.fd = fd;
        this.backlog = backlog;
    }

    /**
     * Begins to accept on a listening, non-blocking socket, until the descriptor is unwatched. The protocols are made
     * in copies of the context that is current now.
     *
     * @param server the asyncio.Server that each transport attaches itself to, or None
     */
    public static void start(EventLoop loop, int fd, long protocolFactory, long sock, long server, int backlog) {
        Listener listener = new Listener(loop, fd, backlog);
        int result = loop.poller().watch(fd, Poller.READ, listener);
        if (result < 0) {
            throw PyErr.raiseOsError(-result);
        }
        listener.ownedContext = PyErr.checked(Contexts.PyContext_CopyCurrent());
        listener.ownedProtocolFactory = Refs.incref(protocolFactory);
        listener.ownedSock = Refs.incref(sock);
        listener.ownedServer = Refs.incref(server);
    }

    @Override
    public void onReady(int events) {
        int most = pace.next(System.nanoTime(), backlog);
        for (int i = 0; i < most && loop.poller().handlerOrNull(fd) == this; i++) {
            IoScratch scratch = loop.scratch();
            Memory.putInt(scratch.addressLength, IoScratch.SOCKADDR_SIZE);
            int connection = loop.calls().accept4(fd, scratch.address, scratch.addressLength);
            if (connection < 0) {
                acceptFailed(-connection);
                return;
            }
            byte[] peer = SocketAddresses.copyFrom(scratch);
            if (connect(connection, new SocketAddresses(SocketAddresses.localOf(loop, connection), peer))) {
                most = Math.min(TLS_ACCEPTED_AT_ONCE, most);
            }
        }
    }

    private void acceptFailed(int errno) {
        if (errno == Errno.EAGAIN || errno == Errno.EINTR || errno == Errno.ECONNABORTED) {
            return;
        }
        // The helper may stop this listener, which releases what it is given here.
        Calls.run(
                TransportHelpers.ACCEPT_FAILED,
                loop.self(),
                new Calls.Owned(PyErr.newOsError(errno)),
                new Calls.Owned(Refs.incref(ownedProtocolFactory)),
                new Calls.Owned(Refs.incref(ownedSock)),
                new Calls.Owned(Refs.incref(ownedServer)),
                Calls.integer(backlog));
    }

    /**
     * Makes protocol and transport in a context of their own, as the task that asyncio starts here would.
     *
     * @return whether it is a TLS connection
     */
    private boolean connect(int connection, SocketAddresses addresses) {
        long ownedConnectionContext = PyErr.checked(Contexts.PyContext_Copy(ownedContext));
        long ownedFactory = Refs.incref(ownedProtocolFactory);
        long ownedException = 0;
        int unowned = connection;
        boolean isTls = false;
        if (!ContextSwitch.enter(ownedConnectionContext)) {
            ownedException = PyErr.newTaken();
        } else {
            long ownedProtocol = Abstract.PyObject_CallNoArgs(ownedFactory);
            if (ownedProtocol == 0) {
                ownedException = PyErr.newTaken();
            } else {
                isTls = Tls.isProtocol(ownedProtocol);
                try {
                    Transports.accept(loop, connection, addresses, ownedProtocol, ownedServer, ownedConnectionContext);
                    unowned = -1;
                } catch (PythonError e) {
                    ownedException = PyErr.newTaken();
                }
                Refs.decref(ownedProtocol);
            }
            ContextSwitch.leave(ownedConnectionContext);
        }
        Refs.decref(ownedFactory);
        Refs.decref(ownedConnectionContext);
        if (unowned >= 0) {
            loop.calls().close(unowned);
        }
        if (ownedException != 0) {
            connectFailed(ownedException);
        }
        return isTls;
    }

    private void connectFailed(long ownedException) {
        if (PyErr.endsLoop(ownedException)) {
            throw PyErr.raiseOwned(ownedException);
        }
        Calls.run(TransportHelpers.PROTOCOL_FACTORY_FAILED, loop.self(), new Calls.Owned(ownedException));
    }

    @Override
    public void visitReferences(LongConsumer visit) {
        if (ownedContext != 0) {
            visit.accept(ownedProtocolFactory);
            visit.accept(ownedSock);
            visit.accept(ownedServer);
            visit.accept(ownedContext);
        }
    }

    @Override
    public void releaseReferences() {
        if (ownedContext == 0) {
            return;
        }
        long[] owned = {ownedContext, ownedProtocolFactory, ownedSock, ownedServer};
        ownedContext = 0;
        for (long reference : owned) {
            Refs.decref(reference);
        }
    }
}
