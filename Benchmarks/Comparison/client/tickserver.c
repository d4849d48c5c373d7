// TickServer's protocol, version 1 (docs/protocol.md), with the room kinds of Comparison/tickserver.yaml: one entity a
// player, with byte fields only. A publication is an input that sets them, a frame brings those of the tick.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

enum {
  message_hello = 0x01, message_join = 0x02, message_input = 0x03, message_ping = 0x06, message_pong = 0x08,
  message_welcome = 0x11, message_joined = 0x12, message_frame = 0x13, message_join_refused = 0x18,
  message_goodbye = 0x1A,
};
#define MAX_ENTITIES 65536
// More than connections have numbers.
#define MAX_SENDERS 32768
// Of the kind `board` in tickserver.yaml.
#define MOST_FIELDS 16
#define MOST_FIELD_BYTES 255

// This clock's time less the server's, microseconds, as the quickest answer to a ping has it.
static int64_t clock_offset_us;
static uint64_t quickest_answer_ns = UINT64_MAX;
// How often a connection asks, one after the other, before it is ready.
#define CLOCK_PINGS 20
struct reader {
  const uint8_t *next, *end;
};

static uint64_t varint(struct reader *reader) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (reader->next >= reader->end) die("a message of the server ends early");
    uint8_t byte = *reader->next++;
    value |= (uint64_t)(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  die("a varint of the server is too long");
}

static const uint8_t *skip(struct reader *reader, uint64_t count) {
  if ((uint64_t)(reader->end - reader->next) < count) die("a message of the server ends early");
  const uint8_t *bytes = reader->next;
  reader->next += count;
  return bytes;
}

static uint8_t *put_varint(uint8_t *at, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *at++ = (uint8_t)(value | 0x80);
  *at++ = (uint8_t)value;
  return at;
}

static uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t count) {
  at = put_varint(at, count);
  memcpy(at, bytes, count);
  return at + count;
}

static void send_message(struct connection *connection, uint8_t type, const uint8_t *body, size_t count) {
  static uint8_t message[MAX_PAYLOAD_BYTES + 256];
  uint8_t *at = put_varint(message, count + 1);
  *at++ = type;
  memcpy(at, body, count);
  send_bytes(connection, message, (size_t)(at - message) + count);
}

static void greet(struct connection *connection) {
  // Version 1, no capabilities, no credential.
  static const uint8_t hello[] = {'T', 'I', 'C', 'K', 1, 0, 0};
  send_message(connection, message_hello, hello, sizeof hello);
}

static void welcomed(struct connection *connection) {
  const char *kind = shape == shape_fan_out ? "board" : "crowd";
  char room[24];
  int room_bytes = snprintf(room, sizeof room, "%s-%u", kind, connection->room);
  uint8_t body[64], *at = body;
  *at++ = 0;
  at = put_bytes(at, room, (size_t)room_bytes);
  at = put_bytes(at, kind, strlen(kind));
  // No schema hash: the server sends its schema. No options.
  memset(at, 0, 8);
  at = put_varint(at + 8, 0);
  send_message(connection, message_join, body, (size_t)(at - body));
}

static void joined(struct connection *connection, struct reader *reader) {
  skip(reader, 1);
  connection->player = (uint32_t)varint(reader);
  varint(reader), varint(reader);
  if (varint(reader) != RATE_HERTZ) die("the room does not tick at %d Hz", RATE_HERTZ);
  connection->room_start_us = varint(reader);
}

static void ask_clock(struct connection *connection) {
  uint8_t body[10];
  send_message(connection, message_ping, body, (size_t)(put_varint(body, monotonic_ns()) - body));
}

// The server's own pings tell it what has been read: the answer has the token, and a clock that nobody asks for.
static void answer(struct connection *connection, struct reader *reader) {
  uint8_t body[11], *end = put_varint(body, varint(reader));
  *end++ = 0;
  send_message(connection, message_pong, body, (size_t)(end - body));
}

static void clock_told(struct connection *connection, struct reader *reader) {
  uint64_t round_trip_ns = received_ns - varint(reader), server_us = varint(reader);
  if (round_trip_ns < quickest_answer_ns) {
    quickest_answer_ns = round_trip_ns;
    clock_offset_us = (int64_t)((received_ns - round_trip_ns / 2) / 1000) - (int64_t)server_us;
  }
  if (--connection->awaited != 0) ask_clock(connection);
  else became_ready(connection);
}

// The publishers of a fan-out need the clock, to send between ticks; one of the others is enough to tell latencies.
static void seated(struct connection *connection) {
  bool needs_clock = shape == shape_fan_out ? connection->publishes : connection->number == 0;
  if (!needs_clock) return became_ready(connection);
  if (connection->awaited != 0) return;
  connection->awaited = CLOCK_PINGS;
  ask_clock(connection);
}

static void skip_events(struct reader *reader) {
  varint(reader);
  for (uint64_t left = varint(reader); left != 0; left -= 1) {
    uint8_t flags = *skip(reader, 1);
    if (flags & 2) varint(reader);
    varint(reader);
    skip(reader, varint(reader));
  }
}

