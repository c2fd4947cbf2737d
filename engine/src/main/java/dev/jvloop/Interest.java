package dev.jvloop;

/** What a descriptor is watched for, and what it is ready for. */
public enum Interest {
    /** There is something to read, or the end of what there was; a listening socket has a connection. */
    READ,
    /** There is room to write; a connection is made, or has failed. */
    WRITE,
    /** Either. */
    READ_WRITE;

    /** Whether reading is part of it. */
    public boolean reads() {
        return this != WRITE;
    }

    /** Whether writing is part of it. */
    public boolean writes() {
        return this != READ;
    }
}
