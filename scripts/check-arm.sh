#!/usr/bin/env bash
# Compiles the branch of the kernel calls that only 64-bit Arm has, and that of the C library, which all others have.
set -euo pipefail
cd "$(dirname "$0")/.."

use='#include "Sources/CUV/socket_calls.h"
long call(int s, void *b, size_t n) { return tickserver_send(s, b, n) + tickserver_receive(s, b, n); }'
check() { # what, clang arguments
  local what=$1
  shift
  clang -x c -std=c11 -Wall -Wextra -Werror -O2 -I. "$@" -c -o /dev/null - <<<"$use"
  clang -x c -std=c11 -O2 -I. "$@" -S -o - - <<<"$use"
  echo "$what: compiles" >&2
}
arm=(--target=aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include)
clang "${arm[@]}" -fsyntax-only -Wall -Wextra -Werror -Wno-unused-function -x c Sources/CUV/socket_calls.h
# What was compiled is the branch that was meant.
check "64-bit Arm" "${arm[@]}" | grep -c "svc" >/dev/null || { echo "error: no svc instruction" >&2; exit 1; }
check "the C library's calls" -DTICKSERVER_CALLS_OF_LIBC | grep -c "recv" >/dev/null || { echo "error: no call of recv" >&2; exit 1; }
