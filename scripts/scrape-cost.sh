#!/usr/bin/env bash
# What a scrape a second costs the ticks: the p99 of tick lateness with one against without, from the server's own fine
# histogram (1.6% a bucket, interpolated). Runs alternate, so that both kinds meet the same machine; the median of RUNS
# pairs is printed and must be below MOST. For a quiet machine.
set -euo pipefail
cd "$(dirname "$0")/.."

bots=${BOTS:-500}
room=${ROOM:-50}
seconds=${SECONDS_TO_RUN:-20}
runs=${RUNS:-5}
most=${MOST:-1.05}
bin=${BIN:-$(swift build -c release --show-bin-path)}
work=$(mktemp -d)
pids=()
cleanup() {
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT

port_of() { sed -nE "s/.*: $1 address=127\.0\.0\.1:([0-9]+).*/\1/p" "$work/server.log"; }

# One run; prints the p99 of tick lateness in microseconds, the worst of the loops.
run() { # scraped: yes or no
  "$bin/tickserver" --listen 127.0.0.1:any --loops 1 --set admin.port=any --set maxConnections=$((bots + 100)) \
    2>"$work/server.log" &
  local server=$! admin= scraper=
  pids=("$server")
  for _ in $(seq 100); do
    admin=$(port_of 'admin listening')
    [ -n "$admin" ] && break
    sleep 0.05
  done
  [ -n "$admin" ] || { echo "error: the server did not start" >&2; cat "$work/server.log" >&2; return 1; }
  if [ "$1" = yes ]; then
    # One process for all scrapes: starting one each second would disturb the ticks more than the scrape.
    python3 -c '
import sys, time, urllib.request
try:
    while True:
        urllib.request.urlopen(sys.argv[1], timeout=2).read()
        time.sleep(1)
except OSError:
    pass' "http://127.0.0.1:$admin/metrics" &
    scraper=$!
    pids+=("$scraper")
  fi
  "$bin/botswarm" --target "127.0.0.1:$(port_of listening)" --bots "$bots" --room-size "$room" --duration "$seconds" \
    >"$work/swarm.log" 2>&1 || { tail -5 "$work/swarm.log" >&2; }
  kill -TERM "$server"
  wait "$server" || true
  [ -z "$scraper" ] || wait "$scraper" || true
  pids=()
  sed -nE 's/.*loop ended.* latenessP99Microseconds=([0-9]+).*/\1/p' "$work/server.log" | sort -n | tail -1
}

for number in $(seq "$runs"); do
  # Which comes first alternates too: a machine that warms up would favour one.
  if [ $((number % 2)) = 1 ]; then
    without=$(run no)
    with=$(run yes)
  else
    with=$(run yes)
    without=$(run no)
  fi
  echo "$with $without" >>"$work/pairs"
  echo "pair $number: p99 $without us without a scrape, $with us with one a second"
done
python3 - "$work/pairs" "$most" <<'PY'
import statistics, sys
pairs = [tuple(map(float, line.split())) for line in open(sys.argv[1])]
most = float(sys.argv[2])
ratio = statistics.median(with_ / without for with_, without in pairs)
print(f"median ratio of {len(pairs)} pairs: {ratio:.3f} (must be below {most})")
sys.exit(ratio >= most)
PY
