"""Line charts over the seconds of runs, as SVG without anything from outside."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Callable

WIDTH, HEIGHT = 600, 250
LEFT, RIGHT, TOP, BOTTOM = 70, 22, 46, 34

STYLE = """
text { font: 13px system-ui, "DejaVu Sans", sans-serif; fill: #565d66; }
.title { font-size: 15px; font-weight: 650; fill: #16191d; }
.card { fill: #ffffff; }
.grid { stroke: #e2e5ea; }
.limit { stroke: #a81c22; stroke-dasharray: 7 5; stroke-width: 1.6; }
.line { fill: none; stroke-width: 2.4; stroke-linejoin: round; }
.s0 { stroke: #1d4fb8; } .s1 { stroke: #c2540a; } .s2 { stroke: #8a3fa0; stroke-dasharray: 7 4; }
"""


@dataclass
class Line:
    name: str
    # Seconds and values.
    points: list[tuple[float, float]]
    # Which colour and dash, the same for a server in all charts.
    style: int
    # Said where it ends, if that is before its time.
    end: str = ""


@dataclass
class Chart:
    title: str
    lines: list[Line]
    format: Callable[[float], str]
    limit: tuple[str, float] | None = None

    def svg(self, x: float = 0, y: float = 0) -> str:
        """An `svg` element; `x` and `y` place it within another."""
        tallest = max([value for line in self.lines for _, value in line.points] + [self.limit[1] if self.limit else 0])
        longest = max([second for line in self.lines for second, _ in line.points] + [1])
        step = round_step(tallest / 4)
        top = step * max(1, -(-tallest // step))
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(self.title)}">',
            f'<rect class="card" width="{WIDTH}" height="{HEIGHT}" rx="8"/>',
            f'<text class="title" x="14" y="22">{escape(self.title)}</text>',
        ]

        def across(second: float) -> float:
            return LEFT + (WIDTH - LEFT - RIGHT) * second / longest

        def up(value: float) -> float:
            return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)

        parts += self._axes(across, up, top, step, longest)
        parts += self._legend()
        for line in self.lines:
            path = " ".join(f"{across(second):.1f},{up(value):.1f}" for second, value in line.points)
            parts.append(f'<polyline class="line s{line.style}" points="{path}"/>')
            if line.end and line.points:
                second, value = line.points[-1]
                parts.append(f'<text x="{across(second) + 8:.1f}" y="{up(value) + 4:.1f}">{escape(line.end)}</text>')
        if self.limit:
            at = up(self.limit[1])
            parts.append(f'<line class="limit" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        return "\n".join(parts) + "\n</svg>"

    def _axes(
        self, across: Callable[[float], float], up: Callable[[float], float], top: float, step: float, longest: float
    ) -> list[str]:
        parts = []
        mark = 0.0
        while mark <= top * 1.001:
            at = up(mark)
            parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
            parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{escape(self.format(mark))}</text>')
            mark += step
        every = round_step(longest / 8)
        second = 0.0
        while second <= longest:
            parts.append(
                f'<text x="{across(second):.1f}" y="{HEIGHT - 12}" text-anchor="middle">{second:g} s</text>'
            )
            second += every
        return parts

    def _legend(self) -> list[str]:
        parts = []
        at = float(LEFT)
        names = [(line.name, f"line s{line.style}") for line in self.lines]
        if self.limit:
            names.append((self.limit[0], "limit"))
        for name, style in names:
            parts.append(f'<line class="{style}" x1="{at}" x2="{at + 20}" y1="34" y2="34"/>')
            parts.append(f'<text x="{at + 26}" y="38">{escape(name)}</text>')
            # Seven pixels a letter is what this size needs at most.
            at += 44 + 7 * len(name)
        return parts


def round_step(raw: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    power = 1.0
    while power * 10 <= raw:
        power *= 10
    while power > raw > 0:
        power /= 10
    return next((power * factor for factor in (1, 2, 2.5, 5) if power * factor >= raw), power * 10)


def sheet(charts: list[Chart]) -> str:
    """All charts on one page, two in a row, as a file of its own."""
    rows = -(-len(charts) // 2)
    gap = 12
    width, height = 2 * WIDTH + 3 * gap, rows * (HEIGHT + gap) + gap
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f"<style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#f6f7f9"/>',
    ]
    for index, chart in enumerate(charts):
        parts.append(chart.svg(gap + index % 2 * (WIDTH + gap), gap + index // 2 * (HEIGHT + gap)))
    return "\n".join(parts) + "\n</svg>\n"
