#ifndef TICKSERVER_SOCKET_CALLS_H
#define TICKSERVER_SOCKET_CALLS_H

/* send(2) and recv(2) as the kernel has them, for what is called for each member in each tick. glibc's are cancellation
   points: in a program with threads they call two more functions, and errno's, and after a system call the processor has
   forgotten where each of these returns to (decision 21). Both return how many bytes, or an error number below 0.
   Sanitizers see the buffers of the C library's calls alone: they build with TICKSERVER_CALLS_OF_LIBC. */

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static inline long tickserver_socket_call(long call, int socket, const void *bytes, size_t count, int flags) {
#if defined(__x86_64__) && !defined(__ILP32__) && !defined(TICKSERVER_CALLS_OF_LIBC)
  register long flags_in __asm__("r10") = flags;
  register long no_address __asm__("r8") = 0;
  register long no_length __asm__("r9") = 0;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(call), "D"((long)socket), "S"(bytes), "d"(count), "r"(flags_in), "r"(no_address), "r"(no_length)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__) && !defined(__ILP32__) && !defined(TICKSERVER_CALLS_OF_LIBC)
  register long number __asm__("x8") = call;
  register long result __asm__("x0") = socket;
  register const void *bytes_in __asm__("x1") = bytes;
  register size_t count_in __asm__("x2") = count;
  register long flags_in __asm__("x3") = flags;
  register long no_address __asm__("x4") = 0;
  register long no_length __asm__("x5") = 0;
  __asm__ volatile("svc #0"
                   : "+r"(result)
                   : "r"(number), "r"(bytes_in), "r"(count_in), "r"(flags_in), "r"(no_address), "r"(no_length)
                   : "memory");
  return result;
#else
  ssize_t result = call == SYS_sendto ? send(socket, bytes, count, flags) : recv(socket, (void *)bytes, count, flags);
  return result < 0 ? -(long)errno : (long)result;
#endif
}

/* Neither waits; sending to a peer that is gone raises no signal.

   MSG_EOR ends the segment that the bytes are put into. Without it the kernel appends what comes next to a segment that
   waits to be sent, up to 64 KiB, and does not look whether the socket's send buffer has room (decision 25). */
static inline long tickserver_send(int socket, const void *bytes, size_t count) {
  return tickserver_socket_call(SYS_sendto, socket, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_EOR);
}

/* The same for several pieces; not on the way that most frames go. */
static inline long tickserver_send_pieces(int socket, const void *pieces, size_t count) {
  struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = count};
  ssize_t result = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_EOR);
  return result < 0 ? -(long)errno : (long)result;
}

static inline long tickserver_receive(int socket, void *bytes, size_t count) {
  return tickserver_socket_call(SYS_recvfrom, socket, bytes, count, MSG_DONTWAIT);
}

#endif
