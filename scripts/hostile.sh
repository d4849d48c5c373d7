#!/usr/bin/env bash
# Healthy, stalled and hostile bots on a server in a small memory cgroup, TCP buffers charged: it must not be killed, and
# the healthy ones must not notice. `scripts/hostile.sh quick` is a short run, without a demand on timing. Needs root.
set -euo pipefail
cd "$(dirname "$0")/.."

others=never-reads=5,reads-slowly=4,zero-window=4,half-open=4,half-close=4,reset=4,silent=4,slowloris=4,garbage=4,oversize=4,input-flood=4,hop=2,join-flood=2,churn=2,bad-tickets=3
if [ "${1:-}" = quick ]; then
  shift
  # Deadlines that end within the run, the same for both sides.
  set=(--set idleDeadline=6s --set pingInterval=2s --set rooms.arena.limits.lagDeadline=6s
    --set rooms.arena.limits.grace=2s --set rooms.arena.limits.linger=2s)
  name=hostile-quick bots=100 accept=(0 3) apart=()
  # Frames of some size, so that they soon fill the buffers of who does not read.
  INPUT_RATE=${INPUT_RATE:-30}
  run=(--duration "${SECONDS_TO_RUN:-20}" --mix wander=1 --idle-deadline 6s --lag-deadline 6s
    --hostile "stalled=10,${others//=[0-9]/=1}")
else
  window=${SECONDS_TO_RUN:-60}
  # Latency is compared: on a core of the server's own, no player waits for what the server does for another.
  set=() name=hostile bots=500 accept=(0) apart=(--apart)
  run=(--duration "$window" --baseline "${window}s" --repeat "${REPEAT:-3}" --hostile "stalled=50,$others"
    --min-fps "${MIN_FPS:-29.5}" --max-p99-ratio "${MAX_P99_RATIO:-1.1}" --max-rss-growth "${MAX_RSS_GROWTH:-2%}")
fi
limit=${LIMIT:-64MiB}
# No memoryLimit is set: the server reads the cgroup. Version 1 divides it; the plan of docker/small.yaml is a quarter TCP buffers.
tcp=${TCP:-15MiB}

exec python3 scripts/rigs/play.py "$name" --limit "$limit" --tcp "$tcp" "${apart[@]}" --accept "${accept[@]}" --out "${OUT:-out}" \
  --bin "$(swift build -c release --show-bin-path)" \
  --config docker/small.yaml "${set[@]}" \
  -- --send-buffer 4KiB --bots "$bots" --room-size 50 --input-rate "${INPUT_RATE:-10}" "${run[@]}" "$@"
