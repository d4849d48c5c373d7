// Sends inputs over connections that are open already, the same bytes whoever reads them.
//
//   sender FIRST_DESCRIPTOR CONNECTIONS PASSES_PER_SECOND BATCH SECONDS FIRST_SEQUENCE
//
// In each pass every connection gets BATCH inputs, as one write: connection i moves entity i. What comes back is read
// and dropped. Prints how many inputs were sent, and how many passes began too late.
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { most_message_bytes = 64 };

static uint8_t *put(uint8_t *at, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *at++ = (uint8_t)(value | 0x80);
  *at++ = (uint8_t)value;
  return at;
}

static uint8_t *put_signed(uint8_t *at, int32_t value) {
  return put(at, (uint32_t)(value << 1) ^ (uint32_t)(value >> 31));
}

// An Input of one walking avatar: docs/protocol.md, section 6.
static uint8_t *put_input(uint8_t *at, uint32_t sequence, unsigned entity) {
  uint8_t body[most_message_bytes];
  int32_t way = (int32_t)((sequence * 5 + entity) % 50000);
  uint8_t *end = body;
  *end++ = 0x03;
  end = put(end, sequence);
  end = put(end, 1);
  end = put(end, 0);
  end = put(end, entity);
  end = put(end, 7);
  end = put_signed(end, way);
  end = put_signed(end, way + 1);
  end = put_signed(end, -way);
  end = put_signed(end, way % 180);
  end = put_signed(end, way % 16);
  at = put(at, (uint64_t)(end - body));
  memcpy(at, body, (size_t)(end - body));
  return at + (end - body);
}

static void send_whole(int descriptor, const uint8_t *bytes, size_t count) {
  if (send(descriptor, bytes, count, MSG_NOSIGNAL) == (ssize_t)count) return;
  fprintf(stderr, "error: send on %d: %s\n", descriptor, strerror(errno));
  exit(1);
}

static int64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void sleep_until(int64_t deadline) {
  struct timespec at = {.tv_sec = deadline / 1000000000, .tv_nsec = deadline % 1000000000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR) continue;
}

int main(int count, char **arguments) {
  if (count != 7) {
    fprintf(stderr, "usage: sender FIRST_DESCRIPTOR CONNECTIONS PASSES_PER_SECOND BATCH SECONDS FIRST_SEQUENCE\n");
    return 2;
  }
  int first = atoi(arguments[1]), connections = atoi(arguments[2]), rate = atoi(arguments[3]);
  int batch = atoi(arguments[4]);
  long passes = (long)(atof(arguments[5]) * rate), late = 0;
  uint32_t sequence = (uint32_t)atol(arguments[6]);
  uint8_t *bytes = malloc((size_t)batch * most_message_bytes);
  static uint8_t sink[64 * 1024];
  if (bytes == NULL) return 1;
  int64_t start = nanoseconds(), period = 1000000000LL / rate;
  for (long pass = 0; pass < passes; pass += 1) {
    int64_t due = start + pass * period;
    if (nanoseconds() > due + period) late += 1;
    sleep_until(due);
    for (int index = 0; index < connections; index += 1) {
      uint8_t *end = bytes;
      for (int input = 0; input < batch; input += 1) {
        end = put_input(end, sequence + (uint32_t)input, (unsigned)index);
      }
      send_whole(first + index, bytes, (size_t)(end - bytes));
    }
    sequence += (uint32_t)batch;
    // One connection a pass is emptied, so that reading costs the same however fast passes are.
    int emptied = first + (int)(pass % connections);
    while (recv(emptied, sink, sizeof sink, MSG_DONTWAIT) > 0) continue;
  }
  printf("%ld %ld\n", passes * connections * batch, late);
  return 0;
}
