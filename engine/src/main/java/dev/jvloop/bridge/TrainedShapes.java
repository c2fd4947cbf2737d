package dev.jvloop.bridge;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Has the AOT cache hold the code of method handles, by the shapes of those that the engine's start makes. Only the
 * training run of {@code python -m jvloop cache} calls it.
 *
 * <p>For each shape of a direct method handle that the JDK did not foresee the JVM spins a class, of half a
 * millisecond: twenty of them were a tenth of a start. The cache of JDK 25 holds such a class only if it was made in
 * the process that writes the cache. No program's code runs there, but the lambdas are linked that the training run
 * has linked, and for that each one's body gets a direct method handle. So there is a lambda here for each shape: what
 * it captures are the parameters of its body. Nothing depends on them but the time that a start takes.
 *
 * <p>{@code -Djava.lang.invoke.MethodHandle.TRACE_RESOLVE=true} writes the shapes that are missing, as {@code fail}: an L
 * for the handle itself, the parameters, and the result.
 */
@SuppressWarnings("unused")
public final class TrainedShapes {
    private final long own = 1;

    private TrainedShapes() {}

    /** Called through JNI, as all entry points are; the argument is not used. */
    public static long start(long unused) {
        staticMethods("", "", "", 1, 2, 3, 4, 5, 6);
        interfaceMethods();
        TrainedShapes object = new TrainedShapes();
        object.finalMethods("", "", "", 1, 2, 3, 4, 5, 6, 7);
        object.methodsOfDoubles("", "", 1, 2);
        exactCalls();
        return 0;
    }

    /** Bodies of upcalls and their trampolines, of system calls (with errno), and helpers of the JDK's. */
    private static List<Object> staticMethods(
            Object x, Object y, Object z, long a, long b, long c, long d, long e, double value) {
        LongSupplier oneObject = () -> x.hashCode();
        LongSupplier twoLongs = () -> a + b;
        LongSupplier fourLongs = () -> a + b + c + d;
        LongSupplier objectAndFour = () -> x.hashCode() + a + b + c + d;
        LongSupplier twoObjectsAndFour = () -> x.hashCode() + y.hashCode() + a + b + c + d;
        LongSupplier threeObjectsAndFive = () -> x.hashCode() + y.hashCode() + z.hashCode() + a + b + c + d + e;
        LongSupplier twoObjectsAndDouble = () -> x.hashCode() + y.hashCode() + (long) value;
        Runnable mixed = () -> Collections.addAll(new ArrayList<>(), x, a, y);
        Runnable twoObjects = () -> Collections.addAll(new ArrayList<>(), x, y);
        Runnable objectAndLong = () -> Collections.addAll(new ArrayList<>(), x, a);
        return List.of(
                oneObject,
                twoLongs,
                fourLongs,
                objectAndFour,
                twoObjectsAndFour,
                threeObjectsAndFive,
                twoObjectsAndDouble,
                mixed,
                twoObjects,
                objectAndLong);
    }

    /** A method handle's own calls are methods that cannot be overridden. */
    private List<Object> finalMethods(
            Object x, Object y, Object z, long a, long b, long c, long d, long e, long f, long g) {
        LongSupplier fourLongs = () -> own + a + b + c + d;
        LongSupplier fiveLongs = () -> own + a + b + c + d + e;
        LongSupplier sevenLongs = () -> own + a + b + c + d + e + f + g;
        LongSupplier objectAndFour = () -> own + x.hashCode() + a + b + c + d;
        LongSupplier twoObjectsAndFour = () -> own + x.hashCode() + y.hashCode() + a + b + c + d;
        LongSupplier threeObjectsAndFive = () -> own + x.hashCode() + y.hashCode() + z.hashCode() + a + b + c + d + e;
        return List.of(fourLongs, fiveLongs, sevenLongs, objectAndFour, twoObjectsAndFour, threeObjectsAndFive);
    }

    /** Floats are made of doubles, which travel in registers of their own. */
    private List<Object> methodsOfDoubles(Object x, Object y, long a, double value) {
        LongSupplier twoObjects = () -> own + x.hashCode() + y.hashCode() + (long) value;
        LongSupplier oneLong = () -> own + a + (long) value;
        return List.of(twoObjects, oneLong);
    }

    private interface Pieces {
        Object piece(long offset, long size);

        Object piece(long offset, Object layout);
    }

    private interface PieceBySize {
        Object of(Pieces pieces, long offset, long size);
    }

    private interface PieceByLayout {
        Object of(Pieces pieces, long offset, Object layout);
    }

    private static class Overridable {
        Object first(Object x, Object y, Object z) {
            return x;
        }
    }

    private interface OfThree {
        Object of(Overridable object, Object x, Object y, Object z);
    }

    private static List<Object> interfaceMethods() {
        PieceBySize bySize = Pieces::piece;
        PieceByLayout byLayout = Pieces::piece;
        OfThree ofThree = Overridable::first;
        return List.of(bySize, byLayout, ofThree);
    }

    /** The linker's stubs call handles so, without errno, with it, and with a double. */
    private static long exactCalls() {
        try {
            return (long) zeroOf(5).invokeExact(1L, 2L, 3L, 4L, 5L)
                    + (long) zeroOf(7).invokeExact(1L, 2L, 3L, 4L, 5L, 6L, 7L)
                    + (long) MethodHandles.empty(MethodType.methodType(long.class, long.class, double.class))
                            .invokeExact(1L, 2.0)
                    + (long) MethodHandles.empty(MethodType.methodType(
                                    long.class, Object.class, long.class, long.class, long.class, long.class))
                            .invokeExact((Object) null, 1L, 2L, 3L, 4L);
        } catch (Throwable t) {
            throw new IllegalStateException(t);
        }
    }

    private static MethodHandle zeroOf(int longs) {
        return MethodHandles.empty(MethodType.methodType(long.class, Collections.nCopies(longs, long.class)));
    }
}
