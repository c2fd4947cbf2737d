import java.util.concurrent.atomic.AtomicLong;

/** Makes the JVM use its fault signals: safepoints that stop compiled loops, and implicit null checks. */
public final class FaultSignals {
    private static final class Box {
        int value;
    }

    private static volatile boolean stop;
    private static volatile Object sink;

    /** Returns the number of NullPointerExceptions caught, all of them from compiled code but the first ones. */
    public static long provoke(long rounds) throws Exception {
        stop = false;
        var spins = new AtomicLong();
        var spinner = new Thread(() -> {
            while (!stop) {
                spins.addAndGet(count(1_000_000));
            }
        });
        spinner.setDaemon(true);
        spinner.start();
        Box[] boxes = {new Box(), null};
        long caught = 0;
        // Never null while the method is compiled: HotSpot then leaves the check to the processor.
        for (int i = 0; i < 200_000; i++) {
            caught += read(boxes[0]);
        }
        for (long i = 0; i < rounds; i++) {
            sink = new byte[1 << 16];
            if (i % 10 == 0) {
                System.gc();
            }
            try {
                read(boxes[1]);
            } catch (NullPointerException expected) {
                caught++;
            }
        }
        while (spins.get() == 0) {
            Thread.onSpinWait();
        }
        stop = true;
        spinner.join();
        return caught;
    }

    private static int read(Box box) {
        return box.value;
    }

    private static long count(int limit) {
        long total = 0;
        for (int i = 0; i < limit; i++) {
            total += i ^ (total >> 3);
        }
        return total | 1;
    }
}
