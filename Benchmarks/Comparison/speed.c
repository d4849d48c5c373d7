#include "speed.h"

#include "common.h"

// Multiplications that wait for each other leave most of a core idle, so that a neighbour on its other thread hardly matters.
#define CHAIN_STEPS 4000

static uint64_t once(void) {
  uint64_t start = monotonic_ns(), value = 1;
#pragma GCC unroll 8
  for (int step = 0; step < CHAIN_STEPS; step += 1) {
    value *= 0x9e3779b97f4a7c15ull;
    // So that every step is taken.
    __asm__ volatile("" : "+r"(value));
  }
  return monotonic_ns() - start;
}

uint64_t chain_ns(void) {
  uint64_t least = UINT64_MAX;
  for (int turn = 0; turn < 3; turn += 1) {
    uint64_t taken = once();
    if (taken < least) least = taken;
  }
  return least;
}
