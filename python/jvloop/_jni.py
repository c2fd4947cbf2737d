"""The few JNI functions that jvloop needs, called through their function tables with ctypes.

Every call keeps the GIL (PYFUNCTYPE), so a Java method that works on Python objects may be called; if it sets a Python
exception, ctypes raises it here. A Java exception is taken out of the JVM and raised as JavaError.

JNI names functions by their index in a table; the indexes are those of the JNI specification, "Interface Function
Table".
"""

from __future__ import annotations

import ctypes
import os
import threading
from typing import Any

JNI_OK = 0
JNI_VERSION = 0x00010008
"""JNI version of Java 8: nothing newer is needed, and an old JVM in the process can be asked for its version."""

_DESTROY_JAVA_VM, _DETACH_CURRENT_THREAD, _GET_ENV, _ATTACH_CURRENT_THREAD_AS_DAEMON = 3, 5, 6, 7
_INVOCATION_FUNCTIONS = 8
_FIND_CLASS = 6
_EXCEPTION_OCCURRED, _EXCEPTION_CLEAR = 15, 17
_PUSH_LOCAL_FRAME, _POP_LOCAL_FRAME = 19, 20
_NEW_GLOBAL_REF = 21
_NEW_OBJECT_A = 30
_GET_OBJECT_CLASS = 31
_GET_METHOD_ID, _CALL_OBJECT_METHOD_A = 33, 36
_GET_STATIC_METHOD_ID = 113
_CALL_STATIC_OBJECT_METHOD_A, _CALL_STATIC_LONG_METHOD_A, _CALL_STATIC_VOID_METHOD_A = 116, 134, 143
_NEW_STRING = 163
_GET_STRING_LENGTH, _GET_STRING_CHARS, _RELEASE_STRING_CHARS = 164, 165, 166
_NEW_OBJECT_ARRAY, _SET_OBJECT_ARRAY_ELEMENT = 172, 174

_FRAME_CAPACITY = 64
_CAUSES_SHOWN = 8

_JINT, _JLONG, _POINTER = ctypes.c_int32, ctypes.c_int64, ctypes.c_void_p


class JavaError(Exception):
    """A Java exception, as text: each throwable's ``toString()``, from the outermost to its last cause."""


class VmOption(ctypes.Structure):
    _fields_ = (("option_string", ctypes.c_char_p), ("extra_info", _POINTER))


class VmInitArgs(ctypes.Structure):
    _fields_ = (
        ("version", _JINT),
        ("option_count", _JINT),
        ("options", ctypes.POINTER(VmOption)),
        ("ignore_unrecognized", ctypes.c_uint8),
    )


def _address(interface: int, index: int) -> int:
    """Address of the function at ``index`` of the table that the interface pointer (a JavaVM* or JNIEnv*) points to."""
    table = _POINTER.from_address(interface).value or 0
    return _POINTER.from_address(table + index * ctypes.sizeof(_POINTER)).value or 0


def _function(interface: int, index: int, result: Any, *arguments: Any) -> Any:
    return ctypes.PYFUNCTYPE(result, _POINTER, *arguments)(_address(interface, index))


class JvmLibrary:
    """libjvm's three exported entry points. Raises OSError if it cannot be loaded."""

    def __init__(self, path: str) -> None:
        # PyDLL: JNI_CreateJavaVM runs with the GIL held, so no other Python thread sees a half-made JVM.
        self._library = ctypes.PyDLL(path)

    def created_vm(self) -> int | None:
        """Address of the JavaVM that runs in this process, None if there is none yet."""
        vm, count = _POINTER(), _JINT()
        self._library.JNI_GetCreatedJavaVMs(ctypes.byref(vm), 1, ctypes.byref(count))
        return vm.value if count.value else None

    def create(self, options: list[str]) -> tuple[int, int]:
        """Creates the JVM. Returns (JNI error code, address of the JavaVM), which is 0 unless the code is JNI_OK."""
        table = (VmOption * len(options))(*(VmOption(os.fsencode(option), None) for option in options))
        arguments = VmInitArgs(JNI_VERSION, len(options), table, 0)
        vm, env = _POINTER(), _POINTER()
        code = self._library.JNI_CreateJavaVM(ctypes.byref(vm), ctypes.byref(env), ctypes.byref(arguments))
        return int(code), vm.value or 0


