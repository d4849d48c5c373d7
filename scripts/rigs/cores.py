"""Cores for two processes apart: a player who waits for the core that the server runs on measures the scheduler."""

from __future__ import annotations

import os


class CoresError(Exception):
    """There are too few."""


def apart() -> tuple[set[int], set[int]]:
    """The first core, and all others."""
    first, *others = sorted(os.sched_getaffinity(0))
    if not others:
        raise CoresError("server and players need a core each, and this process may use one only")
    return {first}, set(others)


def stay_on(cores: set[int] | None) -> None:
    """Called in a new process: it and its threads run on these cores alone."""
    if cores is not None:
        os.sched_setaffinity(0, cores)
