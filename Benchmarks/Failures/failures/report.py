"""Tables and charts of the two failures: for the terminal, as a page, as one image."""

from __future__ import annotations

from html import escape
from typing import Any

from tables import Table, as_html

from .charts import STYLE, Chart, Line
from .figures import MEBIBYTE, CrowdFigures, CycleFigures, memory, outcome
from .runs import Contestant, Run

CROWD_TITLE = "The broadcast blow-up"
CYCLES_TITLE = "The zombie subscriber"
HALF_CLOSE_TITLE = "The zombie in the kernel"
# TickServer first, as the others are measured by it.
STYLES = {"tickserver": 0, "per-message": 1, "bounded": 2, "zombie": 1}


def crowd_table(
    contestants: list[Contestant], figures: dict[str, CrowdFigures], limits: dict[str, int | None]
) -> Table:
    ours = figures["tickserver"]

    def ratio(value: float, base: float) -> str:
        return f"{value / base:.2g}x" if base else "-"

    rows: list[tuple[str, Any]] = [
        ("writes a second", lambda f: f"{f.writesPerSecond:,.0f}"),
        ("... ratio to TickServer", lambda f: ratio(f.writesPerSecond, ours.writesPerSecond)),
        ("MiB written a second", lambda f: f"{f.writtenBytesPerSecond / MEBIBYTE:.1f}"),
        ("messages that the healthy clients got a second", lambda f: f"{f.messagesPerSecond:,.0f}"),
        ("updates in them a second", lambda f: f"{f.updatesPerSecond:,.0f}"),
        ("writes for each update that arrived", lambda f: f"{f.writesPerUpdate:.3f}"),
        ("... ratio to TickServer", lambda f: ratio(f.writesPerUpdate, ours.writesPerUpdate)),
        ("updates a second of each other, before / after the stall", _rates),
        ("... of the client that heard least", lambda f: f"{f.slowestRate:.1f}"),
        ("worst second's p99 latency before / after, ms", _latencies),
        ("memory when the stall begins, MiB", lambda f: f"{f.memoryAtStallBytes / MEBIBYTE:.0f}"),
        ("memory at most, MiB", lambda f: f"{f.memoryPeakBytes / MEBIBYTE:.0f}"),
        ("... ratio to TickServer", lambda f: ratio(f.memoryPeakBytes, ours.memoryPeakBytes)),
        ("... growth since the stall began, MiB", _growth),
        ("CPU, cores", lambda f: f"{f.cpuCores:.2f}"),
        ("clients lost: healthy / pausing / stalling", _lost),
    ]
    table = [["", *(contestant.title for contestant in contestants)]]
    for name, cell in rows:
        table.append([name, *(cell(figures[contestant.key]) for contestant in contestants)])
    table.append(["end", *(outcome(figures[c.key], limits[c.key]) for c in contestants)])
    return table


def _rates(figures: CrowdFigures) -> str:
    return f"{figures.rateBeforeStall:.1f} / {figures.rateAfterStall:.1f}"


def _growth(figures: CrowdFigures) -> str:
    return f"{(figures.memoryPeakBytes - figures.memoryAtStallBytes) / MEBIBYTE:.0f}"


def _lost(figures: CrowdFigures) -> str:
    if figures.wasKilled:
        return "all"
    return f"{figures.healthyLost:.0f} / {figures.pausingLost:.0f} / {figures.stallingLost:.0f}"


def _latencies(figures: CrowdFigures) -> str:
    return f"{figures.p99MillisecondsBeforeStall:,.0f} / {figures.p99MillisecondsAfterStall:,.0f}"


def cycles_table(contestants: list[Contestant], figures: dict[str, CycleFigures]) -> Table:
    rows: list[tuple[str, Any]] = [
        ("cycles", lambda f: f"{f.cycles:.0f}"),
        ("subscribers flagged or evicted", lambda f: f"{f.overflows:,.0f}"),
        ("descriptors before / after", lambda f: f"{f.descriptorsBefore:,.0f} / {f.descriptorsAfter:,.0f}"),
        ("... left behind", lambda f: f"{f.descriptorsAfter - f.descriptorsBefore:,.0f}"),
        ("RSS before / after, MiB", _resident),
        ("publications a healthy subscriber got each cycle", lambda f: f"{f.heardPerCycle:,.0f}"),
    ]
    table = [["", *(contestant.title for contestant in contestants)]]
    for name, cell in rows:
        table.append([name, *(cell(figures[contestant.key]) for contestant in contestants)])
    return table


def _resident(figures: CycleFigures) -> str:
    return f"{figures.residentBytesBefore / MEBIBYTE:.0f} / {figures.residentBytesAfter / MEBIBYTE:.0f}"


