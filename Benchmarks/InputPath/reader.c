// The least that a server can do with its clients' inputs: read them and walk the length prefixes.
//
//   reader
//
// Listens on a free port of 127.0.0.1 and prints it. One thread, epoll, level-triggered, one read of up to 64 KiB a
// readable connection and turn. Ends on SIGTERM.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { most_events = 1024, most_descriptors = 20000 };

// Where a connection stands within its stream.
typedef struct walk {
  uint64_t length;  // of the message, as far as its varint was read
  uint64_t left;    // bytes of the message that are still to come
  unsigned shift;
} walk;

static walk walks[most_descriptors];
static uint64_t messages;
static volatile sig_atomic_t is_over;

static void end(int number) {
  (void)number;
  is_over = 1;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void take(walk *at, const uint8_t *bytes, size_t count) {
  size_t index = 0;
  while (index < count) {
    if (at->left > 0) {
      uint64_t skipped = at->left < count - index ? at->left : count - index;
      at->left -= skipped;
      index += skipped;
      continue;
    }
    uint8_t byte = bytes[index++];
    at->length |= (uint64_t)(byte & 0x7F) << at->shift;
    at->shift += 7;
    if (byte >= 0x80) continue;
    at->left = at->length;
    at->length = 0;
    at->shift = 0;
    messages += 1;
  }
}

static void add(int poll, int descriptor) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
  if (epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event) != 0) fail("epoll_ctl");
}

int main(void) {
  struct sigaction on_term = {.sa_handler = end};
  sigaction(SIGTERM, &on_term, NULL);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t bytes = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, bytes) != 0 || listen(listener, 1024) != 0) fail("listen");
  getsockname(listener, (struct sockaddr *)&address, &bytes);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  int poll = epoll_create1(EPOLL_CLOEXEC);
  add(poll, listener);
  static struct epoll_event events[most_events];
  static uint8_t buffer[64 * 1024];
  while (!is_over) {
    int ready = epoll_wait(poll, events, most_events, -1);
    for (int index = 0; index < ready; index += 1) {
      int descriptor = events[index].data.fd;
      if (descriptor == listener) {
        int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted >= most_descriptors) fail("too many connections");
        if (accepted >= 0) add(poll, accepted);
        continue;
      }
      ssize_t count = read(descriptor, buffer, sizeof buffer);
      if (count > 0) {
        take(&walks[descriptor], buffer, (size_t)count);
      } else if (count == 0 || errno != EAGAIN) {
        close(descriptor);
      }
    }
  }
  fprintf(stderr, "%llu messages\n", (unsigned long long)messages);
  return 0;
}
