"""A server, in a memory cgroup if a limit is given, and a bot swarm on it, in two processes.

The swarm checks the game, compares, and takes the census. This checks what it cannot see: that the kernel killed nothing,
how near the limit the server came, and that it ends with 0.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import memory_cgroup
import page
from checks import Checks
from cores import CoresError, apart
from memory_cgroup import CgroupError, MemoryCgroup
from samples import Sample, Sampler
from server import RigError, Server, is_empty
from sizes import mebibytes, size
from swarm import Swarm

# As the swarm's own census: seats and rooms linger.
EMPTYING_SECONDS = 60.0


def play(options: argparse.Namespace, checks: Checks) -> list[Sample]:
    with ExitStack() as stack:
        cgroup = None
        if options.limit is not None:
            cgroup = memory_cgroup.create(options.limit, options.tcp)
            stack.callback(memory_cgroup.remove, cgroup)
        log = options.out / f"{options.name}-server.log"
        cores, others = apart() if options.apart else (None, None)
        server = Server(options.bin / "tickserver", options.set, log, cgroup, options.config, cores)
        stack.callback(server.kill)
        descriptors = server.most_descriptors_when_empty()
        sampler = stack.enter_context(Sampler(server, cgroup))
        report = swarm_run(options, server, others)
        checks.demand("swarm", report["exitStatus"] in options.accept, report["verdict"], "no demand missed")
        checks.demand("server", server.runs(), "runs" if server.runs() else "gone", "runs")
        if server.runs():
            ledger = server.wait(is_empty, EMPTYING_SECONDS)
            checks.census(ledger, server.descriptors(), descriptors, server.port)
        status = server.stop()
        checks.demand("server's exit status", status == 0, status, "0 (-9: killed)")
        if cgroup is not None:
            limits(cgroup, sampler.samples, options.limit, checks)
    return sampler.samples


def swarm_run(options: argparse.Namespace, server: Server, cores: set[int] | None) -> dict[str, Any]:
    """Ends the swarm when the server is gone: nothing is to be learnt any more."""
    arguments = ["--server-pid", str(server.pid), "--admin", server.admin, *options.swarm]
    swarm = Swarm(options.bin / "botswarm", server.address, options.out / options.name, arguments, cores=cores)
    try:
        return swarm.finish(options.most_seconds)
    finally:
        swarm.stop()


def limits(cgroup: MemoryCgroup, samples: list[Sample], limit: int, checks: Checks) -> None:
    """A program's file pages are charged to who read them first, often somebody else: resident memory has them all."""
    most = max(sample.resident_bytes + sample.tcp_bytes for sample in samples)
    checks.demand("resident and TCP buffers, peak", most <= limit, mebibytes(most), f"at most {mebibytes(limit)}")
    report = cgroup.report()
    checks.demand("killed at the limit", report["killed"] == 0, report["killed"], "0")
    peak = mebibytes(report["memoryPeakBytes"])
    checks.note("memory cgroup", f"v{report['version']}, peak {peak} of {mebibytes(report['memoryLimitBytes'])}")
    if report["tcpLimitBytes"] is not None:
        tcp = mebibytes(report["tcpPeakBytes"])
        checks.note("TCP buffers", f"peak {tcp} of {mebibytes(report['tcpLimitBytes'])}, beside that")


def chart(samples: list[Sample], in_cgroup: bool) -> page.Chart:
    def line(name: str, field: str) -> page.Line:
        return name, [(sample.seconds, getattr(sample, field) / (1 << 20)) for sample in samples]

    lines = [line("resident", "resident_bytes")]
    if in_cgroup:
        lines += [line("charged, with TCP", "used_bytes"), line("TCP buffers", "tcp_bytes")]
    return "Memory of the server, MiB", lines, "s"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, usage="%(prog)s NAME --bin FOLDER [options] -- botswarm options")
    parser.add_argument("name", help="of the reports")
    parser.add_argument("--limit", type=size, help="a memory cgroup for the server, TCP buffers included: 64MiB")
    parser.add_argument("--tcp", type=size, help="cgroup v1: the part for TCP buffers; half by default")
    parser.add_argument("--config", type=Path, help="the server's configuration file")
    parser.add_argument("--apart", action="store_true", help="the server on one core, the players on the others")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the server")
    parser.add_argument("--bin", type=Path, required=True, help="folder of tickserver and botswarm")
    parser.add_argument("--out", type=Path, default=Path("out"))
    parser.add_argument("--most-seconds", type=float, default=1800, help="after that the swarm is ended")
    parser.add_argument("--accept", type=int, nargs="+", default=[0], help="exit statuses of the swarm that are right")
    arguments = sys.argv[1:]
    split = arguments.index("--") if "--" in arguments else len(arguments)
    options = parser.parse_args(arguments[:split])
    options.swarm = arguments[split + 1 :]
    return options


def main() -> int:
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    checks = Checks()
    try:
        samples = play(options, checks)
    except (RigError, CgroupError, CoresError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    file = options.out / f"{options.name}-memory.html"
    settings = [f"those of {options.config}"] * (options.config is not None) + options.set
    intro = f"Server settings: {', '.join(settings) or 'default'}. Bots: {' '.join(options.swarm)}."
    page.write(file, f"{options.name}: the server's memory", intro, checks, [chart(samples, options.limit is not None)])
    print(f"reports: {options.out / options.name}.html, {file}")
    return checks.verdict(options.name)


if __name__ == "__main__":
    sys.exit(main())
