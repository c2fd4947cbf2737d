#!/usr/bin/env bash
# test.sh WHEEL PART...: runs the parts (java, lint, pytest, cpython) and sums up. PYTHONS in the environment limits the
# interpreters ("3.12 3.13"). Goes on after a failure; the exit code is 1 if any part failed.
. "$(dirname "$0")/common.sh"

wheel="$1"
shift
results="$(mktemp -d)"
trap 'rm -rf "$results"' EXIT
summary=()
failed=0

# step NAME COMMAND...: runs the command, shows its output and keeps its last line for the summary.
step() {
    local name="$1" started=$SECONDS verdict=ok
    shift
    say "$name"
    if ! "$@" 2>&1 | tee "$results/output"; then
        verdict=FAILED
        failed=1
    fi
    summary+=("$(printf '%-22s %-6s %4ds  %s' "$name" "$verdict" $((SECONDS - started)) \
        "$(grep -v '^[[:space:]]*$' "$results/output" | tail -n 1 | cut -c -120)")")
}

# The two below run where bash ignores `set -e` (in a condition), so they pass failures on by hand.

java_tests() {
    "$repo/tools/build-engine.sh" verify || return 1
    # Maven is quiet when all is well: count what ran, so that "nothing ran" cannot pass for success.
    cat "$repo"/engine/target/surefire-reports/TEST-*.xml | sed -n 's/.*<testsuite .* tests="\([0-9]*\)".*/\1/p' |
        awk '{ tests += $1 } END { print tests + 0 " Java tests passed"; exit tests == 0 }'
}

lint() {
    local python="$1" version="$2" failures=0
    "$python" -m ruff check --no-cache "$repo" || failures=1
    "$python" -m ruff format --no-cache --check "$repo" || failures=1
    "$python" -m mypy --python-version "$version" --cache-dir "$repo/.mypy_cache/$version" || failures=1
    return "$failures"
}

mapfile -t interpreters < <("$repo/tools/find-pythons.sh" ${PYTHONS:-})
[ ${#interpreters[@]} -gt 0 ] || exit 1
cd "$repo"
case " $* " in
*" pytest "*) database_servers tests ;;
esac
for part in "$@"; do
    if [ "$part" = java ]; then
        # Java programs start Python in these, the newest one with the packages that some tests need.
        read -r version python <<<"${interpreters[-1]}"
        "$repo/tools/venv.sh" "$python" "$repo/.venv/test-$version" test "$wheel"
        export JVLOOP_TEST_VENV="$repo/.venv/test-$version"
        step "Java" java_tests
        continue
    fi
    for index in "${!interpreters[@]}"; do
        read -r version python <<<"${interpreters[index]}"
        folder="$repo/.venv/test-$version"
        "$repo/tools/venv.sh" "$python" "$folder" test "$wheel"
        case "$part" in
        lint)
            # One interpreter is enough: mypy is told the oldest version.
            [ "$index" = 0 ] && step "ruff and mypy" lint "$folder/bin/python" "$version"
            ;;
        pytest)
            # asyncio's column, on the oldest and the newest Python, says that a test is right; uvloop's, on the newest,
            # that it is fair. There TLS is also tested by the way that it goes where OpenSSL is out of reach.
            newest=$((index == ${#interpreters[@]} - 1))
            loops=jvloop
            [ "$index" = 0 ] && loops=asyncio,jvloop
            [ "$newest" = 1 ] && loops=asyncio,uvloop,jvloop
            step "pytest on $version" "$folder/bin/python" -m pytest -p no:cacheprovider --loop "$loops" ${PYTEST_ARGS:-}
            if [ "$newest" = 1 ]; then
                step "TLS by ssl.MemoryBIO" env JVLOOP_TLS=memorybio "$folder/bin/python" -m pytest \
                    -p no:cacheprovider --loop jvloop "$repo"/tests/behaviour/test_tls_*.py
            fi
            ;;
        cpython)
            step "test_asyncio of $version" "$folder/bin/python" "$repo/tests/cpython/run.py"
            ;;
        *)
            die "unknown part $part"
            ;;
        esac
    done
done

say "Summary"
printf '%s\n' "${summary[@]}"
exit "$failed"
