import WireFormat

/// Faults of what changed. Each starts from the empty state of `SampleSchema.full`; a keyframe creates entity 0 of kind
/// 0, or 0 to 2, and then says what follows.
extension MalformedVectors {
  static let changes = ids + presence + values + blobs + steps

  private static let ids: [Sample] = [
    one(.outOfRange, "no changed entity", "00 00 00 00"),
    one(.outOfRange, "no bit in a bitmap", "01 00 00 00 00 00"),
    one(.outOfRange, "list of changed entities in form 3", "07 00 00 00 00"),
    one(.outOfRange, "more changed entities than the capacity", "b409 00"),
    one(.truncated, "changed ids missing", "08 00"),
    one(.outOfRange, "changed id beyond the capacity", "04 ac02 00 00 00"),
    one(.inconsistent, "bitmap with fewer bits than counted", "09 00 01 01 00 00 00"),
    one(.inconsistent, "bitmap with more bits than counted", "05 00 01 03 00 00 00"),
    one(.outOfRange, "bitmap beyond the capacity", "05 25 01 10 00 00 00"),
    one(.inconsistent, "all changed but as many as there are", "06 00 00 00 00"),
    three(.inconsistent, "all changed but one that does not exist", "06 05 00 00 00"),
    three(.outOfRange, "all changed but one beyond the capacity", "06 ac02 00 00 00"),
  ]

  private static let presence: [Sample] = [
    one(.truncated, "presence missing", "02"),
    one(.truncated, "last presences missing", "02" + BitText.hex("00 00 00 00")),
    three(.truncated, "map of presence cut", "02" + BitText.hex(fields([nobody, nobody, nobody, "01"]))),
    three(.outOfRange, "few that are none", "02" + BitText.hex("11 00" + rest)),
    three(.outOfRange, "one of few beyond the list", "02" + BitText.hex("11 10 11" + BitText.column(2) + rest)),
    three(.inconsistent, "few out of order", "02" + BitText.hex("11 01 10 00 10 010 10 010" + rest)),
    three(.inconsistent, "one of few twice", "02" + BitText.hex("11 01 10 10 10 010 10 010" + rest)),
    one(.inconsistent, "padding of the values", "02" + BitText.hex(BitText.nobody + rest + "0001") + "00"),
  ]

  /// A wrong value of each field type of entity 0, as far as it is held in columns.
  private static let values: [Sample] = [
    field(.outOfRange, "bool of 2", 0, BitText.column(4)),
    field(.outOfRange, "bool of -1", 0, BitText.column(1)),
    field(.truncated, "parameter missing", 9, ""),
    field(.truncated, "value missing", 9, BitText.number(10, 5)),
    field(.truncated, "value cut", 9, BitText.number(10, 5) + "001"),
    field(
      .valueTooLarge, "value of 34 zeros", 0, BitText.number(0, 5) + String(repeating: "0", count: 34) + "1"),
    field(
      .valueTooLarge, "value of more bits than 32", 0,
      BitText.number(2, 5) + String(repeating: "0", count: 33) + "1" + BitText.number(0, 33)),
    field(
      .valueTooLarge, "value above 32 bits", 0,
      BitText.number(1, 5) + String(repeating: "0", count: 33) + "1" + BitText.number(0, 32)),
    field(.outOfRange, "unsigned above its bits", 1, BitText.column(2 << 20)),
    field(.outOfRange, "signed below its bits", 2, BitText.column(9)),
    field(.outOfRange, "fixed above its range", 3, BitText.column(102_402, keepsSteps: true)),
    field(
      .outOfRange, "vector component below its range", 4,
      zeros + BitText.column(102_401, keepsSteps: true) + zeros),
    field(.outOfRange, "angle the long way round", 5, BitText.column(360, keepsSteps: true)),
    field(.outOfRange, "angle the long way back", 5, BitText.column(361, keepsSteps: true)),
    field(.outOfRange, "quaternion without a largest part", 6, BitText.column(8) + zeros + zeros + zeros),
    field(
      .outOfRange, "quaternion part above its bits", 6,
      BitText.number(31, 5) + BitText.column(1024, keepsSteps: true) + zeros + zeros),
    field(.outOfRange, "reference to a kind beyond the schema", 9, BitText.column(6)),
    field(.outOfRange, "reference to an id beyond the capacity", 9, BitText.column(2 * (300 * 32 + 1))),
    field(.outOfRange, "negative reference", 9, BitText.column(1)),
    field(.trailingBytes, "byte after the steps", 0, BitText.column(2), then: "00 00"),
  ]

  private static let blobs: [Sample] = [
    field(.truncated, "string missing", 7, "", then: ""),
    field(.invalidText, "string that is not text", 7, "", then: "02c328 00"),
    field(.invalidLength, "string of 25 bytes", 7, "", then: "19" + filled(25) + "00"),
    field(.invalidLength, "bytes of 256 bytes", 8, "", then: "8002" + filled(256) + "00"),
  ]

  private static let steps: [Sample] = [
    field(.truncated, "steps missing", 0, BitText.column(2), then: ""),
    field(
      .inconsistent, "padding of the steps", 0, BitText.column(2), then: BitText.hex("10 11111" + "00 00 00" + "01")),
    field(
      .outOfRange, "step of an angle the long way round", 0, BitText.column(2),
      then: BitText.hex("00 00 10" + BitText.column(360) + "00")),
  ]

  // MARK: Putting together

  private static let nobody = BitText.nobody
  /// Nobody has one of the nine fields after the first.
  private static let rest = String(repeating: nobody, count: 9)
  /// A column of zeros that is not foretold and keeps steps.
  private static let zeros = "0" + BitText.number(31, 5)

  private static func fields(_ texts: [String]) -> String { texts.joined() }

  /// A keyframe that creates entity 0 of kind 0 and then changes what `hex` says.
  private static func one(_ error: WireError.Code, _ name: String, _ hex: String) -> Sample {
    frame(error, name, "05 01 00 01 06 01 00 00 00" + hex)
  }

  /// The same with entities 0 to 2.
  private static func three(_ error: WireError.Code, _ name: String, _ hex: String) -> Sample {
    frame(error, name, "05 01 00 01 06 03 00 00 00 00 00 00 00 00 00" + hex)
  }

  /// Entity 0 has one field, with these columns; then come blobs, and no steps.
  private static func field(
    _ error: WireError.Code, _ name: String, _ number: Int, _ columns: String, then: String = "00"
  ) -> Sample {
    let before = String(repeating: nobody, count: number)
    let after = String(repeating: nobody, count: 9 - number)
    // What is cut short ends the frame.
    let isCut = error == .truncated && then == "00"
    return one(
      error, name, "02" + BitText.hex(before + BitText.all + columns + (isCut ? "" : after)) + (isCut ? "" : then))
  }
}
