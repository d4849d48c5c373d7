// Counts what the calling thread allocates on the heap between begin and end. Tests only: linking this target
// replaces malloc and its kin for the whole program.
#ifndef C_ALLOCATION_COUNTER_H
#define C_ALLOCATION_COUNTER_H

#include <stdint.h>

// True where the counting works: glibc without a sanitizer, which brings its own malloc.
int allocation_count_available(void);

void allocation_count_begin(void);

// Calls to malloc, calloc, realloc, posix_memalign and aligned_alloc since begin, on this thread.
uint64_t allocation_count_end(void);

#endif
