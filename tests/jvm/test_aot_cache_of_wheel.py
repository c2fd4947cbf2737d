"""The AOT cache that the wheel brings: used wherever an installer put it, and with what it was made for alone."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from jvloop._jvm import find_jar

from .cache_support import PROGRAM, outcome
from .conftest import Jdk
from .support import run_program, run_python

_NONE = "none for this JVM, jar and options"


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    """A copy of the engine's jar and of what lies beside it, in another folder and of another time."""
    installed = Path(find_jar())
    folder = tmp_path / "installed"
    folder.mkdir()
    for path in (installed, installed.with_suffix(".aot"), installed.with_suffix(".label")):
        shutil.copyfile(path, folder / path.name)
    return folder / installed.name


@pytest.fixture
def users(tmp_path: Path) -> Path:
    """A folder for the user's caches; there is none in it."""
    return tmp_path / "caches"


def test_it_is_used_as_it_was_installed(users: Path, tmp_path: Path) -> None:
    cache = Path(find_jar()).with_suffix(".aot")
    assert outcome(users, tmp_path) == (True, f"used: {cache}")
    doctor = run_python("-m", "jvloop", "doctor", cwd=tmp_path, JVLOOP_CACHE=users)
    assert f"AOT cache used: {cache}\n" in doctor.stdout
    assert list(tmp_path.iterdir()) == []


def test_it_may_lie_anywhere(jar: Path, users: Path, tmp_path: Path) -> None:
    assert outcome(users, tmp_path, JVLOOP_ENGINE_JAR=jar) == (True, f"used: {jar.with_suffix('.aot')}")


def test_it_may_be_a_link(jar: Path, users: Path, tmp_path: Path) -> None:
    cache = jar.with_suffix(".aot")
    cache.rename(tmp_path / "elsewhere.aot")
    cache.symlink_to(tmp_path / "elsewhere.aot")
    assert outcome(users, tmp_path, JVLOOP_ENGINE_JAR=jar) == (True, f"used: {cache}")


def test_a_umask_that_lets_the_group_write_does_not_matter(jar: Path, users: Path, tmp_path: Path) -> None:
    for path in (jar.parent, *jar.parent.iterdir()):
        path.chmod(path.stat().st_mode | 0o020)
    assert outcome(users, tmp_path, JVLOOP_ENGINE_JAR=jar)[0]


def test_a_folder_for_caches_that_cannot_be_read_does_not_matter(jar: Path, tmp_path: Path) -> None:
    assert outcome(jar, tmp_path, JVLOOP_ENGINE_JAR=jar)[0]
    assert outcome("", tmp_path, JVLOOP_ENGINE_JAR=jar, HOME="", XDG_CACHE_HOME="")[0]


def truncate(jar: Path) -> None:
    cache = jar.with_suffix(".aot")
    cache.write_bytes(cache.read_bytes()[:-4096])


def lose_cache(jar: Path) -> None:
    jar.with_suffix(".aot").unlink()


def lose_label(jar: Path) -> None:
    jar.with_suffix(".label").unlink()


def change_jar(jar: Path) -> None:
    with zipfile.ZipFile(jar, "a") as archive:
        archive.writestr("more", "")


def change_jar_but_not_its_size(jar: Path) -> None:
    """The classes of this jar would be those of another one, if the cache were used."""
    content = bytearray(jar.read_bytes())
    content[content.index(b"PK\1\2") + 12] ^= 2  # the time of an entry
    jar.write_bytes(content)


@pytest.mark.parametrize("change", [truncate, lose_cache, lose_label, change_jar, change_jar_but_not_its_size])
def test_what_does_not_fit_is_left_out(jar: Path, users: Path, tmp_path: Path, change: Callable[[Path], None]) -> None:
    change(jar)
    mapped, says = outcome(users, tmp_path, JVLOOP_ENGINE_JAR=jar)
    assert not mapped
    assert says.startswith(_NONE)


