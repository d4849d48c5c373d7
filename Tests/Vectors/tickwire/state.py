"""A mirror of a room's state (5), built from frames (7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator

from .changes import read_changed_ids, read_masks
from .errors import FrameGap
from .hashing import column_term, entity_term
from .layouts import Message
from .limits import ID_LAST
from .messages import FRAME_KEYFRAME, FRAME_STATE
from .primitives import MASK64, Reader
from .schema import Column, Schema
from .values import read_coded


@dataclass
class Entity:
    generation: int
    owner: int | None
    columns: list[Column]


class State:
    """A mirror of a room's state. After a DecodeError it is of no more use; a FrameGap leaves it as it was."""

    def __init__(self, schema: Schema):
        self.schema = schema
        self.tick: int | None = None
        self.hash = 0
        self.kinds: list[dict[int, Entity]] = [{} for _ in schema.kinds]
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
        if flags & 2:
            self._read_created(reader, kind)
        if flags & 4:
            self._read_changed(reader, kind)
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

    def _read_created(self, reader: Reader, kind: int) -> None:
        at = reader.position
        for identifier in self._read_ids(reader, kind, "created id"):
            if identifier in self.kinds[kind]:
                raise reader.error("inconsistent", f"created entity {kind}/{identifier} exists", at)
            generation = reader.u8("generation")
            owner = reader.ranged(0, ID_LAST + 1, "owner")
            entity = Entity(generation, owner - 1 if owner else None, self.schema.kinds[kind].zero)
            self.kinds[kind][identifier] = entity
            self.hash = (self.hash + self._entity_hash(kind, identifier, entity)) & MASK64

    def _read_changed(self, reader: Reader, kind: int) -> None:
        at = reader.position
        ids = read_changed_ids(reader, self.schema.kinds[kind].capacity)
        for identifier in ids:
            if identifier not in self.kinds[kind]:
                raise reader.error("inconsistent", f"changed entity {kind}/{identifier} does not exist", at)
        masks = read_masks(reader, len(ids), len(self.schema.kinds[kind].fields))
        for index, field in enumerate(self.schema.kinds[kind].fields):
            changed = [identifier for identifier, mask in zip(ids, masks) if mask >> index & 1]
            for part in range(field.coded_columns):
                for identifier in changed:
                    old = self.field_columns(kind, identifier, index)
                    for column, value in read_coded(reader, field, part, old):
                        self._set(kind, identifier, self._first_columns[kind][index] + column, value)

    def _set(self, kind: int, identifier: int, column: int, value: Column) -> None:
        columns = self.kinds[kind][identifier].columns
        gone = column_term(kind, column, identifier, columns[column])
        self.hash = (self.hash - gone + column_term(kind, column, identifier, value)) & MASK64
        columns[column] = value
