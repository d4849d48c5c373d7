"""A mirror of a room's state (5), built from frames (7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterator

from .bits import BitReader
from .changes import read_changed_ids, read_presence
from .errors import FrameGap
from .hashing import column_term, entity_term
from .layouts import Message
from .limits import ID_LAST
from .messages import FRAME_KEYFRAME, FRAME_STATE
from .primitives import MASK64, Reader
from .schema import BLOBS, Column, Schema
from .values import read_blob, read_difference, read_step, shortest


@dataclass
class Entity:
    generation: int
    owner: int | None
    columns: list[Column]
    steps: dict[int, int] = field(default_factory=dict, compare=False)  # by column; those that are not there are 0


class State:
    """A mirror of a room's state. After a DecodeError it is of no more use; a FrameGap leaves it as it was."""

    def __init__(self, schema: Schema):
        self.schema = schema
        self.tick: int | None = None
        self.hash = 0
        self.kinds: list[dict[int, Entity]] = [{} for _ in schema.kinds]
        self._is_keyframe = False
        self._first_columns = [kind.first_columns for kind in schema.kinds]

    @property
    def count(self) -> int:
        return sum(len(entities) for entities in self.kinds)

    def entities(self) -> Iterator[tuple[int, int, Entity]]:
        """All entities in ascending (kind, id) order."""
        for kind, entities in enumerate(self.kinds):
            for identifier in sorted(entities):
                yield kind, identifier, entities[identifier]

    def field_columns(self, kind: int, identifier: int, index: int) -> list[Column]:
        first = self._first_columns[kind][index]
        field = self.schema.kinds[kind].fields[index]
        return self.kinds[kind][identifier].columns[first : first + field.columns]

    def recomputed_hash(self) -> int:
        """The state hash from scratch; `hash` is kept incrementally."""
        return sum(self._entity_hash(*each) for each in self.entities()) & MASK64

    def apply(self, frame: Message) -> None:
        """Applies a decoded Frame message (7). The tick before the first frame is 0."""
        if frame["flags"] & FRAME_KEYFRAME:
            self._clear()
        elif frame["tick"] - frame["span"] != (self.tick or 0):
            raise FrameGap(f"frame of tick {frame['tick']} span {frame['span']}, the last was {self.tick or 0}")
        self._is_keyframe = bool(frame["flags"] & FRAME_KEYFRAME)
        if frame["flags"] & FRAME_STATE:
            reader = Reader(frame["state"], frame.offsets["state"], self.schema)
            self._read_sections(reader)
            reader.finish("the frame")
        self.tick = frame["tick"]

    def _clear(self) -> None:
        self.hash = 0
        for entities in self.kinds:
            entities.clear()

    def _entity_hash(self, kind: int, identifier: int, entity: Entity) -> int:
        terms = (column_term(kind, number, identifier, value) for number, value in enumerate(entity.columns))
        return sum(terms) + entity_term(kind, identifier, entity.generation, entity.owner)

    def _read_sections(self, reader: Reader) -> None:
        at = reader.position
        count = reader.varint("section count")
        if count < 1:
            raise reader.error("outOfRange", "section count is 0", at)
        previous = -1
        for _ in range(count):
            previous = self._read_section(reader, previous)

    def _read_section(self, reader: Reader, previous: int) -> int:
        at = reader.position
        head = reader.varint("section head")
        kind, flags = head >> 3, head & 7
        reader.check_range(kind, 0, len(self.kinds) - 1, "section kind", at)
        if kind <= previous:
            raise reader.error("inconsistent", f"section of kind {kind} after kind {previous}", at)
        if flags == 0:
            raise reader.error("inconsistent", "a section without flags", at)
        if flags & 1:
            self._read_removed(reader, kind)
        created = self._read_created(reader, kind) if flags & 2 else []
        if flags & 4:
            self._read_changed(reader, kind, created)
        return kind

    def _read_ids(self, reader: Reader, kind: int, what: str) -> list[int]:
        at = reader.position
        ids = reader.idset(what, self.schema.kinds[kind].capacity - 1)
        if not ids:
            raise reader.error("outOfRange", f"{what} count is 0", at)
        return ids

    def _read_removed(self, reader: Reader, kind: int) -> None:
        at = reader.position
        for identifier in self._read_ids(reader, kind, "removed id"):
            entity = self.kinds[kind].pop(identifier, None)
            if entity is None:
                raise reader.error("inconsistent", f"removed entity {kind}/{identifier} does not exist", at)
            self.hash = (self.hash - self._entity_hash(kind, identifier, entity)) & MASK64

    def _read_created(self, reader: Reader, kind: int) -> list[int]:
        at = reader.position
        created = self._read_ids(reader, kind, "created id")
        for identifier in created:
            if identifier in self.kinds[kind]:
                raise reader.error("inconsistent", f"created entity {kind}/{identifier} exists", at)
            generation = reader.u8("generation")
            owner = reader.ranged(0, ID_LAST + 1, "owner")
            entity = Entity(generation, owner - 1 if owner else None, self.schema.kinds[kind].zero)
            self.kinds[kind][identifier] = entity
            self.hash = (self.hash + self._entity_hash(kind, identifier, entity)) & MASK64
        return created

    def _read_changed(self, reader: Reader, kind: int, created: list[int]) -> None:
        ids = read_changed_ids(reader, self.kinds[kind].keys(), self.schema.kinds[kind].capacity)
        blobs = self._read_values(reader, kind, ids)
        for index, identifiers in blobs:
            field = self.schema.kinds[kind].fields[index]
            for identifier in identifiers:
                self._set(kind, identifier, self._first_columns[kind][index], read_blob(reader, field))
        for identifier in created:
            self.kinds[kind][identifier].steps.clear()
        if self._is_keyframe:
            self._read_steps(reader, kind, ids)

    def _read_values(self, reader: Reader, kind: int, ids: list[int]) -> list[tuple[int, list[int]]]:
        """The columns of a section. Returns the fields whose blobs follow, and who has them."""
        bits = BitReader(reader)
        blobs = []
        for index, field in enumerate(self.schema.kinds[kind].fields):
            present = read_presence(bits, ids)
            if field.type in BLOBS:
                blobs.append((index, present))
                continue
            for part in range(field.columns if present else 0):
                foretold = field.is_foretold(part)
                order = bits.number(1, "order") if foretold else 0
                k = bits.number(5, "parameter")
                column = self._first_columns[kind][index] + part
                for identifier in present:
                    entity = self.kinds[kind][identifier]
                    old = int(entity.columns[column])  # type: ignore[arg-type]
                    value = read_difference(bits, k, field, part, old, entity.steps.get(column, 0) if order else 0)
                    if foretold:
                        entity.steps[column] = shortest(field, value - old)
                    self._set(kind, identifier, column, value)
        bits.finish("values")
        return blobs

    def _read_steps(self, reader: Reader, kind: int, ids: list[int]) -> None:
        bits = BitReader(reader)
        for index, field in enumerate(self.schema.kinds[kind].fields):
            parts = [part for part in range(field.columns) if field.is_foretold(part)]
            present = read_presence(bits, ids) if parts else []
            for part in parts if present else ():
                k = bits.number(5, "parameter")
                for identifier in present:
                    step = read_step(bits, k, field)
                    self.kinds[kind][identifier].steps[self._first_columns[kind][index] + part] = step
        bits.finish("steps")

    def _set(self, kind: int, identifier: int, column: int, value: Column) -> None:
        columns = self.kinds[kind][identifier].columns
        gone = column_term(kind, column, identifier, columns[column])
        self.hash = (self.hash - gone + column_term(kind, column, identifier, value)) & MASK64
        columns[column] = value
