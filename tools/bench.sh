#!/usr/bin/env bash
# bench.sh WHEEL NAME [OPTION...]: runs bench/run.py with the options, on the newest CPython found or the one in PYTHONS
# ("3.12"), and leaves its report in build/bench: NAME.json, NAME.md and the charts.
. "$(dirname "$0")/common.sh"

wheel="$1" name="$2"
shift 2
read -r version python <<<"$("$repo/tools/find-pythons.sh" --newest ${PYTHONS:-})"
folder="$repo/.venv/bench-$version"
report="$repo/build/bench/$name"
"$repo/tools/venv.sh" "$python" "$folder" bench "$wheel"
command -v cc >/dev/null || apt_install gcc || true  # bench/run.py says what it lacks
[ -e /usr/include/openssl/ssl.h ] || apt_install libssl-dev || say "OpenSSL's headers are missing: the TLS rows are left out"
database_servers rows
mkdir -p "$(dirname "$report")"
say "Benchmarks on CPython $version; the report will be in ${report#"$repo/"}.md"
exec "$folder/bin/python" "$repo/bench/run.py" --json "$report.json" --markdown "$report.md" --svg "$report.svg" \
    --growth-svg "$report-growth.svg" "$@"
