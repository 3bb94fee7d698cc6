"""What a config in the language says: blocks of options, and the same as text again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quarkline.catalog.written import Written
from quarkline.engine.core.findings import Finding, InputError, Place, Severity
from quarkline.trexfitter.lines import split
from quarkline.trexfitter.replacements import Replacements


@dataclass(frozen=True)
class Option:
    """One option of a block.

    Attributes:
        name: Its name.
        raw: Its value with placeholders replaced and quotes as written.
        place: Where its name stands.
    """

    name: str
    raw: Written
    place: Place | None = field(default=None, compare=False)

    @property
    def value(self) -> Written:
        """The value without the quotes around it."""
        return self.raw.trimmed()

    @property
    def items(self) -> list[Written]:
        """The parts between commas outside quotes, without empty ones."""
        return [item for part in split(self.raw, ",") if (item := part.trimmed())]

    @property
    def true(self) -> bool:
        """Whether it is switched on."""
        return self.value.upper() == "TRUE"


@dataclass(frozen=True)
class Block:
    """One block.

    Attributes:
        kind: What it describes: Job, Sample, Region, ...
        name: Its name.
        options: Its options by name, in the order written.
        place: Where it begins.
    """

    kind: str
    name: Written
    options: Mapping[str, Option]
    place: Place | None = field(default=None, compare=False)

    def first(self, *names: str) -> Option | None:
        """The first of these options that is given; names of which several mean the same."""
        return next((self.options[name] for name in names if name in self.options), None)

    def text(self, *names: str) -> Written | None:
        """The value of the first of these options that is given, if it is not NONE."""
        option = self.first(*names)
        return option.value if option and option.value.upper() != "NONE" else None

    def items(self, *names: str) -> list[Written]:
        """The values of the first of these options that is given."""
        option = self.first(*names)
        return option.items if option else []

    def number(self, name: str) -> float | None:
        """The value of an option that is a number."""
        value = self.text(name)
        return None if value is None else float(value)

    def true(self, name: str) -> bool | None:
        """Whether an option is switched on; None if it is not given."""
        return self.options[name].true if name in self.options else None

    def __str__(self) -> str:
        """The block as it would be written."""
        lines = [f'{self.kind}: "{self.name}"']
        lines += [f"  {option.name}: {option.raw}" for option in self.options.values()]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class TrexConfig:
    """A config with its includes, placeholders replaced.

    Attributes:
        path: The file named by the user.
        text: Its text.
        base: Folder that relative paths in it count from.
        blocks: Its blocks in order.
        files: All files read.
        replacements: Its placeholders.
        findings: What is wrong with it.
        further_names: Names that blocks got whose name stands more than once.
    """

    path: Path
    text: str
    base: Path
    blocks: tuple[Block, ...]
    files: tuple[Path, ...] = ()
    replacements: Replacements = field(default_factory=Replacements, compare=False)
    findings: tuple[Finding, ...] = field(default=(), compare=False)
    further_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    def of(self, *kinds: str) -> list[Block]:
        """The blocks of some kinds, in order."""
        return [block for block in self.blocks if block.kind in kinds]

    @property
    def job(self) -> Block | None:
        """The block of the job; None if there is none."""
        return next(iter(self.of("Job")), None)

    @property
    def errors(self) -> list[Finding]:
        """The findings that stop the work."""
        return errors_among(self.findings)

    def sound(self) -> TrexConfig:
        """The config itself, if nothing is wrong with it.

        Raises:
            InputError: With all errors.
        """
        if self.errors:
            raise InputError(*self.errors)
        return self

    def __str__(self) -> str:
        """The config in one text, with everything included and replaced."""
        return "\n".join(str(block) for block in self.blocks)


def errors_among(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that are errors."""
    return [finding for finding in findings if finding.severity is Severity.ERROR]
