import Glibc

/// Lets all other threads go before the calling one when there is no core to spare. On Linux niceness belongs to the
/// thread. Not for a thread that shares locks with a loop of the server, the allocator's among them (decision 28).
package func yieldToOtherThreads() {
  // Fails for nobody: a process may always be nicer.
  _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
}
