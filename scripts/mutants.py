#!/usr/bin/env python3
"""Breaks the code on purpose, one way at a time, and requires that a test fails each time.

  scripts/mutants.py            all mutants of Tests/Mutants (make mutants)
  scripts/mutants.py 03 skip    those with this number, or with this word in their name; core and server are words too
  scripts/mutants.py --check    only that each still fits the code; part of make test

Tests/Mutants/README.md tells what a mutant looks like. Each is applied to a copy of the tree under .build/mutants, so
that nothing here is touched and builds are incremental.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
MUTANTS = ROOT / "Tests" / "Mutants"
SCRATCH = ROOT / ".build" / "mutants"
# A build of the core alone takes seconds, one of everything a minute: so there are two copies.
CORE = [
    "WireFormat", "CPrefetch", "RoomEngine", "ClientCore", "RoomTestKit", "RoomSimulation", "CAllocationCounter",
    "VectorGenerator",
    "WireFormatTests", "RoomEngineTests", "ClientCoreTests",
]
TEST_SECONDS = 300
BUILD_SECONDS = 1800


class Broken(Exception):
    """A mutant that proves nothing: it does not fit the code or does not build."""


class Mutant:
    def __init__(self, path):
        self.name = path.stem
        lines = path.read_text().split("\n")
        self.what = lines[0].strip()
        self.fields, self.edits = {}, []
        file, old, new, part = None, [], [], None
        for number, line in enumerate(lines[1:], 2):
            if part is None:
                if line == "<<<<":
                    part, old, new = "old", [], []
                elif match := re.fullmatch(r"([a-z]+): (.+)", line):
                    if match[1] == "file":
                        file = match[2]
                    else:
                        self.fields[match[1]] = match[2]
                elif line.strip():
                    raise Broken(f"{path.name}:{number}: neither a field nor an edit: {line!r}")
            elif line == "====" and part == "old":
                part = "new"
            elif line == ">>>>" and part == "new":
                if file is None:
                    raise Broken(f"{path.name}:{number}: an edit before its file")
                self.edits.append((file, "\n".join(old), "\n".join(new)))
                part = None
            else:
                (old if part == "old" else new).append(line)
        known = {"breaks": None, "build": ("core", "server"), "tests": None, "caught": ("failure", "crash", "hang")}
        self.fields.setdefault("caught", "failure")
        for key, allowed in known.items():
            value = self.fields.get(key)
            if value is None or (allowed and value not in allowed):
                raise Broken(f"{path.name}: {key} is {value!r}; it must be {' or '.join(allowed or ['given'])}")
        if unknown := set(self.fields) - set(known):
            raise Broken(f"{path.name}: unknown fields {sorted(unknown)}")
        if part or not self.edits or not self.what:
            raise Broken(f"{path.name}: it needs a first line that says what is broken, and whole edits")

    def sources(self):
        """The broken files: path to text."""
        changed = {}
        for file, old, new in self.edits:
            path = ROOT / file
            if not path.exists():
                raise Broken(f"{self.name}: there is no {file}")
            text = changed.get(file, path.read_text())
            # Whole lines, so that a piece of another statement never matches.
            pattern = re.compile("^" + re.escape(old) + "\n", re.MULTILINE)
            broken, found = pattern.subn(lambda _: new + "\n" if new else "", text)
            if found != 1:
                raise Broken(f"{self.name}: the old text is {found} times in {file}, not once:\n{old}")
            changed[file] = broken
        return changed


class Tree:
    """A copy of the sources with a build directory of its own."""

    def __init__(self, kind, jobs):
        self.path, self.kind, self.jobs = SCRATCH / kind, kind, jobs
        self.broken, self.whole = {}, {}

    def sync(self):
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True,
            check=True).stdout.split("\n")
        wanted = {name for name in listed if name and (ROOT / name).is_file()}
        # Kept, so that work may go on here while the mutants run.
        self.whole = {name: (ROOT / name).read_bytes() for name in wanted}
        self.whole["Package.swift"] = self.manifest()
        for name, data in self.whole.items():
            self.write(name, data)
        for old in self.path.rglob("*"):
            relative = old.relative_to(self.path)
            if relative.parts[0] != ".build" and old.is_file() and str(relative) not in wanted:
                old.unlink()

    def manifest(self):
        text = (ROOT / "Package.swift").read_text()
        if self.kind == "core":
            names = ", ".join(f'"{name}"' for name in CORE)
            text += f"\nlet core: Set = [{names}]\npackage.products = []\npackage.dependencies = []\n"
            text += "package.targets.removeAll { !core.contains($0.name) }\n"
        return text.encode()

    def write(self, name, data):
        """Only what differs: the build looks at times."""
        path = self.path / name
        if path.exists() and path.read_bytes() == data:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def apply(self, sources):
        for name in set(self.broken) - set(sources):
            self.write(name, self.whole[name])
        for name, text in sources.items():
            self.write(name, text.encode())
        self.broken = sources

    def run(self, arguments, seconds):
        """The exit code, None after the time is over; and the output."""
        environment = dict(os.environ, SWIFT_BACKTRACE="enable=no")
        process = subprocess.Popen(
            arguments, cwd=self.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            start_new_session=True, env=environment)
        try:
            output, _ = process.communicate(timeout=seconds)
            return process.returncode, output
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            return None, output

    def build(self):
        code, output = self.run(["swift", "build", "--build-tests", "-j", str(self.jobs)], BUILD_SECONDS)
        if code != 0:
            errors = [line for line in output.split("\n") if "error:" in line][:3]
            raise Broken("it does not build: " + "; ".join(errors or [output[-400:]]))

    def test(self, filter):
        return self.run(
            ["swift", "test", "--skip-build", "--no-parallel", "--filter", filter], TEST_SECONDS)


def verdict(mutant, code, output):
    """Who caught it, or None."""
    if code == 0:
        if " 0 tests" in output and "with 0 tests" in output:
            raise Broken(f"no test matches {mutant.fields['tests']}")
        return None
    failed = re.search(r"✘ Test (.+?) (?:recorded an issue|failed)", output)
    if failed:
        name = re.sub(r" with \d+ test cases?$", "", failed[1])
        return re.sub(r"^\"|\"$", "", name.split(" with ")[0])
    kind = "hang" if code is None else "crash"
    if kind != mutant.fields["caught"]:
        raise Broken(f"a {kind} instead of a test's failure: {output.strip()[-300:]}")
    started = re.findall(r"◇ Test (.+?) started", output)
    return f"{kind} in {started[-1] if started else 'the tests'}"


def load(words):
    found = [Mutant(path) for path in sorted(MUTANTS.glob("*.mutant"))]

    def is_meant(one):
        number, _, name = one.name.partition("-")
        return any(word in (number, one.fields["build"]) or word in name for word in words)

    return [one for one in found if not words or is_meant(one)]


def check(mutants):
    failures = 0
    for mutant in mutants:
        try:
            mutant.sources()
        except Broken as error:
            print(f"error: {error}", file=sys.stderr)
            failures += 1
    print(f"{len(mutants) - failures} of {len(mutants)} mutants fit the code")
    return failures == 0


def run_one(tree, mutant, sources):
    """What it came to, and whether that is right."""
    try:
        tree.apply(sources)
        tree.build()
        caught = verdict(mutant, *tree.test(mutant.fields["tests"]))
        return caught or "SURVIVED", caught is not None
    except Broken as error:
        return f"ERROR {error}", False


def run(mutants, jobs):
    """The two copies side by side: a build after one change keeps little more than one core busy."""
    sources = {mutant.name: mutant.sources() for mutant in mutants}
    started, rows, printing = time.monotonic(), [], threading.Lock()

    def run_kind(kind):
        tree = Tree(kind, jobs)
        with printing:
            print(f"building the unbroken {kind} ...", flush=True)
        tree.sync()
        tree.build()
        for mutant in mutants:
            if mutant.fields["build"] != kind:
                continue
            start = time.monotonic()
            result, is_right = run_one(tree, mutant, sources[mutant.name])
            seconds = int(time.monotonic() - start)
            with printing:
                rows.append((mutant.name, mutant.fields["breaks"], result.split("\n")[0][:70], seconds, is_right))
                print(f"{len(rows)} of {len(mutants)}  {mutant.name}: {result}  ({seconds} s)", flush=True)
        tree.apply({})

    with concurrent.futures.ThreadPoolExecutor() as pool:
        kinds = sorted({mutant.fields["build"] for mutant in mutants})
        for done in [pool.submit(run_kind, kind) for kind in kinds]:
            done.result()
    rows.sort()
    width = [max(len(str(row[i])) for row in rows) for i in range(3)]
    print(f"\n{'mutant':{width[0]}}  {'breaks':{max(6, width[1])}}  {'caught by':{width[2]}}  seconds")
    for row in rows:
        print(f"{row[0]:{width[0]}}  {row[1]:{max(6, width[1])}}  {row[2]:{width[2]}}  {row[3]:>7}")
    caught = sum(row[4] for row in rows)
    print(f"\n{caught} of {len(rows)} caught, in {(time.monotonic() - started) / 60:.0f} minutes")
    return caught == len(rows)


def main():
    parser = argparse.ArgumentParser(description="Requires that each deliberate defect fails a test.")
    parser.add_argument("words", nargs="*", help="a number, a word of the name, core or server")
    parser.add_argument("--check", action="store_true", help="only whether each still fits the code")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="of the build (default: all cores)")
    arguments = parser.parse_args()
    try:
        mutants = load(arguments.words)
    except Broken as error:
        sys.exit(f"error: {error}")
    if not mutants:
        sys.exit(f"error: no mutant matches {' '.join(arguments.words) or MUTANTS}")
    # A run begins with the check, too.
    fits = check(mutants)
    sys.exit(0 if fits and (arguments.check or run(mutants, arguments.jobs)) else 1)


if __name__ == "__main__":
    main()
