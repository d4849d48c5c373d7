import RoomEngine
import Spelling

/// A valid configuration that still knows where each value came from.
package struct LoadedConfiguration {
  package let configuration: ServerConfiguration
  let draft: ConfigurationDraft
  let origins: [String: Origin]
  /// What was ignored and why, a line each.
  package var warnings: [String] = []

  /// The origin of a key's value.
  package func origin(of key: String) -> Origin { origins[key] ?? .builtIn }
}

/// What a configuration is put together from; later ones win: program, file, environment, flags.
package struct ConfigurationSources {
  /// What the program itself sets, or nil for the defaults.
  package var program: ServerConfiguration?
  /// The name and the text of the file, if there is one.
  package var file: (name: String, text: String)?
  /// The process's environment; only names with the prefix `TICKSERVER_` count.
  package var environment: [String: String] = [:]
  /// Key, value and the flag that set it, for messages.
  package var flags: [(key: String, value: String, flag: String)] = []

  package init() {}

  /// The variable that names the configuration file.
  package static let fileVariable = "TICKSERVER_CONFIG"

  /// Puts the sources together.
  ///
  /// - Throws: ``ConfigurationError`` with all that is wrong in all of them.
  package func load() throws(ConfigurationError) -> LoadedConfiguration {
    var base = program.map(ConfigurationDraft.init(program:)) ?? ConfigurationDraft()
    // A program without rooms of its own offers those of the file, or the default.
    if base.rooms.isEmpty { base.rooms = ConfigurationDraft().rooms }
    var layers = ConfigurationLayers(base: base)
    if let file {
      layers.beginLayer()
      FileLayer(name: file.name).apply(file.text, to: &layers)
    }
    layers.beginLayer()
    applyEnvironment(to: &layers)
    layers.beginLayer()
    applyFlags(to: &layers)
    var loaded = try layers.finish()
    loaded.warnings = serviceLinkWarnings
    return loaded
  }

  private func applyEnvironment(to layers: inout ConfigurationLayers) {
    let known = settings(of: layers.draft)
    for (name, value) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix("TICKSERVER_") {
      if name == Self.fileVariable { continue }
      let origin = Origin.environment(name)
      let matching = known.filter { $0.variable == name }
      if isIgnored(name, value, isSetting: !matching.isEmpty) { continue }
      if matching.count > 1 {
        let keys = matching.map(\.key).joined(separator: " and ")
        layers.report(origin, "\(name) could mean \(keys). Use the file or --set instead.")
      } else if let setting = matching.first {
        layers.apply(setting, text: value, origin: origin)
      } else {
        let hint = nearest(to: name, in: known.map(\.variable)).map { " Did you mean \($0)?" } ?? ""
        layers.report(origin, "\(name) is not a setting.\(hint) Remove it, or see --print-config for all keys.")
      }
    }
  }

  private func applyFlags(to layers: inout ConfigurationLayers) {
    let known = settings(of: layers.draft)
    for (key, value, flag) in flags {
      if let setting = known.first(where: { $0.key == key }) {
        layers.apply(setting, text: value, origin: .flag(flag))
      } else {
        let hint = nearest(to: key, in: known.map(\.key)).map { " Did you mean \"\($0)\"?" } ?? ""
        layers.report(.flag(flag), "\"\(key)\" is not a setting.\(hint) See --print-config for all keys.")
      }
    }
  }

  /// One of a Service `tickserver` is named like a setting, `TICKSERVER_PORT`; its value tells it from one.
  private func isIgnored(_ name: String, _ value: String, isSetting: Bool) -> Bool {
    isSetting ? ServiceLink.isAddress(value) && name.hasSuffix("_PORT") : ServiceLink.isOne(name, value)
  }

  /// One line for all: a namespace may have many Services.
  private var serviceLinkWarnings: [String] {
    let known = Set(settings(of: ConfigurationDraft()).map(\.variable))
    let names = environment.filter {
      $0.key.hasPrefix("TICKSERVER_") && isIgnored($0.key, $0.value, isSetting: known.contains($0.key))
    }.keys.sorted()
    guard !names.isEmpty else { return [] }
    let more = names.count > 3 ? " and \(names.count - 3) more" : ""
    return [
      "\(names.prefix(3).joined(separator: ", "))\(more) ignored: Kubernetes sets such variables for a Service whose name "
        + "begins with tickserver. Set enableServiceLinks: false in the pod."
    ]
  }
}
