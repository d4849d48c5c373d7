// What a run counts, and the JSON object that tells it.
#pragma once

#include "windows.h"

// Counted while `is_measuring`, apart from the windows: they learn how fast the machine is before.
struct tally {
  bool is_measuring;
  uint64_t received_bytes, published, skipped, frames;
  // How late frames and publications were.
  struct histogram frame_latency, update_latency;
  struct windows windows;
};
extern struct tally tally;

// Who is counted: the first `members` of the connections are the members, in rooms of `room_size`.
extern struct connection *connections;
extern uint32_t members, room_size, connection_count;
extern const struct dialect *dialect;

// A window has ended, and counts or does not.
void end_window_of_members(bool counts);
void print_result(double seconds, uint64_t server_ns, uint64_t own_ns);
