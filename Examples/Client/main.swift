import TickClient

let client = try await TickClient.connect(host: "127.0.0.1", port: 7777)
let room = try await client.join("lobby", kind: "arena")
let position = try room.schema.key("avatar", "position", as: SIMD3<Double>.self)
for await notice in room.events {
  switch notice {
  case .entityCreated(let avatar, owner: room.player): try room.send { $0.set(position, of: avatar, to: [1, 2, 0]) }
  case .entityChanged(let avatar, _): print(avatar, room.interpolated(position, of: avatar, at: room.renderTime) as Any)
  default: print(notice)
  }
}
