"""Reads features from events: expressions to rectangular arrays, with what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Self

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import Finding, InputError, Rule
from quarkline.events.expressions.batch import Batch, EventTable, as_batch
from quarkline.events.replaced import Replacements, event_of
from quarkline.events.schema import Schema
from quarkline.learning.features.arrays import MISSING, FeatureArrays, Objects
from quarkline.learning.features.bound import BoundFeature, Instances, bind
from quarkline.learning.features.spec import Feature, FeatureSpec

LOOPS = Rule(
    "QL-FEATURES-006",
    "a feature of an event has one value an event",
    "A column with several values an event, such as the transverse momenta of all jets, is no "
    "feature of the event. Take one of them, reduce them, or name the feature under `objects`.",
)
NO_LOOP = Rule(
    "QL-FEATURES-007",
    "a feature of objects has one value an object",
    "Features under `objects` come from columns with one value an object. One that has a single "
    "value an event is a feature of the event, one with lists of lists has no value an object.",
)
LENGTHS = Rule(
    "QL-FEATURES-008",
    "features of one object have equally many values",
    "The third value of each feature of a group belongs to the third object. Where an event has "
    "more values of one feature than of another, they cannot belong together.",
)
NOT_WHOLE = Rule(
    "QL-FEATURES-009",
    "a kind is a whole number",
    "A categorical feature has codes, such as 11 for an electron; the type of its column may be a "
    "floating one. A value with a fraction, or beyond 2^53, is no code.",
)
LARGEST_CODE = 2.0**53


@dataclass
class FeatureReader:
    """Features as they fit a table.

    Attributes:
        spec: The features.
        continuous: Features that are numbers.
        categorical: Features that are kinds.
        objects: Features of each group of objects.
        replaced: Columns that are something else in this table.
        infinities: Infinite values met so far, by feature; they are read as missing. A value
            beyond the range of float32 is among them.
    """

    spec: FeatureSpec
    continuous: tuple[BoundFeature, ...]
    categorical: tuple[BoundFeature, ...]
    objects: tuple[tuple[BoundFeature, ...], ...]
    replaced: Replacements
    infinities: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(
        cls, spec: FeatureSpec, schema: Schema, *, replaced: Mapping[str, str] | None = None
    ) -> Self:
        """Fit features to a table.

        Args:
            spec: The features.
            schema: The table's columns.
            replaced: Expressions by the column they stand for, for a table of shifted values; they
                see the columns as they are in the table. A value that stands for a missing one in
                a feature is not shifted.

        Raises:
            InputError: With all that is wrong: names the table lacks, a feature of the event with
                several values, a feature of objects without.
        """
        findings: list[Finding] = []
        replacements = Replacements.of(schema, replaced or {}, findings)

        def bound(
            features: Iterable[Feature], refused: Callable[[BoundFeature], Finding | None]
        ) -> tuple[BoundFeature, ...]:
            made = [bind(feature, replacements.schema, findings) for feature in features]
            kept = tuple(item for item in made if item is not None)
            findings.extend(found for item in kept if (found := refused(item)))
            return kept

        continuous = bound(spec.continuous, _loops)
        categorical = bound(spec.categorical, _loops)
        objects = tuple(bound(group.features, _does_not_loop) for group in spec.objects)
        if findings:
            raise InputError(*findings)
        every = (*continuous, *categorical, *chain.from_iterable(objects))
        return cls(
            spec,
            continuous,
            categorical,
            objects,
            replacements.used((item.expression, item.missing) for item in every),
        )

    @property
    def every(self) -> Iterable[BoundFeature]:
        """All features, those of objects last."""
        return chain(self.continuous, self.categorical, *self.objects)

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns to read."""
        own = frozenset(name for item in self.every for name in item.expression.columns)
        return own | self.replaced.columns

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What is suspicious about the expressions."""
        return tuple(finding for item in self.every for finding in item.expression.warnings)

    def arrays(self, table: EventTable) -> FeatureArrays:
        """The features of every event of a table.

        Args:
            table: The columns, or a batch of them.

        Raises:
            InputError: If a kind is no whole number, or features of one object differ in number;
                the message gives the entry.
        """
        batch = self.replaced.applied(as_batch(table))
        # Column after column in memory: each is written, and fitted, as a whole.
        continuous = np.empty((len(self.continuous), batch.rows), dtype=np.float32)
        for column, item in enumerate(self.continuous):
            continuous[column] = self._numbers(item, item.instances(batch).by_event())
        categorical = np.empty((len(self.categorical), batch.rows), dtype=np.int64)
        for column, item in enumerate(self.categorical):
            categorical[column] = self._kinds(item, batch)
        groups = {
            group.name: self._objects(group.name, group.length, features, batch)
            for group, features in zip(self.spec.objects, self.objects, strict=True)
        }
        return FeatureArrays(continuous.T, categorical.T, groups)

    def _numbers(self, item: BoundFeature, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """Values as float32, NaN where they are infinite."""
        with np.errstate(over="ignore"):
            found = values.astype(np.float32)
        infinite = np.isinf(found)
        if infinite.any():
            self.infinities[item.name] += int(np.count_nonzero(infinite))
            found[infinite] = np.nan
        return found

    def _kinds(self, item: BoundFeature, batch: Batch) -> NDArray[np.int64]:
        values = item.instances(batch).by_event()
        infinite = np.isinf(values)
        if infinite.any():
            self.infinities[item.name] += int(np.count_nonzero(infinite))
        there = ~(infinite | np.isnan(values))
        codes = np.where(there, values, 0.0)
        broken = (codes != np.rint(codes)) | (np.abs(codes) >= LARGEST_CODE)
        if broken.any():
            row = int(np.argmax(broken))
            code, entry = float(codes[row]), event_of(batch, row)
            raise InputError(
                NOT_WHOLE.finding(
                    f"feature `{item.name}` is {code!r} in {entry}, which is no whole number",
                    suggestion="take it out of `categorical`, or cut it: `NAME: int(...)`",
                )
            )
        return np.where(there, codes.astype(np.int64), MISSING)

    def _objects(
        self, group: str, length: int, features: tuple[BoundFeature, ...], batch: Batch
    ) -> Objects:
        values = np.full((batch.rows, length, len(features)), np.nan, dtype=np.float32)
        first = features[0].instances(batch)
        counts, numbers = first.frame.counts, first.frame.numbers
        kept = numbers < length
        at = (first.frame.events[kept], numbers[kept])
        for column, item in enumerate(features):
            instances = item.instances(batch) if column else first
            _check_lengths(group, (features[0], counts), (item, instances), batch)
            values[(*at, column)] = self._numbers(item, instances.values[kept])
        return Objects(values, np.arange(length) < counts[:, None])


def _loops(item: BoundFeature) -> Finding | None:
    if item.expression.depth == 0:
        return None
    text = item.expression.text
    return LOOPS.finding(
        f"feature `{item.name}` has several values an event",
        suggestion=f"take one, `{item.name}_0: {text}[0]`, reduce it, `Sum$({text})`, or name it "
        "under `objects`",
        place=item.place,
    )


def _does_not_loop(item: BoundFeature) -> Finding | None:
    if item.expression.depth == 1:
        return None
    flat = item.expression.depth == 0
    return NO_LOOP.finding(
        f"feature `{item.name}` of objects has "
        + ("a single value an event" if flat else "lists of values an object"),
        suggestion="name it under `use` alone" if flat else f"reduce it: `{item.name}[][0]`",
        place=item.place,
    )


def _check_lengths(
    group: str,
    first: tuple[BoundFeature, NDArray[np.int64]],
    other: tuple[BoundFeature, Instances],
    batch: Batch,
) -> None:
    expected, found = first[1], other[1].frame.counts
    if np.array_equal(expected, found):
        return
    row = int(np.argmax(expected != found))
    raise InputError(
        LENGTHS.finding(
            f"{event_of(batch, row)} has {expected[row]} values of `{first[0].name}` and "
            f"{found[row]} of `{other[0].name}`, which are features of one `{group}`",
            suggestion="give them groups of their own under `objects`",
        )
    )
