// The floor's frames: a length, the time that the frame was due at, filler.
#include <string.h>

#include "client.h"

static void greet(struct connection *connection) {
  send_bytes(connection, &connection->room, sizeof connection->room);
  became_ready(connection);
}

static size_t receive(struct connection *connection, const uint8_t *bytes, size_t length) {
  if (length < RAW_HEAD_BYTES) return 0;
  uint32_t body_bytes;
  uint64_t due;
  memcpy(&body_bytes, bytes, sizeof body_bytes);
  if (length - RAW_LENGTH_BYTES < body_bytes) return 0;
  memcpy(&due, bytes + RAW_LENGTH_BYTES, sizeof due);
  count_frame(connection, due);
  return RAW_LENGTH_BYTES + body_bytes;
}

// In the full job only. The server reads it and no more.
static void publish(struct connection *connection, const uint8_t *payload, size_t length) {
  send_bytes(connection, payload, length);
}

const struct dialect raw_dialect = {
  .name = "raw", .greet = greet, .receive = receive, .publish = publish, .makes_frames = true};
