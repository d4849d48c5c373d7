#!/usr/bin/env bash
# Runs a command in a memory cgroup of its own: scripts/in-memory-cgroup.sh 64MiB -- command... (--help says more).
exec python3 "$(dirname "$0")/rigs/memory_cgroup.py" "$@"
