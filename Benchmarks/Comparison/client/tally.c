#include "tally.h"

#include <stdio.h>
#include <string.h>

struct tally tally;

// MARK: What came

void count_frame(struct connection *connection, uint64_t frame_due_ns) {
  if (!tally.is_measuring) return;
  connection->frames += 1;
  tally.frames += 1;
  if (frame_due_ns == 0) return;
  uint64_t microseconds = received_ns > frame_due_ns ? (received_ns - frame_due_ns) / 1000 : 0;
  record(&tally.frame_latency, microseconds);
  record(&tally.windows.frame_latency, microseconds);
}

struct stamp stamp_of(const uint8_t *payload) {
  struct stamp stamp;
  memcpy(&stamp.sent_ns, payload, sizeof stamp.sent_ns);
  memcpy(&stamp.sender, payload + sizeof stamp.sent_ns, sizeof stamp.sender);
  return stamp;
}

static void record_stamp(struct stamp stamp) {
  uint64_t microseconds = received_ns > stamp.sent_ns ? (received_ns - stamp.sent_ns) / 1000 : 0;
  record(&tally.update_latency, microseconds);
  record(&tally.windows.update_latency, microseconds);
}

void count_update(struct connection *connection, const uint8_t *payload, size_t length) {
  if (!tally.is_measuring || length < STAMP_BYTES) return;
  struct stamp stamp = stamp_of(payload);
  if (stamp.sender == connection->number) return;
  // The latency of one in eight tells as much, and recording all would be a twentieth of the client's time.
  if (connection->updates++ % 8 == 0) record_stamp(stamp);
}

void count_stamps(struct connection *connection, const struct stamp *stamps, size_t count, size_t own) {
  if (!tally.is_measuring) return;
  connection->updates += count - own;
  // One in eight again: of one frame in eight, all.
  if ((connection->frames + connection->number) % 8 != 0) return;
  for (size_t index = 0; index < count; index += 1) {
    if (stamps[index].sender != connection->number) record_stamp(stamps[index]);
  }
}

void end_window_of_members(bool counts) {
  for (uint32_t index = 0; index < members; index += 1) {
    struct connection *member = &connections[index];
    if (counts) {
      member->steady_frames += member->frames - member->window_frames;
      member->steady_updates += member->updates - member->window_updates;
    }
    member->window_frames = member->frames;
    member->window_updates = member->updates;
  }
}

// MARK: What it comes to

static void print_latency(const char *name, const struct histogram *histogram) {
  if (histogram->total == 0) return;
  printf(", \"%sP50Microseconds\": %llu, \"%sP99Microseconds\": %llu", name,
    (unsigned long long)percentile(histogram, 0.5), name, (unsigned long long)percentile(histogram, 0.99));
}

// What each member got a second, frames and publications of each other member: the least, and the mean.
struct rates {
  double least_frames, least_updates, mean_frames, mean_updates;
};

static struct rates rates_in(bool is_steady, double seconds) {
  struct rates rates = {.least_frames = -1, .least_updates = -1};
  for (uint32_t index = 0; index < members; index += 1) {
    const struct connection *member = &connections[index];
    uint32_t first = member->room * room_size;
    uint32_t others = (first + room_size > members ? members - first : room_size) - 1;
    if (shape == shape_fan_out) others = 1;
    double frame_rate = (double)(is_steady ? member->steady_frames : member->frames) / seconds;
    double update_rate = others ? (double)(is_steady ? member->steady_updates : member->updates) / seconds / others : RATE_HERTZ;
    if (rates.least_frames < 0 || frame_rate < rates.least_frames) rates.least_frames = frame_rate;
    if (rates.least_updates < 0 || update_rate < rates.least_updates) rates.least_updates = update_rate;
    rates.mean_frames += frame_rate / members;
    rates.mean_updates += update_rate / members;
  }
  return rates;
}

static void print_rates(struct rates rates) {
  printf(", \"minFramesPerSecond\": %.3f", rates.least_frames);
  bool has_updates = tally.update_latency.total != 0 || (shape == shape_full_job && !dialect->makes_frames);
  if (has_updates) printf(", \"minUpdatesPerSecond\": %.3f", rates.least_updates);
}

static double lesser(double left, double right) {
  return left < right ? left : right;
}

// Of the time in which the machine kept its speed. The ends of each stretch of it may cut a frame off for one member, and what
// it tells; for another they have one more, so that the mean knows of no ends.
static void print_steady(void) {
  double seconds = (double)tally.windows.steady_ns / SECOND_NS;
  printf(", \"steady\": {\"seconds\": %.4f, \"slowSeconds\": %.4f", seconds, (double)tally.windows.slow_ns / SECOND_NS);
  printf(", \"frames\": %llu, \"published\": %llu", (unsigned long long)tally.windows.steady.frames, (unsigned long long)tally.windows.steady.published);
  printf(", \"serverCPUSeconds\": %.6f", (double)tally.windows.steady.server_ns / SECOND_NS);
  print_latency("frame", &tally.windows.steady_frame_latency);
  print_latency("update", &tally.windows.steady_update_latency);
  if (tally.windows.steady_ns != 0) {
    struct rates rates = rates_in(true, seconds);
    rates.least_frames = lesser(rates.least_frames + tally.windows.stretches / seconds, rates.mean_frames);
    rates.least_updates = lesser(rates.least_updates + tally.windows.stretches / seconds, rates.mean_updates);
    print_rates(rates);
  }
  printf("}");
}

void print_result(double seconds, uint64_t server_ns, uint64_t own_ns) {
  uint64_t updates = 0;
  for (uint32_t index = 0; index < connection_count; index += 1) updates += connections[index].updates;
  printf("{\"connections\": %u, \"seconds\": %.4f, \"frames\": %llu, \"updates\": %llu, \"bytes\": %llu", connection_count,
    seconds, (unsigned long long)tally.frames, (unsigned long long)updates, (unsigned long long)tally.received_bytes);
  printf(", \"published\": %llu, \"skipped\": %llu", (unsigned long long)tally.published, (unsigned long long)tally.skipped);
  printf(", \"serverCPUSeconds\": %.6f, \"clientCores\": %.3f", (double)server_ns / SECOND_NS, (double)own_ns / SECOND_NS / seconds);
  print_latency("frame", &tally.frame_latency);
  print_latency("update", &tally.update_latency);
  print_rates(rates_in(false, seconds));
  print_steady();
  printf("}\n");
}
