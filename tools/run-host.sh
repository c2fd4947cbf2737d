#!/usr/bin/env bash
# run-host.sh WHEEL [REQUESTS]: runs examples/java_host/MarketService.java, a Java service that calls async Python, with
# the newest CPython found that has a shared library, and its packages in an environment of their own.
. "$(dirname "$0")/common.sh"

wheel="$1"
shift
has_library='import os, sys, sysconfig
get = sysconfig.get_config_var
names = {get("INSTSONAME"), get("LDLIBRARY"), "libpython%d.%d.so.1.0" % sys.version_info[:2]}
folders = {get("LIBDIR"), get("LIBPL"), "%s/%s" % (get("LIBDIR"), get("MULTIARCH"))}
sys.exit(not any(name and ".so" in name and os.path.exists(f"{folder}/{name}") for name in names for folder in folders))'

find_shared() {
    local version python
    while read -r version python; do
        if [[ "$version" != *t ]] && "$python" -c "$has_library"; then
            printf '%s %s\n' "$version" "$python"
            return 0
        fi
    done < <("$repo/tools/find-pythons.sh" ${PYTHONS:-} | tac)
    return 1
}

if ! found="$(find_shared)"; then
    say "No CPython with a shared library, which alone can run in a Java process; trying apt"
    read -r version _ <<<"$("$repo/tools/find-pythons.sh" --newest ${PYTHONS:-})"
    apt_install "libpython$version" "libpython3-stdlib" || true
    found="$(find_shared)" ||
        die "install the package libpython3.x of your Python, or a Python built with --enable-shared (pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared)"
fi
read -r version python <<<"$found"
folder="$repo/.venv/host-$version"
"$repo/tools/venv.sh" "$python" "$folder" java-host "$wheel"
say "examples/java_host/MarketService.java on CPython $version"
cd "$repo"
VIRTUAL_ENV="$folder" exec "$("$repo/tools/find-jdk.sh")/bin/java" -Xss8m --enable-native-access=ALL-UNNAMED \
    -cp engine/target/jvloop-engine.jar examples/java_host/MarketService.java "$@"
