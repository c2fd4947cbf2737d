#!/usr/bin/env bash
# bench-java.sh [ARGUMENT...]: runs the JMH benchmarks of engine/src/jmh; the arguments are JMH's (a part of a name, -f 1,
# -p live=1000, -prof gc; -h tells all).
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/jmh.sh"

compile_benchmarks jmh "" jmh
exec "$JAVA_HOME/bin/java" --sun-misc-unsafe-memory-access=allow -cp "$classpath" org.openjdk.jmh.Main "$@"
