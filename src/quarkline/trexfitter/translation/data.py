"""Plain data with places, as our YAML would give them, put together value by value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quarkline.catalog.written import Written
from quarkline.engine.core.addresses import address_of
from quarkline.engine.core.findings import Finding, Place, Rule
from quarkline.engine.core.yaml_file import KeyPath
from quarkline.trexfitter.blocks import Block, Option
from quarkline.trexfitter.schema import REAL

BAD_FORM = Rule(
    "QL-TREX-030",
    "a value has the form that its option asks for",
    "Some options hold several parts: `Variable: expression,bins,low,high`, "
    '`Binning: "AutoBin","TransfoD",2,2`, `NormFactor: name,nominal,min,max`.',
)


@dataclass
class Data:
    """The keys of one part of a catalog.

    Attributes:
        base: Folder that relative paths count from.
        kind: "Ntuple" or "Histo", which names of files begin with.
        job: The block of the job.
        values: The keys with their values.
        places: Where each is written, by key path.
        findings: What could not be put into keys.
    """

    base: Path
    kind: str
    job: Block | None = None
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[KeyPath, Place] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def put(self, key: str, value: Any, place: Place | None) -> None:
        """Set a key, unless there is no value; dots in it go down into maps."""
        if value is not None and value not in ([], {}):
            self._put(key, value, place)

    def null(self, key: str, place: Place | None) -> None:
        """Set a key to nothing, where nothing is not its default."""
        self._put(key, None, place)

    def _put(self, key: str, value: Any, place: Place | None) -> None:
        parts = tuple(key.split("."))
        target = self.values
        for part in parts[:-1]:
            target = target.setdefault(part, {})
        target[parts[-1]] = value
        for length in range(1, len(parts) + 1):
            if place:
                self.places.setdefault(parts[:length], place)

    def text(self, key: str, block: Block, *names: str) -> None:
        """A key whose value is an expression or name."""
        if option := block.first(*names):
            self.put(key, block.text(*names), option.place)

    def label(self, key: str, block: Block, name: str) -> None:
        """A key whose value is text to be shown."""
        value = block.text(name)
        if value is not None:
            self.put(key, str(value), block.options[name].place)

    def items(self, key: str, block: Block, *names: str) -> None:
        """A key whose value is a list; NONE is an empty one."""
        if option := block.first(*names):
            items = [] if option.value.upper() == "NONE" else option.items
            self.put(key, items or None, option.place)

    def names(self, key: str, block: Block, name: str) -> None:
        """A key whose value is a list of names, of which `none` is the name of nothing."""
        if option := block.first(name):
            items = [str(item) for item in option.items]
            self.put(
                key, ["none" if item.upper() == "NONE" else item for item in items], option.place
            )

    def number(self, key: str, block: Block, name: str) -> None:
        """A key whose value is a number."""
        value = block.number(name)
        if value is not None:
            whole = value.is_integer() and "." not in block.options[name].value
            self.put(key, int(value) if whole else value, block.options[name].place)

    def truth(self, key: str, block: Block, *names: str, negated: bool = False) -> None:
        """A key that is true or false."""
        for name in names:
            value = block.true(name)
            if value is not None:
                self.put(key, value != negated, block.options[name].place)

    def choice(self, key: str, block: Block, name: str, meanings: Mapping[str, Any]) -> None:
        """A key whose value is one of several words."""
        if option := block.first(name):
            self.put(key, meanings.get(option.value.upper()), option.place)

    def folders(self, key: str, block: Block, *names: str) -> None:
        """A key whose value is a list of folders."""
        if option := block.first(*names):
            self.put(key, [self._folder(item) for item in option.items], option.place)

    def _folder(self, text: str) -> str:
        if address_of(text):
            return str(text)
        end = "/" if text.endswith("/") else ""
        return str(self.base / Path(text).expanduser()) + end

    def files(
        self, key: str, block: Block, side: str = "", of: str = "", suf: str = "Suff"
    ) -> None:
        """The files of a block, or of one side of a systematic.

        Args:
            key: Name of the key.
            block: The block.
            side: "Up" or "Down" of a systematic.
            of: "RefSample" for the files of its reference.
            suf: How suffixes are spelt there.
        """
        parts = {"Path": "folder", "File": "name", "Name": "tree"}
        for part, word in parts.items():
            stem, end = f"{self.kind}{part}", f"{side}{of}"
            plain = (f"{stem}s{end}", f"{stem}{end}")
            if part == "Path":
                both = (f"{stem}s{of}", f"{stem}{of}") if side else ()
                self.folders(f"{key}.{word}s", block, *plain, *both)
            else:
                self.items(f"{key}.{word}s", block, *plain)
            self.items(f"{key}.{word}_suffixes", block, f"{stem}{suf}s{end}", f"{stem}{suf}{end}")
        if self.kind == "Histo" and not of:
            self.label(f"{key}.tree_folder", block, f"HistoFolderName{side}")
        if not of:
            names = (f"FriendPaths{side}", f"FriendPath{side}")
            self.folders(f"{key}.friends", block, *names)

    def refuse(self, option: Option, what: str, suggestion: str) -> None:
        """Note that a value has not the form it should have."""
        message = f"`{option.name}: {option.raw}` {what}"
        self.findings.append(
            BAD_FORM.finding(message, suggestion=suggestion, place=option.raw.place)
        )

    def numbers(self, option: Option, items: Sequence[Written]) -> list[float] | None:
        """Items as numbers; None after a finding if one is none."""
        if all(REAL.takes([item]) for item in items):
            return [float(item) for item in items]
        self.refuse(option, "has something other than numbers", "write numbers and commas")
        return None

    def adopt(self, key: str, name: str, part: Data, place: Place | None) -> None:
        """Add a part below a key and the name of its block."""
        self.values.setdefault(key, {})[str(name)] = part.values
        if place:
            self.places.setdefault((key,), place)
            self.places[key, str(name)] = place
        for at, where in part.places.items():
            self.places[(key, str(name), *at)] = where
        self.findings += part.findings

    def below(self) -> Data:
        """Empty data for a part."""
        return Data(self.base, self.kind, self.job)
