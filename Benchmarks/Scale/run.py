#!/usr/bin/env python3
"""Scale: what one loop and one room hold, two loops against one, and what more connections, rooms and members cost.

    make bench-scale
    python3 Benchmarks/Scale/run.py --only loops --out out

Needs the release builds of tickserver and botswarm, two cores that nobody else uses, and root for the comparison of loops.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "scripts" / "rigs")]

from checks import Checks
from scale import report
from scale.experiments import Bench, Result
from server import RigError

EXPERIMENTS = ("lateness", "loops", "room", "curves")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=EXPERIMENTS, action="append", help="leave out the others; may be repeated")
    parser.add_argument("--bin", type=Path, default=ROOT / ".build" / "release", help="folder of tickserver and botswarm")
    core_speed = ROOT / ".build" / "comparison" / "core-speed"
    parser.add_argument("--core-speed", type=Path, default=core_speed, help="the program that watches how fast the machine is")
    parser.add_argument("--out", type=Path, default=Path("out"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    checks = Checks()
    bench = Bench(options.bin, options.core_speed, options.out, checks)
    results: list[Result] = []
    try:
        for name in options.only or EXPERIMENTS:
            results += getattr(bench, name)()
    except RigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"report: {report.write(options.out, results, checks)}")
    return checks.verdict("scale")


if __name__ == "__main__":
    sys.exit(main())
