#include "rooms.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct room rooms[MAX_ROOMS];
uint32_t frame_bytes;

static uint64_t start_ns, next_tick;

static void on_terminate(int signal) {
  (void)signal;
  _exit(0);
}

void set_up(int argc, char **argv) {
  frame_bytes = (uint32_t)number_argument(argc, argv, "size", RAW_HEAD_BYTES, 1 << 20, 1024);
  signal(SIGTERM, on_terminate);
  signal(SIGPIPE, SIG_IGN);
}

int listen_on_loopback(void) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1024) != 0 ||
      getsockname(listener, (struct sockaddr *)&address, &length) != 0) {
    die("cannot listen on loopback: %m");
  }
  printf("listening address=127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

// Phase p of tick n is due p/PHASES of a period after the tick: the steps of all phases are one sequence.
static uint64_t step_due(uint64_t step) { return start_ns + step * SECOND_NS / (RATE_HERTZ * PHASES); }

static void arm(int timer) {
  uint64_t due = step_due(next_tick);
  struct itimerspec when = {.it_value = {.tv_sec = (time_t)(due / SECOND_NS), .tv_nsec = (long)(due % SECOND_NS)}};
  if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL) != 0) die("timerfd_settime: %m");
}

int start_ticks(void) {
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (timer < 0) die("timerfd_create: %m");
  start_ns = monotonic_ns();
  next_tick = 1;
  arm(timer);
  return timer;
}

static void run_step(uint64_t step, void (*send_room)(struct room *)) {
  uint64_t due = step_due(step);
  for (uint32_t number = phase_of(step % PHASES); number < MAX_ROOMS; number += PHASES) {
    struct room *room = &rooms[number];
    if (room->count == 0) continue;
    memcpy(room->frame + RAW_LENGTH_BYTES, &due, sizeof due);
    send_room(room);
  }
}

void run_due_ticks(int timer, void (*send_room)(struct room *)) {
  uint64_t expirations;
  if (read(timer, &expirations, sizeof expirations) < 0) return;
  // Each phase runs at most once: a tick that was missed is not caught up.
  uint64_t now = monotonic_ns(), first = next_tick, last = first;
  while (step_due(last + 1) <= now) last += 1;
  if (last - first >= PHASES) first = last + 1 - PHASES;
  for (uint64_t step = first; step <= last; step += 1) run_step(step, send_room);
  next_tick = last + 1;
  arm(timer);
}

void add_to_room(uint32_t number, struct member *member) {
  if (number >= MAX_ROOMS) die("room %u is above the limit of %d", number, MAX_ROOMS - 1);
  struct room *room = &rooms[number];
  if (room->frame == NULL) {
    uint32_t length = frame_bytes - RAW_LENGTH_BYTES;
    room->frame = malloc(frame_bytes);
    if (room->frame == NULL) die("out of memory");
    memset(room->frame, 0x5A, frame_bytes);
    memcpy(room->frame, &length, sizeof length);
  }
  if (room->count == room->capacity) {
    room->capacity = room->capacity ? 2 * room->capacity : 128;
    room->members = realloc(room->members, room->capacity * sizeof *room->members);
    if (room->members == NULL) die("out of memory");
  }
  room->members[room->count++] = member;
}

void remove_from_room(uint32_t number, struct member *member) {
  struct room *room = &rooms[number];
  for (uint32_t index = 0; index < room->count; index += 1) {
    if (room->members[index] != member) continue;
    room->members[index] = room->members[--room->count];
    return;
  }
}