class JvmEnd:
    """The end of a JVM that this process has created: after Python's, as the last of the process's exit handlers.

    Without it the JVM's threads go on until the process is gone, while the C library runs the destructors of libjvm's
    static objects: a garbage collection in that moment crashes. A Python exit handler would be too early: what is
    freed in Python's own end still calls Java.

    Like the end of any Java program it waits for threads that are no daemons, and runs shutdown hooks.
    """

    def __init__(self, vm: int) -> None:
        """``vm``: address of the JavaVM. Exit handlers run in reverse order: this one before libjvm's destructors."""
        self._vm = vm
        # The C library's: Python frees its own memory before the exit handlers run.
        allocate = ctypes.pythonapi.PyMem_RawMalloc
        allocate.restype, allocate.argtypes = _POINTER, [ctypes.c_size_t]
        self._lost = allocate(_INVOCATION_FUNCTIONS * ctypes.sizeof(_POINTER))
        library = ctypes.CDLL(None)
        # A function that does nothing and does not return JNI_OK, whatever its arguments.
        refusal = ctypes.cast(library.getpid, _POINTER)
        table = (_POINTER * _INVOCATION_FUNCTIONS).from_address(self._lost)
        for index in range(_INVOCATION_FUNCTIONS):
            table[index] = refusal
        register = getattr(library, "__cxa_atexit")  # a class would mangle the name
        register.argtypes = [_POINTER, _POINTER, _POINTER]
        register(_address(vm, _DESTROY_JAVA_VM), vm, None)

    def forget(self) -> None:
        """In a forked child: its exit must not wait for the threads of a JVM that it does not have.

        HotSpot's DestroyJavaVM attaches the thread by the JavaVM's own table first, and goes no further if that fails.
        """
        _POINTER.from_address(self._vm).value = self._lost


