package dev.jvloop.host;

/** Something of Python's that Java has and gives back. */
interface Loan {
    /** In Python, once. */
    void giveBack();
}
