#!/usr/bin/env bash
# in-sid.sh VERSION SCRIPT ARGUMENT...: a script of this folder on a CPython that this machine lacks and Debian's
# unstable distribution has. A small tree of that distribution is built by debootstrap, with a JDK, and kept for the next
# time in JVLOOP_SID_TREE (default: jvloop/sid in the user's cache folder); this checkout is mounted into it. Root is
# needed. The script gets the version in PYTHONS.
. "$(dirname "$0")/common.sh"

version="$1" script="$repo/tools/$2"
shift 2
tree="${JVLOOP_SID_TREE:-${XDG_CACHE_HOME:-$HOME/.cache}/jvloop/sid}"

if "$repo/tools/find-pythons.sh" "$version" >/dev/null 2>&1; then
    say "CPython $version is on this machine: no tree of Debian sid is needed"
    PYTHONS="$version" exec "$script" "$@"
fi
if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || die "there is no CPython $version here, and building a tree of Debian sid that has one needs root: install CPython $version, or run this as root"
    exec sudo -n env JVLOOP_SID_TREE="$tree" PYTEST_ARGS="${PYTEST_ARGS:-}" "$0" "$version" "$(basename "$script")" "$@"
fi

# The archive that this machine's own apt uses, if it is Debian's.
mirror() {
    # shellcheck disable=SC2016  (the fields are apt's)
    apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 'Created-By: Packages' |
        sed -n 's/^Debian Debian //p' | head -n 1
}

build_tree() {
    local source packages
    command -v debootstrap >/dev/null || apt_install debootstrap || die "debootstrap is needed: install the package debootstrap"
    source="$(mirror)"
    [ -n "$source" ] || die "apt on this machine has no Debian archive to take sid from: install CPython $version instead"
    packages="python$version,python$version-venv,libpython$version,libpython$version-testsuite"
    packages+=",openjdk-25-jdk-headless,ca-certificates"
    say "Building a tree of Debian sid in $tree: a gigabyte, a minute or two"
    rm -rf "$tree.new"
    mkdir -p "$tree.new"
    debootstrap --variant=minbase --include="$packages" sid "$tree.new" "$source" ||
        die "debootstrap failed; the log is $tree.new/debootstrap/debootstrap.log"
    # What the tests install there (Redis, PostgreSQL) is not to start by itself.
    printf '#!/bin/sh\nexit 101\n' >"$tree.new/usr/sbin/policy-rc.d"
    chmod +x "$tree.new/usr/sbin/policy-rc.d"
    mv "$tree.new" "$tree"
}

if [ -x "$tree/usr/bin/python$version" ]; then
    say "Using the tree of Debian sid in $tree"
else
    build_tree
fi

# sid's release file is good for a week, and mirrors may be older: what the scripts install in there needs them still.
echo 'Acquire::Check-Valid-Until "false";' >"$tree/etc/apt/apt.conf.d/99old-mirror"

# The mounts are this process's own and end with it.
mount_tree() {
    local folder file
    mount -t tmpfs tmpfs "$tree/tmp" # before the checkout, which may be in there
    for folder in /proc /dev /sys /etc/ssl/certs "$repo"; do
        mkdir -p "$tree$folder"
        mount --rbind "$folder" "$tree$folder"
    done
    for file in /etc/resolv.conf /etc/hosts /etc/pip.conf; do
        [ ! -e "$file" ] || cp -L "$file" "$tree$file"
    done
}
export tree repo
export -f mount_tree
inside=(HOME=/root PATH=/usr/bin:/bin:/usr/sbin:/sbin LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1)
inside+=(PIP_CERT=/etc/ssl/certs/ca-certificates.crt PYTHONS="$version" PYTEST_ARGS="${PYTEST_ARGS:-}")
for name in http_proxy https_proxy no_proxy; do
    [ -z "${!name:-}" ] || inside+=("$name=${!name}")
done
# shellcheck disable=SC2016  (expanded by the inner shell)
exec unshare --mount --propagation private bash -euc 'mount_tree; exec chroot "$tree" "$@"' bash \
    /usr/bin/env -i "${inside[@]}" "$script" "$@"
