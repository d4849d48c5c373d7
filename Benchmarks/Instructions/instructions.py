"""Instructions per unit of work, counted by callgrind and held against the committed thresholds.

    python3 Benchmarks/Instructions/instructions.py [--update] [UNIT ...]

Each program runs twice, the second time with twice as many rounds: the difference is the work alone, without its set-up.
The kernel's part is not counted. Exit code 1 when a unit takes more than its limit. `--update` writes what was measured
into thresholds.json.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
THRESHOLDS = HERE / "thresholds.json"
PROGRAM = ROOT / ".build" / "release" / "InstructionCount"
COUNTED = "*counted*"

# Spare room of a limit above what was measured: another patch level of a library, another hash seed.
MARGIN = 1.03
# Below this part of what was once measured a threshold holds nothing any more.
FAR_BELOW = 0.9

# How often each unit's work is done in the first run.
ROUNDS = {
    "delivery": 100,
    "frame": 50,
    "member-tick": 20,
    "input": 10,
    "encode": 50,
    "decode": 50,
    "join": 20,
}
# The frames of `delivery` and `frame`, which C sends too: an event of 1,000 bytes and what surrounds it.
FRAME_BYTES = 1013
C = "delivery in C"
RATIO = "delivery / C"


def count(command, rounds_at, rounds):
    """Instructions within the counted function, and the units that were done."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "callgrind.out"
        command = [str(part) for part in command]
        command[rounds_at] = str(rounds)
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", f"--toggle-collect={COUNTED}", *command],
            capture_output=True,
            text=True,
            # Or what dictionaries cost would differ from run to run.
            env=os.environ | {"SWIFT_DETERMINISTIC_HASHING": "1"},
        )
        if run.returncode != 0:
            raise SystemExit(f"error: {' '.join(command)} failed:\n{run.stdout}{run.stderr}")
        total = re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.MULTILINE)
        if total is None or int(total.group(1)) == 0:
            raise SystemExit(f"error: callgrind counted nothing in {' '.join(command)}")
        return int(total.group(1)), int(run.stdout.split()[-1])


def per_unit(command, rounds_at, rounds):
    few, few_units = count(command, rounds_at, rounds)
    many, many_units = count(command, rounds_at, 2 * rounds)
    return (many - few) / (many_units - few_units)


def compile_fanout(folder):
    """The C program over libuv; returns where it is."""
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "libuv"], capture_output=True, text=True, check=True
    ).stdout.split()
    program = pathlib.Path(folder) / "fanout"
    comparison = HERE.parent / "Comparison"
    sources = [HERE / "fanout.c", comparison / "servers" / "rooms.c", comparison / "common.c"]
    command = ["cc", "-O2", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-o", program]
    subprocess.run([*command, *sources, *flags], check=True)
    return program


def strip_program(folder):
    """The Swift program without debug information, which valgrind 3.19 can't read; its symbols stay."""
    program = pathlib.Path(folder) / PROGRAM.name
    subprocess.run(["strip", "--strip-debug", "-o", program, PROGRAM], check=True)
    return program


def measure(units):
    """Instructions per unit, by name; `delivery` also in C and as the ratio of the two."""
    measured = {}
    with tempfile.TemporaryDirectory() as folder:
        program = strip_program(folder)
        for unit in units:
            measured[unit] = per_unit([program, unit, 0], 2, ROUNDS[unit])
        if "delivery" in measured:
            fanout = compile_fanout(folder)
            measured[C] = per_unit([fanout, 0, 20, "--size", FRAME_BYTES], 1, ROUNDS["delivery"])
            measured[RATIO] = measured["delivery"] / measured[C]
    return measured


def judge(measured, thresholds):
    """Rows of (unit, measured, limit or None, remark), and whether all are within their limits."""
    rows, is_good = [], True
    for unit, value in measured.items():
        known = thresholds.get(unit)
        if known is None:
            rows.append((unit, value, None, "" if unit == C else "no threshold: run with --update"))
            is_good = is_good and unit == C
        elif value > known["limit"]:
            rows.append((unit, value, known["limit"], f"OVER: it was {shown(known['measured'])}"))
            is_good = False
        elif value < FAR_BELOW * known["measured"]:
            remark = f"far below {shown(known['measured'])}: lower the threshold with --update"
            rows.append((unit, value, known["limit"], remark))
        else:
            rows.append((unit, value, known["limit"], ""))
    return rows, is_good


def updated(measured, thresholds):
    """The thresholds with what was measured. The limit of the ratio is a promise, not a measurement: it stays."""
    result = dict(thresholds)
    for unit, value in measured.items():
        if unit == C:
            continue
        limit = thresholds.get(RATIO, {}).get("limit", 1.5) if unit == RATIO else round(value * MARGIN, 1)
        result[unit] = {"measured": round(value, 2 if unit == RATIO else 1), "limit": limit}
    return result


def shown(value):
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def print_table(rows):
    print(f"{'instructions per unit':<24}{'measured':>12}{'limit':>12}")
    for unit, value, limit, remark in rows:
        print(f"{unit:<24}{shown(value):>12}{'-' if limit is None else shown(limit):>12}  {remark}".rstrip())


def main(arguments):
    parser = argparse.ArgumentParser(description="instructions per unit of work, against thresholds")
    parser.add_argument("--update", action="store_true", help="write what was measured into thresholds.json")
    parser.add_argument("units", nargs="*", metavar="UNIT", help=f"of {', '.join(ROUNDS)}; all without")
    options = parser.parse_args(arguments)
    for unit in options.units:
        if unit not in ROUNDS:
            parser.error(f"{unit} is not one of {', '.join(ROUNDS)}")
    thresholds = json.loads(THRESHOLDS.read_text()) if THRESHOLDS.exists() else {}
    measured = measure(options.units or list(ROUNDS))
    out = ROOT / "out"
    out.mkdir(exist_ok=True)
    (out / "instructions.json").write_text(json.dumps({k: round(v, 2) for k, v in measured.items()}, indent=2) + "\n")
    if options.update:
        THRESHOLDS.write_text(json.dumps(updated(measured, thresholds), indent=2) + "\n")
        thresholds = json.loads(THRESHOLDS.read_text())
    rows, is_good = judge(measured, thresholds)
    print_table(rows)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
