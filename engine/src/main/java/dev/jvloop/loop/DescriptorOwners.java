package dev.jvloop.loop;

import dev.jvloop.linux.FdHandler;
import java.util.Arrays;

/**
 * Which handler a file descriptor belongs to, watched or not. It has a lock of its own, held for a few instructions in
 * which nothing of Python is called: in free-threaded Python a lost transport is finalised on whatever thread the
 * garbage collector runs.
 */
final class DescriptorOwners {
    private FdHandler[] byFd = new FdHandler[64];

    synchronized void set(int fd, FdHandler ownerOrNull) {
        if (fd >= byFd.length) {
            byFd = Arrays.copyOf(byFd, Math.max(fd + 1, byFd.length * 2));
        }
        byFd[fd] = ownerOrNull;
    }

    synchronized FdHandler getOrNull(int fd) {
        return fd >= 0 && fd < byFd.length ? byFd[fd] : null;
    }
}
