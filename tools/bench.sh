#!/usr/bin/env bash
# bench.sh WHEEL [ONLY]: runs the benchmarks, or those whose name contains ONLY, on the newest CPython found.
. "$(dirname "$0")/common.sh"

wheel="$1" only="${2:-}"
read -r version python <<<"$("$repo/tools/find-pythons.sh" --newest)"
folder="$repo/.venv/bench-$version"
"$repo/tools/venv.sh" "$python" "$folder" bench "$wheel"
say "Benchmarks on CPython $version"
exec "$folder/bin/python" "$repo/bench/run.py" ${only:+--only "$only"}
