/// Where a value of the configuration comes from.
package enum Origin: Equatable, Sendable, CustomStringConvertible {
  case builtIn
  case program
  case file(name: String, line: Int)
  case environment(String)
  case flag(String)

  package var description: String {
    switch self {
    case .builtIn: "default"
    case .program: "program"
    case .file(let name, let line): "\(name):\(line)"
    case .environment(let name): "environment \(name)"
    case .flag(let flag): "flag \(flag)"
    }
  }
}

/// One thing that is wrong with a configuration.
package struct ConfigurationFault: Error, Equatable, Sendable, CustomStringConvertible {
  let origin: Origin
  /// Names the key, the value, what is allowed and what to do.
  let message: String

  /// One line, whatever keys, values, names of files and of variables hold.
  package var description: String { oneLine("\(origin): \(message)") }

  /// In a file by line, then in order of discovery.
  var line: Int {
    if case .file(_, let line) = origin { line } else { .max }
  }
}

/// Everything that is wrong with a configuration, one line each.
public struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
  package let faults: [ConfigurationFault]

  init(_ faults: [ConfigurationFault]) { self.faults = faults }

  /// One line for each fault: origin, key, value, what is allowed.
  public var description: String { faults.map(\.description).joined(separator: "\n") }
}
