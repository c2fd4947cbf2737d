#!/usr/bin/env bash
# bench-java.sh [ARGUMENT...]: runs the JMH benchmarks of engine/src/jmh; the arguments are JMH's (a part of a name, -f 1,
# -p live=1000, -prof gc; -h tells all).
. "$(dirname "$0")/common.sh"

JAVA_HOME="$("$repo/tools/find-jdk.sh")"
export JAVA_HOME
target="$repo/engine/target"
plugin=org.apache.maven.plugins:maven-dependency-plugin:3.8.1
"$repo/tools/build-engine.sh" test-compile "$plugin:build-classpath" -Dmdep.outputFile="$target/jmh.classpath" \
    -Dmdep.includeScope=test
classpath="$target/classes:$(<"$target/jmh.classpath")"
# Compiled once more, by JMH's annotation processor, which writes the code around each benchmark.
rm -rf "$target/jmh"
mkdir -p "$target/jmh"
mapfile -t sources < <(find "$repo/engine/src/jmh/java" -name '*.java')
"$JAVA_HOME/bin/javac" -proc:full -nowarn -d "$target/jmh" -cp "$classpath" "${sources[@]}"
say "JMH on $("$JAVA_HOME/bin/java" -version 2>&1 | head -n 1)"
exec "$JAVA_HOME/bin/java" --sun-misc-unsafe-memory-access=allow -cp "$target/jmh:$classpath" org.openjdk.jmh.Main "$@"
