"""The options that the JVM is created with, and what happens to those that it would refuse."""

from __future__ import annotations

import os
import re
import resource

from jvloop._aot_cache import environment_options
from jvloop._java_home import JavaHome, JvmError

_PROBE_TIMEOUT_S = 60.0

_SMALLEST_STACK_KIB = 1024
_LARGEST_STACK_KIB = 64 * 1024
"""Reserved, not used, by each Java thread; a limit on the initial thread's stack where it has none."""

_LATER_JIT = (
    "-XX:Tier3InvocationThreshold=2000",
    "-XX:Tier3MinInvocationThreshold=1000",
    "-XX:Tier3CompileThreshold=20000",
)
"""Ten times HotSpot's defaults for its first compiler. Hundreds of methods that link the engine run a few hundred times
and never again; what a server does per message gets here in a moment. docs/startup.md has the figures."""

_EARLIER_JIT = (
    "-XX:CompileCommand=CompileThresholdScaling,dev.jvloop.*::*,0.3",
    "-XX:CompileCommand=CompileThresholdScaling,java.lang.invoke.LambdaForm*::*,0.3",
)
"""Of the engine's own methods nearly all that run that often go on running: they reach both compilers after 0.3 of the
calls. What is called once for each connection is compiled seconds sooner, and the JDK's own methods, which only a start
needs, are left alone. But for the method handles by which C calls into Java: each is compiled with its method."""

_LEFT_TO_INTERPRETER = ("-XX:CompileCommand=exclude,jdk.internal.classfile.impl.StackMapGenerator::processBlock",)
"""A switch of 200 cases, which runs while the JDK spins classes. The first compiler takes 7.6 MB of memory for it in a
start without an AOT cache, and with that 10 ms of a processor: more than its code would save."""

_SMALLER_INLINING = ("-XX:InlineSmallCode=1000", "-XX:FreqInlineSize=150")
"""Half of HotSpot's defaults: C2 is done with the engine sooner, and what it makes is no slower."""


def _user_options() -> list[str]:
    text = os.environ.get("JVLOOP_JVM_OPTIONS", "")
    if not text:
        return []
    import shlex

    try:
        return shlex.split(text)
    except ValueError as error:
        raise JvmError(f"JVLOOP_JVM_OPTIONS={text!r} cannot be split into options as a shell would: {error}.") from None


def jvm_options(jar: str) -> list[str]:
    """The JVM's options: those of a modest guest, then the user's, which win.

    HotSpot ends the process if two collectors are chosen or the heap's limits contradict each other, so the defaults
    for either are left out as soon as the user has a say in it.
    """
    user = _user_options()
    foreign = [*user, *environment_options()]
    options = [
        f"-Djava.class.path={jar}",
        "-Xrs",
        "-XX:-UsePerfData",
        "-XX:+DisplayVMOutputToStderr",
        # With -Xrs HotSpot would open its socket for jcmd and jstack at the start: a thread, and a file in /tmp.
        "-XX:+DisableAttachMechanism",
        # HotSpot would raise the process's limit of open files.
        "-XX:-MaxFDLimit",
        # HotSpot would wake four times a second to look for monitors to deflate; an idle loop shall wake nobody.
        "-XX:+UnlockDiagnosticVMOptions",
        "-XX:AsyncDeflationInterval=0",
        # And once a second to free empty blocks of its handles, 80 us each time; once a minute does.
        "-XX:ServiceThreadCleanupInterval=60000",
        "-XX:ReservedCodeCacheSize=32m",
        f"-Xss{_stack_kib()}k",
        # The engine reads and writes CPython's objects with it where it may: docs/startup.md has the figures.
        "-Dsun.misc.unsafe.memory.access=allow",
        *_LATER_JIT,
        # The commands that follow are not to be printed.
        "-XX:CompileCommand=quiet",
        *_EARLIER_JIT,
        *_LEFT_TO_INTERPRETER,
        *_SMALLER_INLINING,
    ]
    if not any(re.match(r"-XX:[+-]Use\w+GC$", option) for option in foreign):
        options.append("-XX:+UseSerialGC")
    if not any(re.match(r"-Xm[sxn]|-XX:\w*(?:Heap|RAM|NewSize)\w*=", option) for option in foreign):
        options += ["-Xms16m", "-Xmx128m", "-XX:NewSize=2m"]
    return options + user


def _stack_kib() -> int:
    """The size of Java thread stacks, in KiB: that of the initial thread's own stack.

    HotSpot puts its guard pages this far below the top of the initial thread's stack, whatever ``ulimit -s`` allows.
    With its default of 1 MiB, recursion in C code that CPython permits (a deep ``repr`` on 3.11) would crash there.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_STACK)
    largest = _LARGEST_STACK_KIB * 1024
    return min(max(soft, _SMALLEST_STACK_KIB * 1024) if soft != resource.RLIM_INFINITY else largest, largest) // 1024


def try_options(home: JavaHome, options: list[str]) -> None:
    """Raises JvmError if the JVM would refuse the options, or end the process over them.

    Tried in a process of its own, which costs about as much as starting the JVM; only where options came from outside.
    """
    launcher = os.path.join(home.path, "bin", "java")
    if not (_user_options() or environment_options()) or not os.path.isfile(launcher):
        return
    import subprocess

    try:
        probe = subprocess.run(
            [launcher, *options, "-version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={name: value for name, value in os.environ.items() if name != "JDK_JAVA_OPTIONS"},
            timeout=_PROBE_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise refusal(home, options, f"it did not answer within {_PROBE_TIMEOUT_S:.0f} s") from None
    if probe.returncode != 0:
        said = "; ".join(line.strip() for line in probe.stdout.decode(errors="replace").splitlines() if line.strip())
        raise refusal(home, options, said or f"exit code {probe.returncode}")


def refusal(home: JavaHome, options: list[str], reason: str) -> JvmError:
    import shlex

    sources = [
        f"{name}={os.environ[name]!r}"
        for name in ("JVLOOP_JVM_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS")
        if os.environ.get(name)
    ]
    advice = f"Check {' and '.join(sources)}" if sources else "Check for free memory and a whole Java runtime"
    return JvmError(
        f"The JVM of {home.path} (Java {home.version}) refuses to start: {reason}. "
        f"Its options were: {shlex.join(options)}. {advice}."
    )
