"""The user's AOT cache: made, used, left out where it does not fit, and never in a program's way."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jvloop import _aot_cache
from jvloop._jvm import find_jar

from .cache_support import PROGRAM, outcome
from .support import TIMEOUT_S, clean_environment, run_program, run_python


@pytest.fixture(scope="module", autouse=True)
def lone_jar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The engine's jar without the cache that the wheel has beside it."""
    with pytest.MonkeyPatch.context() as patch:
        jar = tmp_path_factory.mktemp("lone") / "engine.jar"
        shutil.copy(find_jar(), jar)
        patch.setenv("JVLOOP_ENGINE_JAR", str(jar))
        yield jar


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cache, made by the command. Not to be changed."""
    folder = tmp_path_factory.mktemp("made") / "caches"
    done = run_python("-m", "jvloop", "cache", cwd=folder.parent, JVLOOP_CACHE=folder)
    assert done.stdout.startswith(f"made: {folder}/")
    return folder


@pytest.fixture
def cache(made: Path, tmp_path: Path) -> Path:
    """A cache of the test's own, with the time of the one that it is a copy of."""
    folder = tmp_path / "caches"
    shutil.copytree(made, folder)
    return next(folder.glob("*.aot"))


def test_a_cache_is_made_for_its_owner_alone(made: Path) -> None:
    assert made.stat().st_mode & 0o777 == 0o700
    assert {path.suffix for path in made.iterdir()} == {".aot", ".label", ""}
    assert next(made.glob("*.aot")).stat().st_mode & 0o777 == 0o600


def test_a_cache_is_used(made: Path, tmp_path: Path) -> None:
    assert outcome(made, tmp_path) == (True, f"used: {next(made.glob('*.aot'))}")
    doctor = run_python("-m", "jvloop", "doctor", cwd=tmp_path, JVLOOP_CACHE=made)
    assert f"AOT cache used: {made}" in doctor.stdout


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the shapes are those of the linker for x86-64")
def test_a_start_spins_little_code_for_direct_method_handles(tmp_path: Path) -> None:
    # TrainedShapes.java has to name a shape that is new.
    log, caches = tmp_path / "classes", tmp_path / "caches"
    options = f"-Xlog:class+load:file={log}"
    run_python("-m", "jvloop", "cache", cwd=tmp_path, JVLOOP_CACHE=caches, JVLOOP_JVM_OPTIONS=options)
    assert outcome(caches, tmp_path, JVLOOP_JVM_OPTIONS=options)[0]
    made_now = [line for line in log.read_text().splitlines() if "source: shared objects file" not in line]
    assert any("DowncallStub" in line for line in made_now)
    # More than 20 without that class. The JVM may lose some on the way into a cache: none to five were seen.
    assert sum("LambdaForm$DMH" in line for line in made_now) < 10


def test_the_copy_of_a_cache_with_its_times_is_used(cache: Path, tmp_path: Path) -> None:
    assert outcome(cache.parent, tmp_path) == (True, f"used: {cache}")


def test_a_cache_that_can_be_used_is_not_made_again(cache: Path, tmp_path: Path) -> None:
    before = cache.stat()
    done = run_python("-m", "jvloop", "cache", cwd=tmp_path, JVLOOP_CACHE=cache.parent)
    assert done.stdout.startswith(f"there already: {cache}, ")
    assert cache.stat().st_ino == before.st_ino


