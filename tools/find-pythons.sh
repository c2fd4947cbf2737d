#!/usr/bin/env bash
# Prints one line "VERSION PATH" for each supported CPython on this machine, such as "3.13 /usr/bin/python3.13".
# Arguments limit the versions, or name others: 3.13t is the free-threaded 3.13. With --newest only the newest is printed.
. "$(dirname "$0")/common.sh"

newest=false
if [ "${1:-}" = --newest ]; then
    newest=true
    shift
fi
wanted=("$@")
[ ${#wanted[@]} -gt 0 ] || wanted=(3.11 3.12 3.13 3.14)
usable='import ensurepip, platform, ssl, sys, sysconfig, venv
version = "%d.%d" % sys.version_info[:2] + "t" * bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
sys.exit(not (platform.python_implementation() == "CPython" and version == sys.argv[1]))'

find_python() {
    local path
    # pyenv's first: they have CPython's own test package, which distributions often leave out.
    for path in "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python "$(command -v "python$1" || true)" \
        "$pythons_cache/$1/bin/python3" "$(command -v python3 || true)" /usr/local/bin/"python$1" /usr/bin/"python$1"; do
        if [ -n "$path" ] && [ -x "$path" ] && "$path" -c "$usable" "$1" 2>/dev/null; then
            printf '%s %s\n' "$1" "$path"
            return 0
        fi
    done
    return 1
}

found=()
for version in "${wanted[@]}"; do
    if line="$(find_python "$version")"; then
        found+=("$line")
    fi
done
[ ${#found[@]} -gt 0 ] || die "no CPython ${wanted[*]} with venv and ssl was found: install python3 and python3-venv (3.11 to 3.14), or use pyenv"
if $newest; then
    printf '%s\n' "${found[-1]}"
else
    printf '%s\n' "${found[@]}"
fi
