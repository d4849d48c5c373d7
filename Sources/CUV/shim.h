#ifndef TICKSERVER_CUV_SHIM_H
#define TICKSERVER_CUV_SHIM_H

#if !__has_include(<uv.h>)
#error "libuv is missing: install the package libuv1-dev (Debian, Ubuntu: apt-get install libuv1-dev)"
#endif

#include <uv.h>

#ifdef __linux__
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

/* Swift's Glibc module is built without _GNU_SOURCE, and without malloc.h, and so hides these. */
int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);
int pthread_setname_np(pthread_t thread, const char *name);
int pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t *set);
int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set);

#include "socket_calls.h"
#include "socket_state.h"
#endif

#endif
