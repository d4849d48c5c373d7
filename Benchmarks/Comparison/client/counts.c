#include "counts.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BUCKETS_PER_POWER 32

void record(struct histogram *histogram, uint64_t microseconds) {
  uint64_t index = microseconds;
  if (index >= 2 * BUCKETS_PER_POWER) {
    uint64_t shift = (uint64_t)(63 - __builtin_clzll(microseconds)) - 5;
    index = shift * BUCKETS_PER_POWER + (microseconds >> shift);
  }
  histogram->counts[index] += 1;
  histogram->total += 1;
}

static uint64_t upper_end(uint64_t index) {
  if (index < 2 * BUCKETS_PER_POWER) return index;
  uint64_t shift = index / BUCKETS_PER_POWER - 1;
  return ((index - shift * BUCKETS_PER_POWER + 1) << shift) - 1;
}

uint64_t percentile(const struct histogram *histogram, double share) {
  if (histogram->total == 0) return 0;
  uint64_t wanted = (uint64_t)(share * (double)(histogram->total - 1)) + 1, seen = 0;
  for (uint64_t index = 0;; index += 1) {
    seen += histogram->counts[index];
    if (seen >= wanted) return upper_end(index);
  }
}

static uint64_t thread_cpu_ns(const char *pid, const char *thread) {
  char path[512];
  snprintf(path, sizeof path, "/proc/%s/task/%s/schedstat", pid, thread);
  FILE *file = fopen(path, "r");
  // A thread may have ended meanwhile.
  if (file == NULL) return 0;
  unsigned long long ns = 0;
  if (fscanf(file, "%llu", &ns) != 1) die("%s has no CPU time: the kernel is built without CONFIG_SCHED_INFO", path);
  fclose(file);
  return ns;
}

uint64_t cpu_ns(const char *pids) {
  char list[256];
  snprintf(list, sizeof list, "%s", pids);
  uint64_t total = 0;
  char *position;
  for (char *pid = strtok_r(list, ",", &position); pid != NULL; pid = strtok_r(NULL, ",", &position)) {
    char path[512];
    snprintf(path, sizeof path, "/proc/%s/task", pid);
    DIR *folder = opendir(path);
    if (folder == NULL) die("the server's process %s has ended", pid);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
      if (entry->d_name[0] != '.') total += thread_cpu_ns(pid, entry->d_name);
    }
    closedir(folder);
  }
  return total;
}

uint64_t own_cpu_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (uint64_t)time.tv_sec * SECOND_NS + (uint64_t)time.tv_nsec;
}
