#!/usr/bin/env bash
# Starts a server and runs the bot swarm against it: 1,000 bots in 10 rooms, 30 frames a second each, one verdict.
set -euo pipefail
cd "$(dirname "$0")/.."

bots=${BOTS:-1000}
room=${ROOM:-100}
seconds=${SECONDS_TO_RUN:-15}
rate=${INPUT_RATE:-10}
out=${OUT:-out}
mkdir -p "$out"
bin=$(swift build -c release --show-bin-path)
log=$out/server.log

"$bin/tickserver" --host 127.0.0.1 --set port=any --set admin.port=any --set maxConnections=$((bots + 200)) --set maxRooms=$((bots / room * 4 / 3 + 12)) 2>"$log" &
server=$!
trap 'kill -TERM $server 2>/dev/null; wait $server 2>/dev/null || true' EXIT

port=
for _ in $(seq 100); do
  port=$(sed -nE 's/.*: listening address=127\.0\.0\.1:([0-9]+).*/\1/p' "$log")
  [ -n "$port" ] && break
  kill -0 $server 2>/dev/null || break
  sleep 0.05
done
if [ -z "$port" ]; then
  echo "error: the server did not start:" >&2
  cat "$log" >&2
  exit 1
fi

"$bin/botswarm" --target "127.0.0.1:$port" --bots "$bots" --room-size "$room" --input-rate "$rate" --duration "$seconds" \
  --server-pid $server --min-fps "${MIN_FPS:-29.5}" --max-frame-gap "${MAX_GAP:-1s}" --max-lost-connections 0 --max-server-rss "${MAX_RSS:-60MiB}" \
  --json "$out/demo.json" --html "$out/demo.html" "$@"
# Here and not in the trap, which may not change what the run comes to.
kill -TERM $server
status=0
wait $server || status=$?
if [ $status -ne 0 ]; then
  echo "error: the server ended with $status after SIGTERM:" >&2
  tail -20 "$log" >&2
  exit 1
fi
echo "report: $out/demo.html"
