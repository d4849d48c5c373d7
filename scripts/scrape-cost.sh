#!/usr/bin/env bash
# What a scrape a second costs the ticks. Options: --help.
set -euo pipefail
cd "$(dirname "$0")/.."

exec python3 scripts/rigs/scrape_cost.py --bin "$(swift build -c release --show-bin-path)" --out "${OUT:-out}" "$@"