def truncate(cache: Path) -> None:
    os.truncate(cache, cache.stat().st_size // 2)


def overwrite(cache: Path) -> None:
    with cache.open("r+b") as file:
        file.seek(4096)
        file.write(bytes(4096))


def replace_by_link(cache: Path) -> None:
    cache.rename(cache.parent / "elsewhere")
    cache.symlink_to(cache.parent / "elsewhere")


def open_to_others(cache: Path) -> None:
    cache.chmod(0o666)


def open_folder_to_others(cache: Path) -> None:
    cache.parent.chmod(0o777)


def lose_label(cache: Path) -> None:
    cache.with_suffix(".label").unlink()


def relabel(cache: Path) -> None:
    label = cache.with_suffix(".label")
    label.write_text(label.read_text().replace("-Xrs", "-Xrt"))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (truncate, "is not as it was made"),
        (overwrite, "is not as it was made"),
        (relabel, "is not as it was made"),
        (replace_by_link, "is no regular file"),
        (open_to_others, "others may write to"),
        (open_folder_to_others, "others may write to"),
        (lose_label, "none for this JVM, jar and options"),
        (Path.unlink, "none for this JVM, jar and options"),
    ],
)
def test_a_cache_that_is_not_to_be_trusted_is_left_out(
    cache: Path, tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(cache)
    mapped, says = outcome(cache.parent, tmp_path)
    assert not mapped
    assert said in says


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("of_folder", [False, True])
def test_the_cache_of_another_user_is_left_out(cache: Path, tmp_path: Path, of_folder: bool) -> None:
    os.chown(cache.parent if of_folder else cache, 65534, 65534)
    mapped, says = outcome(cache.parent, tmp_path)
    assert not mapped
    assert "belongs to another user" in says


def test_whom_a_cache_may_belong_to(tmp_path: Path) -> None:
    def owned_by(uid: int) -> os.stat_result:
        return os.stat_result((0o100600, 0, 0, 1, uid, uid, 0, 0, 0, 0))

    assert _aot_cache.why_untrusted("x", owned_by(os.geteuid())) is None
    assert _aot_cache.why_untrusted("x", owned_by(0)) is None
    assert _aot_cache.why_untrusted("x", owned_by(os.geteuid() + 1)) == "not used: x belongs to another user"


def test_what_the_jvm_itself_refuses_is_left_out_in_silence(cache: Path, tmp_path: Path) -> None:
    label = cache.with_suffix(".label")
    with cache.open("r+b") as file:
        file.write(b"XXXX")  # the magic number
    lines = label.read_text().splitlines()[:-1]
    found = cache.stat()
    label.write_text("\n".join([*lines, f"cache {found.st_size} {int(found.st_mtime)}", ""]))
    mapped, says = outcome(cache.parent, tmp_path)
    assert not mapped
    assert says == f"used: {cache}"
    doctor = run_python("-m", "jvloop", "doctor", cwd=tmp_path, JVLOOP_CACHE=cache.parent)
    assert f"AOT cache refused by the JVM: {cache}; " in doctor.stdout


def test_another_jar_or_other_options_have_another_cache(made: Path, lone_jar: Path, tmp_path: Path) -> None:
    mapped, says = outcome(made, tmp_path, JVLOOP_JVM_OPTIONS="-Xmx64m")
    assert not mapped
    assert says.startswith("none for this JVM, jar and options")
    jar = shutil.copy(lone_jar, tmp_path / "engine.jar")
    mapped, says = outcome(made, tmp_path, JVLOOP_ENGINE_JAR=jar)
    assert not mapped
    assert says.startswith("none for this JVM, jar and options")


def test_the_limit_of_the_stack_needs_no_other_cache(made: Path, tmp_path: Path) -> None:
    program = f"import resource; resource.setrlimit(resource.RLIMIT_STACK, (4 << 20, 4 << 20))\n{PROGRAM}"
    done = run_program(program, cwd=tmp_path, JVLOOP_CACHE=made)
    assert done.stdout.splitlines()[0] == "True"


def test_it_can_be_switched_off(made: Path, tmp_path: Path) -> None:
    assert outcome("off", tmp_path) == (False, "switched off by JVLOOP_CACHE=off")
    assert outcome(made, tmp_path, JVLOOP_JVM_OPTIONS="-Xshare:off") == (False, "left to the option -Xshare:off")


def test_without_a_home_folder_there_is_none(tmp_path: Path) -> None:
    mapped, says = outcome("", tmp_path, HOME="/nonexistent", XDG_CACHE_HOME="")
    assert not mapped
    assert says.startswith("none for this JVM, jar and options")


def test_caches_lie_in_the_users_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JVLOOP_CACHE", raising=False)
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert _aot_cache.folder() == "/home/somebody/.cache/jvloop/aot"
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert _aot_cache.folder() == "/caches/jvloop/aot"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert _aot_cache.folder() == "/home/somebody/.cache/jvloop/aot"
    monkeypatch.setenv("JVLOOP_CACHE", "/elsewhere")
    assert _aot_cache.folder() == "/elsewhere"
    monkeypatch.setenv("JVLOOP_CACHE", "off")
    assert _aot_cache.folder() is None


def test_of_two_processes_one_makes_it(tmp_path: Path) -> None:
    folder = tmp_path / "caches"
    commands = [
        subprocess.Popen(
            [sys.executable, "-m", "jvloop", "cache"],
            cwd=tmp_path,
            env=clean_environment(JVLOOP_CACHE=folder),
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [command.communicate(timeout=TIMEOUT_S)[0] for command in commands]
    assert [command.returncode for command in commands] == [0, 0]
    assert sorted(line.partition(":")[0] for line in said) == ["made", "there already"]
    assert outcome(folder, tmp_path)[0]


def test_a_newer_jar_replaces_the_cache_of_the_older(cache: Path, tmp_path: Path) -> None:
    label = cache.with_suffix(".label")
    older = cache.with_name(cache.name[:9] + "00000000.aot")
    cache.rename(older)
    lines = label.read_text().splitlines()
    lines[1] = lines[1].rpartition(" ")[0] + " 1"
    older.with_suffix(".label").write_text("\n".join(lines))
    label.unlink()
    run_python("-m", "jvloop", "cache", cwd=tmp_path, JVLOOP_CACHE=cache.parent)
    assert sorted(cache.parent.iterdir()) == sorted([cache, label, cache.parent / "lock"])


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"JVLOOP_CACHE": "off"}, "There is no folder for the cache"),
        ({"JVLOOP_CACHE": "/proc/caches"}, "/proc/caches"),
        ({"JVLOOP_JVM_OPTIONS": "-Xshare:off"}, "The option -Xshare:off leaves no room"),
    ],
)
def test_the_command_says_why_it_made_none(tmp_path: Path, variables: dict[str, str], said: str) -> None:
    done = run_python("-m", "jvloop", "cache", cwd=tmp_path, check=False, **variables)
    assert done.returncode == 1
    assert done.stdout == ""
    assert said in done.stderr
