import Foundation
import VectorGenerator
import WireFormat

/// The committed golden vectors.
enum VectorFiles {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  static func vectors(_ file: String) throws -> [JSONValue] {
    let data = Data(try text("Tests/Vectors/\(file)").utf8)
    return try JSONDecoder().decode(JSONDocument.self, from: data).value.list("vectors")
  }

  static func schema(_ vector: JSONValue) throws -> Schema? {
    guard vector["schemaHex"] != nil else { return nil }
    let bytes = try vector.bytes("schemaHex")
    return try Schema(decoding: bytes.span)
  }
}

/// Any JSON, read by Foundation.
private struct JSONDocument: Decodable {
  let value: JSONValue

  init(from decoder: any Decoder) throws {
    if let members = try? decoder.container(keyedBy: Key.self) {
      var object: [String: JSONValue] = [:]
      for key in members.allKeys {
        object[key.stringValue] = try members.decode(JSONDocument.self, forKey: key).value
      }
      value = .object(object)
      return
    }
    if var items = try? decoder.unkeyedContainer() {
      var array: [JSONValue] = []
      while !items.isAtEnd { array.append(try items.decode(JSONDocument.self).value) }
      value = .array(array)
      return
    }
    let single = try decoder.singleValueContainer()
    if single.decodeNil() {
      value = .null
    } else if let bool = try? single.decode(Bool.self) {
      value = .bool(bool)
    } else if let int = try? single.decode(Int.self) {
      value = .int(int)
    } else if let double = try? single.decode(Double.self) {
      value = .double(double)
    } else {
      value = .string(try single.decode(String.self))
    }
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
