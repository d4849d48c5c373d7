#ifndef TICKSERVER_CPREFETCH_H
#define TICKSERVER_CPREFETCH_H

/* Has the processor fetch what will be read and written soon; no other effect. Swift has no word for it. */
static inline void prefetch_for_write(const void *address) { __builtin_prefetch(address, 1, 3); }

#endif
