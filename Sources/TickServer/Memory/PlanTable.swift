import Foundation
import RoomEngine

/// The plan as `tickserver plan` prints it.
struct PlanTable {
  let limited: LimitedPlan

  private var plan: MemoryPlan { limited.plan }

  var text: String {
    var rows = [["what", "count", "each", "total", "made of"]]
    rows += plan.lines.map {
      [$0.name, "\($0.count)", sizeText($0.bytesEach), sizeText($0.bytes), $0.formula]
    }
    let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
    let table = rows.map { row in
      let cells = (0..<4).map { column in
        let space = String(repeating: " ", count: widths[column] - row[column].count)
        return column == 0 ? row[column] + space : space + row[column]
      }
      return (cells + [row[4]]).joined(separator: "  ")
    }
    return (table + [""] + sums + [""] + settled + ["", verdict]).joined(separator: "\n") + "\n"
  }

  private var sums: [String] {
    [
      "process   \(sizeText(plan.processBytes))",
      "kernel    \(sizeText(plan.kernelBytes))",
      "total     \(sizeText(plan.totalBytes))",
      "limit     " + (limited.limit.map { "\(sizeText($0.size.bytes)) (\($0))" } ?? "none"),
    ] + limited.above.map { "  above:  \($0)" }
      + (plan.headroomBytes.map { ["headroom  \(sizeText($0))"] } ?? [])
  }

  /// What `auto` came to, or what was set.
  private var settled: [String] {
    let sizes = plan.sizes
    return [
      "sendBuffer \(sizes.sendBuffer), receiveBuffer \(sizes.receiveBuffer), laggardBudget \(sizes.laggardBudget), "
        + "inputBudget \(sizes.inputBudget)"
    ]
  }

  private var verdict: String {
    let verdict = limited.refusal.map { "over the limit: " + $0 } ?? "fits"
    return (limited.warnings.map { "warning: \($0)" } + [verdict]).joined(separator: "\n")
  }

  var json: String {
    let plan = plan
    let report = Report(
      lines: plan.lines.map {
        Report.Line(
          name: $0.name, formula: $0.formula, count: $0.count, eachBytes: $0.bytesEach, totalBytes: $0.bytes,
          kernel: $0.isKernel)
      },
      processBytes: plan.processBytes, kernelBytes: plan.kernelBytes, totalBytes: plan.totalBytes,
      limitBytes: limited.limit?.size.bytes, limitSource: limited.limit?.description,
      limits: limited.limits.all.map { Report.Limit(bytes: $0.size.bytes, source: $0.description) },
      warnings: limited.warnings,
      headroomBytes: plan.headroomBytes, sendBufferBytes: plan.sizes.sendBuffer.bytes,
      receiveBufferBytes: plan.sizes.receiveBuffer.bytes, laggardBudgetBytes: plan.sizes.laggardBudget.bytes,
      inputBudgetBytes: plan.sizes.inputBudget.bytes, fits: plan.fits,
      advice: plan.advice.map { Report.Advice(setting: $0.setting, value: $0.value, suggestion: $0.suggestion) })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // Numbers and texts alone: there is nothing that could not be encoded.
    let data = (try? encoder.encode(report)) ?? Data()
    return String(decoding: data, as: UTF8.self) + "\n"
  }

  private struct Report: Encodable {
    struct Line: Encodable {
      let name, formula: String
      let count, eachBytes, totalBytes: Int
      let kernel: Bool
    }
    struct Limit: Encodable {
      let bytes: Int
      let source: String
    }
    struct Advice: Encodable {
      let setting, value, suggestion: String
    }
    let lines: [Line]
    let processBytes, kernelBytes, totalBytes: Int
    let limitBytes: Int?
    let limitSource: String?
    let limits: [Limit]
    let warnings: [String]
    let headroomBytes: Int?
    let sendBufferBytes, receiveBufferBytes, laggardBudgetBytes, inputBudgetBytes: Int
    let fits: Bool
    let advice: [Advice]
  }
}
