"""Templates from ROOT files that were written here or by TRExFitter."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import uproot

from quarkline.catalog import Catalog, Independent, Normalisation
from quarkline.catalog.systematics import Systematic
from quarkline.engine.core.findings import Finding, InputError, Place, Rule
from quarkline.templates.drafts import Where
from quarkline.templates.finish import PART_OF, emptied
from quarkline.templates.histograms import Histogram
from quarkline.templates.prune import prune
from quarkline.templates.root_histograms import HistogramFile, Layouts
from quarkline.templates.sets import RegionTemplates, Shift, Template, TemplateSet
from quarkline.templates.split import norm_of
from quarkline.templates.store import LEFT_OUT, SIDES, histogram_file, last_of, stored_name

NOT_STORED = Rule(
    "QL-TEMPLATE-011",
    "stored templates are those of the analysis",
    "A file of templates is absent, or has no histogram of a sample or of a systematic that the "
    "analysis has in the region: it came into the analysis later. Run the action that makes them "
    "again. Systematics that state their changes of the yield need no histograms.",
)


def read_templates(catalog: Catalog, folder: Path, job: str, *, suffix: str = "") -> TemplateSet:
    """Read templates of an analysis, written here or by TRExFitter.

    Samples and systematics that the analysis does not have in a region now, and data that it hides
    now, are left in the file. What pruning leaves is found anew, as settings are now.

    Args:
        catalog: The analysis.
        folder: The folder of the files.
        job: Name of the job.
        suffix: End of the names of the files.

    Raises:
        InputError: If a file or a histogram is absent.
    """
    regions = {}
    layouts: Layouts = {}
    for region in catalog.regions:
        paths = [histogram_file(folder, job, part, suffix) for part in (region, None)]
        path = next((path for path in paths if path.is_file()), None)
        if path is None:
            message = f"there are no histograms of `{region}` in `{folder}`"
            evidence = {"part": "regions", "name": region}
            raise InputError(NOT_STORED.finding(message, evidence=evidence, place=Place(paths[0])))
        with uproot.open(path) as file:
            stored = HistogramFile(path, file, layouts)
            found = _read_region(Where(catalog, region, []), stored, path)
        if found.templates or found.observed:
            regions[region] = found
    return TemplateSet(regions)


class _File:
    """The histograms of one region in an open file."""

    def __init__(self, where: Where, file: HistogramFile, path: Path) -> None:
        self.where, self.file, self.path = where, file, path
        text = f"quarkline_{where.name}"
        self.rest: dict[str, Any] = json.loads(file.text(text)) if text in file.names else {}
        self.uncounted = set(self.rest.get("uncounted", ()))
        self.dropped: tuple[int, ...] = tuple(self.rest.get("dropped", self._left_out()))

    def _left_out(self) -> list[int]:
        """Bins that the analysis leaves out, of a file that does not say which."""
        if not self.where.region.drop_hidden_bins:
            return [number - 1 for number in self.where.region.drop_bins]
        found = (self.optional(name) for name in self.where.catalog.samples)
        nominal = next((one for one in found if one), None)
        return [] if nominal is None else np.flatnonzero(nominal.contents == LEFT_OUT).tolist()

    def optional(self, name: str) -> Histogram | None:
        """A histogram of the region, which the file need not have."""
        full = f"{self.where.name}_{name}"
        if full not in self.file.names:
            return None
        return self.file.histogram(full, counted=full not in self.uncounted)

    def final(self, name: str) -> Histogram | None:
        """The same, 0 in the bins that are left out."""
        found = self.optional(name)
        return emptied(found, self.dropped) if found else None

    def needed(self, sample: str) -> Histogram:
        """The nominal histogram of a sample.

        Raises:
            InputError: If the file has none.
        """
        found = self.optional(sample)
        if found is None:
            message = f"there is no histogram `{self.where.name}_{sample}`"
            raise InputError(self.lacks(message, "samples", sample))
        return found

    def lacks(self, message: str, part: str, name: str) -> Finding:
        """A finding about a part of the analysis that the file has nothing of."""
        evidence = {"part": part, "name": name}
        return NOT_STORED.finding(message, evidence=evidence, place=Place(self.path))


def _read_region(where: Where, file: HistogramFile, path: Path) -> RegionTemplates:
    stored = _File(where, file, path)
    templates = {
        name: _template(stored, name, rest) for name, rest in _simulated(where, stored.rest).items()
    }
    observed = {name: _observed(stored, name) for name in _data_samples(where)}
    data = stored.final(last_of(observed)) if observed else None
    anyone = next((each.nominal for each in templates.values()), data)
    edges = np.zeros(0) if anyone is None else anyone.edges
    return RegionTemplates(edges, prune(where, templates), data, observed, stored.dropped)


def _simulated(where: Where, rest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Simulated samples with what the text says of them."""
    names = [
        name
        for name, sample in where.catalog.samples.items()
        if sample.role != "data" and where.catalog.holds(name, where.name)
    ]
    if not rest:
        return {name: {} for name in names}
    return {name: rest["samples"].get(name, {"shifts": {}}) for name in names}


