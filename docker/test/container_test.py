"""Builds the image and runs it under a memory limit while bots, hostile ones among them, play on it.

Needs root. With a running Docker engine that is used. Without one podman, runc and an image store under .build/ are, also
where there is no systemd, no bridge and no registry. Ends with what the test started gone; base images and build layers
stay in .build/container-test, so that the next run is fast.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "scripts" / "rigs")]

import base_images  # noqa: E402
from checks import Checks  # noqa: E402
from engine import Docker, Engine, EngineError, Podman, docker_runs  # noqa: E402
from running import Running  # noqa: E402
from server import RigError  # noqa: E402
from sizes import mebibytes  # noqa: E402
from swarm import Swarm  # noqa: E402

DOCKERFILE = ROOT / "docker" / "Dockerfile"
IMAGE = "localhost/tickserver:test"
STOP_GRACE_SECONDS = 15
# Joining, quiet, leaving, and a census that waits for seats and rooms.
SWARM_PATIENCE_SECONDS = 180


def engine(scratch: Path) -> Engine:
    if os.geteuid() != 0:
        raise EngineError("run this as root: it looks at the container's process and cgroup from outside")
    if docker_runs():
        return Docker()
    subprocess.run([ROOT / "scripts" / "install-packages.sh", *base_images.PACKAGES], check=True)
    return Podman(scratch)


def build(engine: Engine, scratch: Path, checks: Checks, most_megabytes: int) -> None:
    """What the image adds is measured, whatever the base image is here."""
    volumes = base_images.provide(engine, DOCKERFILE, scratch) if isinstance(engine, Podman) else []
    engine.build(DOCKERFILE, IMAGE, ROOT, volumes)
    _, base = base_images.named_in(DOCKERFILE)
    if not engine.has(base):
        engine.pull(base, base_images.PULL_SECONDS)  # a builder may keep its base images for itself
    whole, added = engine.size(IMAGE), engine.size(IMAGE) - engine.size(base)
    checks.note("image", f"{mebibytes(whole)}, of which {mebibytes(added)} over {base}")
    small = added <= most_megabytes << 20
    checks.demand("size over the base image", small, mebibytes(added), f"at most {most_megabytes} MiB")


def play(running: Running, checks: Checks, options: argparse.Namespace) -> None:
    """Bots on the server until their run is over; the container must neither notice nor die."""
    arguments = ["--bots", str(options.bots), "--room-size", "50", "--duration", str(options.seconds), "--quiet"]
    # Frames of some size, so that they soon fill the buffers of who does not read.
    arguments += ["--input-rate", "30", "--mix", "wander=1"]
    arguments += ["--admin", running.admin, "--hostile", options.hostile, "--send-buffer", "4KiB"]
    swarm = Swarm(options.swarm, running.address, options.out / "container-swarm", arguments)
    try:
        report = swarm.finish(options.seconds + SWARM_PATIENCE_SECONDS)
    finally:
        swarm.stop()
    # 3: this machine was too slow to tell. What is tested here is the container.
    checks.demand("bots", report["exitStatus"] in (0, 3), report["verdict"], "no demand missed")
    checks.demand("still runs", running.runs(), running.state_text(), "running")
    if not running.runs():
        return
    memory = running.cgroup().report()
    peaks = [memory["memoryPeakBytes"] or 0, memory["tcpPeakBytes"] or 0]
    checks.note("TCP buffers, where counted apart", f"peak {mebibytes(peaks[1])}")
    within = sum(peaks) <= running.limit
    checks.demand("memory of the container", within, f"peak {mebibytes(sum(peaks))}", f"at most {mebibytes(running.limit)}")
    checks.demand("killed at the limit", memory["killed"] == 0, memory["killed"], "0")


def inspect(running: Running, checks: Checks) -> None:
    """What the kernel says of the process, not what was asked of the engine."""
    status = running.status()
    checks.demand("user", status["Uid"].split()[0] != "0", status["Uid"].split()[0], "not 0")
    checks.demand("capabilities", int(status["CapBnd"], 16) == 0, status["CapBnd"], "none, not even bounding")
    checks.demand("no new privileges", status["NoNewPrivs"] == "1", status["NoNewPrivs"], "1")
    read_only = running.root_is_read_only()
    checks.demand("root file system", read_only, "read-only" if read_only else "writable", "read-only")
    limit = running.cgroup().report()["memoryLimitBytes"]
    checks.demand("memory limit", limit == running.limit, mebibytes(limit), mebibytes(running.limit))


def stop(running: Running, checks: Checks) -> None:
    """SIGTERM says goodbye and ends with 0 well before the engine would kill."""
    started = time.monotonic()
    code = running.stop(STOP_GRACE_SECONDS)
    seconds = time.monotonic() - started
    checks.demand("exit status after SIGTERM", code == 0, code, "0 (137: killed)")
    checks.demand("stopped in", seconds < STOP_GRACE_SECONDS, f"{seconds:.1f} s", f"less than {STOP_GRACE_SECONDS} s")
    said = "tickserver: stopped" in running.logs()
    checks.demand("last words", said, "stopped" if said else "none", "stopped")


def health(running: Running, checks: Checks) -> None:
    passes = running.healthy()
    checks.demand("health check", passes, "passes" if passes else "fails", "passes")


def run(options: argparse.Namespace) -> int:
    scratch = ROOT / ".build" / "container-test"
    scratch.mkdir(parents=True, exist_ok=True)
    options.out.mkdir(parents=True, exist_ok=True)
    checks = Checks()
    used = engine(scratch)
    try:
        return test(used, scratch, options, checks)
    finally:
        used.close()


def test(used: Engine, scratch: Path, options: argparse.Namespace, checks: Checks) -> int:
    if not options.skip_build:
        print(f"building the image with {used.name}", flush=True)
        build(used, scratch, checks, options.most_megabytes)
    print(f"running it with --memory {options.memory}m", flush=True)
    running = Running(used, IMAGE, options.memory, options.config, options.setting)
    try:
        running.wait_until_listening()
        running.cgroup().charge_tcp(running.limit)
        inspect(running, checks)
        health(running, checks)
        play(running, checks, options)
        health(running, checks)
        stop(running, checks)
    except (OSError, ValueError) as error:
        if running.runs():
            raise
        raise EngineError(f"the container has ended ({running.state_text()}):\n{running.logs()}") from error
    finally:
        (options.out / "container.log").write_text(running.logs())
        running.remove()
    return checks.verdict("container")


def main() -> int:
    parser = argparse.ArgumentParser(prog="docker/test/run.sh", description=__doc__)
    parser.add_argument("--memory", type=int, default=64, metavar="MIB", help="limit of the container")
    parser.add_argument("--bots", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=25)
    parser.add_argument("--hostile", default="all=28", metavar="MIX")
    parser.add_argument("--config", type=Path, default=ROOT / "docker" / "small.yaml")
    parser.add_argument("--setting", action="append", default=[], metavar="KEY=VALUE", help="of the server; repeatable")
    parser.add_argument("--most-megabytes", type=int, default=80, help="the image over its base image, in MiB")
    parser.add_argument("--skip-build", action="store_true", help="run the image of the last build")
    parser.add_argument("--swarm", type=Path, required=True, help="the botswarm program")
    parser.add_argument("--out", type=Path, default=ROOT / "out")
    try:
        return run(parser.parse_args())
    except (EngineError, RigError, RuntimeError, OSError, subprocess.SubprocessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
