import Foundation

extension Authentication {
  /// The tokens that open a session, or nil when everyone may connect. A file holds one token a line; empty lines and
  /// lines with `#` first do not count.
  ///
  /// - Throws: ``ConfigurationError`` when the file cannot be read or holds no valid token. Never shows a token.
  package func acceptedTokens() throws(ConfigurationError) -> [String]? {
    switch self {
    case .off: return nil
    case .tokens(let tokens): return tokens
    case .tokensFile(let path):
      func fault(_ message: String) -> ConfigurationError {
        ConfigurationError([
          ConfigurationFault(origin: .file(name: path, line: 1), message: "auth.tokensFile: \(message)")
        ])
      }
      guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
        throw fault(
          "the file does not exist or cannot be read as UTF-8. Give the path of a file with one token a line.")
      }
      let tokens = text.split(whereSeparator: \.isNewline)
        .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty && !$0.hasPrefix("#") }
      if let problem = tokensProblem(tokens) { throw fault("\(problem). Write 1 to 2048 bytes a token, one a line.") }
      return tokens
    }
  }
}
