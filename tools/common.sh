# Sourced by the scripts in this folder.

set -euo pipefail

repo="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# Where tools/build-python.sh puts interpreters, each under its version.
pythons_cache="${JVLOOP_PYTHONS:-${XDG_CACHE_HOME:-$HOME/.cache}/jvloop/pythons}"

# One line of progress, apart from the output of the tools.
say() {
    printf '\033[1m==>\033[0m %s\n' "$*" >&2
}

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# apt_install [-OPTION...] PACKAGE...: installs the first of the packages that apt knows; the options are for
# apt-get install. False if that is not possible here.
apt_install() {
    local as_root=() options=() package
    while [[ "${1:-}" == -* ]]; do
        options+=("$1")
        shift
    done
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null || return 1
        as_root=(sudo -n)
    fi
    "${as_root[@]}" apt-get update -qq >&2 || return 1
    for package in "$@"; do
        if apt-cache show "$package" >/dev/null 2>&1; then
            say "Installing $package by apt"
            "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
                apt-get install -y -qq "${options[@]}" "$package" >&2 && return 0
        fi
    done
    return 1
}

# database_servers WHAT: has real servers installed for the tests or rows of clients, which are left out without them.
database_servers() {
    if ! command -v redis-server >/dev/null; then
        say "No redis-server found; trying apt"
        apt_install --no-install-recommends redis-server || say "Not possible here: the $1 with Redis will be skipped"
    fi
    if ! command -v initdb >/dev/null && ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
        say "No PostgreSQL found; trying apt"
        apt_install --no-install-recommends postgresql || say "Not possible here: the $1 with PostgreSQL will be skipped"
    fi
}
