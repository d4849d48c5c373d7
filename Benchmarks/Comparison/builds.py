#!/usr/bin/env python3
"""Two builds of TickServer beside each other: server CPU a delivered frame, in pairs until the ratio is known.

    make bench-builds AGAINST=path/of/the/other/tickserver
    python3 Benchmarks/Comparison/builds.py AGAINST [--most-pairs 30]

The builds take turns, each pair beginning with the other one. A task ends when the 95% interval of the mean ratio is within
2% of it, or after --most-pairs, which is said. Needs two cores, and nothing else running on the machine.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from comparison import REPOSITORY
from comparison.contestants import all_contestants
from comparison.measure import CannotStart, Setting, Task, measure

# Of the mean, either way, with 95% confidence.
WANTED_PRECISION = 0.02
LEAST_PAIRS = 5
TASKS = {
    "1000x1024": Task(1000, 1024),
    "2000x1024": Task(2000, 1024),
    "full job, 2000": Task(2000, full_job=True),
}
# Student's t for 95%, by degrees of freedom from 1 on; beyond, the normal distribution's is close enough.
T95 = [12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.10, 2.09, 2.09]


def interval(ratios: list[float]) -> tuple[float, float]:
    """Mean and half the width of its 95% interval, of logarithms: a ratio and its inverse count alike."""
    logs = [math.log(ratio) for ratio in ratios]
    if len(logs) < 2:
        return math.exp(statistics.fmean(logs)), math.inf
    t = T95[len(logs) - 2] if len(logs) - 2 < len(T95) else 1.96
    half = t * statistics.stdev(logs) / math.sqrt(len(logs))
    return math.exp(statistics.fmean(logs)), math.exp(half) - 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("against", type=Path, help="the program of the other build")
    parser.add_argument("--tickserver", type=Path, default=REPOSITORY / ".build/release/tickserver")
    parser.add_argument("--programs", type=Path, default=REPOSITORY / ".build/comparison")
    parser.add_argument("--tasks", default=",".join(TASKS).replace("full job, 2000", "full job"), help="of 1000x1024,2000x1024,full job")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--most-pairs", type=int, default=30)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "out/bench-builds.json")
    options = parser.parse_args()
    for program in (options.against, options.tickserver, options.programs / "client"):
        if not os.access(program, os.X_OK):
            parser.error(f"there is no {program}: run `make bench-setup`")
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        parser.error("this needs two cores, one for the server and one for the client")
    os.sched_setaffinity(0, set(cores[1:]))
    setting = Setting(options.programs, round(options.seconds * 1000), round(options.seconds * 4000), 1000, *cores[:2])
    builds = {
        name: next(one for one in all_contestants(path.resolve(), options.programs) if one.key == "tickserver")
        for name, path in (("this", options.tickserver), ("other", options.against))
    }
    results = {}
    for name, task in TASKS.items():
        if not any(word.strip() and name.startswith(word.strip()) for word in options.tasks.split(",")):
            continue
        ratios: list[float] = []
        while len(ratios) < options.most_pairs:
            order = ["this", "other"] if len(ratios) % 2 == 0 else ["other", "this"]
            try:
                found = {key: measure(replace(builds[key], title=key), task, setting) for key in order}
            except CannotStart as error:
                print(f"error: {error}", file=sys.stderr)
                return 2
            if problem := next((one.problem for one in found.values() if one.problem), ""):
                print(f"error: {problem}", file=sys.stderr)
                return 2
            ratios.append(found["this"].cpu_microseconds / found["other"].cpu_microseconds)
            mean, half = interval(ratios)
            print(
                f"{name}: pair {len(ratios)}: {found['this'].cpu_microseconds:.2f} by {found['other'].cpu_microseconds:.2f} us a frame, "
                f"ratio {ratios[-1]:.3f}; mean {mean:.3f} +- {half:.1%}",
                flush=True,
            )
            if len(ratios) >= LEAST_PAIRS and half <= WANTED_PRECISION:
                break
        results[name] = {"mean": mean, "halfInterval": half, "ratios": ratios, "decided": half <= WANTED_PRECISION}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(results, indent=1) + "\n")
    for name, one in results.items():
        print(f"{name}: {one['mean']:.3f} +- {one['halfInterval']:.1%}, {len(one['ratios'])} pairs" + ("" if one["decided"] else ", undecided"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
