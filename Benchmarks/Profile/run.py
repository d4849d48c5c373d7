"""Where a busy server's time goes, user and kernel: perf, then a flame graph in out/profile.html.

    python3 Benchmarks/Profile/run.py [--bots 1000] [--room-size 100] [--input-rate 30] [--seconds 10]

Runs the release builds of tickserver and botswarm on cores of their own. Needs `perf` and the right to use it.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "rigs"))

import flamegraph  # noqa: E402
from cores import apart  # noqa: E402
from server import RigError, Server  # noqa: E402
from swarm import Swarm  # noqa: E402

# Not a divisor of the tick rate, or samples would fall on the same part of each tick.
SAMPLES_PER_SECOND = 997
JOINING_SECONDS = 5
# Bytes of the stack that are kept with each sample, to find the callers in later: libuv and glibc are built without
# frame pointers, so that nothing of ours would be seen under a system call.
STACK_BYTES = 16384
FRAME = re.compile(r"^\s+[0-9a-f]+ (.*) \((.*)\)$")


def fold(script: str) -> Counter[tuple[str, ...]]:
    """Stacks from `perf script -F comm,ip,sym,dso`: a head line, frames from the innermost out, an empty line."""
    stacks: Counter[tuple[str, ...]] = Counter()
    stack: list[str] = []
    for line in [*script.splitlines(), ""]:
        if not line.strip():
            if stack:
                stacks[tuple(reversed(stack))] += 1
            stack = []
        elif (frame := FRAME.match(line)) is not None:
            name, where = frame[1].split("+0x")[0], frame[2]
            if name == "[unknown]":
                # One line for a run of frames that nobody has a name for.
                name = f"[{Path(where.strip('[]')).name}]"
                if stack and stack[-1] == name:
                    continue
            stack.append(name + ("_[k]" if "kernel" in where or where.endswith(".ko") else ""))
    return stacks


def demangled(stacks: Counter[tuple[str, ...]]) -> Counter[tuple[str, ...]]:
    names = sorted({name for stack in stacks for name in stack if name.startswith("$s")})
    told = subprocess.run(
        ["swift", "demangle", "--simplified", "--compact"], input="\n".join(names), capture_output=True, text=True,
        check=True,
    ).stdout.splitlines()  # fmt: skip
    known = dict(zip(names, told, strict=True))
    result: Counter[tuple[str, ...]] = Counter()
    for stack, count in stacks.items():
        result[tuple(known.get(name, name) for name in stack)] += count
    return result


def record(pid: int, seconds: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        data = f"{folder}/perf.data"
        command = ["perf", "record", "-q", "-e", "cpu-clock", "-F", str(SAMPLES_PER_SECOND), "-p", str(pid)]
        command += ["--call-graph", f"dwarf,{STACK_BYTES}", "-o", data, "--", "sleep", str(seconds)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        script = ["perf", "script", "-i", data, "-F", "comm,ip,sym,dso", "--no-inline", "--no-demangle"]
        return subprocess.run(script, check=True, capture_output=True, text=True).stdout


def share(stacks: Counter[tuple[str, ...]], is_in: object) -> float:
    assert callable(is_in)
    return sum(count for stack, count in stacks.items() if is_in(stack)) / sum(stacks.values())


def run(options: argparse.Namespace, out: Path) -> None:
    binaries = ROOT / ".build" / "release"
    settings = [f"maxConnections={options.bots + 100}", "loops=1"]
    first, others = apart()
    server = Server(binaries / "tickserver", settings, out / "profile-server.log", config=options.config, cores=first)
    swarm = None
    try:
        arguments = ["--room-kind", options.room_kind, "--bots", str(options.bots), "--room-size", str(options.room_size)]
        arguments += ["--input-rate", str(options.input_rate), "--duration", str(options.seconds + 2 * JOINING_SECONDS)]
        swarm = Swarm(binaries / "botswarm", server.address, out / "profile-swarm", arguments, quiet=True, cores=others)
        server.wait(lambda ledger: ledger["total"]["seats"] >= options.bots, 4 * JOINING_SECONDS)
        stacks = demangled(fold(record(server.pid, options.seconds)))
    finally:
        if swarm is not None:
            swarm.stop()
        server.stop()
    kernel = share(stacks, lambda stack: any(name.endswith("_[k]") for name in stack))
    busy = sum(stacks.values()) / SAMPLES_PER_SECOND / options.seconds
    notes = [
        f"{options.bots} bots in rooms of {options.room_size}, {options.input_rate} inputs a second each; one loop, "
        f"busy for {busy * 100:.0f}% of {options.seconds} s; {kernel * 100:.0f}% of that in the kernel (blue).",
    ]
    (out / "profile.html").write_text(flamegraph.render(dict(stacks), "tickserver", notes))
    print(notes[0])
    own: Counter[str] = Counter()
    for stack, count in stacks.items():
        own[stack[-1].removesuffix("_[k]")] += count
    for name, count in own.most_common(options.top):
        print(f"{count / sum(stacks.values()) * 100:6.1f}%  {name[:100]}")
    print(f"report: {out / 'profile.html'}")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="a flame graph of a busy server")
    parser.add_argument("--bots", type=int, default=1000)
    parser.add_argument("--room-size", type=int, default=100)
    parser.add_argument("--input-rate", type=int, default=30, help="inputs a second and bot")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--config", type=Path, default=ROOT / "Examples" / "Relay" / "walk.yaml")
    parser.add_argument("--room-kind", default="walk")
    parser.add_argument("--top", type=int, default=15, help="functions to list by their own time")
    options = parser.parse_args(arguments)
    out = ROOT / "out"
    out.mkdir(exist_ok=True)
    try:
        run(options, out)
    except (RigError, subprocess.CalledProcessError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
