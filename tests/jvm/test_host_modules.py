"""Java code that a Python program brings along: ``jvloop.jvm(classpath=...)`` and ``jvloop.host``."""

from __future__ import annotations

from pathlib import Path

import pytest

from jvloop._jvm import find_jar

from .conftest import Jdk
from .support import run_program

_SOURCES = Path(__file__).parent / "java"

# A compiler, and several starts of the JVM.
pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="session")
def greetings(jdk: Jdk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A jar with a dev.jvloop.HostModule."""
    folder = tmp_path_factory.mktemp("greetings")
    return jdk.jar(folder, _SOURCES / "Greetings.java", classpath=find_jar(), module="Greetings")


USES = """
    from jvloop.host import greet, later, call_back, fail, stages, JavaError

    async def main():
        assert greet("you") == "Hello you"
        assert await later(5) == 5
        assert await call_back(lambda is_virtual: [is_virtual]) == [True]
        assert await jvloop.host.wrap(stages()[0]) == 7
        try:
            fail()
        except JavaError as error:
            assert str(error).startswith("java.lang.IllegalStateException: on purpose\\n    at Greetings."), error
        return await asyncio.gather(*map(later, range(100)))

    assert jvloop.run(main()) == list(range(100))
"""


def test_functions_of_a_jar(tmp_path: Path, greetings: Path) -> None:
    """Before the first loop, on jvloop and on asyncio; with Java code that calls Python and has loops of its own."""
    program = f"""
    import asyncio, jvloop
    jvloop.jvm(classpath=[{str(greetings)!r}])
    {USES}
    assert asyncio.run(main()) == list(range(100))
    from jvloop.host import submit
    assert submit("asyncio", "sleep", 0.001) is None
    try:
        jvloop.host.close_python()
    except JavaError as error:
        assert "was not started by Java" in error.message
    else:
        raise AssertionError
    print("done")
    """
    done = run_program(program, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("done\n", "")


def test_jars_may_come_after_the_first_loop(tmp_path: Path, greetings: Path) -> None:
    program = f"""
    import asyncio, jvloop
    jvloop.run(asyncio.sleep(0))
    jvloop.jvm()
    try:
        from jvloop.host import greet
    except ImportError as error:
        assert str(error) == "Java has registered no function 'greet': it has registered none", error
    jvloop.jvm(classpath=[{str(greetings.parent / "classes")!r}])
    {USES}
    try:
        jvloop.jvm(classpath=[{str(greetings)!r}])
    except JavaError as error:
        assert "there is a function" in error.message
    else:
        raise AssertionError
    print("done")
    """
    done = run_program(program, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("done\n", "")


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    program = """
    import jvloop
    try:
        jvloop.jvm(classpath=["missing.jar"])
    except FileNotFoundError as error:
        print(error)
    assert "libjvm" not in open("/proc/self/maps").read()
    """
    done = run_program(program, cwd=tmp_path)
    assert done.stdout == f"[Errno 2] No such file or directory: '{tmp_path / 'missing.jar'}'\n"


def test_java_threads_and_the_end_of_python(tmp_path: Path, greetings: Path) -> None:
    """The program ends while a loop that Java started runs, and a forked child is not disturbed by what there was."""
    program = f"""
    import atexit, os, warnings, jvloop
    warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 on: fork in a process with threads
    jvloop.jvm(classpath=[{str(greetings)!r}])
    from jvloop.host import greet, submit
    atexit.register(lambda: print(greet("at exit"), flush=True))
    submit("asyncio", "sleep", 0)
    if os.fork() == 0:
        try:
            greet("child")
        except RuntimeError as error:
            assert "does not survive a fork" in str(error)
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
    print(greet("parent"), flush=True)
    """
    done = run_program(program, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("Hello parent\nHello at exit\n", "")


def test_functions_in_the_jvm_of_jpype(tmp_path: Path, jdk: Jdk, greetings: Path) -> None:
    pytest.importorskip("jpype", reason="JPype has no wheel for this interpreter")
    program = f"""
    import asyncio, jpype
    jpype.startJVM({str(jdk.home / "lib/server/libjvm.so")!r}, "--enable-native-access=ALL-UNNAMED", "-Xmx64m")
    import jvloop
    jvloop.jvm(classpath=[{str(greetings)!r}])
    {USES}
    from jvloop.host import class_of, echo, is_kept, kept
    from jpype import java
    items = kept()
    assert isinstance(items, java.util.ArrayList) and list(items) == ["a"] and is_kept(items)
    items.add("b")
    assert list(kept()) == ["a", "b"]
    random = java.util.Random(1)
    assert isinstance(echo(random), java.util.Random) and echo(random).equals(random)
    assert class_of(jpype.JArray(jpype.JInt)(3)) == "[I"
    assert class_of(jpype.JString("text")) == "java.lang.String" and echo(jpype.JString("text")) == "text"
    assert class_of(java.lang.Integer(3)) == "java.lang.Long"  # as any int
    properties = java.lang.System.getProperties().keySet()
    assert not [key for key in properties if str(key).startswith("dev.jvloop")]
    print("done")
    """
    done = run_program(program, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("done\n", "")
