// Redis publish/subscribe over RESP3, which lets a connection publish and listen. Publications are not answered, for
// CLIENT REPLY OFF is sent first.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

static void greet(struct connection *connection) {
  send_text(connection, "HELLO 3\r\n");
  // HELLO's answer, then that of SUBSCRIBE; CLIENT REPLY OFF has none.
  connection->awaited = 1 + connection->listens;
  if (connection->listens) send_text(connection, "SUBSCRIBE room:%u\r\n", connection->room);
}

// The end of the line, behind its CRLF; NULL when it has not come.
static const uint8_t *line_end(const uint8_t *bytes, const uint8_t *end) {
  if (bytes >= end) return NULL;
  const uint8_t *found = memchr(bytes, '\n', (size_t)(end - bytes));
  return found ? found + 1 : NULL;
}

// The end of the value at `bytes`, of any type; NULL when it has not come whole. `text` is its last string.
static const uint8_t *value_end(const uint8_t *bytes, const uint8_t *end, const uint8_t **text, size_t *text_bytes) {
  const uint8_t *next = line_end(bytes, end);
  if (next == NULL) return NULL;
  long count = strtol((const char *)bytes + 1, NULL, 10);
  switch (*bytes) {
    case '-': die("redis answered %.*s", (int)(next - bytes - 2), bytes);
    case '$': case '=':
      if (count < 0) return next;
      if (end - next < count + 2) return NULL;
      *text = next;
      *text_bytes = (size_t)count;
      return next + count + 2;
    case '%': case '|':
      count *= 2;
      // Fall through.
    case '*': case '>': case '~':
      for (; count > 0 && next != NULL; count -= 1) next = value_end(next, end, text, text_bytes);
      return next;
    default: return next;
  }
}

static size_t receive(struct connection *connection, const uint8_t *bytes, size_t length) {
  static const char message[] = ">3\r\n$7\r\nmessage\r\n";
  const uint8_t *text = NULL;
  size_t text_bytes = 0;
  const uint8_t *end = value_end(bytes, bytes + length, &text, &text_bytes);
  if (end == NULL) return 0;
  if (length > sizeof message && memcmp(bytes, message, sizeof message - 1) == 0) {
    count_frame(connection, 0);
    count_update(connection, text, text_bytes);
  } else if (connection->awaited != 0 && --connection->awaited == 0) {
    if (connection->publishes) send_text(connection, "CLIENT REPLY OFF\r\n");
    became_ready(connection);
  }
  return (size_t)(end - bytes);
}

static void publish(struct connection *connection, const uint8_t *payload, size_t length) {
  uint8_t command[MAX_PAYLOAD_BYTES + 128];
  char room[16];
  int room_bytes = snprintf(room, sizeof room, "room:%u", connection->room);
  int head = snprintf((char *)command, sizeof command, "*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%s\r\n$%zu\r\n", room_bytes, room, length);
  memcpy(command + head, payload, length);
  memcpy(command + head + length, "\r\n", 2);
  send_bytes(connection, command, (size_t)head + length + 2);
}

const struct dialect redis_dialect = {.name = "redis", .greet = greet, .receive = receive, .publish = publish};
