// What the measured servers and their client have in common: the clock, the period, errors, the raw frame.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SECOND_NS 1000000000ull
#define RATE_HERTZ 30
// Rooms fall into so many groups, each with its own offset within the period: as tickPhases in tickserver.yaml.
#define PHASE_BITS 5
#define PHASES (1 << PHASE_BITS)
#define MAX_ROOMS 1000

// A raw frame: the bytes that follow (u32), the CLOCK_MONOTONIC time it was due at in ns (u64), filler. Of the host's
// byte order, for both ends are on one machine.
#define RAW_LENGTH_BYTES 4
#define RAW_HEAD_BYTES 12

uint64_t monotonic_ns(void);

// The time that is `periods` after `start`, exactly: 1/30 s is no whole number of ns.
uint64_t periods_after(uint64_t start, uint64_t periods);

// The phase that a room takes: each the farthest from those before it. Its own inverse, for numbers below PHASES.
uint32_t phase_of(uint32_t room);

_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

long number_argument(int argc, char **argv, const char *name, long least, long most, long otherwise);
const char *text_argument(int argc, char **argv, const char *name, const char *otherwise);
