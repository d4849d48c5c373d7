#!/usr/bin/env bash
# The core has no I/O, clock, randomness or Foundation: what its sources import and call says so.
set -euo pipefail
cd "$(dirname "$0")/.."

fail=0
check() { # target, allowed imports (regex)
  local imports
  imports=$(grep -rhoE '^\s*(@\w+ )?(public |package |internal |private )?import [A-Za-z_.]+' "Sources/$1" |
    awk '{print $NF}' | sort -u | grep -vE "^($2)\$" || true)
  if [ -n "$imports" ]; then
    echo "error: Sources/$1 imports $imports; it may import only: ${2//|/, }" >&2
    fail=1
  fi
}
check WireFormat 'none'
check RoomEngine 'WireFormat|CPrefetch'
check ClientCore 'WireFormat'
check RoomTestKit 'WireFormat|RoomEngine|ClientCore'

# A hint to the processor, so it may know nobody else.
if grep -rnE '#include <|extern|asm' Sources/CPrefetch; then
  echo "error: Sources/CPrefetch reaches beyond itself" >&2
  fail=1
fi

calls=$(grep -rnE 'SystemRandomNumberGenerator|\.random\(|randomElement|shuffled\(\)|ContinuousClock|SuspendingClock|clock_gettime|print\(' \
  Sources/WireFormat Sources/RoomEngine Sources/ClientCore || true)
if [ -n "$calls" ]; then
  echo "error: the core reads a clock, a random source or writes output:" >&2
  echo "$calls" >&2
  fail=1
fi
[ $fail -eq 0 ] && echo "the core is pure: no I/O, clock, randomness or Foundation"
exit $fail
