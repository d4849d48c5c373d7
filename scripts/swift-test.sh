#!/usr/bin/env bash
# swift test, with the least number of tests that must have run: a filter that matches nothing is no success.
#
#   scripts/swift-test.sh LEAST [arguments of swift test]
set -euo pipefail

least=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
swift test "$@" 2>&1 | tee "$log" || status=$?
ran=$(sed -nE 's/.*Test run with ([0-9]+) tests? .*/\1/p' "$log" | tail -1)
if [ "${ran:-0}" -lt "$least" ]; then
  echo "error: ${ran:-0} tests ran, at least $least must: does the filter still name them? (swift test $*)" >&2
  exit 1
fi
exit $status
