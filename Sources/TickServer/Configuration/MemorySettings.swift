public import RoomEngine

/// The most memory that a server plans with and lives in.
public enum MemoryLimitSetting: Hashable, Sendable {
  /// The container's limit (cgroup version 2, else 1), else the machine's memory.
  case auto
  /// Plan and pressure are off: only where something else guards the memory.
  case unlimited
  /// 16 MiB to 16 TiB.
  case bytes(ByteCount)
}

/// A size that the server may choose by itself.
public enum AutoSize: Hashable, Sendable {
  /// As much as the memory plan leaves, up to what is of use.
  case auto
  /// This many.
  case bytes(ByteCount)

  /// So many KiB.
  public static func kib(_ count: Int) -> AutoSize { .bytes(.kib(count)) }

  /// So many MiB.
  public static func mib(_ count: Int) -> AutoSize { .bytes(.mib(count)) }

  /// Nil for `auto`.
  var fixed: ByteCount? {
    if case .bytes(let size) = self { size } else { nil }
  }
}

extension SettingForm where Value == AutoSize {
  static func autoSize(_ range: ClosedRange<ByteCount>) -> SettingForm {
    SettingForm<ByteCount>.size(range).or("auto", .auto, wrap: AutoSize.bytes) { $0.fixed }
  }
}

extension SettingForm where Value == MemoryLimitSetting {
  static var memoryLimit: SettingForm {
    SettingForm<ByteCount>.size(.mib(16)...(.mib(16 * 1024 * 1024)))
      .or("unlimited", MemoryLimitSetting.unlimited, wrap: MemoryLimitSetting.bytes) {
        if case .bytes(let size) = $0 { size } else { nil }
      }
      .or("auto", .auto, wrap: { $0 }, unwrap: { $0 == .auto ? nil : $0 })
  }
}
