// What a run counts, and how it is told.
#pragma once

#include "client.h"

// Latencies in microseconds, in buckets at most 1/32 wide, up to half an hour.
struct histogram {
  uint64_t counts[64 * 32];
  uint64_t total;
};

void record(struct histogram *, uint64_t microseconds);
// The upper end of the bucket that holds the share, in microseconds; 0 without any.
uint64_t percentile(const struct histogram *, double share);

// CPU time of processes with all their threads, in ns. `pids` are separated by commas.
uint64_t cpu_ns(const char *pids);
uint64_t own_cpu_ns(void);
