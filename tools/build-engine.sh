#!/usr/bin/env bash
# Builds engine/target/jvloop-engine.jar by Maven. Arguments are given to Maven (default: package without the tests).
. "$(dirname "$0")/common.sh"

JAVA_HOME="$("$repo/tools/find-jdk.sh")"
export JAVA_HOME
if ! command -v mvn >/dev/null; then
    say "No Maven found; trying apt"
    apt_install maven || die "Maven is needed to build the engine: install the package maven"
fi
[ $# -gt 0 ] || set -- package -Dmaven.test.skip=true
# Maven's own libraries still do what JDK 24 and later warn about.
export MAVEN_OPTS="${MAVEN_OPTS:-} --sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED"
say "Maven ($*) on $JAVA_HOME"
exec mvn --batch-mode --no-transfer-progress -Dstyle.color=never --quiet -f "$repo/engine/pom.xml" "$@"
