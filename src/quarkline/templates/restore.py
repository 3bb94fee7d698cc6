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
from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.templates.drafts import Where
from quarkline.templates.finish import PART_OF, emptied
from quarkline.templates.histograms import Histogram
from quarkline.templates.prune import prune
from quarkline.templates.root_histograms import HistogramFile, Layouts
from quarkline.templates.sets import RegionTemplates, Shift, Template, TemplateSet
from quarkline.templates.split import norm_of
from quarkline.templates.store import SIDES, histogram_file, last_of, stored_name

NOT_STORED = Rule(
    "QL-TEMPLATE-011",
    "stored templates are those of the analysis",
    "A file of templates is absent, or has no histogram of a sample that the analysis has in the "
    "region. Run the action that makes them again.",
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
        InputError: If a file or a nominal histogram is absent.
    """
    regions = {}
    layouts: Layouts = {}
    for region in catalog.regions:
        paths = [histogram_file(folder, job, part, suffix) for part in (region, None)]
        path = next((path for path in paths if path.is_file()), None)
        if path is None:
            message = f"there are no histograms of `{region}` in `{folder}`"
            raise InputError(NOT_STORED.finding(message, place=Place(paths[0])))
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
        asked = [number - 1 for number in where.region.drop_bins]
        self.dropped: tuple[int, ...] = tuple(self.rest.get("dropped", asked))

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

    def needed(self, name: str) -> Histogram:
        """A histogram of the region.

        Raises:
            InputError: If the file has none of this name.
        """
        found = self.optional(name)
        if found is None:
            message = f"there is no histogram `{self.where.name}_{name}`"
            raise InputError(NOT_STORED.finding(message, place=Place(self.path)))
        return found


def _read_region(where: Where, file: HistogramFile, path: Path) -> RegionTemplates:
    stored = _File(where, file, path)
    templates = {
        name: _template(stored, name, rest) for name, rest in _simulated(where, stored.rest).items()
    }
    observed = {
        name: filled
        for name in _data_samples(where)
        if name in stored.rest.get("observed", [name])
        and (filled := stored.optional(f"{name}_orig") or stored.optional(name))
    }
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


def _template(stored: _File, sample: str, rest: Mapping[str, Any]) -> Template:
    nominal = emptied(stored.needed(sample), stored.dropped)
    filled = stored.optional(f"{sample}_orig") or nominal
    now = stored.where.systematics_of(sample)
    names = [name for name in rest["shifts"] if name in now] if rest else list(now)
    shifts = {name: _read_shift(stored, sample, nominal, name, rest) for name in names}
    there = {name: shift for name, shift in shifts.items() if shift}
    return Template(nominal, filled, there, tuple(rest.get("guessed", ())))


def _read_shift(
    stored: _File, sample: str, nominal: Histogram, name: str, rest: Mapping[str, Any]
) -> Shift | None:
    """What a systematic does; None if there are no histograms of it."""
    key = f"{sample}_{stored_name(stored.where.catalog, name)}"
    up, down = (stored.final(f"{key}_{side}") for side in SIDES)
    if up is None or down is None:
        return None
    systematic = stored.where.catalog.systematics[name]
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
