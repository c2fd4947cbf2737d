package dev.jvloop.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.jvloop.foreign.Downcall;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Law 2: a critical downcall never blocks, never runs Python, never upcalls, and never starts Python's cyclic garbage
 * collector. No test can prove that of a C function, so each one stands here with the reason why it holds: who makes
 * another call critical has to write one.
 */
class CriticalDowncallsTest {
    private static final String NO_GC_OBJECT = "allocates at most an object that the cyclic collector does not track";
    private static final String ONLY_READS = "reads, and allocates nothing";
    private static final String NON_BLOCKING = "the descriptor is non-blocking";
    private static final String KERNEL_TABLE = "works on the kernel's tables and waits for nothing";

    private static final String MEMORY_BIO = "on a memory BIO without callbacks, which only copies memory";

    private static final String FROM_3_12 = "critical only where a collection waits for the eval breaker, from 3.12";

    private static final Map<String, String> REASONS = new TreeMap<>(Map.ofEntries(
            Map.entry("Py_IncRef", "adds one"),
            Map.entry("PyType_IsSubtype", ONLY_READS),
            Map.entry("PyCallable_Check", ONLY_READS),
            Map.entry("PyErr_Occurred", ONLY_READS),
            Map.entry("Py_EnterRecursiveCall", "counts, or raises a RecursionError; " + FROM_3_12),
            Map.entry("Py_LeaveRecursiveCall", "counts"),
            Map.entry("PyLong_FromLongLong", NO_GC_OBJECT),
            Map.entry("PyFloat_FromDouble", NO_GC_OBJECT),
            Map.entry("PyUnicode_FromStringAndSize", NO_GC_OBJECT + "; called with ASCII alone, which raises nothing"),
            Map.entry("PyBytes_FromStringAndSize", NO_GC_OBJECT),
            Map.entry("_PyBytes_Resize", NO_GC_OBJECT + ", and the object is nobody else's"),
            Map.entry("PyByteArray_AsString", ONLY_READS),
            Map.entry("PyObject_Free", "frees the memory of an object whose references are gone already"),
            Map.entry("PyObject_GC_UnTrack", "takes an object out of a list"),
            Map.entry("PyType_GenericAlloc", FROM_3_12),
            Map.entry("PyTuple_New", FROM_3_12),
            Map.entry("PyContext_New", FROM_3_12),
            Map.entry("PyContext_CopyCurrent", FROM_3_12),
            Map.entry("PyContext_Copy", FROM_3_12),
            Map.entry("PyThreadState_Get", ONLY_READS),
            Map.entry("PyContext_Enter", "critical only before 3.14's watchers; callers see that nobody is in it"),
            Map.entry("PyContext_Exit", "as PyContext_Enter"),
            Map.entry("recv", NON_BLOCKING),
            Map.entry("send", NON_BLOCKING),
            Map.entry("sendmsg", NON_BLOCKING),
            Map.entry("recvfrom", "MSG_DONTWAIT"),
            Map.entry("sendto", "MSG_DONTWAIT"),
            Map.entry("inet_pton", "reads text and writes to the caller's memory"),
            Map.entry("inet_ntop", "as inet_pton"),
            Map.entry("accept4", NON_BLOCKING),
            Map.entry("read", "of the eventfd, which is non-blocking"),
            Map.entry("write", "to the eventfd, which is non-blocking"),
            Map.entry("shutdown", KERNEL_TABLE),
            Map.entry("getsockname", KERNEL_TABLE),
            Map.entry("setsockopt", KERNEL_TABLE),
            Map.entry("epoll_create1", KERNEL_TABLE),
            Map.entry("epoll_ctl", KERNEL_TABLE),
            Map.entry("SSL_get_error", ONLY_READS),
            Map.entry("SSL_has_pending", ONLY_READS),
            Map.entry("SSL_is_server", ONLY_READS),
            Map.entry("SSL_get_rbio", ONLY_READS),
            Map.entry("SSL_get_wbio", ONLY_READS),
            Map.entry("SSL_get_SSL_CTX", ONLY_READS),
            Map.entry("SSL_get_ex_data", ONLY_READS),
            Map.entry("BIO_ctrl", MEMORY_BIO),
            Map.entry("BIO_write", MEMORY_BIO),
            Map.entry("BIO_read", MEMORY_BIO),
            Map.entry("BUF_MEM_new", "allocates memory"),
            Map.entry("BUF_MEM_free", "frees memory"),
            Map.entry("ERR_clear_error", "works on the thread's own error queue"),
            Map.entry("__errno_location", ONLY_READS),
            Map.entry("epoll_wait", "with a timeout of 0; waiting is BlockingWait's, which is not critical"),
            Map.entry("eventfd", KERNEL_TABLE)));

    @Test
    void eachCriticalDowncallHasItsReason() {
        Set<String> critical = new TreeSet<>();
        for (var model : Bytecode.besides(Downcall.class)) {
            for (Bytecode.Call call : Bytecode.calls(model)) {
                // Downcall.critical(name), or an option of a call that names the function first.
                if (call.name().startsWith("critical") && !call.lastString().isEmpty()) {
                    critical.add(call.lastString());
                }
            }
        }
        assertEquals(String.join("\n", REASONS.keySet()), String.join("\n", critical));
    }
}
