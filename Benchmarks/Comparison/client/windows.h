// The measured time in windows of a tenth of a second: what falls into those in which the machine kept its speed counts as steady.
#pragma once

#include "counts.h"

#define WINDOW_NS 100000000ull
// After a slow window, so many more do not count: what had piled up is being served.
#define RECOVERY_WINDOWS 2

// What grows all the time.
struct totals {
  uint64_t frames, published, server_ns;
};

struct windows {
  // Of the current window.
  uint64_t start_ns, next_look_ns;
  struct totals at_start;
  bool is_slow;
  struct histogram frame_latency, update_latency;
  // The shortest that the chain of instructions ever took, and the windows since one was slow.
  uint64_t least_chain_ns;
  uint32_t since_slow;
  // Of all windows that count, in how many stretches they are, and how long the others were.
  uint64_t steady_ns, slow_ns;
  uint32_t stretches;
  struct totals steady;
  struct histogram steady_frame_latency, steady_update_latency;
};

// From now on; what was learnt of the core's speed is kept.
void start_windows(struct windows *, uint64_t now, struct totals);
bool is_look_due(const struct windows *, uint64_t now);
bool is_window_over(const struct windows *, uint64_t now);
// The chain of instructions took so long.
void look(struct windows *, uint64_t now, uint64_t chain_ns);
// Returns whether the window counts.
bool end_window(struct windows *, uint64_t now, struct totals);
