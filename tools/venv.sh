#!/usr/bin/env bash
# venv.sh PYTHON FOLDER EXTRA WHEEL: makes the virtual environment FOLDER hold jvloop from WHEEL, and the packages of
# EXTRA. What is there and still good is kept: packages until pyproject.toml changes, jvloop until the wheel changes.
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
    "${pip[@]}" install "jvloop[$extra] @ file://$wheel"
    "${pip[@]}" install --only-binary :all: uvloop || say "uvloop does not install here: going on without it"
    touch "$packages_stamp"
fi
if [ "$wheel" -nt "$wheel_stamp" ]; then
    say "Installing $(basename "$wheel") into ${folder#"$repo/"}"
    "${pip[@]}" install --force-reinstall --no-deps "$wheel"
    touch "$wheel_stamp"
fi
