package dev.jvloop.host;

import dev.jvloop.PyBuffer;
import dev.jvloop.py.BufferView;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The memory of a Python object in the hands of a Java program. */
final class BufferHandle implements PyBuffer {
    private final Interpreter interpreter;
    private final OpenBuffers.Lifetime lifetime;
    private final MemorySegment segment;
    private final String format;
    private final long itemSize;
    private final long[] shape;

    /** @param view the {@code Py_buffer}, which is read here and not kept */
    BufferHandle(Interpreter interpreter, OpenBuffers.Lifetime lifetime, MemorySegment segment, long view) {
        this.interpreter = interpreter;
        this.lifetime = lifetime;
        this.segment = segment;
        format = BufferView.format(view);
        itemSize = BufferView.itemSize(view);
        shape = BufferView.shape(view);
    }

    @Override
    public MemorySegment segment() {
        return segment;
    }

    @Override
    public ByteBuffer byteBuffer() {
        return segment.asByteBuffer().order(ByteOrder.nativeOrder());
    }

    @Override
    public boolean isReadOnly() {
        return segment.isReadOnly();
    }

    @Override
    public String format() {
        return format;
    }

    @Override
    public long itemSize() {
        return itemSize;
    }

    @Override
    public long[] shape() {
        return shape.clone();
    }

    @Override
    public void close() {
        lifetime.close();
        interpreter.releaseNow();
    }
}
