"""What ``import jvloop`` offers."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import jvloop

from .support import run_program

# Tests that run a loop in the test process ask for the backend: the leak gate then starts the engine before it looks.

PUBLIC = {"EventLoopPolicy", "JvmError", "Loop", "__version__", "install", "jvm", "new_event_loop", "run"}
PUBLIC_MODULES = {"aio", "host", "testing"}


def test_the_public_names_are_these() -> None:
    assert set(jvloop.__all__) == PUBLIC
    # Submodules appear as attributes once they are imported; the private ones have an underscore.
    visible = {name for name in vars(jvloop) if not name.startswith("_")} - PUBLIC_MODULES
    assert visible - PUBLIC <= {
        "annotations",
        "asyncio",
        "Any",
        "Coroutine",
        "Iterable",
        "TYPE_CHECKING",
        "TypeVar",
        "os",
    }
    with pytest.raises(AttributeError, match="module 'jvloop' has no attribute 'nonsense'"):
        jvloop.nonsense  # noqa: B018


def test_names_say_where_they_come_from() -> None:
    assert repr(jvloop.JvmError) == "<class 'jvloop.JvmError'>"
    assert issubclass(jvloop.JvmError, RuntimeError)
    assert issubclass(jvloop.Loop, asyncio.AbstractEventLoop)


def test_java_functions_without_a_java_program() -> None:
    """What a program that expects them is told where Python was started by itself."""
    from jvloop import host

    with pytest.raises(ImportError, match="no Java function 'fetch', since no Java code was asked for any"):
        from jvloop.host import fetch  # noqa: F401
    with pytest.raises(AttributeError, match="no Java function 'fetch', since no Java code was asked for any"):
        host.fetch  # noqa: B018
    assert not hasattr(host, "fetch")
    assert set(host.__all__) == {"JavaError", "JavaObject", "JavaStage", "wrap"}
    assert set(host.__all__) <= set(dir(host))
    error = host.JavaError("java.lang.Exception", "text", ("a.B.c(B.java:1)",))
    assert str(error) == "java.lang.Exception: text\n    at a.B.c(B.java:1)"
    assert (error.java_class, error.message, error.java_stack[0][:3]) == ("java.lang.Exception", "text", "a.B")


async def loop_and_debug() -> tuple[type[Any], bool]:
    loop = asyncio.get_running_loop()
    return type(loop), loop.get_debug()


@pytest.mark.only_on("jvloop")
@pytest.mark.usefixtures("backend")
def test_run_is_asyncios_run_on_jvloop() -> None:
    assert jvloop.run(loop_and_debug()) == (jvloop.Loop, False)
    assert jvloop.run(loop_and_debug(), debug=True) == (jvloop.Loop, True)
    with asyncio.Runner(loop_factory=jvloop.new_event_loop) as runner:
        assert runner.run(loop_and_debug()) == (jvloop.Loop, False)


@pytest.mark.only_on("jvloop")
@pytest.mark.usefixtures("backend")
def test_run_refuses_what_asyncios_run_refuses() -> None:
    with pytest.raises((TypeError, ValueError)) as refused:
        asyncio.run(42)  # type: ignore[arg-type]
    with pytest.raises(refused.type, match=str(refused.value)):  # ValueError up to 3.13, TypeError from 3.14 on
        jvloop.run(42)  # type: ignore[arg-type]

    async def nested() -> None:
        coroutine = loop_and_debug()
        try:
            with pytest.raises(RuntimeError, match=r"jvloop\.run\(\) cannot be called from a running event loop"):
                jvloop.run(coroutine)
        finally:
            coroutine.close()

    jvloop.run(nested())


@pytest.mark.only_on("jvloop")
@pytest.mark.usefixtures("backend")
def test_run_ends_what_is_left() -> None:
    """Tasks are cancelled and asynchronous generators closed, as asyncio.run does."""
    seen: list[str] = []

    async def left_over() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("cancelled")

    async def main() -> None:
        main.task = asyncio.create_task(left_over())  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    jvloop.run(main())
    assert seen == ["cancelled"]


def test_install_and_the_policy(tmp_path: Path) -> None:
    program = """
        import asyncio, warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.14 on: policies
        import jvloop
        jvloop.install()
        assert isinstance(asyncio.get_event_loop_policy(), jvloop.EventLoopPolicy)
        async def main():
            assert isinstance(asyncio.get_running_loop(), jvloop.Loop)
        asyncio.run(main())
        loop = asyncio.new_event_loop()
        assert isinstance(loop, jvloop.Loop)
        asyncio.set_event_loop(loop)
        assert asyncio.get_event_loop() is loop
        loop.close()
        print("installed")
    """
    assert run_program(program, cwd=tmp_path).stdout == "installed\n"


def test_the_policy_warns_when_it_is_set(tmp_path: Path) -> None:
    """Not when it is named, nor by ``import *``: only from 3.14 on, and by asyncio."""
    program = """
        import sys, warnings
        from jvloop import *
        assert issubclass(EventLoopPolicy, object)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            install()
        assert [w.category for w in caught] == [DeprecationWarning] * (sys.version_info >= (3, 14)), caught
        print("as asyncio wants it")
    """
    assert run_program(program, cwd=tmp_path).stdout == "as asyncio wants it\n"


WITHOUT_POLICIES = """
    import asyncio
    for module in (asyncio, asyncio.events):
        for name in ("get_event_loop_policy", "set_event_loop_policy"):
            delattr(module, name)
    for name in ("AbstractEventLoopPolicy", "DefaultEventLoopPolicy"):
        vars(asyncio).pop(name, None)
    vars(asyncio).pop("__getattr__", None)  # what knows the names on 3.14
"""


def test_no_policy_where_asyncio_has_none(tmp_path: Path) -> None:
    """As Python 3.16 means to have it."""
    program = """
        import jvloop
        for name in ("EventLoopPolicy", "install"):
            try:
                getattr(jvloop, name)
            except AttributeError as exc:
                assert "has no event loop policies. Use jvloop.run(), or loop_factory=" in str(exc), exc
            else:
                raise AssertionError(name)
            assert name not in jvloop.__all__
        from jvloop import *
        async def main():
            return isinstance(asyncio.get_running_loop(), Loop)
        assert run(main())
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            assert runner.run(main())

        from jvloop.__main__ import main as command
        assert command(["-m", "this_module_is_not_looked_for"]) == 2
    """
    done = run_program(textwrap.dedent(WITHOUT_POLICIES) + textwrap.dedent(program), cwd=tmp_path)
    assert done.stderr.startswith("python -m jvloop: module 'jvloop' has no attribute 'install' here: asyncio of this ")


def test_the_types_are_good_for_a_strict_user(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy has no wheel for this interpreter")
    (tmp_path / "user.py").write_text(
        """
import asyncio
import jvloop
from typing import assert_type

async def main() -> int:
    return 1

assert_type(jvloop.run(main(), debug=True), int)
jvloop.jvm(classpath=["a.jar"])
assert_type(jvloop.new_event_loop(), jvloop.Loop)
loop: asyncio.AbstractEventLoop = jvloop.Loop(strict=True)
policy: asyncio.AbstractEventLoopPolicy = jvloop.EventLoopPolicy()
error: RuntimeError = jvloop.JvmError("")
assert_type(jvloop.install(), None)
with asyncio.Runner(loop_factory=jvloop.new_event_loop) as runner:
    assert_type(runner.run(main()), int)
"""
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "user.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
