// What floor.c and uv.c share, so that they differ only in how bytes reach the sockets: rooms, their frames, the ticks.
#pragma once

#include <stdint.h>

#include "../common.h"

struct room {
  // Of floor.c or uv.c.
  struct member **members;
  uint32_t count, capacity;
  // The frame of the tick: the same bytes for every member.
  uint8_t *frame;
};

extern struct room rooms[MAX_ROOMS];
extern uint32_t frame_bytes;

// Nonblocking, listening on a free port of loopback, which it prints.
int listen_on_loopback(void);

// A timer that can be read when a tick of any phase is due.
int start_ticks(void);

// Reads the timer and arms it anew; calls `send_room` for each room of each phase that is due, with its frame stamped.
void run_due_ticks(int timer, void (*send_room)(struct room *));

void add_to_room(uint32_t number, struct member *member);
void remove_from_room(uint32_t number, struct member *member);

// Reads --size; SIGTERM ends the process with 0.
void set_up(int argc, char **argv);
