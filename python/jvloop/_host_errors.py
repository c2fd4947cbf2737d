"""Java's exceptions as Python sees them. FunctionErrors.java has the other half."""

from __future__ import annotations

import asyncio

_FRAMES_SHOWN = 32


class JavaError(Exception):
    """A Java exception that a Java function threw.

    Its text is that of Java: class, message, stack. ``__cause__`` is the Java exception's cause: a ``JavaError``, or
    the Python exception that it came from. Where it goes on into Java, it is the same Java exception there.
    """

    __module__ = "jvloop.host"
    __slots__ = ("_java_half", "java_class", "java_stack", "message")

    _java_half: object
    java_class: str
    """The exception's class, with its package."""
    message: str | None
    """What its ``getMessage()`` gave."""
    java_stack: tuple[str, ...]
    """The frames of its stack trace, innermost first, down to the function that Python called."""

    def __init__(self, java_class: str, message: str | None = None, java_stack: tuple[str, ...] = ()) -> None:
        super().__init__(java_class, message, java_stack)
        self.java_class = java_class
        self.message = message
        self.java_stack = java_stack

    def __str__(self) -> str:
        head = self.java_class if self.message is None else f"{self.java_class}: {self.message}"
        lines = [head, *(f"    at {frame}" for frame in self.java_stack[:_FRAMES_SHOWN])]
        more = len(self.java_stack) - _FRAMES_SHOWN
        return "\n".join([*lines, f"    ... {more} more"] if more > 0 else lines)


def new_java_error(
    java_class: str, message: str | None, java_stack: tuple[str, ...], java_half: object, cause: BaseException | None
) -> JavaError:
    error = JavaError(java_class, message, java_stack)
    error._java_half = java_half
    error.__cause__ = cause
    return error


def new_cancelled_error(cause: JavaError) -> asyncio.CancelledError:
    """What a CancellationException is; it keeps that, so that it can be the same one in Java again."""
    error = asyncio.CancelledError()
    error.__cause__ = cause
    return error


HELPERS = (new_java_error, new_cancelled_error)
