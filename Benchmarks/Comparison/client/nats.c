// The protocol of NATS: lines, and payloads of a told length.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

static void greet(struct connection *connection) {
  // One's own publications do not come back.
  send_text(connection, "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false,\"lang\":\"c\"}\r\n");
  if (connection->listens) send_text(connection, "SUB room.%u 1\r\n", connection->room);
  send_text(connection, "PING\r\n");
}

static size_t receive(struct connection *connection, const uint8_t *bytes, size_t length) {
  const uint8_t *found = memchr(bytes, '\n', length);
  if (found == NULL) return 0;
  size_t line = (size_t)(found + 1 - bytes);
  switch (*bytes) {
    case 'M': {
      // MSG subject id length
      const uint8_t *digits = found - 1;
      while (digits[-1] != ' ') digits -= 1;
      size_t payload_bytes = strtoul((const char *)digits, NULL, 10);
      if (length - line < payload_bytes + 2) return 0;
      count_frame(connection, 0);
      count_update(connection, bytes + line, payload_bytes);
      return line + payload_bytes + 2;
    }
    case 'P':
      if (bytes[1] == 'I') send_text(connection, "PONG\r\n");
      else became_ready(connection);
      return line;
    case '-': die("nats-server answered %.*s", (int)line - 2, bytes);
    default: return line;
  }
}

static void publish(struct connection *connection, const uint8_t *payload, size_t length) {
  uint8_t command[MAX_PAYLOAD_BYTES + 64];
  int head = snprintf((char *)command, sizeof command, "PUB room.%u %zu\r\n", connection->room, length);
  memcpy(command + head, payload, length);
  memcpy(command + head + length, "\r\n", 2);
  send_bytes(connection, command, (size_t)head + length + 2);
}

const struct dialect nats_dialect = {.name = "nats", .greet = greet, .receive = receive, .publish = publish};
