"""What a client does with its own entities: it walks them to and fro."""

from __future__ import annotations

import tickwire as tw

ENTITIES_PER_INPUT = 32  # keeps an Input far below any sensible maxClientMessage
WALK_STEPS = 200  # inputs from one end of a field's range to the other


class Walker:
    """Moves entities to and fro through the range of every fixed and vector field they have."""

    def __init__(self) -> None:
        self.backward: set[tuple[int, int, int, int]] = set()

    def entries(self, state: tw.State, player: int) -> list[tw.Fields]:
        owned = ((kind, number) for kind, number, entity in state.entities() if entity.owner == player)
        entries = (self._entry(state, kind, number) for kind, number in owned)
        return [entry for entry in entries if entry["mask"]][:ENTITIES_PER_INPUT]

    def _entry(self, state: tw.State, kind: int, number: int) -> tw.Fields:
        mask, values = 0, []
        for index, each in enumerate(state.schema.kinds[kind].fields):
            if each.type in (tw.FieldType.FIXED, tw.FieldType.VECTOR):
                mask |= 1 << index
                columns = state.field_columns(kind, number, index)
                values.append([self._step(each, (kind, number, index, c), int(v)) for c, v in enumerate(columns)])
        return {"kind": kind, "id": number, "mask": mask, "values": values}

    def _step(self, each: tw.Field, key: tuple[int, int, int, int], value: int) -> int:
        stride = max(1, (each.high - each.low) // WALK_STEPS)
        if value + stride > each.high:
            self.backward.add(key)
        elif value - stride < each.low:
            self.backward.discard(key)
        value += -stride if key in self.backward else stride
        return min(each.high, max(each.low, value))