static void skip_varints(struct reader *reader, uint64_t count) {
  for (; count != 0; count -= 1) varint(reader);
}

static void read_removed(struct connection *connection, struct reader *reader) {
  uint64_t count = varint(reader);
  skip_varints(reader, count);
  connection->entities -= (uint32_t)count;
}

static void read_created(struct connection *connection, struct reader *reader) {
  static uint16_t ids[MAX_ENTITIES];
  uint64_t count = varint(reader), id = 0;
  if (count > MAX_ENTITIES) die("a frame creates too many entities");
  for (uint64_t index = 0; index < count; index += 1) {
    id += varint(reader) + (index != 0);
    ids[index] = (uint16_t)id;
  }
  connection->entities += (uint32_t)count;
  for (uint64_t index = 0; index < count; index += 1) {
    skip(reader, 1);
    if (varint(reader) != connection->player + 1) continue;
    connection->entity = ids[index];
    seated(connection);
  }
}

// Returns how many changed; which ones they are does not matter here.
static size_t skip_changed_ids(struct connection *connection, struct reader *reader) {
  uint64_t head = varint(reader), count = head >> 2;
  switch (head & 3) {
    case 0: skip_varints(reader, count); break;
    case 1: varint(reader), skip(reader, varint(reader)); break;
    // All but these.
    case 2: skip_varints(reader, count), count = connection->entities - count; break;
    default: die("a frame tells its changes in a form that is not known");
  }
  if (count > MAX_ENTITIES) die("a frame changes too many entities");
  return count;
}

static uint64_t take_bits(struct reader *reader, size_t *at, unsigned width) {
  uint64_t value = 0;
  for (unsigned bit = 0; bit < width; bit += 1, *at += 1) {
    if ((size_t)(reader->end - reader->next) * 8 <= *at) die("a message of the server ends early");
    value |= (uint64_t)(reader->next[*at / 8] >> *at % 8 & 1) << bit;
  }
  return value;
}

// Returns how many of the changed entities have the next field; which ones does not matter here.
static size_t read_presence(struct reader *reader, size_t *at, size_t count) {
  uint64_t form = take_bits(reader, at, 2);
  if (form <= 1) return form * count;
  size_t found = 0;
  if (form == 2) {
    for (size_t place = 0; place < count; place += 1) found += take_bits(reader, at, 1);
    return found;
  }
  unsigned width = 0;
  while (count >> width) width += 1;
  found = take_bits(reader, at, width);
  for (size_t left = found; left != 0; left -= 1) take_bits(reader, at, width);
  return found;
}

// What the changes of a room's newest frame told. All of its members get the same bytes, and to take them apart for each
// would be a twentieth of the client's time, which with the floor it does not need.
struct told {
  uint8_t *bytes;
  size_t length, used;
  uint32_t entities;
  struct stamp *stamps;
  size_t count;
  // How many of the stamps are of each connection.
  uint8_t *by;
};
static struct told told_in[MAX_ROOMS];

static void begin_told(struct told *told, uint32_t entities, const uint8_t *bytes, size_t length, size_t most_stamps) {
  for (size_t index = 0; index < told->count; index += 1) told->by[told->stamps[index].sender % MAX_SENDERS] = 0;
  told->bytes = realloc(told->bytes, length);
  told->stamps = realloc(told->stamps, most_stamps * sizeof *told->stamps);
  if (told->by == NULL) told->by = calloc(MAX_SENDERS, 1);
  if (told->bytes == NULL || told->stamps == NULL || told->by == NULL) die("out of memory");
  memcpy(told->bytes, bytes, length);
  *told = (struct told){told->bytes, length, 0, entities, told->stamps, 0, told->by};
}

static void add_stamp(struct told *told, struct stamp stamp) {
  told->stamps[told->count++] = stamp;
  told->by[stamp.sender % MAX_SENDERS] += 1;
}

static void take_apart(struct connection *connection, struct reader *reader, struct told *told) {
  const uint8_t *start = reader->next;
  size_t length = (size_t)(reader->end - start), values[MOST_FIELDS], at = 0;
  size_t count = skip_changed_ids(connection, reader);
  begin_told(told, connection->entities, start, length, count + 1);
  unsigned fields = shape == shape_fan_out ? MOST_FIELDS : 1;
  // All fields are byte strings: their presence comes first, in bits, then the strings.
  for (unsigned field = 0; field < fields; field += 1) values[field] = read_presence(reader, &at, count);
  skip(reader, (at + 7) / 8);
  for (unsigned field = 0; field < fields; field += 1) {
    for (; values[field] != 0; values[field] -= 1) {
      uint64_t bytes = varint(reader);
      const uint8_t *value = skip(reader, bytes);
      // The first field begins with the stamp.
      if (field == 0 && bytes >= STAMP_BYTES) add_stamp(told, stamp_of(value));
    }
  }
  told->used = (size_t)(reader->next - start);
}

