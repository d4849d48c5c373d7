"""Demands and what was measured: shown as they come, counted at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


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

    def census(self, ledger: dict[str, Any], descriptors: int, before: int) -> None:
        """An emptied server holds what it held before anybody came."""
        total = ledger["total"]
        for name in ("open", "closing", "seats", "rooms", "pinnedBytes"):
            self.demand(f"census: {name}", total[name] == 0, total[name], "0")
        leased = total["pool"]["leasedBuffers"]
        self.demand("census: leased buffers", leased == 0, leased, "0")
        self.demand("census: ledger", ledger["balanced"], ledger["faults"] or "balanced", "balanced")
        self.demand("census: descriptors", descriptors <= before, descriptors, f"at most {before}, as before")

    def verdict(self, name: str) -> int:
        missed = [check for check in self.done if not check.ok]
        print(f"{name}: {'ok' if not missed else f'FAILED, {len(missed)} of {len(self.done)} demands missed'}", flush=True)
        for check in missed:
            print(f"  {check.name}: {check.value} ({check.demand})", flush=True)
        return 0 if not missed else 1
