"""Bars beside names, as SVG without anything from outside."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from page import COLOURS

WIDTH, LEFT, RIGHT, BAR, GAP = 900, 150, 190, 18, 8


@dataclass(frozen=True)
class Bar:
    name: str
    value: float
    # Beside the bar.
    text: str
    # One of ours.
    is_marked: bool = False


def bars(drawn: list[Bar], mark: tuple[str, float] | None = None) -> str:
    """Horizontal bars from 0. `mark` is a line across all of them, with its name."""
    top = max([bar.value for bar in drawn] + [mark[1] if mark else 0]) or 1
    scale = (WIDTH - LEFT - RIGHT) / top
    parts = []
    for index, bar in enumerate(drawn):
        y = 20 + index * (BAR + GAP)
        colour = COLOURS[0] if bar.is_marked else "#9aa5b5"
        parts.append(f'<text x="{LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(bar.name)}</text>')
        parts.append(f'<rect x="{LEFT}" y="{y}" width="{bar.value * scale:.1f}" height="{BAR}" fill="{colour}"/>')
        parts.append(f'<text x="{LEFT + bar.value * scale + 6:.1f}" y="{y + 13}">{escape(bar.text)}</text>')
    height = 24 + len(drawn) * (BAR + GAP)
    if mark is not None:
        x = LEFT + mark[1] * scale
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="16" y2="{height}" stroke="{COLOURS[1]}" stroke-dasharray="5 4"/>')
        parts.append(f'<text x="{x:.1f}" y="12" text-anchor="middle">{escape(mark[0])}</text>')
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img">{"".join(parts)}</svg>'
