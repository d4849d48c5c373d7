"""What a scrape a second costs the ticks: the p99 of tick lateness in windows with one against windows without.

One server with bots on it; windows of both kinds alternate within the same run, so that both meet the same machine. The
histogram of lateness is read from /metrics at the end of each window: a scrape as well, so a window without has one too. For a
quiet machine.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

from checks import Checks
from metrics import Histogram, Scraper, difference, percentile, total
from server import RigError, Server
from swarm import Swarm

ROOM_SIZE = 50
JOINING_SECONDS = 8
# Draws of windows with replacement, for how far the ratio could be off.
DRAWS = 2000


def ratio(pairs: list[tuple[Histogram, Histogram]]) -> float:
    """p99 with scrapes by p99 without."""
    scraped, quiet = (total([pair[kind] for pair in pairs]) for kind in (0, 1))
    return percentile(scraped, 0.99) / percentile(quiet, 0.99)


def interval(pairs: list[tuple[Histogram, Histogram]]) -> tuple[float, float]:
    """Where 95% of the ratios of redrawn windows lie."""
    source = random.Random(1)
    ratios = sorted(ratio(source.choices(pairs, k=len(pairs))) for _ in range(DRAWS))
    return ratios[DRAWS * 25 // 1000], ratios[DRAWS * 975 // 1000]


def window(scraper: Scraper, seconds: int, scraped: bool) -> Histogram:
    before = scraper.histogram()
    end = time.monotonic() + seconds
    while time.monotonic() < end - 0.5:
        time.sleep(1)
        if scraped:
            scraper.scrape()
    time.sleep(max(0.0, end - time.monotonic()))
    return difference(scraper.histogram(), before)


def run(options: argparse.Namespace) -> int:
    checks = Checks()
    options.out.mkdir(parents=True, exist_ok=True)
    server = Server(
        options.bin / "tickserver", ["loops=1", f"maxConnections={options.bots + 100}"],
        options.out / "scrape-cost-server.log",
    )
    swarm = None
    try:
        seconds = JOINING_SECONDS + options.pairs * 2 * options.window + 10
        arguments = ["--bots", str(options.bots), "--room-size", str(ROOM_SIZE), "--duration", str(seconds), "--quiet"]
        swarm = Swarm(options.bin / "botswarm", server.address, options.out / "scrape-cost-swarm", arguments)
        server.wait(lambda ledger: ledger["total"]["seats"] >= options.bots, 60)
        time.sleep(JOINING_SECONDS)
        scraper = Scraper(server.admin)
        pairs: list[tuple[Histogram, Histogram]] = []
        for number in range(options.pairs):
            # Which comes first alternates too.
            first = number % 2 == 0
            windows = {kind: window(scraper, options.window, kind) for kind in (first, not first)}
            pairs.append((windows[True], windows[False]))
            with_, without = (1e6 * percentile(histogram, 0.99) for histogram in pairs[-1])
            print(
                f"  pair {number + 1} of {options.pairs}: p99 {without:.0f} us without, {with_:.0f} us with a scrape a second",
                flush=True,
            )
        low, high = interval(pairs)
        checks.note("ticks of each kind", f"{total([pair[0] for pair in pairs])[float('inf')]:,}")
        checks.note("95% interval of the ratio", f"{low:.3f} to {high:.3f}")
        checks.demand("p99 of tick lateness, scraped by not", ratio(pairs) < options.most, f"{ratio(pairs):.3f}", f"below {options.most}")
        swarm.stop()
        server.stop()
    finally:
        if swarm is not None:
            swarm.stop()
        server.kill()
    return checks.verdict("bench-scrape")


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/scrape-cost.sh", description=__doc__)
    parser.add_argument("--bots", type=int, default=500)
    parser.add_argument("--pairs", type=int, default=20, help="of windows")
    parser.add_argument("--window", type=int, default=10, help="seconds of one")
    parser.add_argument("--most", type=float, default=1.05, help="the ratio must be below it")
    parser.add_argument("--bin", type=Path, required=True, help="folder of tickserver and botswarm")
    parser.add_argument("--out", type=Path, default=Path("out"))
    try:
        return run(parser.parse_args())
    except RigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
