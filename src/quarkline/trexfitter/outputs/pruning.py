"""`PruningText.txt`: which parts of each systematic are left in the fit."""

from __future__ import annotations

from pathlib import Path

from quarkline.catalog import Catalog
from quarkline.templates.sets import Shift, TemplateSet
from quarkline.trexfitter.outputs.text import lines_of, refuse

RULE = "-------///////                 ///////-------"
TITLE = "-------/////// IN PRUNING PLOT ///////-------"
REGION, SAMPLE, ROW = "In Region : ", " -> In Sample : ", " --->>  "

Pruned = dict[tuple[str, str, str], str]
"""What is left of each systematic, by region, sample and systematic; in the order of the file."""


def pruned(templates: TemplateSet, catalog: Catalog, *, validation: bool = False) -> Pruned:
    """What is left of each systematic in the regions of the fit.

    Args:
        templates: The templates.
        catalog: The analysis they belong to.
        validation: Whether validation regions are in the list.
    """
    systematics = {
        name: systematic
        for name, systematic in catalog.systematics.items()
        if systematic.kind != "independent"
    }
    found: Pruned = {}
    for region, chosen in catalog.regions.items():
        if region not in templates.regions or (chosen.role == "validation" and not validation):
            continue
        samples = templates.regions[region].templates
        for sample in catalog.samples:
            if sample not in samples or catalog.samples[sample].role in {"data", "reference"}:
                continue
            for name, systematic in systematics.items():
                shift = samples[sample].shifts.get(name)
                norm_only = systematic.kind == "normalisation"
                found[region, sample, name] = state(shift, norm_only=norm_only)
    return found


def state(shift: Shift | None, *, norm_only: bool = False) -> str:
    """What is left of a systematic, in TRExFitter's words.

    Args:
        shift: The systematic on one sample in one region; None if it does not apply.
        norm_only: Whether it never has a shape.
    """
    if shift is None:
        return "is not present"
    if shift.bad:
        return "is bad" if len(shift.bad) > 1 else f"has bad {shift.bad[0]}"
    if shift.norm_kept and shift.shape_kept and not norm_only:
        return "is kept"
    if shift.norm_kept:
        return "is norm only"
    return "is shape only" if shift.shape_kept and not norm_only else "is dropped"


def pruning_text(found: Pruned) -> str:
    """What is left as a file."""
    lines = [RULE, TITLE, RULE]
    before: tuple[str, str] | tuple[None, None] = (None, None)
    for (region, sample, name), left in found.items():
        if region != before[0]:
            lines.append(f"{REGION}{region}")
        if (region, sample) != before:
            lines.append(f"{SAMPLE}{sample}")
        lines.append(f"{ROW}{name}      {left}")
        before = (region, sample)
    return "\n".join(lines) + "\n"


def read_pruning(path: Path) -> Pruned:
    """Read what is left.

    Raises:
        InputError: If the file is absent, or not such a file.
    """
    found: Pruned = {}
    region = sample = ""
    for number, line in enumerate(lines_of(path, "w")):
        if line.startswith(REGION):
            region = line.removeprefix(REGION).strip()
        elif line.startswith(SAMPLE):
            sample = line.removeprefix(SAMPLE).strip()
        elif line.startswith(ROW):
            name, *left = line.removeprefix(ROW).split(maxsplit=1)
            if not left:
                refuse(path, number, line, "a systematic and what is left of it")
            found[region, sample, name] = left[0].strip()
        elif line.strip() and not line.startswith("-"):
            refuse(path, number, line, f"a line that begins with `{REGION}`, `{SAMPLE}`, `{ROW}`")
    return found
