"""Tables and bars of a comparison."""

from __future__ import annotations

from html import escape

from tables import Table, as_html

from .bars import Bar, bars
from .contestants import Contestant
from .figures import ENOUGH_PER_SECOND, Largest, Row
from .measure import Task

MEBIBYTE = 1 << 20
# From where on the client is busy all the time, and may be what is measured.
CLIENT_IS_FULL = 0.95


def rows_table(rows: list[Row], titles: dict[str, str]) -> Table:
    table = [["members x bytes", "server", "CPU us a frame", "ratio to the floor", "least frames/s", "p99 ms", "peak RSS MiB", "client's core", "machine slow"]]
    for row in rows:
        task = f"{row.task.members:,} x {row.task.frame_bytes:,}" + (", the full job" if row.task.full_job else "")
        if row.problem:
            table.append([task, titles[row.key], f"failed: {row.problem}", "", "", "", "", "", ""])
            continue
        client = f"{row.client_cores:.0%}" + (" (full)" if row.client_cores >= CLIENT_IS_FULL else "")
        table.append(
            [
                task, titles[row.key], f"{row.cpu_microseconds:.2f}", ratio(row), f"{row.rate:.1f}",
                f"{row.p99_milliseconds:.1f}", f"{row.peak_bytes / MEBIBYTE:.1f}", client, f"{row.slow_share:.0%}",
            ]
        )  # fmt: skip
    return table


def ratio(row: Row) -> str:
    if row.ratio is None:
        return "-"
    return f"{row.ratio:.2f} ({row.least_ratio:.2f} to {row.greatest_ratio:.2f})"


def largest_table(found: list[Largest], titles: dict[str, str], noun: str) -> Table:
    table = [["server", noun, "there: least a second", "p99 ms", "KiB/s a member", "server's core", "client's", "what failed next"]]
    for item in found:
        best = ["-"] * 5
        if item.best is not None:
            counts = item.best.counts
            best = [f"{item.best.rate:.1f}", f"{item.best.p99_milliseconds:.1f}", f"{item.best.kibibytes_per_second:.0f}"]
            best += [f"{counts['serverCPUSeconds'] / counts['seconds']:.0%}", f"{counts['clientCores']:.0%}"]
        table.append([titles[item.key], members(item), *best, failure(item)])
    return table


def members(item: Largest) -> str:
    least, most = min(item.all_members, default=item.members), max(item.all_members, default=item.members)
    spread = f" ({least:,} to {most:,})" if len(item.all_members) > 1 else ""
    return f"{item.members:,}" + (" or more" if item.is_all_tried else "") + spread


def failure(item: Largest) -> str:
    if item.failed is None:
        return "nothing that was tried"
    number = item.failed.task.members
    if item.failed.problem:
        return f"{number:,}: {item.failed.problem}"
    published = item.failed.published
    sent = f", {published:.1f} sent" if published is not None and published < ENOUGH_PER_SECOND else ""
    full = ", its core full" if item.failed.counts["clientCores"] >= CLIENT_IS_FULL else ""
    updates = f", {item.failed.updates:.1f} updates of each other" if item.failed.has_tick and item.failed.updates is not None else ""
    return f"{number:,}: {item.failed.rate:.1f} a second{updates}{sent} (client {item.failed.counts['clientCores']:.0%}{full})"


def ratio_bars(rows: list[Row], contestants: list[Contestant], task: Task) -> str:
    chosen = [row for row in rows if row.task == task and row.ratio is not None and not row.problem]
    titles = {contestant.key: contestant.title for contestant in contestants}
    drawn = [Bar(titles[row.key], row.ratio or 0, f"{row.ratio:.2f}", row.key == "tickserver") for row in chosen]
    return bars(drawn, ("the floor", 1))


def largest_bars(found: list[Largest], titles: dict[str, str]) -> str:
    return bars([Bar(titles[item.key], item.members, members(item), item.key == "tickserver") for item in found])


def sections(
    rows: list[Row], fan_out: list[Largest], full_job: list[Largest], contestants: list[Contestant], notes: list[str]
) -> str:
    titles = {contestant.key: contestant.title for contestant in contestants}
    parts = []
    for task in dict.fromkeys(row.task for row in rows):
        who = f"{task.members:,} players who all send" if task.full_job else f"{task.members:,} members"
        name = f"Server CPU a delivered frame, {who}, frames of {task.frame_bytes:,} bytes: ratio to the floor"
        parts.append(f"<h2>{name}</h2>{ratio_bars(rows, contestants, task)}")
    for name, found, noun in (
        ("Fan-out: the most members with 29.5 frames a second each", fan_out, "members"),
        ("The full job: the most players who learn of all others 29.5 times a second", full_job, "players"),
    ):
        if found:
            parts.append(f"<h2>{name}</h2>{largest_bars(found, titles)}{as_html(largest_table(found, titles, noun))}")
    parts.append(f"<h2>All figures</h2>{as_html(rows_table(rows, titles))}")
    parts += [f"<p>{escape(note)}</p>" for note in notes]
    return "".join(parts)
