package dev.jvloop.linux;

/** By epoll_wait, for kernels without epoll_pwait2. */
class BlockingWaitInMillisecondsTest extends AbstractBlockingWaitTest {
    BlockingWaitInMillisecondsTest() {
        super(true);
    }
}
