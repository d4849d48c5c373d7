// The client of all measured servers: connections, each a member of a room, a publisher to it, or both; what they counted.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../common.h"

// What a publication begins with: when it was sent (CLOCK_MONOTONIC, ns, u64) and by which connection (u32).
#define STAMP_BYTES 12
struct stamp {
  uint64_t sent_ns;
  uint32_t sender;
};
#define MAX_PAYLOAD_BYTES 8192

enum shape {
  // One publisher a room; the members only listen.
  shape_fan_out,
  // Every member publishes and must learn what all others of its room published.
  shape_full_job,
};

struct connection {
  int socket;
  uint32_t number, room;
  bool publishes, listens, is_ready;
  // An incomplete message, kept until the rest of it comes.
  uint8_t *rest;
  uint32_t rest_bytes, rest_capacity;
  // What the socket did not take.
  uint8_t *unsent;
  uint32_t unsent_bytes;
  // When in the period it publishes, ns.
  uint64_t publish_offset;
  // While measuring: messages that bring publications, publications of others.
  uint64_t frames, updates;
  // The same as it was when the window began, and of the windows in which the machine kept its speed.
  uint64_t window_frames, window_updates, steady_frames, steady_updates;
  // Of tickserver.c.
  uint32_t player, entity, sequence, last_tick;
  // How many its room has.
  uint32_t entities;
  uint64_t room_start_us;
  // Answers still to come before it is ready.
  uint32_t awaited;
};

// How to speak with one kind of server.
struct dialect {
  const char *name;
  // Called once the connection stands.
  void (*greet)(struct connection *);
  // Takes the first whole message of `bytes` and returns its length, or 0 when there is none yet. `die` on what is wrong.
  size_t (*receive)(struct connection *, const uint8_t *bytes, size_t length);
  void (*publish)(struct connection *, const uint8_t *payload, size_t length);
  // Bytes of a publication for frames of `frame_bytes`; NULL: what a raw frame carries.
  size_t (*payload_bytes)(size_t frame_bytes);
  // When in the period a publisher sends, ns; NULL: the rooms' phases.
  uint64_t (*publish_offset)(const struct connection *);
  // The server makes the frames itself: a fan-out has no publishers.
  bool makes_frames;
};

extern const struct dialect raw_dialect, tickserver_dialect, redis_dialect, nats_dialect, mqtt_dialect, websocket_dialect;

extern enum shape shape;
// When the bytes at hand came.
extern uint64_t received_ns;

// For dialects.
void send_bytes(struct connection *, const void *bytes, size_t length);
void send_text(struct connection *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void became_ready(struct connection *);
// A message with publications has come, late by so much; `frame_due_ns` 0: its publications alone tell how late it is.
void count_frame(struct connection *, uint64_t frame_due_ns);
// A publication has come, alone or in a frame.
void count_update(struct connection *, const uint8_t *payload, size_t length);
// Publications have come in one frame, `own` of them its own.
void count_stamps(struct connection *, const struct stamp *stamps, size_t count, size_t own);
struct stamp stamp_of(const uint8_t *payload);
