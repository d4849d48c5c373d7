/// One second of a run, over all bots: a point of every chart.
package struct SecondSample: Hashable, Sendable {
  /// Seconds since the run began, at the end of this one.
  package var second: Int
  package var connected = 0
  package var joined = 0
  /// Bots that joined in this second.
  package var joins = 0
  package var frames = 0
  package var bytesReceived = 0
  package var bytesSent = 0
  /// Frames each joined bot got in this second; nil while there is none that was joined for all of it.
  package var framesMin: Double?
  package var framesP50: Double?
  package var latencyP50Microseconds: UInt64?
  package var latencyP99Microseconds: UInt64?
  package var latencyMaxMicroseconds: UInt64?
  /// Share of the second in which the busiest loop of the swarm was running.
  package var loopBusy = 0.0
  /// Share of all cores of the swarm's machine that was busy, whoever used them; nil where the system does not tell.
  package var machineBusy: Double?
  /// Faults and unexpected disconnects since the run began.
  package var faults = 0
  package var server: ProcessSample?
  package var swarm: ProcessSample?

  package init(second: Int) { self.second = second }
}
