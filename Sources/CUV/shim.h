#ifndef TICKSERVER_CUV_SHIM_H
#define TICKSERVER_CUV_SHIM_H

#if !__has_include(<uv.h>)
#error "libuv is missing: install the package libuv1-dev (Debian, Ubuntu: apt-get install libuv1-dev)"
#endif

#include <uv.h>

#ifdef __linux__
#include <sys/timerfd.h>
#endif

#endif
