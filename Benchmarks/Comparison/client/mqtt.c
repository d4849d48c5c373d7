// MQTT 3.1.1, QoS 0.
#include <stdio.h>
#include <string.h>

#include "client.h"

enum { packet_connack = 2, packet_publish = 3, packet_suback = 9 };

static uint8_t *put_text(uint8_t *at, const char *text) {
  size_t length = strlen(text);
  *at++ = (uint8_t)(length >> 8);
  *at++ = (uint8_t)length;
  memcpy(at, text, length);
  return at + length;
}

static void topic_of(const struct connection *connection, char topic[16]) { snprintf(topic, 16, "room/%u", connection->room); }

static void greet(struct connection *connection) {
  char name[24];
  snprintf(name, sizeof name, "member-%u", connection->number);
  // Level 4, clean session, no keep-alive.
  uint8_t packet[64] = {0x10, 0, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0};
  uint8_t *end = put_text(packet + 12, name);
  packet[1] = (uint8_t)(end - packet - 2);
  send_bytes(connection, packet, (size_t)(end - packet));
}

static void subscribe(struct connection *connection) {
  char topic[16];
  topic_of(connection, topic);
  uint8_t packet[64] = {0x82, 0, 0, 1};
  uint8_t *end = put_text(packet + 4, topic);
  *end++ = 0;
  packet[1] = (uint8_t)(end - packet - 2);
  send_bytes(connection, packet, (size_t)(end - packet));
}

static size_t receive(struct connection *connection, const uint8_t *bytes, size_t length) {
  size_t head = 1, body_bytes = 0;
  do {
    if (head == length) return 0;
    if (head == 5) die("a packet of the broker is too long");
    body_bytes |= (size_t)(bytes[head] & 0x7F) << 7 * (head - 1);
  } while (bytes[head++] >= 0x80);
  if (length - head < body_bytes) return 0;
  const uint8_t *body = bytes + head;
  switch (bytes[0] >> 4) {
    case packet_connack:
      if (body[1] != 0) die("the broker refused a connection, %u", body[1]);
      if (connection->listens) subscribe(connection);
      else became_ready(connection);
      break;
    case packet_suback:
      if (body[2] == 0x80) die("the broker refused a subscription");
      became_ready(connection);
      break;
    case packet_publish: {
      size_t topic_bytes = 2 + (size_t)(body[0] << 8 | body[1]);
      count_frame(connection, 0);
      count_update(connection, body + topic_bytes, body_bytes - topic_bytes);
    }
  }
  return head + body_bytes;
}

static void publish(struct connection *connection, const uint8_t *payload, size_t length) {
  uint8_t packet[MAX_PAYLOAD_BYTES + 64] = {0x30};
  char topic[16];
  topic_of(connection, topic);
  size_t left = 2 + strlen(topic) + length;
  uint8_t *at = packet + 1;
  for (; left >= 0x80; left >>= 7) *at++ = (uint8_t)(left | 0x80);
  *at++ = (uint8_t)left;
  at = put_text(at, topic);
  memcpy(at, payload, length);
  send_bytes(connection, packet, (size_t)(at - packet) + length);
}

const struct dialect mqtt_dialect = {.name = "mqtt", .greet = greet, .receive = receive, .publish = publish};
