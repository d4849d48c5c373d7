import EventLoop
import Glibc
import Logging

/// SIGTERM and SIGINT: the first drains, a second one ends at once.
extension ServerLoop {
  func handleSignals() throws {
    for signal in [SIGTERM, SIGINT] {
      signals.append(try SignalSource(loop: loop, signal: signal) { [unowned self] _ in stopRequested() })
    }
  }

  private func stopRequested() {
    let message: LoopMessage = drainUntil == nil ? .drain : .stop
    logger.info(drainUntil == nil ? "stopping: saying goodbye" : "stopping at once")
    for index in 0..<shared.loopCount { _ = shared.post(message, to: index) }
  }
}
