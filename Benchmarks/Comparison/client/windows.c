#include "windows.h"

#include <string.h>

#include "../speed.h"

static void open_window(struct windows *windows, uint64_t now, struct totals totals) {
  windows->start_ns = now;
  windows->at_start = totals;
  windows->is_slow = false;
  memset(&windows->frame_latency, 0, sizeof windows->frame_latency);
  memset(&windows->update_latency, 0, sizeof windows->update_latency);
}

void start_windows(struct windows *windows, uint64_t now, struct totals totals) {
  uint64_t least = windows->least_chain_ns;
  // Nothing is known of the windows before the first: it is taken for steady.
  uint32_t since_slow = least ? windows->since_slow : RECOVERY_WINDOWS;
  memset(windows, 0, sizeof *windows);
  windows->least_chain_ns = least;
  windows->since_slow = since_slow;
  open_window(windows, now, totals);
}

bool is_look_due(const struct windows *windows, uint64_t now) {
  return now >= windows->next_look_ns;
}

bool is_window_over(const struct windows *windows, uint64_t now) {
  return now >= windows->start_ns + WINDOW_NS;
}

void look(struct windows *windows, uint64_t now, uint64_t chain_ns) {
  windows->next_look_ns = now + LOOK_NS;
  if (windows->least_chain_ns == 0 || chain_ns < windows->least_chain_ns) windows->least_chain_ns = chain_ns;
  if ((double)chain_ns * SLOW_SHARE > (double)windows->least_chain_ns) windows->is_slow = true;
}

static void add(struct histogram *sum, const struct histogram *part) {
  for (size_t index = 0; index < sizeof sum->counts / sizeof *sum->counts; index += 1) sum->counts[index] += part->counts[index];
  sum->total += part->total;
}

bool end_window(struct windows *windows, uint64_t now, struct totals totals) {
  uint64_t length = now - windows->start_ns;
  windows->since_slow = windows->is_slow ? 0 : windows->since_slow + 1;
  bool counts = windows->since_slow > RECOVERY_WINDOWS;
  if (counts) {
    if (windows->since_slow == RECOVERY_WINDOWS + 1 || windows->steady_ns == 0) windows->stretches += 1;
    windows->steady_ns += length;
    windows->steady.frames += totals.frames - windows->at_start.frames;
    windows->steady.published += totals.published - windows->at_start.published;
    windows->steady.server_ns += totals.server_ns - windows->at_start.server_ns;
    add(&windows->steady_frame_latency, &windows->frame_latency);
    add(&windows->steady_update_latency, &windows->update_latency);
  } else {
    windows->slow_ns += length;
  }
  open_window(windows, now, totals);
  return counts;
}
