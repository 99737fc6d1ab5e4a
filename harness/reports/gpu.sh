#!/bin/sh
# All that needs a GPU, in under eight minutes: tests, peers, and the sanitizer on a few cases.
#
#   harness/reports/gpu.sh                 # everything
#   harness/reports/gpu.sh peers           # some of: compile tests peers sanitizer
#   PEERS="--quick" harness/reports/gpu.sh peers
#
# Goes on after a failure; the summary comes last. Logs and JSON go into $OUT, or a temporary folder.

set -u
cd "$(dirname "$0")/../.." || exit 1
OUT=${OUT:-$(mktemp -d)}
PYTHON=${PYTHON:-python3}
SUITE=${SUITE:-tests/cuda/test_on_gpu.py}
FEW=${FEW:-"agrees and (hyperplane_hash or grouped_mlp or merged_mlp or tree_route) and 1003]"}
STEPS=${*:-compile tests peers sanitizer}
PYTHONPATH=harness:tests${PYTHONPATH:+:$PYTHONPATH}
SPARSEBENCH_CACHE=${SPARSEBENCH_CACHE:-${TMPDIR:-/tmp}/sparsebench-gpu-cache}
export PYTHONPATH SPARSEBENCH_CACHE
mkdir -p "$OUT" "$SPARSEBENCH_CACHE"
SUMMARY=$OUT/summary.txt
: >"$SUMMARY"
BEGIN=$(date +%s)
MOST=${MOST:-465} # seconds of everything

# step NAME LIMIT COMMAND...: run with a time limit, no longer than what is left of everything.
step() {
  name=$1 limit=$2
  shift 2
  left=$((MOST - $(date +%s) + BEGIN))
  [ "$limit" -gt "$left" ] && limit=$left
  if [ "$limit" -lt 10 ]; then
    echo "$name: no time was left for it" >>"$SUMMARY"
    return
  fi
  started=$(date +%s)
  echo "== $name (at most $limit s)"
  timeout -k 5 "$limit" "$@" >"$OUT/$name.log" 2>&1
  code=$?
  [ "$code" = 124 ] && code="124 (out of time)"
  echo "$name: code $code, $(($(date +%s) - started)) s: $(tail -n 1 "$OUT/$name.log" | cut -c1-160)" >>"$SUMMARY"
}

sanitizer() {
  step "$1" 90 compute-sanitizer --tool "$1" --error-exitcode 99 --print-limit 20 \
    "$PYTHON" -m pytest -q -p no:cacheprovider -m gpu "$SUITE" -k "$FEW" -x
  grep -h "ERROR SUMMARY\|RACECHECK SUMMARY" "$OUT/$1.log" >>"$SUMMARY" 2>/dev/null
}

for asked in $STEPS; do
  case $asked in
  compile) step compile 90 "$PYTHON" harness/reports/gpu_warm.py ;;
  tests) step tests 150 "$PYTHON" -m pytest -q -p no:cacheprovider -m gpu "$SUITE" ;;
  peers)
    left=$((MOST - $(date +%s) + BEGIN - 20))
    [ "$left" -gt 270 ] && left=270
    # shellcheck disable=SC2086 # several options
    step peers 290 "$PYTHON" harness/reports/peers_gpu.py --limit "$left" --json "$OUT/peers_gpu.json" ${PEERS:-}
    ;;
  sanitizer)
    sanitizer memcheck
    sanitizer racecheck
    ;;
  *) echo "unknown step: $asked" >>"$SUMMARY" ;;
  esac
done

[ -f "$OUT/tests.log" ] && grep -E "^(FAILED|ERROR)" "$OUT/tests.log" | head -n 20
[ -f "$OUT/peers.log" ] && sed -n '/^## /,$p' "$OUT/peers.log"
echo "== summary (logs in $OUT)"
cat "$SUMMARY"
