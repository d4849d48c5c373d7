/// Cuts a byte stream into messages, whatever the split: `docs/protocol.md` section 1.
///
/// Whole messages are handed out straight from the chunk that brought them; only the beginning of an unfinished message
/// is kept. Invariant: what is kept is shorter than one message, and no byte of a body is kept before its length was
/// checked against the limit.
package struct MessageAssembler: Sendable {
  /// Why the stream can't be cut any further.
  package enum Failure: Error, Equatable, Sendable {
    /// A length of 0, or no valid varint.
    case malformed(WireError)
    /// A length above the limit; both in bytes.
    case tooLarge(length: UInt64, limit: Int)
  }

  /// What to do after a message.
  package enum Step: Sendable {
    case proceed
    /// Go on; from here on this length is the limit, in bytes.
    case limit(Int)
    /// Stop here: the rest of the chunk stays with the caller.
    case stop
  }

  /// Largest length (type and body) accepted, in bytes.
  package var limit: Int
  private var kept: [UInt8] = [] {
    didSet { keptBytes = kept.count }
  }
  /// Bytes kept of an unfinished message.
  package private(set) var keptBytes = 0

  package init(limit: Int) {
    self.limit = limit
  }

  /// Takes the kept bytes out: a connection that moves to another loop takes them along.
  package mutating func takeKept() -> [UInt8] {
    defer { kept = [] }
    return kept
  }

  /// Hands out each message that `chunk` completes.
  ///
  /// - Returns: bytes of `chunk` used; less than its count only after `.stop`.
  package mutating func feed(
    _ chunk: Span<UInt8>, _ message: (UInt8, Span<UInt8>) -> Step
  ) throws(Failure) -> Int {
    var at = 0
    if !kept.isEmpty {
      guard try completeKept(chunk, &at) else { return at }
      let whole = kept
      kept.removeAll(keepingCapacity: false)
      var start = 0
      _ = try readLength(whole.span, &start)
      if isLast(message(whole[start], whole.span.extracting((start + 1)..<whole.count))) { return at }
    }
    while at < chunk.count {
      var start = at
      guard let length = try readLength(chunk, &start), length <= chunk.count - start else {
        kept.append(contentsOf: chunk.array(at..<chunk.count))
        return chunk.count
      }
      at = start + length
      if isLast(message(chunk[start], chunk.extracting((start + 1)..<at))) { return at }
    }
    return at
  }

  private mutating func isLast(_ step: Step) -> Bool {
    switch step {
    case .proceed: return false
    case .limit(let bytes):
      limit = bytes
      return false
    case .stop: return true
    }
  }

  /// Adds to the kept bytes what the unfinished message lacks; true when it is whole.
  private mutating func completeKept(_ chunk: Span<UInt8>, _ at: inout Int) throws(Failure) -> Bool {
    while at < chunk.count {
      var start = 0
      if let length = try readLength(kept.span, &start) {
        let lacking = start + length - kept.count
        let taken = min(lacking, chunk.count - at)
        kept.append(contentsOf: chunk.array(at..<(at + taken)))
        at += taken
        return taken == lacking
      }
      kept.append(chunk[at])
      at += 1
      // A message of length 1 is whole with its type byte, a length alone never is; but a bad length must be told at
      // once.
      start = 0
      _ = try readLength(kept.span, &start)
    }
    return false
  }

  /// The length at `at`, or nil when its varint is not complete yet.
  private func readLength(_ bytes: Span<UInt8>, _ at: inout Int) throws(Failure) -> Int? {
    let available = bytes.count - at
    let prefix = bytes.extracting(at..<(at + min(available, WireLimits.lengthPrefixBytes)))
    var used = 0
    let length: UInt64
    do throws(WireError) {
      length = try prefix.varint(&used, "length")
    } catch {
      guard error.code == .truncated else { throw .malformed(error) }
      if available < WireLimits.lengthPrefixBytes { return nil }
      throw .malformed(WireError(.invalidLength, at: 0, "length"))
    }
    at += used
    guard length > 0 else { throw .malformed(WireError(.invalidLength, at: 0, "length")) }
    guard length <= UInt64(limit) else { throw .tooLarge(length: length, limit: limit) }
    return Int(length)
  }
}
