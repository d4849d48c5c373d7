// The floor: what this machine needs to send the same bytes to every member of a room 30 times a second. One thread, epoll,
// a timerfd with absolute times, one send a member and tick. A member says its room in four bytes; what else it says is not looked at.
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rooms.h"

struct member {
  int socket;
  uint32_t room;
  uint8_t greeting[4];
  uint32_t greeting_bytes;
  // What the socket did not take of one frame. Until it is gone the member gets no other frame.
  uint8_t *tail;
  uint32_t tail_start, tail_bytes;
};

static int poller;
// What epoll tells of these two instead of a member.
static struct member listening, ticking;

static void watch(struct member *member, uint32_t events, int operation) {
  struct epoll_event event = {.events = events, .data.ptr = member};
  if (epoll_ctl(poller, operation, member->socket, &event) != 0) die("epoll_ctl: %m");
}

static void keep_tail(struct member *member, const uint8_t *frame, uint32_t sent) {
  if (member->tail == NULL) member->tail = malloc(frame_bytes);
  if (member->tail == NULL) die("out of memory");
  member->tail_start = sent;
  member->tail_bytes = frame_bytes;
  memcpy(member->tail + sent, frame + sent, frame_bytes - sent);
  watch(member, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

static void send_room(struct room *room) {
  for (uint32_t index = 0; index < room->count; index += 1) {
    struct member *member = room->members[index];
    if (member->tail_bytes != 0) continue;
    ssize_t sent = send(member->socket, room->frame, frame_bytes, MSG_NOSIGNAL);
    if (sent == (ssize_t)frame_bytes) continue;
    // Another error is told by the poller too, which ends the member.
    if (sent < 0 && errno != EAGAIN) continue;
    keep_tail(member, room->frame, sent < 0 ? 0 : (uint32_t)sent);
  }
}

static void end(struct member *member) {
  if (member->greeting_bytes == sizeof member->greeting) remove_from_room(member->room, member);
  close(member->socket);
  free(member->tail);
  free(member);
}

// Whether the member is still there.
static int send_tail(struct member *member) {
  uint32_t left = member->tail_bytes - member->tail_start;
  ssize_t sent = send(member->socket, member->tail + member->tail_start, left, MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN;
  member->tail_start += (uint32_t)sent;
  if ((uint32_t)sent < left) return 1;
  member->tail_bytes = 0;
  watch(member, EPOLLIN, EPOLL_CTL_MOD);
  return 1;
}

static int read_member(struct member *member) {
  // What comes after the greeting is read and forgotten: the floor of the full job.
  static uint8_t input[65536];
  uint32_t had = member->greeting_bytes;
  int is_known = had == sizeof member->greeting;
  uint8_t *into = is_known ? input : member->greeting + had;
  ssize_t count = recv(member->socket, into, is_known ? sizeof input : sizeof member->greeting - had, 0);
  if (count < 0) return errno == EAGAIN;
  if (count == 0 || is_known) return count != 0;
  member->greeting_bytes += (uint32_t)count;
  if (member->greeting_bytes == sizeof member->greeting) {
    memcpy(&member->room, member->greeting, sizeof member->room);
    add_to_room(member->room, member);
  }
  return 1;
}

static void accept_members(void) {
  for (;;) {
    int socket = accept4(listening.socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) return;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct member *member = calloc(1, sizeof *member);
    if (member == NULL) die("out of memory");
    member->socket = socket;
    watch(member, EPOLLIN, EPOLL_CTL_ADD);
  }
}

static void serve(struct member *member, uint32_t events) {
  if (events & (EPOLLERR | EPOLLHUP)) return end(member);
  if ((events & EPOLLOUT) && member->tail_bytes != 0 && !send_tail(member)) return end(member);
  if ((events & EPOLLIN) && !read_member(member)) end(member);
}

int main(int argc, char **argv) {
  set_up(argc, argv);
  poller = epoll_create1(EPOLL_CLOEXEC);
  listening.socket = listen_on_loopback();
  watch(&listening, EPOLLIN, EPOLL_CTL_ADD);
  ticking.socket = start_ticks();
  watch(&ticking, EPOLLIN, EPOLL_CTL_ADD);
  struct epoll_event events[256];
  for (;;) {
    int count = epoll_wait(poller, events, 256, -1);
    for (int index = 0; index < count; index += 1) {
      struct member *member = events[index].data.ptr;
      if (member == &ticking) {
        run_due_ticks(ticking.socket, send_room);
      } else if (member == &listening) {
        accept_members();
      } else {
        serve(member, events[index].events);
      }
    }
  }
}
