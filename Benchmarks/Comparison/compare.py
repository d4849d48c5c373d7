#!/usr/bin/env python3
"""TickServer beside the physical floor and beside others, on this machine.

    make bench
    make bench-quick
    python3 Benchmarks/Comparison/compare.py --only floor,tickserver --points 2000x1024 --repeat 5

Needs two cores: the server has one, the client another. docs/benchmarks.md says what is measured and why so.
Ends with 0, with 1 when a demand on TickServer was missed, with 2 when nothing could be measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from comparison import REPOSITORY, report
from comparison.contestants import Contestant, all_contestants
from comparison.figures import FullJobVerdict, Largest, Row, largest, middle, row
from comparison.measure import CannotStart, Result, Setting, Task, measure

import page
from checks import Checks
from tables import as_text

# Asked of TickServer: server CPU a frame by the floor's, at these, as the median of so many pairs.
# They measure for longer than others: within 3 s the speed of a shared machine moves by a tenth and more.
DEMANDED_RATIO, DEMANDED_ROUNDS, DEMANDED_SECONDS = 1.10, 5, 8
DEMANDED_TASKS = [Task(1000, 1024), Task(2000, 1024)]
POINTS = "500x1024,1000x256,1000x1024,1000x4096,2000x1024,2000x4096"
FAN_OUT_STEPS = [1000, 2000, 3000, 4000, 5000, 6000, 8000, 10000]
# Players of the full job: of those that send a message for each publication and member, then of those with a tick.
BY_MESSAGE_STEPS = [50, 100, 200, 400, 600, 800, 1000, 1200, 1500, 2000]
BY_TICK_STEPS = [1000, 2000, 3000, 3500, 4000, 4500, 5000, 5500, 6000, 6500, 7000, 8000, 10000]
QUICK_BY_MESSAGE_STEPS, QUICK_BY_TICK_STEPS = [100, 200, 400], [1000, 2000, 4000]
# Where the full job is compared by CPU a frame: players whom all servers with a tick hold.
FULL_JOB_MEMBERS = 2000
# A run goes on until the machine has kept its speed for as long as is asked, at most so many times as long.
MOST_TIMES = 4
# A search measures each step for so long.
SEARCH_MILLISECONDS = 2500


class Bench:
    """Runs, and all that they came to."""

    def __init__(self, contestants: list[Contestant], setting: Setting) -> None:
        self.contestants = {contestant.key: contestant for contestant in contestants}
        self.setting = setting
        self.runs: list[Result] = []

    def run(self, key: str, task: Task, what: str, setting: Setting | None = None) -> Result:
        contestant = self.contestants[key]
        job = "full job" if task.full_job else f"{task.frame_bytes:,} bytes"
        print(f"{what}: {contestant.title}, {task.members:,} members, {job} ", end="", flush=True)
        result = measure(contestant, task, setting or self.setting)
        self.runs.append(result)
        print(f"- {said(result)}", flush=True)
        return result

    def rows(self, task: Task, rounds: int, only: list[str] | None = None) -> list[Row]:
        """All servers in turn, beginning with another in each round; the floor and ours as often as is demanded."""
        keys = only or list(self.contestants)
        setting = self.setting
        if task in DEMANDED_TASKS and rounds > 1:
            setting = lasting(setting, max(setting.milliseconds, 1000 * DEMANDED_SECONDS))
        runs: dict[str, list[Result]] = {key: [] for key in keys}
        paired = DEMANDED_ROUNDS if task in DEMANDED_TASKS and rounds > 1 else rounds
        for round_ in range(max(rounds, paired)):
            taking_part = keys if round_ < rounds else [key for key in ("floor", "tickserver") if key in runs]
            turn = round_ % len(taking_part)
            for key in taking_part[turn:] + taking_part[:turn]:
                runs[key].append(self.run(key, task, f"round {round_ + 1}", setting))
        return [row(found, runs["floor"]) for found in runs.values()]

    def full_job_rows(self, rounds: int) -> list[Row]:
        """Those with a tick at the same number of players: the floor's frames are as long as TickServer's."""
        keys = [key for key, contestant in self.contestants.items() if contestant.has_tick]
        if "tickserver" not in keys:
            return []
        ours = self.run("tickserver", Task(FULL_JOB_MEMBERS, full_job=True), "bytes of a frame")
        if ours.problem:
            return []
        return self.rows(Task(FULL_JOB_MEMBERS, frame_bytes_of(ours), full_job=True), rounds, keys)

    def search(self, key: str, steps: list[int], task: Task, what: str) -> Largest:
        setting = lasting(self.setting, min(self.setting.milliseconds, SEARCH_MILLISECONDS))
        return largest(key, steps, lambda members: self.run(key, replace(task, members=members), what, setting))

    def fan_out(self, steps: list[int]) -> list[Largest]:
        return [self.search(key, steps, Task(0), "most members") for key in self.contestants]

    def full_job(self, by_message: list[int], by_tick: list[int], rounds: int) -> list[Largest]:
        """Those with a tick search in turn, so many times, and the middle one counts: a bad moment of the machine ends a search.

        The floor reads what members send, and sends frames as long as those of TickServer's largest number.
        """
        task, what = Task(0, full_job=True), "most players"
        found: dict[str, list[Largest]] = {key: [] for key in self.contestants}
        for key, contestant in self.contestants.items():
            if not contestant.has_tick:
                found[key].append(self.search(key, by_message, task, what))
        # TickServer before the floor.
        ticking = sorted((key for key in found if self.contestants[key].has_tick), key=lambda key: self.contestants[key].is_floor)
        for _ in range(rounds):
            for key in ticking:
                if self.contestants[key].is_floor:
                    ours = next((one.best for one in found.get("tickserver", [])[::-1] if one.best is not None), None)
                    if ours is None:
                        continue
                    task = replace(task, frame_bytes=frame_bytes_of(ours))
                found[key].append(self.search(key, by_tick, task, what))
        return [middle(found[key]) for key in self.contestants if found[key]]


def lasting(setting: Setting, milliseconds: int) -> Setting:
    return replace(setting, milliseconds=milliseconds, most_milliseconds=MOST_TIMES * milliseconds)


def frame_bytes_of(result: Result) -> int:
    return round(result.counts["bytes"] / result.counts["frames"])


def said(result: Result) -> str:
    if result.problem:
        return f"failed: {result.problem}"
    return (
        f"{result.cpu_microseconds:.2f} us a frame, least {result.rate:.1f} a second, p99 {result.p99_milliseconds:.1f} ms, "
        f"client {result.counts['clientCores']:.0%}" + (f", machine slow {result.slow_share:.0%}" if result.slow_share else "")
    )


def judge(rows: list[Row], full_job: list[Largest], rival_keys: list[str], checks: Checks) -> None:
    for item in rows:
        if item.key == "tickserver" and item.task in DEMANDED_TASKS and item.ratio is not None:
            name = f"server CPU a delivered frame by the floor's, {item.task.members:,} members, 1 KiB"
            checks.demand(name, item.ratio <= DEMANDED_RATIO, report.ratio(item), f"at most {DEMANDED_RATIO:.2f}")
    found = {item.key: item for item in full_job}
    rivals = [found[key] for key in rival_keys if key in found]
    if "tickserver" in found and rivals:
        best = max(rivals, key=lambda item: item.members)
        floor = found["floor"].members if "floor" in found else 0
        verdict = FullJobVerdict(found["tickserver"].members, best.members, floor)
        value = f"{verdict.players:,} players, {verdict.times:.1f} times the {best.members} of {best.key}; the floor holds {floor:,}"
        checks.demand("full job, rooms of 100", verdict.ok, value, "10 times the best rival, or the floor's")


def about(contestants: list[Contestant]) -> dict[str, str]:
    with open("/proc/cpuinfo") as file:
        model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), platform.machine())
    told = {"date": time.strftime("%Y-%m-%d"), "cpu": f"{model}, {os.cpu_count()} cores", "kernel": platform.release()}
    for contestant in contestants:
        if contestant.package:
            query = ["dpkg-query", "-W", "-f", "${Version}", contestant.package]
            told[contestant.package] = subprocess.run(query, capture_output=True, text=True).stdout or "unknown"
    return told


def points(text: str) -> list[Task]:
    tasks = []
    for word in text.split(","):
        members, _, size = word.partition("x")
        if not (members.isdigit() and size.isdigit() and int(members) > 0 and 64 <= int(size) <= 4096):
            raise argparse.ArgumentTypeError(f"'{word}' is not MEMBERSxBYTES with 64 to 4096 bytes, such as 1000x1024")
        tasks.append(Task(int(members), int(size)))
    return tasks


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tickserver", type=Path, default=REPOSITORY / ".build/release/tickserver")
    parser.add_argument("--programs", type=Path, default=REPOSITORY / ".build/comparison", help="where floor, uv and client are")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "out", help="where bench.json and bench.html go")
    parser.add_argument("--repeat", type=int, default=int(os.environ.get("REPEAT", 3)), help="runs of each; figures are medians")
    parser.add_argument("--seconds", type=float, default=3, help="how long a run measures while the machine keeps its speed; those of a search no longer than 2.5")
    parser.add_argument("--points", type=points, default=points(POINTS), help=f"members and bytes of frames; {POINTS}")
    parser.add_argument("--only", help="these servers alone, by key, separated by commas; the floor is always there")
    parser.add_argument("--parts", default="cpu,fan-out,full-job", help="of cpu,fan-out,full-job")
    parser.add_argument("--realtime", action="store_true", help="server and client as real-time processes, for a machine where other things run; root")
    parser.add_argument("--quick", action="store_true", help="about three minutes: fewer points, rounds and steps, and no demands")
    chosen = parser.parse_args()
    if chosen.repeat < 1:
        parser.error(f"--repeat (or REPEAT) is at least 1, not {chosen.repeat}")
    if not 0.5 <= chosen.seconds <= 600:
        parser.error(f"--seconds is from 0.5 to 600, not {chosen.seconds:g}")
    if unknown := set(chosen.parts.split(",")) - {"cpu", "fan-out", "full-job"}:
        parser.error(f"--parts are cpu, fan-out and full-job, not {', '.join(sorted(unknown))}")
    for program in (chosen.tickserver, chosen.programs / "floor", chosen.programs / "uv", chosen.programs / "client"):
        if not os.access(program, os.X_OK):
            parser.error(f"there is no {program}: run `make bench`, which builds it")
    if chosen.realtime and os.geteuid() != 0:
        parser.error("--realtime needs root")
    chosen.cores = sorted(os.sched_getaffinity(0))
    if len(chosen.cores) < 2:
        parser.error("this needs two cores, one for the server and one for the client; this process may use one")
    if chosen.quick:
        chosen.points, chosen.seconds, chosen.repeat = points("500x1024,1000x1024"), 2.0, 1
        chosen.parts = chosen.parts.replace("fan-out", "").strip(",")
    return chosen


def main() -> int:
    options = arguments()
    # Through the clean-up, which ends the server under way.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    contestants = all_contestants(options.tickserver, options.programs)
    if options.only:
        wanted = {"floor", *options.only.split(",")}
        if unknown := wanted - {contestant.key for contestant in contestants}:
            raise SystemExit(f"error: --only names no server of these: {', '.join(sorted(unknown))}")
        contestants = [contestant for contestant in contestants if contestant.key in wanted]
    milliseconds = round(options.seconds * 1000)
    setting = Setting(options.programs, milliseconds, MOST_TIMES * milliseconds, 1000, *options.cores[:2], options.realtime)
    # The driver must not run on the server's core.
    os.sched_setaffinity(0, set(options.cores[1:]))
    bench, parts, started = Bench(contestants, setting), options.parts.split(","), time.monotonic()
    try:
        rows = [item for task in options.points for item in bench.rows(task, options.repeat)] if "cpu" in parts else []
        fan_out = bench.fan_out(FAN_OUT_STEPS) if "fan-out" in parts else []
        steps = (QUICK_BY_MESSAGE_STEPS, QUICK_BY_TICK_STEPS) if options.quick else (BY_MESSAGE_STEPS, BY_TICK_STEPS)
        full_job = bench.full_job(*steps, options.repeat) if "full-job" in parts else []
        if "full-job" in parts and not options.quick:
            rows += bench.full_job_rows(max(options.repeat, DEMANDED_ROUNDS) if options.repeat > 1 else 1)
    except CannotStart as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    seconds = time.monotonic() - started
    show(contestants, rows, fan_out, full_job)
    checks = Checks()
    if not options.quick:
        judge(rows, full_job, [contestant.key for contestant in contestants if contestant.is_rival], checks)
    write(options.out, bench, checks, rows, fan_out, full_job, seconds)
    print(f"\nreport: {options.out / 'bench.html'}")
    return 0 if checks.ok else 1


def show(contestants: list[Contestant], rows: list[Row], fan_out: list[Largest], full_job: list[Largest]) -> None:
    titles = {contestant.key: contestant.title for contestant in contestants}
    for title, table in (
        ("Server CPU and delivery", report.rows_table(rows, titles) if rows else None),
        ("Fan-out: the most members with 29.5 frames a second", report.largest_table(fan_out, titles, "members") if fan_out else None),
        ("The full job: the most players", report.largest_table(full_job, titles, "players") if full_job else None),
    ):
        if table is not None:
            print(f"\n{title}\n\n{as_text(table)}")
    print()


def write(
    out: Path, bench: Bench, checks: Checks, rows: list[Row], fan_out: list[Largest], full_job: list[Largest],
    seconds: float,
) -> None:  # fmt: skip
    contestants = list(bench.contestants.values())
    machine = about(contestants)
    out.mkdir(parents=True, exist_ok=True)
    notes = [", ".join(f"{name} {value}" for name, value in machine.items()), f"It took {seconds / 60:.0f} minutes."]
    intro = "Ratios hold for this machine and kernel; compare nothing across machines. docs/benchmarks.md says what is measured."
    page.write(
        out / "bench.html", "TickServer, the floor and others", intro, checks, [],
        report.sections(rows, fan_out, full_job, contestants, notes),
    )  # fmt: skip
    told = {
        "machine": machine,
        "rows": [item.__dict__ | {"task": item.task.__dict__} for item in rows],
        "fanOut": {item.key: item.members for item in fan_out},
        "fullJob": {item.key: item.members for item in full_job},
        "demands": [check.__dict__ for check in checks.done],
        "runs": [result.as_json() for result in bench.runs],
    }
    (out / "bench.json").write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
