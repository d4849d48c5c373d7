// One client for all servers, one thread: connects the members, sends what publishers send, counts what comes.
//
//   client --dialect raw|tickserver|redis|nats|mqtt|websocket --port N --members N --watch PID,...
//          [--shape fan-out|full-job] [--room-size 100] [--frame-bytes 1024] [--update-bytes 24]
//          [--warm-milliseconds 1000] [--milliseconds 4000] [--most-milliseconds 4000]
//
// It measures until the machine has kept its speed for --milliseconds, but not longer than --most-milliseconds.
// It prints one JSON object, or ends with 1 and says on standard error what went wrong.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "../speed.h"
#include "tally.h"

#define RECEIVE_BYTES (256 * 1024)
#define MAX_UNSENT_BYTES (64 * 1024)
// Connections under way at once, below every server's backlog.
#define MOST_CONNECTING 100
#define CONNECT_SECONDS 30
// With nothing to do it looks again after so long. Were it to wait in epoll, each frame would wake it, and on loopback it is
// the sender who pays for that: more than for the rest of the frame, and the more the slower the sender is.
#define NAP_NS 200000
// Publications due within this are sent at one wake-up.
#define SLACK_NS 500000
#define MILLISECOND_NS 1000000ull

enum shape shape;
uint64_t received_ns;

const struct dialect *dialect;
struct connection *connections;
uint32_t members, room_size, connection_count;
static struct connection **publishers;
static uint32_t publisher_count, opened, ready;
static size_t payload_bytes;
static uint16_t port;
static int poller, timer;

static const char *watched;

// MARK: What came

void became_ready(struct connection *connection) {
  if (connection->is_ready) return;
  connection->is_ready = true;
  ready += 1;
}

static void keep_rest(struct connection *connection, const uint8_t *bytes, size_t length) {
  if (length > connection->rest_capacity) {
    connection->rest_capacity = (uint32_t)length * 2;
    free(connection->rest);
    connection->rest = malloc(connection->rest_capacity);
    if (connection->rest == NULL) die("out of memory");
  }
  memcpy(connection->rest, bytes, length);
  connection->rest_bytes = (uint32_t)length;
}

static void receive(struct connection *connection) {
  static uint8_t buffer[2 * RECEIVE_BYTES];
  size_t kept = connection->rest_bytes;
  if (kept > RECEIVE_BYTES) die("a message of more than %d bytes came", RECEIVE_BYTES);
  ssize_t count = recv(connection->socket, buffer + kept, RECEIVE_BYTES, 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) die("the server closed connection %u%s%s", connection->number, count ? ": " : "", count ? strerror(errno) : "");
  received_ns = monotonic_ns();
  if (tally.is_measuring) tally.received_bytes += (uint64_t)count;
  memcpy(buffer, connection->rest, kept);
  size_t length = kept + (size_t)count, start = 0;
  while (start < length) {
    size_t taken = dialect->receive(connection, buffer + start, length - start);
    if (taken == 0) break;
    start += taken;
  }
  connection->rest_bytes = 0;
  if (start < length) keep_rest(connection, buffer + start, length - start);
}

// MARK: What goes

static void watch(struct connection *connection, uint32_t events, int operation) {
  struct epoll_event event = {.events = events, .data.ptr = connection};
  if (epoll_ctl(poller, operation, connection->socket, &event) != 0) die("epoll_ctl: %m");
}

// A member's kernel acknowledges a frame when it is read, in our time; but once the member has answered something at once,
// as handshakes and signs of life have it do, only every other one, within the server's `send`. Whoever publishes nothing
// goes back to the former, like those of the floor, which answer nothing, or ratios would tell of handshakes.
static void acknowledge_as_read(const struct connection *connection) {
  if (!connection->publishes) setsockopt(connection->socket, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
}

void send_bytes(struct connection *connection, const void *bytes, size_t length) {
  size_t sent = 0;
  if (connection->unsent_bytes == 0) {
    ssize_t count = send(connection->socket, bytes, length, MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) die("connection %u: %m", connection->number);
    acknowledge_as_read(connection);
    sent = count < 0 ? 0 : (size_t)count;
    if (sent == length) return;
    watch(connection, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
  }
  if (connection->unsent == NULL) connection->unsent = malloc(MAX_UNSENT_BYTES);
  if (connection->unsent == NULL || connection->unsent_bytes + length - sent > MAX_UNSENT_BYTES) die("the server does not read");
  memcpy(connection->unsent + connection->unsent_bytes, (const uint8_t *)bytes + sent, length - sent);
  connection->unsent_bytes += (uint32_t)(length - sent);
}

void send_text(struct connection *connection, const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  send_bytes(connection, text, (size_t)length);
}

static void send_unsent(struct connection *connection) {
  ssize_t count = send(connection->socket, connection->unsent, connection->unsent_bytes, MSG_NOSIGNAL);
  if (count < 0 && errno != EAGAIN) die("connection %u: %m", connection->number);
  if (count <= 0) return;
  connection->unsent_bytes -= (uint32_t)count;
  memmove(connection->unsent, connection->unsent + count, connection->unsent_bytes);
  if (connection->unsent_bytes == 0) watch(connection, EPOLLIN, EPOLL_CTL_MOD);
}

static void publish(struct connection *connection) {
  static uint8_t payload[MAX_PAYLOAD_BYTES], filler;
  // A server that takes no more is not given more: what then is missing at the members shows.
  if (connection->unsent_bytes != 0) {
    tally.skipped += tally.is_measuring;
    return;
  }
  uint64_t now = monotonic_ns();
  // Every publication differs from the one before in all of its bytes: an unchanged field would not be sent on.
  memset(payload, filler++, payload_bytes);
  memcpy(payload, &now, sizeof now);
  memcpy(payload + sizeof now, &connection->number, sizeof connection->number);
  dialect->publish(connection, payload, payload_bytes);
  tally.published += tally.is_measuring;
}

// MARK: When it goes

static uint64_t publishing_start_ns, next_publication;

// Publishers take turns in the order of their offsets: the n-th publication of all is due then.
static uint64_t publication_due(uint64_t number) {
  return periods_after(publishing_start_ns, number / publisher_count) + publishers[number % publisher_count]->publish_offset;
}

static void arm_publishing(void) {
  uint64_t due = publication_due(next_publication);
  struct itimerspec when = {.it_value = {.tv_sec = (time_t)(due / SECOND_NS), .tv_nsec = (long)(due % SECOND_NS)}};
  if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL) != 0) die("timerfd_settime: %m");
}

