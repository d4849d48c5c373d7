#include "common.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t monotonic_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

uint64_t periods_after(uint64_t start, uint64_t periods) { return start + periods * SECOND_NS / RATE_HERTZ; }

uint32_t phase_of(uint32_t room) {
  uint32_t phase = 0;
  for (int bit = 0; bit < PHASE_BITS; bit += 1) phase |= (room >> bit & 1) << (PHASE_BITS - 1 - bit);
  return phase;
}

void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("error: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

const char *text_argument(int argc, char **argv, const char *name, const char *otherwise) {
  for (int index = 1; index + 1 < argc; index += 2) {
    if (strncmp(argv[index], "--", 2) == 0 && strcmp(argv[index] + 2, name) == 0) return argv[index + 1];
  }
  if (otherwise == NULL) die("--%s is missing", name);
  return otherwise;
}

long number_argument(int argc, char **argv, const char *name, long least, long most, long otherwise) {
  const char *text = text_argument(argc, argv, name, "");
  if (*text == 0) return otherwise;
  char *end;
  errno = 0;
  long value = strtol(text, &end, 10);
  if (errno != 0 || *end != 0 || value < least || value > most) {
    die("--%s is a whole number from %ld to %ld, not '%s'", name, least, most, text);
  }
  return value;
}
