/// The events part of a frame, or of an Events message: `docs/protocol.md` section 7.1.
///
/// It holds offsets into the body it was validated against; ``next(_:)`` walks it without allocating.
package struct EventBlock: Sendable {
  /// Number of the first reliable event of the block.
  package let first: UInt64
  package let count: Int
  private var at: Int
  private var left: Int
  private var number: UInt64

  /// Checks every event of the block, so that walking it cannot fail.
  init(validating body: Span<UInt8>, at: inout Int) throws(WireError) {
    first = try body.varint(&at, "firstReliable")
    let start = at
    let count = try body.varint(&at, "count")
    // An event takes three bytes at least.
    guard count >= 1, count <= UInt64(body.count) else { throw WireError(.invalidLength, at: start, "count") }
    guard first <= UInt64.max - count else { throw WireError(.valueTooLarge, at: start, "firstReliable") }
    self.count = Int(count)
    self.at = at
    left = self.count
    number = first
    for _ in 0..<count { _ = try RoomEvent.decode(body, &at) }
  }

  /// The next event of the block, or nil after the last.
  package mutating func next(_ body: Span<UInt8>) -> RoomEvent? {
    guard left > 0, var event = try? RoomEvent.decode(body, &at) else { return nil }
    left -= 1
    if event.isReliable {
      event.number = number
      number += 1
    }
    return event
  }
}

/// One event of a frame; its payload is a range of the body it came from.
package struct RoomEvent: Sendable {
  package let isReliable: Bool
  package let sender: PlayerID?
  package let isForSender: Bool
  package let code: UInt16
  package let payload: Range<Int>
  /// The number of a reliable event, from 1; nil for a transient one.
  package internal(set) var number: UInt64?

  /// Most bytes of an event besides its payload: flags, sender, code, length.
  package static let overhead = 1 + 3 + 3 + 2

  static func decode(_ body: Span<UInt8>, _ at: inout Int) throws(WireError) -> RoomEvent {
    let flags = try body.flags(&at, known: 7, "event flags")
    let sender = flags & 2 != 0 ? PlayerID(rawValue: try body.varint16(&at, "sender")) : nil
    guard flags & 4 == 0 || sender != nil else { throw WireError(.inconsistent, at: at, "event flags") }
    let code = try body.varint16(&at, "code")
    let payload = try body.bytes(&at, atMost: WireLimits.payloadBytes, "payload")
    return RoomEvent(
      isReliable: flags & 1 != 0, sender: sender, isForSender: flags & 4 == 0, code: code, payload: payload)
  }

  private init(isReliable: Bool, sender: PlayerID?, isForSender: Bool, code: UInt16, payload: Range<Int>) {
    self.isReliable = isReliable
    self.sender = sender
    self.isForSender = isForSender
    self.code = code
    self.payload = payload
  }

  /// Writes an event; at most ``overhead`` bytes and the payload.
  package static func encode(
    isReliable: Bool, sender: PlayerID?, isForSender: Bool, code: UInt16, payload: Span<UInt8>,
    into out: inout OutputRawSpan
  ) {
    out.put(byte: (isReliable ? 1 : 0) | (sender == nil ? 0 : 2) | (isForSender ? 0 : 4))
    if let sender { out.put(varint: UInt64(sender.rawValue)) }
    out.put(varint: UInt64(code))
    out.put(bytes: payload)
  }
}
