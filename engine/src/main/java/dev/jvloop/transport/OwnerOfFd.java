package dev.jvloop.transport;

import dev.jvloop.linux.FdHandler;

/** A transport's Java half, as the owner of a file descriptor that nobody else may watch. */
interface OwnerOfFd extends FdHandler {
    /** A new reference to the Python half. */
    long newSelf();
}
