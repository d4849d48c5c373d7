import Testing
import WireFormat

@Suite struct PayloadTests {
  private struct Everything: Payload, Equatable {
    var flag = true
    var numbers = [Int.min, -8192, -64, -1, 0, 63, 64, Int.max]
    var ratio = -1.5
    var text = "Łódź"
    var player = PlayerID(rawValue: 300)
    var entity = EntityID(kind: KindIndex(31), id: 65535)

    init() {}

    init(from payload: inout PayloadReader) throws(WireError) {
      flag = try payload.bool()
      for index in numbers.indices { numbers[index] = try payload.int() }
      ratio = try payload.double(step: 0.25)
      text = try payload.string(maxBytes: 16)
      player = try payload.player()
      entity = try payload.entity()
    }

    func write(to payload: inout PayloadWriter) {
      payload.put(flag)
      for number in numbers { payload.put(number) }
      payload.put(ratio, step: 0.25)
      payload.put(text)
      payload.put(player)
      payload.put(entity)
    }
  }

  private struct One: Payload {
    var number: Int
    init(_ number: Int) { self.number = number }
    init(from payload: inout PayloadReader) throws(WireError) { number = try payload.int(in: -10...10) }
    func write(to payload: inout PayloadWriter) { payload.put(number) }
  }

  private struct Several: Payload {
    var ones: [One]
    init(numbers: [Int]) { ones = numbers.map { One($0) } }
    init(from payload: inout PayloadReader) throws(WireError) { ones = try payload.list(atMost: 3) }
    func write(to payload: inout PayloadWriter) { payload.put(ones) }
  }

  @Test func whatIsWrittenIsRead() throws {
    var other = Everything()
    other.flag = false
    other.ratio = 1e6
    for value in [Everything(), other] { #expect(try Everything(value.bytes) == value) }
  }

  @Test(arguments: [(0, 1), (-64, 1), (63, 1), (64, 2), (-8192, 2), (8191, 2), (8192, 3)])
  func aNumberTakesFewBytes(number: Int, bytes: Int) {
    #expect(One(number).bytes.count == bytes)
  }

  @Test func aCutOrLongerPayloadIsAnError() {
    let bytes = Everything().bytes
    for count in 0..<bytes.count { #expect(throws: WireError.self) { try Everything(Array(bytes[..<count])) } }
    #expect(throws: WireError.self) { try Everything(bytes + [0]) }
  }

  @Test func whatIsOutOfRangeIsAnError() throws {
    #expect(try One(One(-10).bytes).number == -10)
    for number in [-11, 11, Int.min] { #expect(throws: WireError.self) { try One(One(number).bytes) } }
    #expect(try Several(Several(numbers: [1, 2, 3]).bytes).ones.map(\.number) == [1, 2, 3])
    #expect(throws: WireError.self) { try Several(Several(numbers: [1, 2, 3, 4]).bytes) }
    // A count that the bytes do not bear out.
    #expect(throws: WireError.self) { try Several([3, 0] as [UInt8]) }
  }

  @Test func noNumberIsWrittenAsOneStepsCanHold() {
    for number in [Double.nan, .infinity, -.infinity, 1e300] {
      var writer = PayloadWriter()
      writer.put(number, step: 0.001)
      #expect(writer.bytes.count <= 5)
    }
  }
}