def test_another_jvm_does_without(jar: Path, users: Path, tmp_path: Path, jdk: Jdk) -> None:
    mapped, says = outcome(users, tmp_path, JVLOOP_ENGINE_JAR=jar, JVLOOP_JAVA_HOME=jdk.home)
    assert not mapped
    assert says.startswith(_NONE)


@pytest.mark.parametrize("option", ["-Xmx64m", "-Djava.class.path={jar}:more.jar"])
def test_other_options_do_without(jar: Path, users: Path, tmp_path: Path, option: str) -> None:
    options = option.format(jar=jar)
    mapped, says = outcome(users, tmp_path, JVLOOP_ENGINE_JAR=jar, JVLOOP_JVM_OPTIONS=options)
    assert not mapped
    assert says.startswith(_NONE)


def test_it_can_be_switched_off(jar: Path, tmp_path: Path) -> None:
    assert outcome("off", tmp_path, JVLOOP_ENGINE_JAR=jar) == (False, "switched off by JVLOOP_CACHE=off")


def test_the_command_makes_none_where_it_fits_unless_told_to(jar: Path, users: Path, tmp_path: Path) -> None:
    there = run_python("-m", "jvloop", "cache", cwd=tmp_path, JVLOOP_ENGINE_JAR=jar, JVLOOP_CACHE=users)
    assert there.stdout.startswith(f"there already: {jar.with_suffix('.aot')}, ")
    assert not users.exists()
    made = run_python("-m", "jvloop", "cache", "--anew", cwd=tmp_path, JVLOOP_ENGINE_JAR=jar, JVLOOP_CACHE=users)
    assert made.stdout.startswith(f"made: {users}/")
    assert outcome(users, tmp_path, JVLOOP_ENGINE_JAR=jar) == (True, f"used: {next(users.glob('*.aot'))}")


def test_it_has_all_classes_of_an_event_loop(jar: Path, tmp_path: Path) -> None:
    """The jar cannot be opened for one more where the process is out of descriptors."""
    log = tmp_path / "log"
    options = f"-XX:AOTCache={jar.with_suffix('.aot')} -Xlog:class+load:file={log}"
    run_program(PROGRAM, cwd=tmp_path, JVLOOP_ENGINE_JAR=jar, JVLOOP_JVM_OPTIONS=options)
    found = dict(re.findall(r"\] (dev\.jvloop\.[\w.$]+) source: (.*)", log.read_text()))
    in_cache = {name for name, source in found.items() if source == "shared objects file"}
    with zipfile.ZipFile(jar) as archive:
        files = [name.removesuffix(".class") for name in archive.namelist() if name.endswith(".class")]
    for_java_programs = re.compile(r"dev/jvloop/((host|reactor)/)?[^/]+")
    classes = {file.replace("/", ".") for file in files if not for_java_programs.fullmatch(file)}
    assert len(classes) > 100
    assert classes - in_cache == set()


def test_it_brings_no_thread_along(users: Path, tmp_path: Path) -> None:
    program = """
        import os, jvloop
        loop = jvloop.new_event_loop()
        loop.close()
        for thread in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{thread}/comm") as name:
                print(name.read(), end="")
        """
    with_cache, without = (
        set(run_program(program, cwd=tmp_path, JVLOOP_CACHE=folder).stdout.splitlines()) for folder in (users, "off")
    )
    assert "VM Thread" in with_cache
    assert with_cache - without == set()


def test_it_has_no_machine_code(jar: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    options = f"-XX:AOTCache={jar.with_suffix('.aot')} -Xlog:aot*=debug:file={log}"
    run_program(PROGRAM, cwd=tmp_path, JVLOOP_ENGINE_JAR=jar, JVLOOP_JVM_OPTIONS=options)
    said = log.read_text()
    assert "Using AOT-linked classes: true" in said
    assert "AOT code entries" not in said
