"""Demands and what was measured: shown as they come, counted at the end."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "immunity"))

import kernel

# Peers that have just gone still acknowledge; a look in that moment sees sockets that nobody will keep.
KERNEL_SECONDS = 5.0


@dataclass
class Check:
    name: str
    value: str
    demand: str
    ok: bool


@dataclass
class Checks:
    done: list[Check] = field(default_factory=list)

    def demand(self, name: str, ok: bool, value: object, demand: str) -> None:
        self.done.append(Check(name, str(value), demand, ok))
        print(f"  {'ok    ' if ok else 'FAILED'} {name}: {value} ({demand})", flush=True)

    def note(self, name: str, value: object) -> None:
        print(f"         {name}: {value}", flush=True)

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.done)

    def census(self, ledger: dict[str, Any], descriptors: int, before: int, port: int) -> None:
        """An emptied server holds what it held before anybody came: by its own books, and by the kernel's."""
        total = ledger["total"]
        for name in ("open", "closing", "seats", "rooms", "pinnedBytes"):
            self.demand(f"census: {name}", total[name] == 0, total[name], "0")
        leased = total["pool"]["leasedBuffers"]
        self.demand("census: leased buffers", leased == 0, leased, "0")
        self.demand("census: ledger", ledger["balanced"], ledger["faults"] or "balanced", "balanced")
        self.demand("census: descriptors", descriptors <= before, descriptors, f"at most {before}, as before")
        self._kernel_census(port)

    def _kernel_census(self, port: int) -> None:
        """A ledger that balances proves the ledger."""
        deadline = time.monotonic() + KERNEL_SECONDS
        while (left := kernel.sockets(port)) and time.monotonic() < deadline:
            time.sleep(0.2)
        held = sum(socket.send_memory_bytes + socket.received_bytes for socket in left)
        self.demand("census: bytes in the kernel", held == 0, f"{held:,}", "0")
        states = sorted({socket.state for socket in left})
        self.demand("census: sockets in the kernel", not left, f"{len(left)} {' '.join(states)}".strip(), "0")

    def verdict(self, name: str) -> int:
        missed = [check for check in self.done if not check.ok]
        print(f"{name}: {'ok' if not missed else f'FAILED, {len(missed)} of {len(self.done)} demands missed'}", flush=True)
        for check in missed:
            print(f"  {check.name}: {check.value} ({check.demand})", flush=True)
        return 0 if not missed else 1