static int by_offset(const void *left, const void *right) {
  uint64_t first = (*(struct connection *const *)left)->publish_offset;
  uint64_t second = (*(struct connection *const *)right)->publish_offset;
  return first < second ? -1 : first > second;
}

static uint64_t offset_of(const struct connection *connection, uint32_t index) {
  if (shape == shape_full_job) {
    // Spread over the period, those of each room too: players who all spoke within a millisecond would, at some rooms' ticks,
    // be all too late for one frame, which then has nothing in it, and all in the next.
    uint32_t rooms = (members + room_size - 1) / room_size;
    uint64_t turn = (uint64_t)(index % room_size) * rooms + index / room_size;
    return turn * SECOND_NS / RATE_HERTZ / ((uint64_t)rooms * room_size);
  }
  if (dialect->publish_offset == NULL) return phase_of(connection->room) * (SECOND_NS / RATE_HERTZ / PHASES);
  // A time, of which the part of a period counts, exactly as `publication_due` will add it.
  uint64_t wanted = dialect->publish_offset(connection);
  if (wanted < publishing_start_ns) {
    uint64_t seconds_behind = (publishing_start_ns - wanted) / SECOND_NS + 1;
    wanted += seconds_behind * SECOND_NS;
  }
  uint64_t periods = (wanted - publishing_start_ns) * RATE_HERTZ / SECOND_NS;
  return wanted - periods_after(publishing_start_ns, periods);
}

static void start_publishing(void) {
  publishing_start_ns = monotonic_ns() + SECOND_NS / 100;
  if (publisher_count == 0) return;
  for (uint32_t index = 0; index < publisher_count; index += 1) {
    publishers[index]->publish_offset = offset_of(publishers[index], index);
  }
  qsort(publishers, publisher_count, sizeof *publishers, by_offset);
  arm_publishing();
}

static void publish_due(void) {
  uint64_t expirations;
  if (read(timer, &expirations, sizeof expirations) < 0) return;
  uint64_t limit = monotonic_ns() + SLACK_NS;
  // Late by a whole period, it skips: 30 a second is not made up for by a burst.
  uint64_t period = SECOND_NS / RATE_HERTZ;
  for (; publication_due(next_publication) <= limit; next_publication += 1) {
    if (publication_due(next_publication) + period <= limit) tally.skipped += tally.is_measuring;
    else publish(publishers[next_publication % publisher_count]);
  }
  arm_publishing();
}

// MARK: Connections

static void add_connection(uint32_t room, bool publishes, bool listens) {
  struct connection *connection = &connections[connection_count];
  *connection = (struct connection){
    .socket = -1, .number = connection_count, .room = room, .publishes = publishes, .listens = listens};
  connection_count += 1;
  if (publishes) publishers[publisher_count++] = connection;
}

static void plan_connections(void) {
  uint32_t rooms = (members + room_size - 1) / room_size;
  connections = calloc(members + rooms, sizeof *connections);
  publishers = calloc(members + rooms, sizeof *publishers);
  if (connections == NULL || publishers == NULL) die("out of memory");
  for (uint32_t index = 0; index < members; index += 1) {
    add_connection(index / room_size, shape == shape_full_job, true);
  }
  if (shape == shape_full_job || dialect->makes_frames) return;
  for (uint32_t room = 0; room < rooms; room += 1) add_connection(room, true, false);
}

