/// One scalar of the configuration: its key, its meaning, and how it is read from text and written back.
struct Setting {
  /// The key, section by section: `["log", "level"]`.
  let path: [String]
  /// What is allowed, as messages say it.
  let allowed: String
  /// The keys whose value it decides; two settings of one layer must not decide the same.
  let targets: [String]
  /// The text of its present value; nil when another setting holds instead.
  let text: (ConfigurationDraft) -> String?
  /// Reads a text into the draft; returns what is wrong, or nil.
  let write: (String, inout ConfigurationDraft) -> String?
  /// What is wrong with the present value, or nil.
  let problem: (ConfigurationDraft) -> String?

  /// The key in one text: `log.level`.
  var key: String { path.joined(separator: ".") }

  /// The environment variable: the key in capitals, words and sections joined by underscores, `TICKSERVER_LOG_LEVEL`.
  var variable: String { "TICKSERVER_" + path.map(capitals).joined(separator: "_") }
}

extension Setting {
  /// A setting that is one value of the draft.
  init<Value>(
    _ path: [String], _ form: SettingForm<Value>, get: @escaping (ConfigurationDraft) -> Value,
    set: @escaping (inout ConfigurationDraft, Value) -> Void
  ) {
    self.init(
      path: path, allowed: form.allowed, targets: [path.joined(separator: ".")],
      text: { form.text(get($0)) },
      write: { text, draft in
        switch form.parse(text) {
        case .value(let value):
          set(&draft, value)
          return nil
        case .problem(let problem): return problem
        }
      },
      problem: { form.problem(get($0)) })
  }

  /// A setting that is one property of the server's configuration.
  init<Value>(_ path: String..., at property: WritableKeyPath<ServerConfiguration, Value>, _ form: SettingForm<Value>) {
    self.init(path, form, get: { $0.server[keyPath: property] }, set: { $0.server[keyPath: property] = $1 })
  }
}

/// `maxRooms` becomes `MAX_ROOMS`; what an environment variable's name cannot hold becomes an underscore.
private func capitals(_ name: String) -> String {
  var result = ""
  for character in name {
    if character.isUppercase, let last = result.last, last != "_" { result += "_" }
    let isPlain = character.isASCII && (character.isLetter || character.isNumber)
    result += isPlain ? character.uppercased() : "_"
  }
  return result
}
