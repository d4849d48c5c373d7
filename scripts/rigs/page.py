"""A report as one HTML file without anything from outside."""

from __future__ import annotations

import html
from pathlib import Path

from checks import Checks

WIDTH, HEIGHT, LEFT, BOTTOM = 900, 240, 60, 24
COLOURS = ("#2f6fdd", "#d9822b", "#2a9d5c", "#9b51e0")
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 940px; margin: 2em auto; padding: 0 1em; color: #1c2430 }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: 3px 10px 3px 0; border-bottom: 1px solid #dde2ea }
.ok { color: #1d7a46 } .missed { color: #b3261e; font-weight: 600 } svg text { font-size: 12px; fill: #566072 }
"""

Line = tuple[str, list[tuple[float, float]]]
# A title, its lines, and what the x axis counts: `s`, seconds, or a word.
Chart = tuple[str, list[Line], str]


def write(file: Path, title: str, intro: str, checks: Checks, charts: list[Chart], more: str = "") -> None:
    """`more` is HTML for the end."""
    verdict = '<span class="ok">ok</span>' if checks.ok else '<span class="missed">FAILED</span>'
    rows = "".join(
        f'<tr><td class="{"ok" if check.ok else "missed"}">{"ok" if check.ok else "missed"}</td>'
        f"<td>{html.escape(check.name)}</td><td>{html.escape(check.value)}</td><td>{html.escape(check.demand)}</td></tr>"
        for check in checks.done
    )
    drawn = "".join(f"<h2>{html.escape(name)}</h2>{_chart(lines, axis)}" for name, lines, axis in charts)
    file.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title><style>{STYLE}</style>'
        f"<h1>{html.escape(title)}: {verdict}</h1><p>{html.escape(intro)}</p>"
        f"<table><tr><th></th><th>what</th><th>measured</th><th>demand</th></tr>{rows}</table>{drawn}{more}</html>\n"
    )


def _chart(lines: list[Line], axis: str) -> str:
    """Lines from 0, with a legend. Values are in the unit of the chart's name."""
    points = [point for _, line in lines for point in line]
    if not points:
        return "<p>nothing was measured</p>"
    last = max(x for x, _ in points) or 1
    top = max(y for _, y in points) * 1.1 or 1
    scale = (WIDTH - LEFT) / last, (HEIGHT - BOTTOM) / top

    def place(point: tuple[float, float]) -> str:
        return f"{LEFT + point[0] * scale[0]:.1f},{HEIGHT - BOTTOM - point[1] * scale[1]:.1f}"

    drawn = [
        f'<polyline fill="none" stroke="{COLOURS[index % len(COLOURS)]}" stroke-width="1.6" '
        f'points="{" ".join(map(place, line))}"/>'
        f'<text x="{LEFT + 10 + index * 200}" y="14" style="fill:{COLOURS[index % len(COLOURS)]}">{html.escape(name)}</text>'
        for index, (name, line) in enumerate(lines)
    ]
    for part in range(5):
        value, y = top * part / 4, HEIGHT - BOTTOM - (HEIGHT - BOTTOM) * part / 4
        drawn.append(f'<line x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e6eaf0"/>')
        drawn.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.1f}</text>')
        drawn.append(f'<text x="{LEFT + (WIDTH - LEFT) * part / 4.2:.0f}" y="{HEIGHT - 6}">{last * part / 4.2:.0f} {html.escape(axis)}</text>')
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(drawn)}</svg>'