static void open_connection(struct connection *connection) {
  connection->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection->socket < 0) die("socket: %m");
  struct sockaddr_in address = {
    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  // Loopback answers at once, so this does not wait.
  if (connect(connection->socket, (struct sockaddr *)&address, sizeof address) != 0) die("cannot connect: %m");
  setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  if (fcntl(connection->socket, F_SETFL, O_NONBLOCK) != 0) die("fcntl: %m");
  watch(connection, EPOLLIN, EPOLL_CTL_ADD);
  dialect->greet(connection);
}

static void turn(void) {
  struct epoll_event events[512];
  int count = epoll_wait(poller, events, 512, 0);
  if (count == 0) nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
  for (int index = 0; index < count; index += 1) {
    struct connection *connection = events[index].data.ptr;
    if (connection == NULL) {
      publish_due();
      continue;
    }
    if (events[index].events & EPOLLOUT) send_unsent(connection);
    if (events[index].events & ~(uint32_t)EPOLLOUT) receive(connection);
  }
}

static void connect_all(void) {
  uint64_t deadline = monotonic_ns() + CONNECT_SECONDS * SECOND_NS;
  while (ready < connection_count) {
    while (opened < connection_count && opened - ready < MOST_CONNECTING) open_connection(&connections[opened++]);
    turn();
    if (monotonic_ns() > deadline) die("only %u of %u connections were ready within %d s", ready, connection_count, CONNECT_SECONDS);
  }
}

static struct totals totals(void) {
  return (struct totals){.frames = tally.frames, .published = tally.published, .server_ns = cpu_ns(watched)};
}

// Until the machine has kept its speed for as long as `steady_ns`, at most for `most_ns`.
static void run_for(uint64_t steady_ns, uint64_t most_ns) {
  uint64_t now = monotonic_ns(), end = now + most_ns;
  start_windows(&tally.windows, now, totals());
  while (now < end && tally.windows.steady_ns < steady_ns) {
    turn();
    now = monotonic_ns();
    bool is_over = is_window_over(&tally.windows, now);
    if (is_over || is_look_due(&tally.windows, now)) look(&tally.windows, now, chain_ns());
    if (is_over) end_window_of_members(end_window(&tally.windows, now, totals()) && tally.is_measuring);
  }
}

// MARK: What it is asked

static const struct dialect *dialect_named(const char *name) {
  static const struct dialect *all[] = {&raw_dialect, &tickserver_dialect, &redis_dialect, &nats_dialect, &mqtt_dialect, &websocket_dialect};
  for (size_t index = 0; index < sizeof all / sizeof *all; index += 1) {
    if (strcmp(all[index]->name, name) == 0) return all[index];
  }
  die("--dialect is raw, tickserver, redis, nats, mqtt or websocket, not '%s'", name);
}

static enum shape shape_named(const char *name) {
  if (strcmp(name, "fan-out") == 0) return shape_fan_out;
  if (strcmp(name, "full-job") == 0) return shape_full_job;
  die("--shape is fan-out or full-job, not '%s'", name);
}

static void set_up(int argc, char **argv) {
  dialect = dialect_named(text_argument(argc, argv, "dialect", NULL));
  shape = shape_named(text_argument(argc, argv, "shape", "fan-out"));
  port = (uint16_t)number_argument(argc, argv, "port", 1, 65535, 0);
  members = (uint32_t)number_argument(argc, argv, "members", 1, 18000, 100);
  room_size = (uint32_t)number_argument(argc, argv, "room-size", 1, 18000, 100);
  size_t frame_bytes = (size_t)number_argument(argc, argv, "frame-bytes", 64, 4096, 1024);
  size_t update_bytes = (size_t)number_argument(argc, argv, "update-bytes", STAMP_BYTES, 255, 24);
  if (shape == shape_full_job) payload_bytes = update_bytes;
  else payload_bytes = dialect->payload_bytes ? dialect->payload_bytes(frame_bytes) : frame_bytes - RAW_LENGTH_BYTES;
}

int main(int argc, char **argv) {
  set_up(argc, argv);
  watched = text_argument(argc, argv, "watch", NULL);
  uint64_t warm = (uint64_t)number_argument(argc, argv, "warm-milliseconds", 1, 60000, 1000);
  uint64_t measured = (uint64_t)number_argument(argc, argv, "milliseconds", 100, 600000, 4000);
  uint64_t most = (uint64_t)number_argument(argc, argv, "most-milliseconds", 100, 2400000, (long)measured);
  poller = epoll_create1(EPOLL_CLOEXEC);
  timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN};
  if (poller < 0 || timer < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, timer, &event) != 0) die("epoll: %m");

  plan_connections();
  connect_all();
  start_publishing();
  run_for(UINT64_MAX, warm * MILLISECOND_NS);
  uint64_t server_before = cpu_ns(watched), own_before = own_cpu_ns(), start = monotonic_ns();
  tally.is_measuring = true;
  run_for(measured * MILLISECOND_NS, most * MILLISECOND_NS);
  tally.is_measuring = false;
  uint64_t end = monotonic_ns();
  print_result((double)(end - start) / SECOND_NS, cpu_ns(watched) - server_before, own_cpu_ns() - own_before);
  return 0;
}
