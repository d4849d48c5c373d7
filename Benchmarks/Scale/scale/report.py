"""The report: a page with a chart and a table for each experiment, and the same as JSON."""

from __future__ import annotations

import html
import json
from dataclasses import asdict
from pathlib import Path

import page
from checks import Checks
from scale.experiments import Result
from scale.load import Measured, milliseconds

HEADS = (
    "frames/s, worst", "frames/s, all", "cores", "us a frame", "ticks late, p99 ms", "the same with slow moments",
    "machine slow", "frame p99 ms", "MiB", "bytes a frame", "swarm busy",
)


def write(folder: Path, results: list[Result], checks: Checks) -> Path:
    charts = []
    for result in results:
        points = sorted(((x, one) for x, one in result.points if one.frames_a_second), key=lambda point: point[0])
        cores = [("server, % of a core", [(x, 100 * one.cores) for x, one in points])]
        memory = [("resident, MiB", [(x, one.resident_bytes / (1 << 20)) for x, one in points])]
        charts.append((result.title, cores, result.axis))
        charts.append((result.remark or "Memory", memory, result.axis))
    file = folder / "scale.html"
    tables = "".join(table(result) for result in results)
    page.write(file, "Scale", "What one loop and one room hold, and what more of everything costs.", checks, charts, tables)
    document = {
        "format": 1,
        "checks": [asdict(check) for check in checks.done],
        "results": [
            {"title": one.title, "axis": one.axis, "points": [{"x": x, **asdict(measured)} for x, measured in one.points]}
            for one in results
        ],
    }
    (folder / "scale.json").write_text(json.dumps(document, indent=1, allow_nan=False) + "\n")
    return file


def table(result: Result) -> str:
    heads = "".join(f"<th>{html.escape(head)}</th>" for head in (result.axis, *HEADS))
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in (f"{x:,.0f}", *cells(one))) + "</tr>"
        for x, one in result.points
    )
    return f"<h2>{html.escape(result.title)}</h2><table><tr>{heads}</tr>{rows}</table>"


def cells(one: Measured) -> tuple[str, ...]:
    if not one.frames_a_second:
        return (one.faults,)
    return (
        f"{one.worst_bot:.2f}", f"{one.frames_a_second:,.0f}", f"{one.cores:.2f}", f"{one.micros_a_frame:.1f}",
        milliseconds(one.lateness_p99_seconds), milliseconds(one.whole_lateness_p99_seconds), f"{one.slow_share:.0%}",
        f"{1e3 * one.frame_p99_seconds:.1f}", f"{one.resident_bytes / (1 << 20):.1f}",
        f"{one.bytes_a_frame:.0f}", f"{one.swarm_busy:.0%}",
    )
