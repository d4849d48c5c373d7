/// What a decoded frame or keyframe did; the arrays are reused from frame to frame.
package struct FrameContent: Sendable {
  package var isKeyframe = false
  package var tick = Tick(0)
  /// Ticks since the frame before; 0 for a keyframe.
  package var span: UInt32 = 0
  /// Of a keyframe: number of the last reliable event that its state includes.
  package var lastEvent: UInt64 = 0
  /// Where the events lie in the frame's body; nil when it has none.
  package var events: EventBlock?
  package var removed: [EntityID] = []
  package var created: [EntityID] = []
  package var changed: [EntityID] = []
  /// For each of `changed` the mask of its changed fields; 0 when the frame lists one of which nothing differs.
  package var masks: [UInt64] = []
  /// Most bytes of state that a schema's mirror may take; guards against a hostile server.
  package static let mostStateBytes = 64 * 1024 * 1024

  package init() {}

  mutating func reset() {
    events = nil
    removed.removeAll(keepingCapacity: true)
    created.removeAll(keepingCapacity: true)
    changed.removeAll(keepingCapacity: true)
    masks.removeAll(keepingCapacity: true)
  }
}
