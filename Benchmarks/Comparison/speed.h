// How fast this core runs at the moment. A shared machine may run at a tenth of its speed for a tenth of a second, and then no
// counter says so: no steal, no load. A fixed chain of dependent instructions does, even beside a busy neighbour.
#pragma once

#include <stdint.h>

// Below this share of the best it is slow: what is measured meanwhile is the machine.
#define SLOW_SHARE 0.6
// A look takes about ten microseconds at full speed: one in so long is 0.2% of a core.
#define LOOK_NS 5000000ull

// Runs the chain three times and returns the shortest, ns: an interrupt falls into one of them.
uint64_t chain_ns(void);
