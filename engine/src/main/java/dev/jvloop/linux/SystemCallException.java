package dev.jvloop.linux;

/** A system call that failed where no caller can go on. */
public final class SystemCallException extends RuntimeException {
    private static final long serialVersionUID = 1;
    private final int errno;

    public SystemCallException(String call, int errno) {
        super(call + " failed with errno " + errno);
        this.errno = errno;
    }

    public int errno() {
        return errno;
    }

    static int check(String call, int result) {
        if (result < 0) {
            throw new SystemCallException(call, -result);
        }
        return result;
    }
}
