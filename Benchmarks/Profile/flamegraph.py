"""Flame graphs: stacks and how often each was seen, as one HTML file that needs nothing else.

A rectangle is a function; its width is the share of samples in which it was on the stack, the ones above it are those
that it called. Click to zoom, type to search, hover for the whole name and the share.
"""

from __future__ import annotations

import html
import zlib

ROW_PIXELS = 17
# Narrower than this part of the whole is not drawn: a file of thousands of hairlines helps nobody.
LEAST_SHARE = 0.0005


class Node:
    def __init__(self, name: str) -> None:
        self.name = name
        self.samples = 0
        self.children: dict[str, Node] = {}


def tree(stacks: dict[tuple[str, ...], int]) -> Node:
    """The outermost caller comes first in a stack."""
    root = Node("all")
    for stack, samples in stacks.items():
        root.samples += samples
        node = root
        for name in stack:
            node = node.children.setdefault(name, Node(name))
            node.samples += samples
    return root


def color(name: str) -> str:
    """Kernel functions blue, those of others than Swift code green, the rest warm; the same name always the same."""
    spread = zlib.crc32(name.encode()) % 50
    if name.endswith("_[k]"):
        return f"hsl({205 + spread % 20}, 60%, {68 + spread % 12}%)"
    if "." not in name and "(" not in name:
        return f"hsl({95 + spread % 25}, 45%, {66 + spread % 12}%)"
    return f"hsl({15 + spread}, 85%, {62 + spread % 10}%)"


def rectangles(node: Node, total: int, left: float = 0.0, depth: int = 0) -> list[str]:
    share = node.samples / total
    if share < LEAST_SHARE:
        return []
    name = html.escape(node.name.removesuffix("_[k]"), quote=True)
    drawn = [
        f'<div class=f style="left:{left * 100:.4f}%;width:{share * 100:.4f}%;bottom:{depth * ROW_PIXELS}px;'
        f'background:{color(node.name)}" data-l={left:.6f} data-w={share:.6f} data-d={depth} '
        f'title="{name} ({share * 100:.2f}%, {node.samples} samples)">{name}</div>'
    ]
    at = left
    for child in sorted(node.children.values(), key=lambda child: child.name):
        drawn += rectangles(child, total, at, depth + 1)
        at += child.samples / total
    return drawn


def depth_of(node: Node) -> int:
    return 1 + max((depth_of(child) for child in node.children.values()), default=0)


def render(stacks: dict[tuple[str, ...], int], title: str, notes: list[str]) -> str:
    root = tree(stacks)
    if root.samples == 0:
        raise ValueError("no samples: the server did nothing, or perf saw nothing")
    body = "\n".join(rectangles(root, root.samples))
    text = "".join(f"<p>{html.escape(note)}</p>" for note in notes)
    height = depth_of(root) * ROW_PIXELS + 2
    return PAGE.format(title=html.escape(title), notes=text, height=height, body=body)


PAGE = """<!doctype html>
<meta charset=utf-8>
<title>{title}</title>
<style>
body {{ font: 13px system-ui, sans-serif; margin: 1em }}
#g {{ position: relative; height: {height}px; overflow: hidden }}
.f {{ position: absolute; height: 16px; line-height: 16px; font-size: 11px; overflow: hidden; white-space: nowrap;
  box-sizing: border-box; border-right: 1px solid #fff8; padding-left: 2px; cursor: pointer }}
.hit {{ background: #d0f !important; color: #fff }}
.off {{ display: none }}
</style>
<h1>{title}</h1>
{notes}
<p><input id=q type=search placeholder="search"> <span id=s></span> <button id=r>whole</button></p>
<div id=g>
{body}
</div>
<script>
const all = [...document.querySelectorAll(".f")];
const value = (e, k) => Number(e.dataset[k]);
function zoom(to) {{
  const l = to ? value(to, "l") : 0, w = to ? value(to, "w") : 1, d = to ? value(to, "d") : 0;
  for (const e of all) {{
    const el = value(e, "l"), ew = value(e, "w"), below = value(e, "d") < d;
    const inside = below ? el <= l + 1e-6 && el + ew >= l + w - 1e-6 : el >= l - 1e-6 && el + ew <= l + w + 1e-6;
    e.classList.toggle("off", !inside);
    if (!inside) continue;
    e.style.left = below ? "0%" : (el - l) / w * 100 + "%";
    e.style.width = below ? "100%" : ew / w * 100 + "%";
  }}
}}
document.getElementById("g").onclick = (event) => zoom(event.target.closest(".f"));
document.getElementById("r").onclick = () => zoom(null);
document.getElementById("q").oninput = (event) => {{
  const word = event.target.value.toLowerCase();
  let share = 0;
  const taken = [];
  for (const e of all) {{
    const hit = word !== "" && e.title.toLowerCase().includes(word);
    e.classList.toggle("hit", hit);
    const l = value(e, "l"), w = value(e, "w");
    // Not twice when one hit called another.
    if (hit && !taken.some(([a, b]) => l >= a - 1e-6 && l + w <= b + 1e-6)) {{ taken.push([l, l + w]); share += w; }}
  }}
  document.getElementById("s").textContent = word ? (share * 100).toFixed(1) + "% of samples" : "";
}};
</script>
"""
