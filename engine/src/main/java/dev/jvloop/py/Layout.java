package dev.jvloop.py;

import dev.jvloop.capi.Version;
import dev.jvloop.foreign.Memory;

/**
 * Where things are inside CPython's objects. The Python package measured the offsets on live objects of this
 * interpreter; {@link #check} reads known objects through them before anything else trusts them.
 */
public final class Layout {
    static final long REFCOUNT = 0;
    static final long TYPE = Namespace.integer("offset.ob_type");
    /** Size of the object header: where an object's own fields start. */
    public static final long HEADER = Namespace.integer("offset.header");

    static final long VAR_SIZE = Namespace.integer("offset.ob_size");
    static final long BYTES_DATA = Namespace.integer("offset.bytes_data");
    static final long BYTES_HASH = Namespace.integer("offset.bytes_hash");
    static final long TUPLE_ITEMS = Namespace.integer("offset.tuple_items");
    static final long INT_DIGIT = Namespace.integer("offset.int_digit");

    private Layout() {}

    /** Throws if reading known objects through the offsets does not give what they hold. */
    public static void check() {
        long bytes = Namespace.object("probe.bytes");
        long tuple = Namespace.object("probe.tuple");
        expect("threading", (Namespace.integer("free_threaded") != 0) == Version.FREE_THREADED);
        expect("ob_type", Py.typeOf(bytes) == Namespace.object("type.bytes"));
        expect("bytes size", Py.size(bytes) == 6);
        expect(
                "bytes data",
                Memory.getByte(Py.bytesData(bytes)) == 'j' && Memory.getByte(Py.bytesData(bytes) + 6) == 0);
        expect("bytes hash", Memory.getLong(bytes + BYTES_HASH) == Namespace.integer("probe.bytes_hash"));
        expect("no bytes hash", Memory.getLong(Namespace.object("probe.unhashed") + BYTES_HASH) == Py.NO_HASH);
        expect("tuple size", Py.size(tuple) == 2);
        expect("tuple items", Py.tupleItem(tuple, 1) == bytes);
        expect("int digit", Py.smallInt(Namespace.object("probe.int")) == 123_456_789);
        expect("float value", Py.floatValue(Namespace.object("probe.float")) == 1.5);
        BufferView.check(bytes);
        if (!Version.FREE_THREADED) {
            int before = Memory.getInt(tuple + REFCOUNT);
            Refs.incref(tuple);
            expect("refcount", Memory.getInt(tuple + REFCOUNT) == before + 1);
            Refs.decref(tuple);
        }
    }

    static void expect(String what, boolean holds) {
        if (!holds) {
            throw new IllegalStateException("this CPython's object layout is not one the engine knows: " + what);
        }
    }
}
