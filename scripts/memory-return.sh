#!/usr/bin/env bash
# Does the server give memory back? Fills it with clients, lets them all leave, and compares its RSS with the idle baseline.
#
#   scripts/memory-return.sh      5,000 bots; 30 s after the last seat was given up RSS must be within 20% of the baseline
#
# BOTS, JOIN_RATE, MOST_PERCENT change that. Needs release builds of tickserver and botswarm (make release).
set -euo pipefail
cd "$(dirname "$0")/.."

bots=${BOTS:-5000}
join_rate=${JOIN_RATE:-500}
most_percent=${MOST_PERCENT:-20}
bin=$(swift build -c release --show-bin-path)
work=$(mktemp -d)
ulimit -n "$(ulimit -Hn)"

# Short waits: what is measured is the memory after the last room has closed, not how long seats and rooms wait.
"$bin/tickserver" --listen 127.0.0.1:any --set admin.port=off --set maxConnections=$((bots + 100)) \
  --set maxRooms=$((bots / 100 * 4 / 3 + 12)) --set rooms.arena.tickRate=5 --set rooms.arena.limits.grace=2s \
  --set rooms.arena.limits.linger=1s 2>"$work/server.log" &
server=$!
trap 'kill -TERM $server 2>/dev/null; wait $server 2>/dev/null || true; rm -rf "$work"' EXIT

rss_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$server/status"; }
port=
for _ in $(seq 200); do
  port=$(sed -nE 's/.*listening address=127\.0\.0\.1:([0-9]+).*/\1/p' "$work/server.log")
  [ -n "$port" ] && break
  sleep 0.05
done
[ -n "$port" ] || { cat "$work/server.log" >&2; exit 1; }
sleep 2
idle=$(rss_kib)

"$bin/botswarm" --target "127.0.0.1:$port" --bots "$bots" --room-size 100 --join-rate "$join_rate" --input-rate 2 \
  --duration 5 >"$work/swarm.log" 2>&1 &
swarm=$!
peak=0
while kill -0 $swarm 2>/dev/null; do
  now=$(rss_kib)
  [ "$now" -gt "$peak" ] && peak=$now
  sleep 0.2
done
# The verdict of the swarm is about frames; a machine too slow for so many bots still shows what is asked here.
wait $swarm || tail -n 5 "$work/swarm.log" >&2
# Grace, linger and two sweeps.
sleep 4
for _ in 1 2 3 4 5 6; do
  sleep 5
  after=$(rss_kib)
  echo "RSS idle $idle KiB, peak $peak KiB, now $after KiB"
done
percent=$(((after - idle) * 100 / idle))
echo "RSS is $percent% above the idle baseline, at most $most_percent% are allowed"
[ "$percent" -le "$most_percent" ]
