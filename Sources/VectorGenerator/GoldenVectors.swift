/// The golden vectors as files.
package enum GoldenVectors {
  package struct File: Sendable {
    package let name: String
    package let content: String
    package let count: Int
  }

  package static func files() throws -> [File] {
    [
      file("messages.json", "Every message, decoded and encoded.", try MessageVectors.vectors()),
      file("malformed.json", "Inputs that must be refused, one fault each.", MalformedVectors.vectors()),
      file("schema.json", "Schemas with every field type.", SchemaVectors.vectors()),
      file("frames.json", "Frames applied in order, and the state after each.", try FrameVectors.vectors()),
      file("values.json", "Values coded against zero, and their meaning in units.", try ValueVectors.vectors()),
    ]
  }

  private static func file(_ name: String, _ description: String, _ vectors: [JSONValue]) -> File {
    let document: JSONValue = [
      "protocol": 1, "description": .string(description), "vectors": .array(vectors),
    ]
    return File(name: name, content: document.document, count: vectors.count)
  }
}
