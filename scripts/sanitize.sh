#!/usr/bin/env bash
# Runs tests under a sanitizer: scripts/sanitize.sh thread|address. Ends with 1 on a report; the log is in out/.
set -euo pipefail
cd "$(dirname "$0")/.."

# Swift's own crash handler would cover the sanitizer's report.
export SWIFT_BACKTRACE=enable=no
# A race that is reported does not end the run: the next one is reported as well.
export TSAN_OPTIONS="suppressions=$PWD/scripts/tsan-suppressions.txt:halt_on_error=0"
# Swift's runtime keeps metadata for good, which counts as leaked.
export ASAN_OPTIONS=detect_leaks=0

case ${1:-} in
# The multi-loop server with real sockets, the loops and mailboxes below it, the SDK's thread, and a swarm in-process.
thread)
  build=.build-tsan
  least=180
  tests='^EventLoopTests\.|^TickClientTests\.|^TickServerTests\.ServingTests|^TickServerTests\.LogWriterTests|^BotSwarmTests\.SwarmRunTests/aGood'
  ;;
address)
  build=.build-asan
  least=400
  tests='^RoomEngineTests\.|^EventLoopTests\.|^TickServerTests\.|^FuzzTests\.'
  ;;
*)
  echo "usage: scripts/sanitize.sh thread|address" >&2
  exit 64
  ;;
esac

mkdir -p out
log=out/sanitize-$1.log
# A sanitizer does not see what the kernel is called for directly, past the C library.
libc=(-Xcc -DTICKSERVER_CALLS_OF_LIBC)
# The linker warns of every symbol of the address sanitizer that it does not export.
swift build --build-tests --sanitize="$1" --scratch-path $build "${libc[@]}" 2>&1 | { grep -v "Cannot export local symbol" || true; }
# The exit code tells, even where the summary still says that all tests passed.
status=0
scripts/swift-test.sh $least --skip-build --no-parallel --sanitize="$1" --scratch-path $build "${libc[@]}" --filter "$tests" \
  >"$log" 2>&1 || status=$?
reports=$(grep -cE '^(WARNING: ThreadSanitizer|==[0-9]+==ERROR: AddressSanitizer)' "$log" || true)
grep -E 'Test run with' "$log" || true
if [ $status -ne 0 ] || [ "$reports" -ne 0 ]; then
  grep -E 'SUMMARY: |✘|error:' "$log" | sort | uniq -c | sort -rn | head -20
  echo "sanitizer $1: $reports reports, exit code $status; see $log"
  exit 1
fi
echo "sanitizer $1: no report"
