// The floor's job over libuv: uv_try_write a member and tick, uv_write for what the socket did not take. Ticks come from the
// same timerfd, through uv_poll.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "rooms.h"

struct member {
  uv_tcp_t stream;
  uint32_t room;
  uint8_t greeting[4];
  uint32_t greeting_bytes;
  // The rest of one frame, while it is on its way. Until then the member gets no other frame.
  uv_write_t request;
  uint8_t *tail;
  int is_writing;
};

static uv_loop_t loop;
static int timer;

static void on_closed(uv_handle_t *handle) {
  struct member *member = handle->data;
  free(member->tail);
  free(member);
}

static void end(struct member *member) {
  uv_handle_t *handle = (uv_handle_t *)&member->stream;
  if (uv_is_closing(handle)) return;
  if (member->greeting_bytes == sizeof member->greeting) remove_from_room(member->room, member);
  uv_close(handle, on_closed);
}

static void on_written(uv_write_t *request, int status) {
  struct member *member = request->data;
  member->is_writing = 0;
  if (status < 0) end(member);
}

static void write_tail(struct member *member, const uint8_t *frame, uint32_t sent) {
  if (member->tail == NULL) member->tail = malloc(frame_bytes);
  if (member->tail == NULL) die("out of memory");
  memcpy(member->tail, frame + sent, frame_bytes - sent);
  uv_buf_t buffer = uv_buf_init((char *)member->tail, frame_bytes - sent);
  member->request.data = member;
  member->is_writing = uv_write(&member->request, (uv_stream_t *)&member->stream, &buffer, 1, on_written) == 0;
}

static void send_room(struct room *room) {
  uv_buf_t buffer = uv_buf_init((char *)room->frame, frame_bytes);
  for (uint32_t index = 0; index < room->count; index += 1) {
    struct member *member = room->members[index];
    if (member->is_writing) continue;
    int sent = uv_try_write((uv_stream_t *)&member->stream, &buffer, 1);
    if (sent == (int)frame_bytes) continue;
    // Another error is told by the read too, which ends the member.
    if (sent < 0 && sent != UV_EAGAIN) continue;
    write_tail(member, room->frame, sent < 0 ? 0 : (uint32_t)sent);
  }
}

static void on_tick(uv_poll_t *handle, int status, int events) {
  (void)handle, (void)events;
  if (status < 0) die("uv_poll: %s", uv_strerror(status));
  run_due_ticks(timer, send_room);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  (void)suggested;
  struct member *member = handle->data;
  static char input[65536];
  uint32_t had = member->greeting_bytes;
  if (had < sizeof member->greeting) {
    *buffer = uv_buf_init((char *)member->greeting + had, sizeof member->greeting - had);
  } else {
    *buffer = uv_buf_init(input, sizeof input);
  }
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
  (void)buffer;
  struct member *member = stream->data;
  if (count == 0) return;
  if (count < 0) return end(member);
  if (member->greeting_bytes == sizeof member->greeting) return;
  member->greeting_bytes += (uint32_t)count;
  if (member->greeting_bytes == sizeof member->greeting) {
    memcpy(&member->room, member->greeting, sizeof member->room);
    add_to_room(member->room, member);
  }
}

static void on_connection(uv_stream_t *listener, int status) {
  if (status < 0) return;
  struct member *member = calloc(1, sizeof *member);
  if (member == NULL) die("out of memory");
  uv_tcp_init(&loop, &member->stream);
  member->stream.data = member;
  if (uv_accept(listener, (uv_stream_t *)&member->stream) != 0) return end(member);
  uv_tcp_nodelay(&member->stream, 1);
  uv_read_start((uv_stream_t *)&member->stream, on_allocate, on_read);
}

int main(int argc, char **argv) {
  set_up(argc, argv);
  uv_loop_init(&loop);
  uv_tcp_t listener;
  uv_tcp_init(&loop, &listener);
  int problem = uv_tcp_open(&listener, listen_on_loopback());
  if (problem == 0) problem = uv_listen((uv_stream_t *)&listener, 1024, on_connection);
  if (problem != 0) die("cannot listen: %s", uv_strerror(problem));
  timer = start_ticks();
  uv_poll_t ticks;
  uv_poll_init(&loop, &ticks, timer);
  uv_poll_start(&ticks, UV_READABLE, on_tick);
  return uv_run(&loop, UV_RUN_DEFAULT);
}
