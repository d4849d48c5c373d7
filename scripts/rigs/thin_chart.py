"""Age of state by the bandwidth of a link, before and after, as one SVG."""

from __future__ import annotations

import math
from typing import Any

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 420, 64, 24, 48, 56
LEAST_SECONDS, MOST_SECONDS = 0.05, 20.0
STYLE = "text{font:13px system-ui,sans-serif;fill:#444}.t{font-size:15px;font-weight:600;fill:#1c2430}"


def chart(before: dict[str, Any], after: dict[str, Any]) -> str:
    def points(results: dict[str, Any]) -> list[dict[str, Any]]:
        own = [each for each in results["rates"] if each["bytes_per_second"] and "own buffer" in each["name"]]
        return sorted(own, key=lambda each: each["bytes_per_second"])

    old, new = points(before), points(after)
    rates = sorted({each["bytes_per_second"] for each in old + new})
    low, high = math.log(rates[0]), math.log(rates[-1])

    def x(rate: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log(rate) - low) / (high - low)

    def y(seconds: float) -> float:
        share = math.log(max(seconds, LEAST_SECONDS) / LEAST_SECONDS) / math.log(MOST_SECONDS / LEAST_SECONDS)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"><style>{STYLE}</style>']
    parts.append(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>')
    parts.append(f'<text class="t" x="{LEFT}" y="22">Age of the state that a member sees (95 of 100 moments), by what its link takes</text>')
    for seconds in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20):
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(seconds):.1f}" y2="{y(seconds):.1f}" stroke="#e4e7ee"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(seconds) + 4:.1f}" text-anchor="end">{seconds:g} s</text>')
    for rate in rates:
        parts.append(f'<text x="{x(rate):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{rate / 1000:.0f} KB/s</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 12}" text-anchor="middle">the room makes 126 KB/s of frames</text>')
    lines = (
        (old, "p95_seconds", "#b3261e", "", "before"),
        (new, "p95_seconds", "#1d7a46", "", "now"),
        (new, "bound_seconds", "#566072", "6 4", "what is asked for: max(500 ms, 2 keyframes / bandwidth)"),
    )
    for index, (found, name, colour, dash, text) in enumerate(lines):
        path = " ".join(f"{x(each['bytes_per_second']):.1f},{y(each[name]):.1f}" for each in found)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>')
        for each in found:
            if name == "p95_seconds":
                at = f'cx="{x(each["bytes_per_second"]):.1f}" cy="{y(each[name]):.1f}"'
                hollow = "#fff" if each["end"] else colour
                parts.append(f'<circle {at} r="4" fill="{hollow}" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<line x1="{LEFT + 12}" x2="{LEFT + 40}" y1="{TOP + 6 + 18 * index}" y2="{TOP + 6 + 18 * index}" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>')
        note = " (hollow: evicted)" if any(each["end"] for each in found) and name == "p95_seconds" else ""
        parts.append(f'<text x="{LEFT + 48}" y="{TOP + 10 + 18 * index}">{text}{note}</text>')
    return "\n".join([*parts, "</svg>", ""])
