#!/usr/bin/env bash
# bench-host.sh [OPTION...]: measures Python called from Java, on jvloop and on JEP, with the newest CPython found or the
# one in PYTHONS ("3.12"), and leaves the report in build/bench: host.json and host.md. The options are bench/host.py's.
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/jmh.sh"

read -r version python <<<"$("$repo/tools/find-pythons.sh" --newest ${PYTHONS:-})"
folder="$repo/build/bench-host-$version"
report="$repo/build/bench/host"
mkdir -p "$(dirname "$report")"

if ! "$folder/bin/python" -c '' 2>/dev/null; then
    say "Virtual environment ${folder#"$repo/"} for $python"
    rm -rf "$folder"
    "$python" -m venv "$folder"
fi
# JEP has no wheels: pip compiles it, with the headers of this Python and of the JDK.
if ! "$folder/bin/python" -c 'import importlib.metadata as m; m.version("jep")' 2>/dev/null; then
    say "Building JEP for CPython $version"
    command -v cc >/dev/null || apt_install gcc || true  # pip's log says what it lacks
    JAVA_HOME="$("$repo/tools/find-jdk.sh")" "$folder/bin/python" -m pip --disable-pip-version-check install jep \
        >"$report-jep.log" 2>&1 ||
        say "JEP cannot be built here (${report#"$repo/"}-jep.log says why; it needs a C compiler and Python's headers)." \
            "Measuring jvloop alone."
fi
library="$(compgen -G "$folder/lib*/python*/site-packages/jep/libjep.so" | head -n 1 || true)"
jep_options=() jar="" sources=(jmh-host)
if [ -n "$library" ]; then
    jar="$(compgen -G "$(dirname "$library")/jep-*.jar" | head -n 1)"
    jep_options=(--jep "$library")
    sources+=(jmh-jep)
fi
compile_benchmarks jmh-host "$jar" "${sources[@]}"
say "Python $version in Java; the report will be in ${report#"$repo/"}.md"
exec "$folder/bin/python" "$repo/bench/host.py" --java "$JAVA_HOME/bin/java" --classpath "$classpath" "${jep_options[@]}" \
    --json "$report.json" --markdown "$report.md" --log "$report.log" "$@"
