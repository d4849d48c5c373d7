/// How many handles of each kind are open on a loop: counted up when libuv takes the handle, down in its close
/// callback.
///
/// What these do not count down has leaked. The loop's own mailbox is one of `mailboxes` until the loop has ended.
package struct LoopGauges: Hashable, Sendable {
  package internal(set) var streams = 0
  package internal(set) var listeners = 0
  package internal(set) var tickTimers = 0
  package internal(set) var timers = 0
  package internal(set) var signals = 0
  package internal(set) var mailboxes = 0

  package var total: Int { streams + listeners + tickTimers + timers + signals + mailboxes }
}