class Jni:
    """JNI on the calling thread, which is attached to the JVM while the ``with`` block runs.

    Objects are local references (plain addresses); the block's end frees them all. Not for other threads.
    """

    def __init__(self, vm: int, *, attached_for_us: bool = False) -> None:
        """``vm``: address of the JavaVM; ``attached_for_us``: this thread has just created it, so is attached."""
        self._vm = vm
        self._env = 0
        self._attached_for_us = attached_for_us
        self._describing = False

    def __enter__(self) -> Jni:
        env = _POINTER()
        if _function(self._vm, _GET_ENV, _JINT, _POINTER, _JINT)(self._vm, ctypes.byref(env), JNI_VERSION) != JNI_OK:
            attach = _function(self._vm, _ATTACH_CURRENT_THREAD_AS_DAEMON, _JINT, _POINTER, _POINTER)
            code = attach(self._vm, ctypes.byref(env), None)
            if code != JNI_OK:
                raise JavaError(f"the JVM did not accept this thread (AttachCurrentThreadAsDaemon returned {code})")
            self._attached_for_us = True
        self._env = env.value or 0
        self._call(_PUSH_LOCAL_FRAME, _JINT, (_JINT, _FRAME_CAPACITY))
        return self

    def __exit__(self, *_: object) -> None:
        _function(self._env, _POP_LOCAL_FRAME, _POINTER, _POINTER)(self._env, None)
        # A thread must not end attached. Java upcalls attach a thread by themselves and also detach it when it ends;
        # the initial thread ends with the process, so it may stay and keep the name "main".
        if self._attached_for_us and threading.get_native_id() != os.getpid():
            _function(self._vm, _DETACH_CURRENT_THREAD, _JINT)(self._vm)

    def find_class(self, name: str) -> int:
        """The class with this internal name (``java/lang/String``), seen from the system class loader."""
        return self._object(_FIND_CLASS, (ctypes.c_char_p, name.encode()))

    def string(self, text: str) -> int:
        """A new java.lang.String."""
        units = text.encode("utf-16-le", "surrogatepass")
        return self._object(_NEW_STRING, (ctypes.c_char_p, units), (_JINT, len(units) // 2))

    def text(self, string: int) -> str:
        """The text of a java.lang.String."""
        length = self._call(_GET_STRING_LENGTH, _JINT, (_POINTER, string))
        chars = self._call(_GET_STRING_CHARS, _POINTER, (_POINTER, string), (_POINTER, None))
        text = ctypes.string_at(chars, length * 2).decode("utf-16-le", "replace")
        self._call(_RELEASE_STRING_CHARS, None, (_POINTER, string), (_POINTER, chars))
        return text

    def new(self, class_name: str, signature: str, *arguments: int | None) -> int:
        """A new object, made by the constructor with this signature, such as ``(Ljava/lang/String;)V``."""
        java_class = self.find_class(class_name)
        constructor = self._method_id(_GET_METHOD_ID, java_class, "<init>", signature)
        return self._object(_NEW_OBJECT_A, (_POINTER, java_class), (_POINTER, constructor), *_values(arguments))

    def array(self, class_name: str, *elements: int) -> int:
        """A new object array of this element class."""
        count, element_class = len(elements), self.find_class(class_name)
        array = self._object(_NEW_OBJECT_ARRAY, (_JINT, count), (_POINTER, element_class), (_POINTER, None))
        for index, element in enumerate(elements):
            self._call(_SET_OBJECT_ARRAY_ELEMENT, None, (_POINTER, array), (_JINT, index), (_POINTER, element))
        return array

    def new_global(self, target: int) -> int:
        """A reference that lives as long as the JVM."""
        return int(self._call(_NEW_GLOBAL_REF, _POINTER, (_POINTER, target)))

    def call(self, target: int, name: str, signature: str, *arguments: int | None) -> int:
        """Calls a method that returns an object, on an object; 0 is null. JNI ignores access modifiers."""
        java_class = self._object(_GET_OBJECT_CLASS, (_POINTER, target))
        method = self._method_id(_GET_METHOD_ID, java_class, name, signature)
        return self._object(_CALL_OBJECT_METHOD_A, (_POINTER, target), (_POINTER, method), *_values(arguments))

    def call_static(self, java_class: int, name: str, signature: str, *arguments: int | None) -> int:
        """Calls a static method that returns an object."""
        method = self._method_id(_GET_STATIC_METHOD_ID, java_class, name, signature)
        return self._object(
            _CALL_STATIC_OBJECT_METHOD_A, (_POINTER, java_class), (_POINTER, method), *_values(arguments)
        )

    def call_static_long(self, java_class: int, name: str, signature: str, *arguments: int | None) -> int:
        """Calls a static method that returns a long."""
        method = self._method_id(_GET_STATIC_METHOD_ID, java_class, name, signature)
        function = (_CALL_STATIC_LONG_METHOD_A, _JLONG, (_POINTER, java_class), (_POINTER, method))
        return int(self._call(*function, *_values(arguments)))

    def call_static_void(self, java_class: int, name: str, signature: str, *arguments: int | None) -> None:
        """Calls a static method that returns nothing."""
        method = self._method_id(_GET_STATIC_METHOD_ID, java_class, name, signature)
        function = (_CALL_STATIC_VOID_METHOD_A, None, (_POINTER, java_class), (_POINTER, method))
        self._call(*function, *_values(arguments))

    def _method_id(self, getter: int, java_class: int, name: str, signature: str) -> int:
        texts = ((ctypes.c_char_p, name.encode()), (ctypes.c_char_p, signature.encode()))
        return self._object(getter, (_POINTER, java_class), *texts)

    def _object(self, index: int, *arguments: tuple[Any, Any]) -> int:
        return self._call(index, _POINTER, *arguments) or 0

    def _call(self, index: int, result: Any, *arguments: tuple[Any, Any]) -> Any:
        """Calls one JNI function; raises the Java exception it leaves behind, else the Python one a Java method set."""
        function = _function(self._env, index, result, *(kind for kind, _ in arguments))
        try:
            return function(self._env, *(value for _, value in arguments))
        finally:
            self._raise_java_error()

    def _raise_java_error(self) -> None:
        throwable = _function(self._env, _EXCEPTION_OCCURRED, _POINTER)(self._env)
        if throwable:
            _function(self._env, _EXCEPTION_CLEAR, None)(self._env)
            raise JavaError(self._describe(throwable))

    def _describe(self, throwable: int) -> str:
        if self._describing:
            return "a Java exception, and asking it for its description raised another one"
        self._describing = True
        try:
            return self._describe_chain(throwable)
        finally:
            self._describing = False

    def _describe_chain(self, throwable: int) -> str:
        descriptions: list[str] = []
        current = throwable
        while current and len(descriptions) < _CAUSES_SHOWN:
            descriptions.append(self.text(self.call(current, "toString", "()Ljava/lang/String;")))
            current = self.call(current, "getCause", "()Ljava/lang/Throwable;")
        return ", caused by ".join(descriptions)


def _values(arguments: tuple[int | None, ...]) -> tuple[tuple[Any, Any]]:
    """The one argument that JNI's ...A functions take: an array of 8-byte jvalues, here addresses and longs."""
    return ((ctypes.POINTER(_JLONG), (_JLONG * max(1, len(arguments)))(*(argument or 0 for argument in arguments))),)
