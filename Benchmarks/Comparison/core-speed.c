// Prints how fast its core runs, every 5 ms until it is ended: a line of the time (CLOCK_MONOTONIC, ns) and the ns that a fixed
// chain of instructions took. Before all else on its core where that is allowed, so that it waits for nobody.
#include <sched.h>
#include <stdio.h>
#include <time.h>

#include "common.h"
#include "speed.h"

int main(void) {
  sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 50});
  // A line at a time: it is ended by a signal.
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (uint64_t due = monotonic_ns();; due += LOOK_NS) {
    struct timespec until = {.tv_sec = (time_t)(due / SECOND_NS), .tv_nsec = (long)(due % SECOND_NS)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    unsigned long long taken = chain_ns();
    if (printf("%llu %llu\n", (unsigned long long)monotonic_ns(), taken) < 0) return 1;
  }
}