static void read_changed(struct connection *connection, struct reader *reader) {
  struct told *told = &told_in[connection->room % MAX_ROOMS];
  size_t length = (size_t)(reader->end - reader->next);
  bool is_known = told->length == length && told->entities == connection->entities && memcmp(told->bytes, reader->next, length) == 0;
  if (is_known) skip(reader, told->used);
  else take_apart(connection, reader, told);
  count_stamps(connection, told->stamps, told->count, told->by[connection->number % MAX_SENDERS]);
}

static void read_frame(struct connection *connection, struct reader *reader) {
  uint8_t flags = *skip(reader, 1);
  uint32_t tick = (uint32_t)varint(reader), span = (uint32_t)varint(reader);
  bool is_keyframe = flags & 1;
  if (!is_keyframe && tick - span != connection->last_tick) die("a frame is missing before tick %u", tick);
  connection->last_tick = tick;
  uint64_t due_us = connection->room_start_us + (uint64_t)tick * 1000000 / RATE_HERTZ + (uint64_t)clock_offset_us;
  // Without state it only shows that the room lives; in a keyframe are old publications too.
  if ((flags & 4) && !is_keyframe) count_frame(connection, due_us * 1000);
  if (flags & 2) skip_events(reader);
  if (is_keyframe) connection->entities = 0;
  if (!(flags & 4)) return;
  for (uint64_t sections = varint(reader); sections != 0; sections -= 1) {
    uint64_t head = varint(reader);
    if (head & 1) read_removed(connection, reader);
    if (head & 2) read_created(connection, reader);
    if (is_keyframe) return;
    if (head & 4) read_changed(connection, reader);
  }
}

static size_t receive(struct connection *connection, const uint8_t *bytes, size_t length) {
  uint64_t body_bytes = 0;
  size_t head = 0;
  do {
    if (head == length) return 0;
    if (head == 5) die("a message of the server is too long");
    body_bytes |= (uint64_t)(bytes[head] & 0x7F) << 7 * head;
  } while (bytes[head++] >= 0x80);
  if (length - head < body_bytes) return 0;
  struct reader reader = {bytes + head + 1, bytes + head + body_bytes};
  switch (bytes[head]) {
    case message_frame: read_frame(connection, &reader); break;
    case message_welcome: welcomed(connection); break;
    case message_joined: joined(connection, &reader); break;
    case message_pong: clock_told(connection, &reader); break;
    case message_ping: answer(connection, &reader); break;
    case message_join_refused: die("a join was refused, %u", reader.next[0]);
    case message_goodbye: die("the server ended connection %u, reason %llu", connection->number, (unsigned long long)varint(&reader));
  }
  return head + body_bytes;
}

// How many fields a publication is split over, evenly, each of which has a length in front of it.
static size_t fields_for(size_t payload_bytes) { return (payload_bytes + MOST_FIELD_BYTES - 1) / MOST_FIELD_BYTES; }

static void publish(struct connection *connection, const uint8_t *payload, size_t length) {
  static uint8_t body[MAX_PAYLOAD_BYTES + 128];
  size_t fields = fields_for(length);
  // One entry, kind 0.
  uint8_t *at = put_varint(body, ++connection->sequence);
  *at++ = 1;
  *at++ = 0;
  at = put_varint(at, connection->entity);
  at = put_varint(at, (1ull << fields) - 1);
  for (size_t field = 0; field < fields; field += 1) {
    size_t start = length * field / fields, end = length * (field + 1) / fields;
    at = put_bytes(at, payload + start, end - start);
  }
  send_message(connection, message_input, body, (size_t)(at - body));
}

static size_t varint_bytes(uint64_t value) { return 1 + (value > 0x7F) + (value > 0x3FFF); }

static size_t payload_bytes(size_t frame_bytes) {
  // Length, type, flags, tick (two bytes in the first nine minutes, but for the first four seconds), span, sections,
  // head, changed, id, two bits a field.
  size_t fixed = varint_bytes(frame_bytes) + 1 + 1 + 2 + 1 + 1 + 1 + 1 + 1 + MOST_FIELDS / 4;
  for (size_t fields = 1; fields <= MOST_FIELDS; fields += 1) {
    size_t head = fixed + fields * 2;
    if (frame_bytes > head && frame_bytes - head <= fields * MOST_FIELD_BYTES) return frame_bytes - head;
  }
  die("no publication makes a frame of %zu bytes", frame_bytes);
}

// Halfway between ticks, so that each tick has one publication. In the full job members send whenever they do.
static uint64_t publish_offset(const struct connection *connection) {
  uint64_t start_ns = (connection->room_start_us + (uint64_t)clock_offset_us) * 1000;
  return start_ns + SECOND_NS / RATE_HERTZ / 2;
}

const struct dialect tickserver_dialect = {
  .name = "tickserver", .greet = greet, .receive = receive, .publish = publish, .payload_bytes = payload_bytes,
  .publish_offset = publish_offset,
};
