# What the stages of tests/stages/ share. Sourced by each; runs from the root of the clone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
ROOT=$PWD
JOBS=$(getconf _NPROCESSORS_ONLN)
LONG=${COHORT_LONG:-0}

# skip REASON: there is nothing here to prove yet, or this machine cannot.
skip() {
  echo "$1"
  exit 77
}

# count PASSED FAILED: adds to the numbers of the last line of tests/run.
count() { echo "$1 $2" >>"${COHORT_COUNTS:-/dev/null}"; }

# build_preset NAME [TARGET...]: configures and builds build/NAME.
build_preset() {
  local preset=$1
  shift
  cmake --preset "$preset" >"build/logs/configure-$preset.log" 2>&1 || {
    cat "build/logs/configure-$preset.log"
    return 1
  }
  cmake --build --preset "$preset" -j "$JOBS" ${1:+--target "$@"} -- --quiet
}

# run_ctest NAME: runs the tests of build/NAME and counts them; none at all is a failure.
run_ctest() {
  local log=build/logs/ctest-$1.log status=0 total failed
  ctest --test-dir "build/$1" -j "$JOBS" --output-on-failure --no-tests=error >"$log" 2>&1 || status=$?
  grep -vE '^ *(Start +[0-9]+:|[0-9]+/[0-9]+ Test +#[0-9]+: .* Passed )' "$log" || true
  read -r failed total < <(sed -nE 's/.*, ([0-9]+) tests? failed out of ([0-9]+)$/\1 \2/p' "$log" || true) || true
  [[ -n "${total:-}" ]] && count $((total - failed)) "$failed"
  return "$status"
}

# run_go NAME COMMAND...: runs a command that runs `go test -v`, shows all but what passed, and counts.
run_go() {
  local log=build/logs/$1-tests.log status=0
  shift
  "$@" >"$log" 2>&1 || status=$?
  grep -vE '^(=== |[[:space:]]*--- PASS)' "$log" || true
  count "$(grep -cE '^[[:space:]]*--- PASS' "$log" || true)" "$(grep -cE '^[[:space:]]*--- FAIL' "$log" || true)"
  return "$status"
}
mkdir -p build/logs
