#!/usr/bin/env bash
# A server, bots and a real Prometheus: what it scrapes must be there, and promtool must find nothing wrong with the page.
# BIN is the folder of the programs; default: the debug build.
set -euo pipefail
cd "$(dirname "$0")/.."

bin=${BIN:-$(swift build --show-bin-path)}
for tool in prometheus promtool curl python3; do
  command -v $tool >/dev/null || { echo "error: $tool is missing: make test-metrics installs it" >&2; exit 1; }
done
work=$(mktemp -d)
pids=()
cleanup() {
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT
fail() {
  echo "error: $1" >&2
  for log in "$work"/*.log; do echo "--- $log" >&2; tail -20 "$log" >&2; done
  exit 1
}

"$bin/tickserver" --listen 127.0.0.1:any --set admin.port=any --loops 2 2>"$work/server.log" &
server=$!
pids+=("$server")
port_of() { sed -nE "s/.*: $1 address=127\.0\.0\.1:([0-9]+).*/\1/p" "$work/server.log"; }
for _ in $(seq 100); do
  [ -n "$(port_of 'admin listening')" ] && break
  kill -0 "$server" 2>/dev/null || fail "the server did not start"
  sleep 0.1
done
game=$(port_of listening)
admin=$(port_of 'admin listening')

curl -sf --max-time 5 "http://127.0.0.1:$admin/metrics" | promtool check metrics || fail "promtool finds fault with the page"

free_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$work/prometheus.yml" <<YAML
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: tickserver
    static_configs: [{targets: ["127.0.0.1:$admin"]}]
YAML
promtool check config "$work/prometheus.yml" >/dev/null || fail "the configuration of Prometheus is wrong"
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/data" \
  --web.listen-address="127.0.0.1:$free_port" >"$work/prometheus.log" 2>&1 &
pids+=($!)

"$bin/botswarm" --target "127.0.0.1:$game" --bots 20 --room-size 10 --duration 6 >"$work/swarm.log" 2>&1 &
swarm=$!
pids+=("$swarm")

# Asks Prometheus until the answer satisfies a condition in `value`, the sum over all series; 20 s at most.
expect() { # query, condition
  python3 - "http://127.0.0.1:$free_port" "$1" "$2" <<'PY' || fail "Prometheus never saw $1 $2"
import json, sys, time, urllib.parse, urllib.request
base, query, condition = sys.argv[1:]
deadline, found = time.monotonic() + 20, "nothing"
while time.monotonic() < deadline:
    try:
        url = f"{base}/api/v1/query?" + urllib.parse.urlencode({"query": query})
        series = json.load(urllib.request.urlopen(url, timeout=2))["data"]["result"]
        if series:
            value = found = sum(float(one["value"][1]) for one in series)
            if eval(condition, {"value": value, "series": len(series)}):
                print(f"{query} {condition}: {value:g}")
                sys.exit(0)
    except OSError:
        pass
    time.sleep(0.25)
print(f"{query} is {found}", file=sys.stderr)
sys.exit(1)
PY
}
expect 'up{job="tickserver"}' 'value == 1'
expect 'tickserver_build_info' 'series == 1'
# Over time: on a slow machine the bots may have left before Prometheus is asked.
expect 'max_over_time(sum(tickserver_connections_open)[1m:1s])' 'value == 20'
expect 'max_over_time(sum(tickserver_seats)[1m:1s])' 'value == 20'
expect 'tickserver_rooms_opened_total' 'value == 2 and series == 2'
expect 'tickserver_ticks_total' 'value > 60'
expect 'histogram_quantile(0.99, sum by (le) (tickserver_tick_lateness_seconds_bucket))' '0 < value <= 0.1'
expect 'tickserver_ledger_balanced' 'value == 2'
swarm_status=0
wait "$swarm" || swarm_status=$?
# 3: this machine was too slow to tell.
[ "$swarm_status" -eq 0 ] || [ "$swarm_status" -eq 3 ] || fail "the swarm ended with $swarm_status"
expect 'tickserver_connections_open' 'value == 0'
expect 'sum(tickserver_connections_accepted_total) - sum(tickserver_connections_closed_total)' 'value == 0'
curl -sf --max-time 5 "http://127.0.0.1:$admin/metrics" | promtool check metrics || fail "promtool finds fault with the page"
[ "$(curl -s --max-time 5 "http://127.0.0.1:$admin/readyz")" = ready ] || fail "the server is not ready"
# Here and not in the trap, which may not change what the run comes to.
kill -TERM "$server"
status=0
wait "$server" || status=$?
[ "$status" -eq 0 ] || fail "the server ended with $status after SIGTERM"
echo "Prometheus scraped what it should"
