import Glibc
import NaiveProtocol

/// The dialect of the naive servers: messages as they are.
final class NaiveDialect: Dialect {
  private let index: Int
  private var cutter = MessageCutter()

  init(index: Int) { self.index = index }

  let isReady = true

  func greeting(now: UInt64) -> [UInt8] { [] }

  func receive(_ bytes: UnsafeRawBufferPointer, now: UInt64, _ ear: any Ear) -> [UInt8]? {
    let isWell = cutter.feed(bytes) { message in
      ear.heardMessage()
      if let (sender, number) = NaiveUpdate.identity(message) {
        ear.heardUpdate(number, of: sender)
      } else {
        ear.heardPublication()
      }
    }
    return isWell ? [] : nil
  }

  func update(_ number: UInt32, now: UInt64) -> [UInt8] {
    let walk = Walk(number: number, sender: index)
    let (w, y) = (Float(cos(walk.heading / 2)), Float(sin(walk.heading / 2)))
    return NaiveUpdate(
      sender: index, number: number, position: SIMD3(Float(walk.x), 0, Float(walk.z)),
      rotation: SIMD4(0, y, 0, w), animation: UInt8(walk.animation)
    ).message
  }

  func publication(bytes: Int, now: UInt64) -> [UInt8] {
    MessageCutter.message([UInt8](repeating: 0x78, count: bytes))
  }
}
