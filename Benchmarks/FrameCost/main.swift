import BenchmarkUnits
import BotSwarm

/// What one tick of a room costs, without sockets: apply the inputs, find the changes, encode one frame. The same 10
/// entities move in each room, and only the number of members differs, so the ratio says whether a frame is serialized
/// once or for each member.

func median(_ values: [Duration]) -> Double {
  let middle = values.sorted()[values.count / 2]
  return Double(middle.components.attoseconds) / 1e12
}

/// Alternates the rooms tick by tick, so that whatever else the machine does hits all of them.
func compare(_ sizes: [Int], moving: Int) throws {
  let rooms = try sizes.map { try MeasuredRoom(members: $0, moving: moving) }
  var times = sizes.map { _ in [Duration]() }
  let clock = ContinuousClock()
  for _ in 0..<3000 {
    for (index, room) in rooms.enumerated() { room.step(ticking: { times[index].append(clock.measure($0)) }) }
  }
  let medians = times.map(median)
  for (index, size) in sizes.enumerated() {
    let ratio = (medians[index] / medians[0] * 1000).rounded() / 1000
    let microseconds = (medians[index] * 100).rounded() / 100
    print("\(moving) of \(size) members move: median tick \(microseconds) us, ratio to \(sizes[0]) members \(ratio)")
  }
}

try compare([10, 100, 1000], moving: 10)
try compare([100, 1000], moving: 100)

for entities in [100, 1000] {
  for turn in [CodecCase.Turn.yaw, .rotation] {
    for profile in [MovementProfile.walk, .wander, .burst] {
      try measureCodec(CodecCase(profile: profile, turn: turn, entities: entities))
    }
  }
}
