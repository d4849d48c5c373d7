/// A client whose process froze: its kernel still acknowledges packets until its window is full; nothing is sent.
final class StalledBot: StallingBot {
  override var showsLife: Bool { false }
  override var rightEnds: Set<String> { super.rightEnds.union(["idle"]) }
  override var mostSeconds: Double? { surroundings.hostile.limits.idleSeconds + Self.marginSeconds }
}
