#!/usr/bin/env bash
# build-python.sh VERSION: builds a free-threaded CPython, such as 3.13t, from Debian's source package into the cache
# folder (JVLOOP_PYTHONS, or jvloop/pythons in the user's cache), unless tools/find-pythons.sh finds one. About four
# minutes on two cores. Needs a Debian and the right to install the libraries that CPython is built with.
. "$(dirname "$0")/common.sh"

version="$1"
[[ "$version" =~ ^3\.[0-9]+t$ ]] || die "$version is not the version of a free-threaded CPython: say 3.13t"
package="python${version%t}"
target="$pythons_cache/$version"
"$repo/tools/find-pythons.sh" "$version" >/dev/null 2>&1 && exit 0
command -v apt-get >/dev/null || die "$package can be fetched on Debian only; put a python$version on PATH instead"
work="$(mktemp -d "${TMPDIR:-/tmp}/build-python.XXXXXX")"
trap 'rm -rf "$work"' EXIT

say "Installing what CPython is built with"
for library in build-essential pkg-config xz-utils libssl-dev libffi-dev libsqlite3-dev zlib1g-dev libbz2-dev \
    liblzma-dev libreadline-dev uuid-dev libncurses-dev; do
    dpkg -s "$library" >/dev/null 2>&1 || apt_install "$library" || die "$package cannot be built without $library"
done

# The machine's own mirror, asked for sources of newer releases: with lists and a cache of its own, the machine's stay
# as they are.
mirror="$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    sed -n 's|^URIs: *\(http[^ ]*/debian\)/\{0,1\}$|\1|p; s|^deb  *\(\[[^]]*\] *\)\{0,1\}\(http[^ ]*/debian\)/\{0,1\} .*|\2|p' |
    head -n 1 || true)"
[ -n "$mirror" ] || die "apt knows no mirror of Debian here"
mkdir -p "$work"/{lists/partial,archives/partial,parts,source,build}
printf "deb-src $mirror %s main\n" sid testing stable >"$work/sources.list"
apt=(-o "Dir::Etc::sourcelist=$work/sources.list" -o "Dir::Etc::sourceparts=$work/parts"
    -o "Dir::State::Lists=$work/lists" -o "Dir::Cache::archives=$work/archives" -o Dir::Cache::pkgcache=
    -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
say "Looking for the source of $package at $mirror"
apt-get "${apt[@]}" -qq update >&2
listed="$(apt-cache "${apt[@]}" showsrc --only-source "$package" 2>/dev/null | sed -n 's/^Version: //p' | sort -ruV)"

# A list may be ahead of the files, or behind them: the newest that there is will do.
archive=
for candidate in $listed; do
    say "Fetching $package $candidate"
    if (cd "$work/source" && apt-get "${apt[@]}" -qq source --download-only "$package=$candidate" >&2); then
        archive="$(compgen -G "$work/source/${package}_*.orig.tar.xz")"
        break
    fi
done
[ -n "$archive" ] || die "no source of $package can be fetched (listed: $(echo ${listed:-none}))"

# step WHAT COMMAND...: runs the command, quiet unless it fails.
step() {
    say "$1"
    shift
    "$@" >"$work/log" 2>&1 || {
        tail -n 40 "$work/log" >&2
        die "this failed: $*"
    }
}

tar -xf "$archive" -C "$work/build" --strip-components=1
cd "$work/build"
rm -rf "$target"
step "Configuring" ./configure --disable-gil --enable-shared --prefix="$target" LDFLAGS="-Wl,-rpath,$target/lib"
step "Compiling with $(nproc) processes" make -j"$(nproc)"
step "Installing into $target" make install
"$target/bin/python3" -c 'import ctypes, lzma, sqlite3, ssl, sysconfig, venv
assert sysconfig.get_config_var("Py_GIL_DISABLED")' || die "what was built lacks something"
