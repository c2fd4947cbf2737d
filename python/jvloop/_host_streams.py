"""Streams between Python and the Java program that started it.

Java methods are bound when Java starts Python (StreamMethods.java); the type checker reads their declarations under
TYPE_CHECKING.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from typing import TYPE_CHECKING, Any

from jvloop._loop import Loop


def _running_loop() -> Loop:
    loop = asyncio.get_running_loop()
    if not isinstance(loop, Loop):
        raise RuntimeError(f"who waits for Java needs a loop of jvloop's to run, and this is a {type(loop).__name__}")
    return loop


class JavaHalf:
    """Something with a Java half."""

    __slots__ = ("_java_half",)

    def __init__(self, java_half: object) -> None:
        self._java_half = java_half


class JavaStream(JavaHalf):
    """Something for which one coroutine waits until Java threads have done their part."""

    __slots__ = ()

    if TYPE_CHECKING:

        def _must_wait(self, loop: Loop, future: asyncio.Future[None], /) -> bool: ...
        def _forget_waiter(self) -> None: ...

    async def _wait(self) -> None:
        loop = _running_loop()
        future = loop.create_future()
        if self._must_wait(loop, future):
            try:
                await future
            finally:
                self._forget_waiter()


class DemandedElements(JavaStream):
    """Where elements go that a Java subscriber has asked for."""

    __slots__ = ()

    if TYPE_CHECKING:

        def _has_demand(self) -> bool: ...
        def _was_cancelled(self) -> bool: ...
        def _put(self, element: Any, /) -> bool: ...


async def pump(iterable: AsyncIterable[Any], elements: DemandedElements) -> None:
    """Takes elements of an iterable as they are demanded. The task of a subscription, which is cancelled with it."""
    iterator = aiter(iterable)
    try:
        while True:
            while not elements._has_demand():
                if elements._was_cancelled():
                    # The iterable caught that, and went on to another element.
                    return
                await elements._wait()
            async for element in iterator:
                if not elements._put(element):
                    break
            else:
                return
    finally:
        if hasattr(iterator, "aclose"):
            await iterator.aclose()


class ReceivedElements(JavaStream):
    """What a Java publisher has sent to one iteration."""

    __slots__ = ()

    if TYPE_CHECKING:

        def _take(self) -> tuple[Any, ...] | None: ...
        def _cancel(self) -> None: ...


class JavaPublisher(JavaHalf):
    """A ``java.util.concurrent.Flow.Publisher``: an asynchronous iterable, each iteration of which is a subscription.

    Needs a loop of jvloop's to run. An element that has no counterpart in Python ends the iteration with a TypeError.
    """

    __slots__ = ("__weakref__",)

    if TYPE_CHECKING:

        def _subscribe(self, prefetch: int, /) -> ReceivedElements: ...

    def __aiter__(self) -> AsyncGenerator[Any, None]:
        return self.elements()

    async def elements(self, prefetch: int = 128) -> AsyncGenerator[Any, None]:
        """The publisher's elements. At no time are more than ``prefetch`` asked for and not given out yet.

        Leaving the iteration cancels the subscription when the generator is closed, as by ``contextlib.aclosing``, or
        when nobody has it any more.
        """
        if prefetch < 1:
            raise ValueError("prefetch is 1 or more")
        _running_loop()
        received = self._subscribe(prefetch)
        try:
            while (batch := received._take()) is not None:
                if not batch:
                    await received._wait()
                for element in batch:
                    yield element
        finally:
            received._cancel()


class Nothing:
    """What a channel gives where there is no element, or no room, now."""


class ChannelClosedError(Exception):
    """A channel is closed: nothing can be sent, and there is nothing more to receive."""


class JavaChannel(JavaHalf):
    """A bounded queue between Java threads and coroutines: a ``dev.jvloop.PythonChannel``.

    Iterating it receives until it is closed and empty. A coroutine that is cancelled while it waits has sent or
    received nothing, and loses nothing. Needs a loop of jvloop's to run where there is something to wait for.
    """

    __slots__ = ("__weakref__",)

    Closed = ChannelClosedError

    if TYPE_CHECKING:

        def _add(self, element: Any, /) -> type[Nothing] | None: ...
        def _poll(self) -> Any: ...
        def _wait_for_room(self, loop: Loop, future: asyncio.Future[None], /) -> object: ...
        def _wait_for_element(self, loop: Loop, future: asyncio.Future[None], /) -> object: ...
        def _give_up(self, wait: object, /) -> None: ...
        def close(self) -> None: ...
        def is_closed(self) -> bool: ...

    async def send(self, element: Any) -> None:
        """Waits for room, and puts an element into the channel. Raises ``Closed``, TypeError if it is no such value."""
        if self._add(element) is Nothing:
            await self._retry(lambda: self._add(element), self._wait_for_room)

    async def receive(self) -> Any:
        """Waits for an element, and takes it. Raises ``Closed``, TypeError if Python has no such value."""
        element = self._poll()
        return await self._retry(self._poll, self._wait_for_element) if element is Nothing else element

    async def _retry(
        self, attempt: Callable[[], Any], begin_wait: Callable[[Loop, asyncio.Future[None]], object]
    ) -> Any:
        loop = _running_loop()
        while True:
            future = loop.create_future()
            wait = begin_wait(loop, future)
            try:
                # First it is known that one waits, then one looks; who wakes does it the other way round.
                result = attempt()
                if result is Nothing:
                    await future
            except BaseException:
                self._give_up(wait)
                raise
            if result is not Nothing:
                self._give_up(wait)
                return result
            result = attempt()
            if result is not Nothing:
                return result

    def __aiter__(self) -> JavaChannel:
        return self

    async def __anext__(self) -> Any:
        try:
            return await self.receive()
        except ChannelClosedError:
            raise StopAsyncIteration from None


HELPERS = (pump,)
TYPES = (JavaHalf, JavaStream, DemandedElements, ReceivedElements, JavaPublisher, JavaChannel)
SIGNS = (ChannelClosedError, Nothing)
