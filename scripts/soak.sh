#!/usr/bin/env bash
# 10,000 connections held: `SOAK_SECONDS=300 CONNECTIONS=10000 scripts/soak.sh`. Further options: --help.
set -euo pipefail
cd "$(dirname "$0")/.."

exec python3 scripts/rigs/soak.py --bin "$(swift build -c release --show-bin-path)" --out "${OUT:-out}" \
  --connections "${CONNECTIONS:-10000}" --seconds "${SOAK_SECONDS:-300}" "$@"