def half_close_table(contestants: list[Contestant], figures: dict[str, CycleFigures]) -> Table:
    rows: list[tuple[str, Any]] = [
        ("cycles", lambda f: f"{f.cycles:.0f}"),
        ("descriptors before / after", lambda f: f"{f.descriptorsBefore:,.0f} / {f.descriptorsAfter:,.0f}"),
        ("kernel at most, MiB", lambda f: f"{f.kernelPeakBytes / MEBIBYTE:.1f}"),
        ("... without a descriptor at most, MiB", lambda f: f"{f.unownedPeakBytes / MEBIBYTE:.1f}"),
        ("publications a healthy subscriber got each cycle", lambda f: f"{f.heardPerCycle:,.0f}"),
    ]
    table = [["", *(contestant.title for contestant in contestants)]]
    for name, cell in rows:
        table.append([name, *(cell(figures[contestant.key]) for contestant in contestants)])
    return table


def half_close_charts(contestants: list[Contestant], runs: dict[str, Run]) -> list[Chart]:
    def lines(points: Any) -> list[Line]:
        return [Line(c.title, [points(s) for s in runs[c.key].samples], STYLES[c.key]) for c in contestants]

    return [
        Chart(
            "(c) What the kernel holds of all connections, MiB",
            lines(lambda s: (s.seconds, s.kernelBytes / MEBIBYTE)), "{:,.0f}".format,
        ),
        Chart("(c) Open descriptors", lines(lambda s: (s.seconds, s.descriptors)), "{:,.0f}".format),
    ]  # fmt: skip


def crowd_charts(contestants: list[Contestant], runs: dict[str, Run]) -> list[Chart]:
    def lines(points: Any) -> list[Line]:
        return [
            Line(c.title, points(runs[c.key]), STYLES[c.key], "killed" if runs[c.key].wasKilled else "")
            for c in contestants
        ]

    limit = next((run.limitBytes for run in runs.values() if run.limitBytes), None)
    return [
        Chart(
            "(a) Memory: RSS and TCP buffers, MiB",
            lines(lambda run: [(s.seconds, memory(s) / MEBIBYTE) for s in run.samples]),
            "{:,.0f}".format,
            ("limit", limit / MEBIBYTE) if limit else None,
        ),
        Chart("(a) Messages written by the server, a second", lines(_write_rates), "{:,.0f}".format),
        Chart(
            "(a) Updates heard of each other client, a second (30 are sent)",
            lines(lambda run: [(line["second"], line["meanRate"]) for line in run.living_lines]),
            "{:.0f}".format,
        ),
        Chart(
            "(a) Age of updates when they arrive, p99 of each second, s",
            lines(
                lambda run: [
                    (line["second"], line["p99Microseconds"] / 1e6)
                    for line in run.living_lines
                    if "p99Microseconds" in line
                ]
            ),
            "{:g}".format,
        ),
    ]


def _write_rates(run: Run) -> list[tuple[float, float]]:
    points = []
    # Over a second each: a single tick more or less within 0.2 s would show as noise.
    for old, new in zip(run.samples, run.samples[5:]):
        points.append((new.seconds, (new.writes - old.writes) / (new.seconds - old.seconds)))
    return points


def cycles_charts(contestants: list[Contestant], runs: dict[str, Run]) -> list[Chart]:
    def lines(points: Any) -> list[Line]:
        return [Line(c.title, [points(s) for s in runs[c.key].samples], STYLES[c.key]) for c in contestants]

    return [
        Chart("(b) Open descriptors", lines(lambda s: (s.seconds, s.descriptors)), "{:,.0f}".format),
        Chart("(b) RSS, MiB", lines(lambda s: (s.seconds, s.residentBytes / MEBIBYTE)), "{:,.0f}".format),
    ]


def as_page(notes: list[str], parts: list[tuple[str, Table, list[Chart]]]) -> str:
    sections = []
    for title, table, charts in parts:
        drawn = "\n".join(chart.svg() for chart in charts)
        sections.append(f"<section><h2>{title}</h2>\n{as_html(table)}\n<div class=charts>{drawn}</div></section>")
    said = "".join(f"<p>{escape(note)}</p>" for note in notes)
    body = "\n".join(sections)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>The two failures, side by side</title>
<style>
body {{ margin: 0 auto; max-width: 1260px; padding: 20px; background: #f6f7f9; color: #16191d;
  font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }}
table {{ border-collapse: collapse; background: #ffffff; margin-bottom: 16px; font-variant-numeric: tabular-nums; }}
th, td {{ text-align: left; padding: 4px 14px; border-bottom: 1px solid #e2e5ea; vertical-align: top; }}
.charts {{ display: grid; grid-template-columns: 1fr 1fr; gap: 12px; }} .charts svg {{ width: 100%; height: auto; }}
{STYLE}
</style></head><body>
<h1>The two failures, side by side</h1>{said}
{body}
</body></html>
"""
