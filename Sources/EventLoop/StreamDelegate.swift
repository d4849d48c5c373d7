/// What a stream tells its owner, always on the loop's thread and never from within a call the owner makes on it.
package protocol StreamDelegate: AnyObject {
  /// `bytes` is the loop's shared buffer: valid during the call only. At most `Loop.readBufferBytes`, never empty.
  func stream(_ stream: Stream, didRead bytes: UnsafeRawBufferPointer)

  /// Nothing more will be read. The stream stays open (a half-closed peer may still receive) until `close()`.
  func streamDidEnd(_ stream: Stream, _ end: StreamEnd)

  /// The write in flight is over and its bytes may be released: all taken (nil), failed, or cancelled by `close()`.
  func stream(_ stream: Stream, didCompleteWrite error: LoopError?)

  /// The last call: the descriptor is closed, nothing is in flight, the stream has let go of its delegate.
  func streamDidClose(_ stream: Stream)
}

extension StreamDelegate {
  package func streamDidClose(_ stream: Stream) {}
}

/// How the incoming half of a stream ended.
package enum StreamEnd: Hashable, Sendable {
  /// The peer has sent everything and said so (FIN).
  case endOfStream
  /// The peer, or something on the way, tore the connection down (RST).
  case reset
  case error(LoopError)
}

/// What became of `Stream.tryWrite`.
package enum WriteOutcome: Hashable, Sendable {
  /// The kernel took this many bytes, possibly fewer than offered.
  case wrote(Int)
  /// The kernel took nothing: its buffer is full, or a write is in flight.
  case wouldBlock
  /// The connection is beyond use: close it.
  case failed(LoopError)
}
