import Glibc

/// Lets all other threads go before the calling one when there is no core to spare: for those that only watch. On Linux
/// niceness belongs to the thread, and the scheduler then lets a loop that wakes for its tick preempt it at once.
package func yieldToOtherThreads() {
  // Fails for nobody: a process may always be nicer.
  _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
}
