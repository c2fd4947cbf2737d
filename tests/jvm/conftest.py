from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from .support import REPOSITORY, FakeJava

_JAVA_SOURCES = Path(__file__).parent / "java"


@dataclass(frozen=True)
class Jdk:
    """A JDK that can compile what a test brings along."""

    home: Path

    def jar(self, folder: Path, *sources: Path, classpath: str = "", module: str = "") -> Path:
        """Compiles the sources into a jar in ``folder``. ``module`` is the class of its dev.jvloop.HostModule."""
        classes, jar = folder / "classes", folder / "classes.jar"
        options: list[str | Path] = ["--release", "25", "-d", classes, "-cp", classpath]
        subprocess.run([self.home / "bin" / "javac", *options, *sources], check=True)
        if module:
            services = classes / "META-INF" / "services"
            services.mkdir(parents=True)
            (services / "dev.jvloop.HostModule").write_text(module + "\n")
        subprocess.run([self.home / "bin" / "jar", "--create", "--file", jar, "-C", classes, "."], check=True)
        return jar


@pytest.fixture(scope="session")
def jdk() -> Jdk:
    """The JDK that also builds the engine."""
    found = subprocess.run(
        [REPOSITORY / "tools" / "find-jdk.sh"], stdout=subprocess.PIPE, text=True, check=True, env=dict(os.environ)
    )
    return Jdk(Path(found.stdout.strip()))


@pytest.fixture(scope="session")
def probe_jar(jdk: Jdk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A jar with the class FaultSignals."""
    return jdk.jar(tmp_path_factory.mktemp("probe"), _JAVA_SOURCES / "FaultSignals.java")


@pytest.fixture
def fake_java(tmp_path: Path) -> FakeJava:
    return FakeJava(tmp_path / "java")
