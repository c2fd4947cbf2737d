#!/usr/bin/env bash
# Prints the home folder of a JDK of release 25 or newer; installs one by apt if there is none.
. "$(dirname "$0")/common.sh"

minimum=25

is_new_enough_jdk() {
    local version
    [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 1
    version="$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release")"
    [ "${version:-0}" -ge "$minimum" ]
}

find_jdk() {
    local home javac
    javac="$(command -v javac || true)"
    for home in "${JVLOOP_JAVA_HOME:-}" "${JAVA_HOME:-}" "${javac:+$(dirname "$(dirname "$(readlink -f "$javac")")")}" \
        /usr/lib/jvm/*"$minimum"* /usr/lib/jvm/* /usr/lib64/jvm/* /usr/java/* /opt/java/* /opt/jdk* \
        "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/*; do
        if [ -n "$home" ] && is_new_enough_jdk "$home"; then
            printf '%s\n' "$home"
            return 0
        fi
    done
    return 1
}

find_jdk && exit 0
say "No JDK $minimum found; trying apt"
apt_install "openjdk-$minimum-jdk-headless" "temurin-$minimum-jdk" && find_jdk && exit 0
die "JDK $minimum is needed to build the engine: install openjdk-$minimum-jdk-headless or temurin-$minimum-jdk, or set JAVA_HOME to one"
