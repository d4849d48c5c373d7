// What TickServer's delivery is measured against: the same frame to every member, by libuv in plain C.
//
//   fanout MEMBERS ROUNDS --size BYTES
//
// The delivery of ../Comparison/servers/uv.c, without its listener and its clock: members are streams over socket pairs,
// as they are for TickServer in `InstructionCount delivery`. Callgrind counts within `counted`. Prints how many frames
// reached their member.
#define main serve
#include "../Comparison/servers/uv.c"
#undef main

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

static uint64_t received;

static int add_member(void) {
  int ends[2];
  struct member *member = calloc(1, sizeof *member);
  if (member == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    die("no socket pair: %m");
  }
  uv_tcp_init(&loop, &member->stream);
  if (uv_tcp_open(&member->stream, ends[1]) != 0) die("uv_tcp_open failed");
  member->stream.data = member;
  add_to_room(0, member);
  return ends[0];
}

static void drain(const int *clients, int count) {
  static char sink[256 * 1024];
  for (int index = 0; index < count; index += 1) {
    for (ssize_t got; (got = read(clients[index], sink, sizeof sink)) > 0;) received += (uint64_t)got;
  }
}

__attribute__((noinline)) static void counted(void) { send_room(&rooms[0]); }

int main(int argc, char **argv) {
  if (argc < 3) die("usage: fanout MEMBERS ROUNDS --size BYTES");
  int members = atoi(argv[1]), rounds = atoi(argv[2]);
  set_up(argc - 2, argv + 2);
  uv_loop_init(&loop);
  int *clients = calloc((size_t)members, sizeof *clients);
  if (clients == NULL) die("out of memory");
  for (int index = 0; index < members; index += 1) clients[index] = add_member();
  for (int round = 0; round < rounds; round += 1) {
    counted();
    if (round % 16 == 15) drain(clients, members);
    uv_run(&loop, UV_RUN_NOWAIT);
  }
  drain(clients, members);
  printf("%llu\n", (unsigned long long)(received / frame_bytes));
  return 0;
}
