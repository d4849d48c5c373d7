package import WireFormat

/// What a ``ClientCore`` tells, from within ``ClientCore/receive(_:now:_:)``. Spans are valid during the call only:
/// copy what is to be kept. Every method does nothing by default.
///
/// A frame is told as a whole: first ``client(_:didApply:)``, with the state at its tick in ``ClientCore/tables``, then
/// its events in order, then ``client(_:didFinish:)``.
package protocol ClientCoreDelegate: AnyObject {
  func client(_ core: ClientCore, didReceive welcome: Welcome)
  /// In a room, or back in it: then `joined.isResumed` and the state is what it was.
  func client(_ core: ClientCore, didReceive joined: Joined)
  func client(_ core: ClientCore, didReceive refusal: JoinRefused)
  func clientDidLeave(_ core: ClientCore)

  /// A frame was applied. Its arrays name what was removed, created and changed; after a keyframe, in comparison with
  /// what was there before.
  func client(_ core: ClientCore, didApply frame: FrameContent)
  /// A game event; reliable ones come exactly once and in order.
  func client(_ core: ClientCore, didReceive event: RoomEvent, payload: Span<UInt8>)
  func client(_ core: ClientCore, playerJoined player: PlayerID, generation: UInt32)
  func client(_ core: ClientCore, playerLeft player: PlayerID)
  /// All of a frame's events were told. Also called when the core keeps no state.
  func client(_ core: ClientCore, didFinish tick: Tick)

  func client(_ core: ClientCore, didReceive whisper: Whisper, payload: Span<UInt8>)
  func client(_ core: ClientCore, didReceive reply: Reply, payload: Span<UInt8>)
  /// The room has applied the inputs up to this one.
  func client(_ core: ClientCore, didAcknowledge sequence: UInt32)
  /// The room has left out so many of the inputs in this range: newer ones had come by the tick that they could have had. Or
  /// they were lost with a connection; then it is all of them.
  func client(_ core: ClientCore, didDrop count: UInt32, ofInputs range: Range<UInt32>)
  /// The connection was lost, and the server may not have read the last of the reliable events that were raised.
  func client(_ core: ClientCore, mayHaveLostEvents count: Int)
  /// The connection was lost before the reply: whether the call was carried out is unknown.
  func client(_ core: ClientCore, didLoseCall id: UInt32)

  func client(_ core: ClientCore, didReceive goodbye: Goodbye)
  /// The server broke the protocol; the connection is over.
  func client(_ core: ClientCore, didFind fault: ClientFault)
}

extension ClientCoreDelegate {
  package func client(_ core: ClientCore, didReceive welcome: Welcome) {}
  package func client(_ core: ClientCore, didReceive joined: Joined) {}
  package func client(_ core: ClientCore, didReceive refusal: JoinRefused) {}
  package func clientDidLeave(_ core: ClientCore) {}
  package func client(_ core: ClientCore, didApply frame: FrameContent) {}
  package func client(_ core: ClientCore, didReceive event: RoomEvent, payload: Span<UInt8>) {}
  package func client(_ core: ClientCore, playerJoined player: PlayerID, generation: UInt32) {}
  package func client(_ core: ClientCore, playerLeft player: PlayerID) {}
  package func client(_ core: ClientCore, didFinish tick: Tick) {}
  package func client(_ core: ClientCore, didReceive whisper: Whisper, payload: Span<UInt8>) {}
  package func client(_ core: ClientCore, didReceive reply: Reply, payload: Span<UInt8>) {}
  package func client(_ core: ClientCore, didAcknowledge sequence: UInt32) {}
  package func client(_ core: ClientCore, didDrop count: UInt32, ofInputs range: Range<UInt32>) {}
  package func client(_ core: ClientCore, mayHaveLostEvents count: Int) {}
  package func client(_ core: ClientCore, didLoseCall id: UInt32) {}
  package func client(_ core: ClientCore, didReceive goodbye: Goodbye) {}
  package func client(_ core: ClientCore, didFind fault: ClientFault) {}
}
