// A WebSocket client for node with ws and for nchan: /sub/N to listen to room N, /pub/N to publish, /pubsub/N for both.
#include <string.h>

#include "client.h"

enum { opcode_close = 8, opcode_ping = 9, opcode_pong = 10 };

static void greet(struct connection *connection) {
  const char *path = connection->publishes ? connection->listens ? "pubsub" : "pub" : "sub";
  connection->awaited = 1;
  send_text(
    connection,
    "GET /%s/%u HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    path, connection->room);
}

static void send_frame(struct connection *connection, uint8_t opcode, const uint8_t *payload, size_t length) {
  uint8_t frame[MAX_PAYLOAD_BYTES + 16] = {(uint8_t)(0x80 | opcode)};
  size_t head = 2;
  if (length < 126) {
    frame[1] = (uint8_t)(0x80 | length);
  } else {
    frame[1] = 0x80 | 126;
    frame[2] = (uint8_t)(length >> 8);
    frame[3] = (uint8_t)length;
    head = 4;
  }
  // The mask is zero: the server applies it all the same.
  head += 4;
  memcpy(frame + head, payload, length);
  send_bytes(connection, frame, head + length);
}

static size_t receive_answer(struct connection *connection, const uint8_t *bytes, size_t length) {
  const uint8_t *end = memmem(bytes, length, "\r\n\r\n", 4);
  if (end == NULL) return 0;
  if (length < 12 || memcmp(bytes + 9, "101", 3) != 0) die("no upgrade to WebSocket: %.*s", (int)(end - bytes), bytes);
  connection->awaited = 0;
  became_ready(connection);
  return (size_t)(end + 4 - bytes);
}

static size_t receive(struct connection *connection, const uint8_t *bytes, size_t length) {
  if (connection->awaited != 0) return receive_answer(connection, bytes, length);
  if (length < 2) return 0;
  size_t head = 2, body_bytes = bytes[1] & 0x7F;
  if (body_bytes == 126) {
    if (length < 4) return 0;
    body_bytes = (size_t)(bytes[2] << 8 | bytes[3]);
    head = 4;
  } else if (body_bytes == 127) {
    die("a frame of the server is longer than 64 KiB");
  }
  if (length - head < body_bytes) return 0;
  const uint8_t *body = bytes + head;
  switch (bytes[0] & 0x0F) {
    case opcode_close: die("the server closed connection %u", connection->number);
    case opcode_ping: send_frame(connection, opcode_pong, body, body_bytes); break;
    case opcode_pong: break;
    default:
      // nchan answers a publisher in text.
      if (!connection->listens || bytes[0] == 0x81) break;
      count_frame(connection, 0);
      count_update(connection, body, body_bytes);
  }
  return head + body_bytes;
}

static void publish(struct connection *connection, const uint8_t *payload, size_t length) {
  send_frame(connection, 2, payload, length);
}

const struct dialect websocket_dialect = {.name = "websocket", .greet = greet, .receive = receive, .publish = publish};
