#!/usr/bin/env bash
# venv.sh PYTHON FOLDER EXTRA WHEEL: makes the virtual environment FOLDER hold jvloop from WHEEL, and the packages of
# EXTRA. What is there and still good is kept: packages until pyproject.toml changes, jvloop until the wheel changes.
# A free-threaded PYTHON does without the packages that have no wheel for it: the tests that need them are skipped.
. "$(dirname "$0")/common.sh"

python="$1" folder="$2" extra="$3" wheel="$4"
packages_stamp="$folder/.packages" wheel_stamp="$folder/.wheel"
pip=("$folder/bin/python" -m pip --quiet --disable-pip-version-check)

if ! "$folder/bin/python" -c '' 2>/dev/null; then
    say "Virtual environment ${folder#"$repo/"} for $python"
    rm -rf "$folder"
    "$python" -m venv "$folder"
fi
if [ "$repo/pyproject.toml" -nt "$packages_stamp" ]; then
    say "Packages for ${folder#"$repo/"}: jvloop[$extra]"
    # The benchmarks compare with whatever other loop there is; the tests with the one that asyncio's users know.
    optional=(uvloop)
    [ "$extra" != bench ] || optional+=(rloop zuvloop)
    if "$folder/bin/python" -c 'import sys; sys.exit("t" in sys.abiflags)'; then
        "${pip[@]}" install "jvloop[$extra] @ file://$wheel"
    else
        "${pip[@]}" install "$wheel"
        mapfile -t -O "${#optional[@]}" optional < <("$folder/bin/python" - "$extra" <<'END'
import importlib.metadata, sys
for requirement in importlib.metadata.requires("jvloop"):
    package, _, marker = requirement.partition(";")
    if sys.argv[1] in marker:
        print(package.strip())
END
        )
    fi
    for package in "${optional[@]}"; do
        "${pip[@]}" install --only-binary :all: "$package" || say "$package does not install here: going on without it"
    done
    touch "$packages_stamp"
fi
if [ "$wheel" -nt "$wheel_stamp" ]; then
    say "Installing $(basename "$wheel") into ${folder#"$repo/"}"
    "${pip[@]}" install --force-reinstall --no-deps "$wheel"
    touch "$wheel_stamp"
fi
