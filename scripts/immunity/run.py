"""Runs the rigs of this folder, one after the other: each a program of its own that ends with 0, 1 or 2.

    python3 scripts/immunity/run.py [--full] [NAME ...]

A rig takes `--quick`. Without names all of them run, in their quick form.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
# Modules that rigs share.
SHARED = {"run", "kernel", "peers"}


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in SHARED and not path.stem.startswith("test_"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rigs", nargs="*", metavar="NAME", help=f"of {', '.join(names())}")
    parser.add_argument("--full", action="store_true", help="the long form, with every figure that is demanded")
    options = parser.parse_args()
    if unknown := [name for name in options.rigs if name not in names()]:
        parser.error(f"no rig {', '.join(unknown)}: there are {', '.join(names())}")
    results: dict[str, int] = {}
    for name in options.rigs or names():
        print(f"== {name}", flush=True)
        started = time.monotonic()
        command = [sys.executable, str(FOLDER / f"{name}.py"), *([] if options.full else ["--quick"])]
        results[name] = subprocess.run(command).returncode
        print(f"== {name}: status {results[name]} after {time.monotonic() - started:.0f} s\n", flush=True)
    failed = [name for name, status in results.items() if status != 0]
    if failed:
        print(f"not met: {', '.join(failed)}")
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
