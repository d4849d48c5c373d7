import CUV

/// Gives the C library's free memory back to the system: glibc keeps what many small blocks leave, whatever its settings.
///
/// Takes some milliseconds after a peak of thousands of connections, in which other threads may have to wait for
/// memory: call it seldom, after mass leaves.
package func returnFreeMemoryToSystem() {
  #if canImport(Glibc)
  _ = malloc_trim(0)
  #endif
}

/// Bytes that the C library holds and nobody uses. What was returned to the system already counts too. Takes as long as
/// walking the free blocks: ask every few seconds, not more often.
package func freeHeapBytes() -> Int {
  #if canImport(Glibc)
  Int(clamping: mallinfo2().fordblks)
  #else
  0
  #endif
}

extension Loop {
  /// Frees what is kept for the next time: spare write requests.
  package func giveBackSpare() { writeRequests.removeAll() }
}
