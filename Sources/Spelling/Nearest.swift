/// The candidate that `text` was probably meant to be, or nil when none is close: at most a third of its letters
/// differ, or two.
package func nearest(to text: String, in candidates: some Sequence<String>) -> String? {
  let word = Array(text.lowercased().utf8)
  // Longer texts are no typing slips, and the distance takes the product of the lengths.
  guard word.count <= 200 else { return nil }
  if word.count >= 3, let longer = candidates.first(where: { $0.lowercased().hasPrefix(text.lowercased()) }) {
    return longer
  }
  let best = candidates.map { ($0, editDistance(word, Array($0.lowercased().utf8))) }
    .min { ($0.1, $0.0) < ($1.1, $1.0) }
  guard let best, best.1 <= max(2, word.count / 3), best.1 < best.0.utf8.count else { return nil }
  return best.0
}

/// Levenshtein distance: insertions, removals and replacements from one to the other.
private func editDistance(_ one: [UInt8], _ other: [UInt8]) -> Int {
  var previous = Array(0...other.count)
  for (row, byte) in one.enumerated() {
    var current = [row + 1]
    for (column, candidate) in other.enumerated() {
      let replaced = previous[column] + (byte == candidate ? 0 : 1)
      current.append(min(replaced, previous[column + 1] + 1, current[column] + 1))
    }
    previous = current
  }
  return previous[other.count]
}
