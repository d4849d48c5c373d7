#ifndef TICKSERVER_SOCKET_STATE_H
#define TICKSERVER_SOCKET_STATE_H

/* What the kernel holds of a connection that its peer has not acknowledged. */

#include <asm/ioctls.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Bytes from the first that the peer has not acknowledged, a FIN counting as one. 0 when the connection is gone: the kernel
   drops what it held at a reset, but not the numbers that SIOCOUTQ subtracts. */
static inline long tickserver_unsent_bytes(int socket) {
  int bytes = 0;
  /* Not ioctl(2): with sys/ioctl.h this module would own what programs import from the C library. */
  if (syscall(SYS_ioctl, socket, SIOCOUTQ, &bytes) != 0 || bytes <= 0) return 0;
  /* The first byte of tcp_info is the state. */
  unsigned char state = TCP_CLOSE;
  socklen_t size = sizeof state;
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &state, &size) != 0 || state == TCP_CLOSE) return 0;
  return bytes;
}

#endif
