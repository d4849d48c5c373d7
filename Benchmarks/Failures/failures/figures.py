"""What runs come to: one number for each question, and the ratios between servers."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import mean, median

from .runs import Run
from .server import Sample

MEBIBYTE = 2**20


@dataclass
class CrowdFigures:
    """A run of the broadcast blow-up. Rates are means; "stall" is when some clients stop reading."""

    # Of the server, as the kernel counts them: calls of write or writev, and their bytes.
    writesPerSecond: float
    writtenBytesPerSecond: float
    # Of all healthy clients.
    messagesPerSecond: float
    updatesPerSecond: float
    writesPerUpdate: float
    # Updates a healthy client hears a second of each other client; 30 are sent.
    rateBeforeStall: float
    rateAfterStall: float
    slowestRate: float
    # From the sender's write to the receiver's read: the worst second's p99 before the stall and after it.
    p99MillisecondsBeforeStall: float
    p99MillisecondsAfterStall: float
    # RSS and the kernel's TCP buffers together.
    memoryAtStallBytes: int
    memoryPeakBytes: int
    memoryEndBytes: int
    cpuCores: float
    lastedSeconds: float
    exitCode: int
    wasKilled: bool
    overflows: int
    healthyLost: int
    pausingLost: int
    stallingLost: int


@dataclass
class CycleFigures:
    """A run of the zombie's cycles."""

    cycles: int
    overflows: int
    descriptorsBefore: int
    descriptorsAfter: int
    residentBytesBefore: int
    residentBytesAfter: int
    heardPerCycle: float
    kernelPeakBytes: int
    # Of connections whose descriptors are closed.
    unownedPeakBytes: int


def memory(sample: Sample) -> int:
    return sample.residentBytes + (sample.tcpBytes or 0)


def crowd_figures(run: Run, healthy: int, pausing: int, stalling: int, stall_at: int) -> CrowdFigures:
    first, last = run.samples[0], run.samples[-1]
    span = max(0.001, last.seconds - first.seconds)
    # The first second is the start.
    whole = run.living_lines[1:] or run.lines
    before = [line for line in whole if line["second"] <= stall_at] or whole
    after = [line for line in whole if line["second"] > stall_at] or whole
    before_stall = [memory(sample) for sample in run.samples if sample.seconds <= stall_at]
    writes = (last.writes - first.writes) / span
    updates = sum(line["updates"] for line in run.living_lines)
    end = whole[-1]
    return CrowdFigures(
        writesPerSecond=writes,
        writtenBytesPerSecond=(last.writtenBytes - first.writtenBytes) / span,
        messagesPerSecond=mean(line["messages"] for line in whole),
        updatesPerSecond=mean(line["updates"] for line in whole),
        writesPerUpdate=(last.writes - first.writes) / max(1, updates),
        rateBeforeStall=mean(line["meanRate"] for line in before),
        rateAfterStall=mean(line["meanRate"] for line in after),
        slowestRate=min(line["slowestRate"] for line in whole),
        p99MillisecondsBeforeStall=_worst_p99(before),
        p99MillisecondsAfterStall=_worst_p99(after),
        memoryAtStallBytes=before_stall[-1] if before_stall else memory(first),
        memoryPeakBytes=max(memory(sample) for sample in run.samples),
        memoryEndBytes=memory(last),
        cpuCores=(last.cpuSeconds - first.cpuSeconds) / span,
        lastedSeconds=last.seconds,
        exitCode=run.exitCode,
        wasKilled=run.wasKilled,
        overflows=run.overflows,
        healthyLost=healthy - end["openHealthy"],
        pausingLost=pausing - end["openPausing"],
        stallingLost=stalling - end["openStalling"],
    )


def _worst_p99(lines: list[dict]) -> float:
    return max((line.get("p99Microseconds", 0) for line in lines), default=0) / 1000


def cycle_figures(run: Run) -> CycleFigures:
    first = run.samples[0]
    # The clients that stay count before and after: they are gone in a sample after the last cycle.
    last = [sample for sample in run.samples if sample.seconds <= run.lines[-1]["atSeconds"]][-1]
    return CycleFigures(
        cycles=len(run.lines),
        overflows=run.overflows,
        descriptorsBefore=first.descriptors,
        descriptorsAfter=last.descriptors,
        residentBytesBefore=first.residentBytes,
        residentBytesAfter=last.residentBytes,
        heardPerCycle=mean(line["publications"] for line in run.lines),
        kernelPeakBytes=max(sample.kernelBytes for sample in run.samples),
        unownedPeakBytes=max(sample.unownedBytes for sample in run.samples),
    )


def middle(all_figures: list) -> object:
    """The median of each number over several rounds; what is not a number is of the first."""
    kind = type(all_figures[0])
    merged = {}
    for name, value in vars(all_figures[0]).items():
        values = [getattr(figures, name) for figures in all_figures]
        merged[name] = value if isinstance(value, bool) else median(values)
    return kind(**merged)


def outcome(figures: CrowdFigures, limit_bytes: int | None) -> str:
    """What happened to a server of the blow-up, in words."""
    if figures.wasKilled:
        return f"killed after {figures.lastedSeconds:.0f} s, exit code {figures.exitCode:.0f}"
    if limit_bytes is None and figures.memoryEndBytes > 2 * figures.memoryAtStallBytes:
        return "grew until the run's end; no limit"
    return f"lived for all {figures.lastedSeconds:.0f} s"
