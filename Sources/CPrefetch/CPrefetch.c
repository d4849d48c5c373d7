/* SwiftPM wants a source file: all of this target is in its header. */
#include "CPrefetch.h"
