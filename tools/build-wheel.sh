#!/usr/bin/env bash
# build-wheel.sh WHEEL: builds the wheel, with the engine's jar in it, from this checkout.
. "$(dirname "$0")/common.sh"

wheel="$1"
read -r version python <<<"$("$repo/tools/find-pythons.sh" --newest)"
tool="$repo/.venv/build"
if ! "$tool/bin/python" -c '' 2>/dev/null; then
    say "Virtual environment .venv/build for $python"
    rm -rf "$tool"
    "$python" -m venv "$tool"
fi
say "Wheel ${wheel#"$repo/"} (CPython $version)"
"$tool/bin/python" -m pip --quiet --disable-pip-version-check wheel --no-deps --wheel-dir "$(dirname "$wheel")" "$repo"
[ -f "$wheel" ] || die "the build made no $(basename "$wheel")"
