package dev.jvloop.linux;

/** By epoll_pwait2, where there is one. */
class BlockingWaitInNanosecondsTest extends AbstractBlockingWaitTest {
    BlockingWaitInNanosecondsTest() {
        super(false);
    }
}
