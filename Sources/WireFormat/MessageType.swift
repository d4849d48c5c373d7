/// The type byte of a message: `docs/protocol.md` section 6.
package enum MessageType: UInt8, Sendable, CaseIterable {
  // From the client.
  case hello = 0x01
  case join = 0x02
  case input = 0x03
  case event = 0x04
  case call = 0x05
  case leave = 0x07
  // From both.
  case ping = 0x06
  case pong = 0x08
  // From the server.
  case welcome = 0x11
  case joined = 0x12
  case frame = 0x13
  case inputAck = 0x14
  case reply = 0x15
  case whisper = 0x16
  case events = 0x17
  case joinRefused = 0x18
  case left = 0x19
  case goodbye = 0x1A

  /// Types from here on may be skipped by a receiver that does not know them.
  package static let firstOptional: UInt8 = 0x80
}

extension OutputRawSpan {
  /// Writes a whole message whose body takes at most `bound` bytes. Bodies of up to a kilobyte are put together on the
  /// stack.
  package mutating func put(
    _ type: MessageType, bound: Int, _ body: (inout OutputRawSpan) -> Void
  ) {
    withUnsafeTemporaryAllocation(byteCount: bound, alignment: 1) { buffer in
      var inner = OutputRawSpan(buffer: buffer, initializedCount: 0)
      body(&inner)
      let count = inner.finalize(for: buffer)
      put(varint: count + 1)
      put(byte: type.rawValue)
      put(raw: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }
}

/// Most bytes of a message around its body.
package let messageOverhead = WireLimits.lengthPrefixBytes + 1
