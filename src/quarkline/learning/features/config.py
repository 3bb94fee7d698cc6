"""The features of a model as a config states them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Self

from pydantic import Field, model_validator

from quarkline.catalog.written import Written
from quarkline.engine.core.config import Config
from quarkline.engine.core.findings import Finding, InputError, Rule, Severity, did_you_mean
from quarkline.learning.features.lists import Definition, FeatureList, NameList, SentinelList
from quarkline.learning.features.spec import Feature, FeatureSpec, ObjectGroup

TWO_MEANINGS = Rule(
    "QL-FEATURES-003",
    "a feature has one meaning",
    "A feature is a number, a kind, or belongs to one group of objects, and has one expression. "
    "Features of objects may be listed under `use`, too; they are then no features of the event.",
)
NOT_USED = Rule(
    "QL-FEATURES-004",
    "`categorical` and `missing` name features that are used",
    "These lists may be shared by several models, so that a name no model uses has no effect. It "
    "is also what a spelling mistake looks like.",
    Severity.WARNING,
)
NOT_LISTED = Rule(
    "QL-FEATURES-005",
    "`subset` names features of `use` or `objects`",
    "A model may look at some of the features that were prepared. It cannot look at others: add "
    "them under `use`, with an expression if the files have no column of that name.",
)


class ObjectsConfig(Config):
    """Features of objects of one kind, such as jets."""

    features: FeatureList = Field(
        description="Features of each object, or a file with their list.", min_length=1
    )
    length: int = Field(ge=1, description="Most objects that are looked at, the first ones.")


class FeaturesConfig(Config):
    """What a model is told of an event."""

    use: FeatureList = Field(
        description="Features: columns, or `NAME: EXPRESSION`; or a file with their list.",
        min_length=1,
    )
    categorical: NameList = Field((), description="Features that are kinds, such as codes.")
    objects: dict[str, ObjectsConfig] = Field(
        default_factory=dict, description="Features of objects, by the name of the objects."
    )
    missing: SentinelList = Field(
        (), description="Values that stand for none: a list, or lists of features by value."
    )
    subset: NameList | None = Field(None, description="The only features a model looks at.")

    @model_validator(mode="after")
    def _one_meaning(self) -> Self:
        findings = [*self._meanings(), *self._outside_subset()]
        if findings:
            raise InputError(*findings)
        if not any(self._chosen(name) for name in self._names):
            message = "`subset` leaves no feature"
            raise ValueError(message)
        return self

    @property
    def _names(self) -> dict[str, None]:
        """All features, those of objects among them, in order."""
        listed = [*self.use, *(item for group in self.objects.values() for item in group.features)]
        return dict.fromkeys(str(item.name) for item in listed)

    @property
    def _of_objects(self) -> dict[str, str]:
        """The group of each feature of objects."""
        return {
            str(item.name): name for name, group in self.objects.items() for item in group.features
        }

    def spec(self) -> FeatureSpec:
        """The features in the config's order, each with its expression and missing values."""
        made = _expressions(self._all)
        kinds, inner = set(self.categorical), self._of_objects

        def features(listed: Iterable[Definition]) -> tuple[Feature, ...]:
            chosen = (item.name for item in listed if self._chosen(item.name))
            return tuple(Feature(str(name), made[name], self._missing(name)) for name in chosen)

        groups = (
            ObjectGroup(name, group.length, features(group.features))
            for name, group in self.objects.items()
        )
        own = [item for item in self.use if item.name not in inner]
        return FeatureSpec(
            features(item for item in own if item.name not in kinds),
            features(item for item in own if item.name in kinds),
            tuple(group for group in groups if group.features),
        )

    def warnings(self) -> list[Finding]:
        """Names that have no effect."""
        told = [("categorical", name) for name in self.categorical]
        told += [("missing", name) for item in self.missing for name in item.features or ()]
        return [
            NOT_USED.finding(
                f"`{key}` names `{name}`, which is none of the features",
                suggestion=did_you_mean(name, self._names, what="features"),
                place=name.place,
            )
            for key, name in told
            if name not in self._names
        ]

    @property
    def _all(self) -> Iterator[Definition]:
        yield from self.use
        for group in self.objects.values():
            yield from group.features

    def _chosen(self, name: str) -> bool:
        return self.subset is None or name in self.subset

    def _missing(self, name: str) -> tuple[float, ...]:
        values = (
            item.value for item in self.missing if item.features is None or name in item.features
        )
        return tuple(dict.fromkeys(values))

    def _meanings(self) -> Iterator[Finding]:
        inner = self._of_objects
        for name in self.categorical:
            if name in inner:
                words = f"`{name}` is a feature of `{inner[name]}`; it cannot be `categorical`"
                yield _two_meanings(name, words)
        made: dict[str, Written] = {}
        for item in self._all:
            if item.name == item.expression:
                continue
            if made.setdefault(str(item.name), item.expression) != item.expression:
                other = made[str(item.name)]
                words = f"`{item.name}` is `{other}` and `{item.expression}`"
                yield _two_meanings(item.name, words)
        for group, config in self.objects.items():
            for item in config.features:
                if inner[str(item.name)] != group:
                    words = f"`{item.name}` is a feature of `{group}` and `{inner[item.name]}`"
                    yield _two_meanings(item.name, words)
        yield from self._slots()

    def _slots(self) -> Iterator[Finding]:
        """Features that are called what a feature of one of the objects is called."""
        slots = {
            f"{item.name}_{number}": (item.name, group)
            for group, config in self.objects.items()
            for item in config.features
            for number in range(config.length)
        }
        for item in self.use:
            if item.name in slots:
                name, group = slots[str(item.name)]
                words = f"`{item.name}` is a feature, and what `{name}` of one of the `{group}` is"
                yield _two_meanings(item.name, words)

    def _outside_subset(self) -> Iterator[Finding]:
        unknown = [name for name in self.subset or () if name not in self._names]
        if unknown:
            shown = ", ".join(f"`{name}`" for name in unknown)
            yield NOT_LISTED.finding(
                f"`subset` names {len(unknown)} features that are not listed: {shown}",
                suggestion=did_you_mean(unknown[0], self._names, what="features"),
                place=unknown[0].place,
                evidence={"features": [str(name) for name in unknown]},
            )


def _expressions(listed: Iterable[Definition]) -> Mapping[str, Written]:
    """Expression by name; what is said once holds wherever the name stands."""
    found: dict[str, Written] = {}
    for item in listed:
        if str(item.name) not in found or item.name != item.expression:
            found[str(item.name)] = item.expression
    return found


def _two_meanings(name: Written, words: str) -> Finding:
    return TWO_MEANINGS.finding(
        words, suggestion="leave one of them out, or give it another name", place=name.place
    )
