#!/usr/bin/env bash
# Builds the image and runs it with bots on it under a memory limit (container_test.py --help).
set -euo pipefail
cd "$(dirname "$0")/../.."

exec python3 docker/test/container_test.py --swarm "$(swift build -c release --show-bin-path)/botswarm" "$@"
