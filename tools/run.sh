#!/usr/bin/env bash
# run.sh WHEEL [PROGRAM [ARGUMENT...]]: installs the wheel into an environment of its own, as a user would, and runs
# PROGRAM with jvloop as its event loop; without one the demonstration, on jvloop and on the others.
. "$(dirname "$0")/common.sh"

wheel="$1"
shift
read -r version python <<<"$("$repo/tools/find-pythons.sh" --newest)"
folder="$repo/.venv/run-$version"
"$repo/tools/venv.sh" "$python" "$folder" demo "$wheel"
if [ $# -gt 0 ]; then
    say "python -m jvloop $*"
    exec "$folder/bin/python" -m jvloop "$@"
fi
say "bench/demo.py on CPython $version"
exec "$folder/bin/python" "$repo/bench/demo.py"