def _data_samples(where: Where) -> list[str]:
    return [
        name
        for name, sample in where.catalog.samples.items()
        if sample.role == "data"
        and where.catalog.holds(name, where.name)
        and not where.catalog.hides(name, where.name)
    ]


def _observed(stored: _File, sample: str) -> Histogram:
    """Data as they were filled.

    Raises:
        InputError: If they were not.
    """
    if sample in stored.rest.get("observed", [sample]):
        return stored.optional(f"{sample}_orig") or stored.needed(sample)
    message = f"the data of `{sample}` in `{stored.where.name}` were not filled, or hidden then"
    raise InputError(stored.lacks(message, "samples", sample))


def _template(stored: _File, sample: str, rest: Mapping[str, Any]) -> Template:
    nominal = emptied(stored.needed(sample), stored.dropped)
    filled = stored.optional(f"{sample}_orig") or nominal
    told: Mapping[str, Any] = rest.get("shifts", {})
    without_effect = {*rest.get("systematics", ())} - set(told)
    shifts = {
        name: _read_shift(stored, sample, nominal, name, rest if name in told else {})
        for name in stored.where.systematics_of(sample)
        if name not in without_effect
    }
    return Template(nominal, filled, shifts, tuple(rest.get("guessed", ())))


def _read_shift(
    stored: _File, sample: str, nominal: Histogram, name: str, rest: Mapping[str, Any]
) -> Shift:
    """What a systematic does.

    One that came into the analysis after the filling is made of the nominal histogram if it states
    its changes.

    Raises:
        InputError: If there are no histograms of it.
    """
    key = f"{sample}_{stored_name(stored.where.catalog, name)}"
    up, down = (stored.final(f"{key}_{side}") for side in SIDES)
    systematic = stored.where.catalog.systematics[name]
    if up is None or down is None:
        if not isinstance(systematic, Normalisation):
            message = f"`{name}` was not filled for `{sample}` in `{stored.where.name}`"
            raise InputError(stored.lacks(message, "systematics", name))
        up = down = nominal
    told = rest["shifts"][name] if rest else _guess(systematic, nominal, up, down)
    if isinstance(systematic, Normalisation) and not told["filled"]:
        told = told | {"norm": [systematic.up, systematic.down]}
        up, down = (nominal.scaled(1 + by) for by in told["norm"])
    filled = [stored.optional(f"{key}_{side}_orig") if told["filled"] else None for side in SIDES]
    shapes = [stored.final(f"{key}_Shape_{side}") for side in SIDES]
    if isinstance(systematic, Independent):
        shapes = [up, down]
    contents = [shape.contents if shape else None for shape in shapes]
    if not rest and len(nominal.contents) == 1:
        contents = [None, None]
    merged = told["reason"].startswith(PART_OF)
    if not merged and not isinstance(systematic, Independent):
        told = told | {"kept": [True, contents[0] is not None], "bad": [], "reason": ""}
    return Shift(
        up,
        down,
        filled[0],
        filled[1],
        told["norm"][0],
        told["norm"][1],
        contents[0],
        contents[1],
        norm_kept=told["kept"][0],
        shape_kept=told["kept"][1],
        bad=tuple(told["bad"]),
        reason=told["reason"],
    )


def _guess(
    systematic: Systematic, nominal: Histogram, up: Histogram, down: Histogram
) -> dict[str, Any]:
    """What the text of another program's file would say."""
    norm = [norm_of(nominal, side) for side in (up, down)]
    shape = True
    if isinstance(systematic, Normalisation):
        norm, shape = [systematic.up, systematic.down], False
    if isinstance(systematic, Independent):
        norm = [0.0, 0.0]
    filled = not isinstance(systematic, Normalisation | Independent)
    return {"filled": filled, "norm": norm, "kept": [True, shape], "bad": [], "reason": ""}
