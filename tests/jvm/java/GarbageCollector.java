import java.util.ArrayList;
import java.util.List;

/** Keeps the JVM's garbage collector busy, with much to follow, until the JVM ends. */
public final class GarbageCollector {
    private static final List<Object[]> KEPT = new ArrayList<>();

    /** Returns after the first collection. */
    public static long keepBusy() {
        for (int i = 0; i < 2_000; i++) {
            Object[] many = new Object[500];
            for (int j = 0; j < many.length; j++) {
                many[j] = new Object[] {many};
            }
            KEPT.add(many);
        }
        System.gc();
        var collector = new Thread(() -> {
            while (true) {
                System.gc();
            }
        });
        collector.setDaemon(true);
        collector.start();
        return KEPT.size();
    }
}
