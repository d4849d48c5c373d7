import RoomEngine

/// Decides who may connect.
struct Authenticator: Sendable {
  private let tokens: Set<[UInt8]>?

  /// - Throws: when a tokens file can't be read.
  init(_ authentication: Authentication) throws {
    tokens = try authentication.acceptedTokens().map { tokens in Set(tokens.map { Array($0.utf8) }) }
  }

  /// nil when the client may come in, else why not.
  func refusal(of token: [UInt8]?) -> String? {
    guard let tokens else { return nil }
    guard let token else { return "this server needs a token" }
    return tokens.contains(token) ? nil : "the token is not known"
  }
}
