#ifndef TICKSERVER_CPREFETCH_H
#define TICKSERVER_CPREFETCH_H

/* Has the processor fetch what will be read and written soon; no other effect. Swift has no word for it. */
static inline void prefetch_for_write(const void *address) { __builtin_prefetch(address, 1, 3); }

/* The same for so many bytes, a cache line after the other. */
static inline void prefetch_all_for_write(const void *address, unsigned long bytes) {
  for (unsigned long at = 0; at < bytes; at += 64) __builtin_prefetch((const char *)address + at, 1, 3);
}

#endif
