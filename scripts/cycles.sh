#!/usr/bin/env bash
# Room hops on one connection, and connections that come and vanish: counts and memory return to where they were.
set -euo pipefail
cd "$(dirname "$0")/.."

count=${CYCLES:-10000}
# A hop takes two ticks: at 128 Hz, 10,000 take some three minutes. They are faster than a server allows by default.
exec python3 scripts/rigs/play.py cycles --out "${OUT:-out}" --bin "$(swift build -c release --show-bin-path)" \
  --set rooms.arena.tickRate=128 --set rooms.arena.limits.messagesPerSecond=1000 --set joinsPerSecond=1000 \
  --set rooms.arena.limits.grace=2s --set rooms.arena.limits.linger=2s \
  -- --bots 10 --room-size 5 --duration 10 --hostile hop=1,churn=25 --hops "$count" --hop-rate 500 --cycles "$count" \
  --max-rss-after "${MAX_RSS_AFTER:-20%}" "$@"
