/// What one client tells the others of itself, laid out as MessagePack: `[method, [id, number, position, rotation,
/// animation]]`, 88 bytes and the head.
///
/// Every field has a fixed place, so that reading it costs the clients next to nothing.
package struct NaiveUpdate {
  /// The client's index; on the wire a 36-byte text, as frameworks of this kind name their connections.
  package var sender: Int
  /// Counts the sender's updates, from 1.
  package var number: UInt32
  package var position: SIMD3<Float>
  package var rotation: SIMD4<Float>
  package var animation: UInt8

  package static let bodyBytes = 88
  private static let idAt = 9
  private static let numberAt = 46

  package init(sender: Int, number: UInt32, position: SIMD3<Float>, rotation: SIMD4<Float>, animation: UInt8) {
    (self.sender, self.number, self.animation) = (sender, number, animation)
    (self.position, self.rotation) = (position, rotation)
  }

  /// As a message with its head.
  package var message: [UInt8] {
    var body: [UInt8] = [0x92, 0xCE]
    // Which method is meant: a hash of its name, the same in every message.
    body += Self.bigEndian(0x5BD1_E995)
    body += [0x95, 0xD9, 36]
    let digits = String(sender)
    body += [UInt8](repeating: UInt8(ascii: "0"), count: 36 - digits.utf8.count) + Array(digits.utf8)
    body.append(0xCE)
    body += Self.bigEndian(number)
    body.append(0x93)
    for index in 0..<3 { body += [0xCA] + Self.bigEndian(position[index].bitPattern) }
    body.append(0x94)
    for index in 0..<4 { body += [0xCA] + Self.bigEndian(rotation[index].bitPattern) }
    body.append(animation & 0x7F)
    return MessageCutter.message(body)
  }

  /// Whose update a message with its head is, and which; nil for another message.
  package static func identity(_ message: UnsafeRawBufferPointer) -> (sender: Int, number: UInt32)? {
    guard message.count == MessageCutter.headBytes + bodyBytes else { return nil }
    let body = UnsafeRawBufferPointer(rebasing: message[MessageCutter.headBytes...])
    // Eight digits are more than there are clients.
    var sender = 0
    for digit in body[(idAt + 28)..<(idAt + 36)] { sender = sender * 10 + Int(digit &- UInt8(ascii: "0")) }
    let number = UInt32(bigEndian: body.loadUnaligned(fromByteOffset: numberAt, as: UInt32.self))
    return (sender, number)
  }

  private static func bigEndian(_ value: UInt32) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
  }
}
