#!/usr/bin/env bash
# Fuzzes: scripts/fuzz.sh SECONDS [TARGET...] runs the targets (all by default), two at a time, SECONDS each.
#         scripts/fuzz.sh merge [TARGET...] puts what the runs found interesting into Tests/Fuzz/Corpus, at its smallest.
# Ends with 1 when there is a finding, and says how to replay it.
set -euo pipefail
cd "$(dirname "$0")/.."

# The crash handler of Swift's runtime hangs under the fuzzer. Call stacks of allocations cost half of all executions;
# a replay keeps them.
export SWIFT_BACKTRACE=enable=no
export ASAN_OPTIONS=detect_leaks=0:malloc_context_size=0:quarantine_size_mb=16
export TICKSERVER_FUZZ=1

all=(messages frames handshake configuration room)
fuzz=.build-fuzz/release/Fuzz
out=out/fuzz
what=$1
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=("${all[@]}")

# Optimised, but with assertions. lld: the program's main must win over the
# fuzzer's.
swift build -c release --scratch-path .build-fuzz --product Fuzz -Xswiftc -sanitize=fuzzer,address \
  -Xcc -fsanitize=fuzzer-no-link,address -Xcc -DTICKSERVER_CALLS_OF_LIBC -Xswiftc -assert-config -Xswiftc Debug -Xswiftc -use-ld=lld

most_bytes() { # longest input that is tried, in bytes
  case $1 in
  frames) echo 4096 ;;
  configuration) echo 4096 ;;
  *) echo 1024 ;;
  esac
}

number() { sed -nE "s/^stat::$1: +([0-9]+)\$/\1/p" "$2"; }

run() { # target
  local log=$out/$1.log findings=$out/findings/$1 status=0
  mkdir -p "$out/corpus/$1" "$findings" "Tests/Fuzz/Regressions/$1"
  FUZZ_TARGET=$1 "$fuzz" -max_total_time="$what" -timeout=5 -rss_limit_mb=1024 -max_len="$(most_bytes "$1")" \
    -print_final_stats=1 -artifact_prefix="$findings/" \
    "$out/corpus/$1" "Tests/Fuzz/Corpus/$1" "Tests/Fuzz/Regressions/$1" >"$log" 2>&1 || status=$?
  printf '%-14s %10s executions %7s/s  %s  %s\n' "$1" "$(number number_of_executed_units "$log")" \
    "$(number average_exec_per_sec "$log")" \
    "$(grep -oE 'cov: [0-9]+ ft: [0-9]+ corp: [0-9]+/[0-9A-Za-z]+' "$log" | tail -1)" \
    "$([ $status -eq 0 ] && echo 'no finding' || echo "FINDING (exit $status)")"
  [ $status -eq 0 ] || explain "$1" "$log"
  return $status
}

explain() { # target, log
  local input
  input=$(sed -nE 's/.*Test unit written to (.*)$/\1/p' "$2" | tail -1)
  {
    grep -E '^fault:|^Fatal error|^==[0-9]+== ?ERROR|^SUMMARY' "$2" | cut -c1-400 || tail -5 "$2"
    grep -oE '/(Sources|Tests/Fuzz/Targets)/[^ ]+:[0-9]+' "$2" | head -3 | sed 's/^/at /' || true
    echo "  replay: SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0 FUZZ_TARGET=$1 $fuzz ${input:-INPUT}"
    echo "  keep:   cp ${input:-INPUT} Tests/Fuzz/Regressions/$1/NAME; then swift test --filter FuzzTests replays it"
    echo "  log:    $2"
  } | sed 's/^/  /'
}

merge() { # target
  local small=$out/merged/$1
  rm -rf "$small"
  mkdir -p "$small" "$out/corpus/$1"
  FUZZ_TARGET=$1 "$fuzz" -merge=1 -timeout=5 -rss_limit_mb=1024 -max_len="$(most_bytes "$1")" \
    "$small" "Tests/Fuzz/Corpus/$1" "$out/corpus/$1" >"$out/$1.merge.log" 2>&1
  # At most 190 files, evenly from the smallest to the largest, and 250 KiB: a corpus in git is a start, not a record.
  rm -rf "Tests/Fuzz/Corpus/$1"
  mkdir -p "Tests/Fuzz/Corpus/$1"
  local bytes=0 size name count
  count=$(find "$small" -type f | wc -l)
  while read -r size name; do
    bytes=$((bytes + size))
    [ $bytes -le 256000 ] || break
    cp "$small/$name" "Tests/Fuzz/Corpus/$1/"
  done < <(find "$small" -type f -printf '%s %f\n' | sort -n |
    awk -v most=190 -v n="$count" 'n <= most || int(NR * most / n) != int((NR - 1) * most / n)')
  echo "$1: $(find "Tests/Fuzz/Corpus/$1" -type f | wc -l) of $count inputs kept"
}

mkdir -p $out
if [ "$what" = merge ]; then
  for target in "${targets[@]}"; do merge "$target"; done
  exit 0
fi

status=0
running=()
for target in "${targets[@]}"; do
  if [ ${#running[@]} -eq 2 ]; then
    wait "${running[0]}" || status=1
    running=("${running[1]}")
  fi
  run "$target" &
  running+=($!)
done
for pid in "${running[@]}"; do wait "$pid" || status=1; done
exit $status
