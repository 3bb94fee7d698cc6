"""Figures of every systematic on every sample in every region (`SystControlPlots`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quarkline.catalog import Catalog
from quarkline.catalog.files import Files
from quarkline.engine.compute.outcome import Item
from quarkline.templates.restore import read_templates
from quarkline.templates.sets import RegionTemplates, TemplateSet
from quarkline.trexfitter.steps.work import Work

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from quarkline.figures.style import Label

TOTAL = ""
"""Stands for the sum of all samples where a sample is named."""
TOGETHER = 4
"""Systematics of a region that are drawn by one worker, which reads their histograms once."""


def draw_controls(work: Work, templates: TemplateSet) -> None:
    """Each systematic on every sample, and on their sum with data, as the job asks for.

    The figures are spread over the workers, some systematics in a region to each item.

    Args:
        work: The job.
        templates: Its templates, as its histogram files have them.
    """
    items: list[Item] = []
    stems: list[list[Path]] = []
    for region, found in templates.regions.items():
        for drawn in _shared_out(_wanted(work.catalog, found)):
            stems.append([_stem(work, region, *one) for one in drawn])
            items.append(_item(work, region, drawn, [stem.name for stem in stems[-1]]))
    with work.parts() as parts:
        finished = parts("systematics", draw_systematics, items) if items else []
        for done, figures in zip(finished, stems, strict=True):
            for stem in figures:
                work.take(done.folder, stem)


Drawn = tuple[str, str]
"""A systematic, and the sample that it is drawn on, or `TOTAL`."""


def _shared_out(wanted: Sequence[Drawn]) -> Iterator[Sequence[Drawn]]:
    """The figures of one region by item; those of one systematic stay together."""
    names = list(dict.fromkeys(name for name, _ in wanted))
    for start in range(0, len(names), TOGETHER):
        chosen = set(names[start : start + TOGETHER])
        yield [one for one in wanted if one[0] in chosen]


def _stem(work: Work, region: str, systematic: str, subject: str) -> Path:
    where = (region,) if subject == TOTAL else (region, subject)
    return work.layout.control(systematic, *where)


def _item(work: Work, region: str, drawn: Sequence[Drawn], names: Sequence[str]) -> Item:
    catalog = _narrowed(work.catalog, region, [systematic for systematic, _ in drawn])
    return Item(
        f"{region}/{names[0]}",
        {
            "catalog": catalog.model_dump(mode="json"),
            "region": region,
            "figures": [[*one, name] for one, name in zip(drawn, names, strict=True)],
            "job": work.job.name,
            "suffix": work.job.save_suffix,
            "label": asdict(work.label),
            "formats": list(work.formats),
        },
        {"histograms": work.job.folder / "Histograms"},
    )


def _wanted(catalog: Catalog, region: RegionTemplates) -> list[Drawn]:
    """What is drawn in a region."""
    drawing = catalog.drawing
    shown = {name for name, one in catalog.systematics.items() if one.kind != "independent"}
    found = [
        (name, sample)
        for sample, template in region.templates.items()
        for name in template.shifts
        if drawing.control_figures and name in shown and catalog.samples[sample].role != "reference"
    ]
    if "controls-with-data" in drawing.wanted:
        held = {
            name for sample in _summed(catalog, region) for name in region.templates[sample].shifts
        }
        found += [(name, TOTAL) for name in catalog.systematics if name in shown & held]
    return found


def _summed(catalog: Catalog, region: RegionTemplates) -> list[str]:
    """The samples of the sum that is drawn with data."""
    return [
        name for name in region.templates if catalog.samples[name].role in ("signal", "background")
    ]


def _narrowed(catalog: Catalog, region: str, systematics: Sequence[str]) -> Catalog:
    """The analysis with one region, some systematics and no files: what is read for figures."""
    return catalog.model_copy(
        update={
            "regions": {region: catalog.regions[region]},
            "systematics": {name: catalog.systematics[name] for name in dict.fromkeys(systematics)},
            "samples": {
                name: sample.model_copy(update={"files": Files()})
                for name, sample in catalog.samples.items()
            },
        }
    )


def draw_systematics(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> None:
    """Task: draw systematics in a region.

    Args:
        args: The `catalog` and the `region`; `figures`, each a systematic, the sample it is drawn
            on, and a name; `job` and `suffix` of the files; `label` and `formats` of figures.
        inputs: The folder of the `histograms`.
        folder: Takes the figures.
    """
    from quarkline.figures.save import save
    from quarkline.figures.style import Label

    catalog, label = Catalog.model_validate(args["catalog"]), Label(**args["label"])
    templates = read_templates(catalog, inputs["histograms"], args["job"], suffix=args["suffix"])
    region = templates.regions[args["region"]]
    for systematic, subject, name in args["figures"]:
        figure = _figure(catalog, args["region"], region, systematic, subject, label)
        save(figure, folder / name, formats=args["formats"])


def _figure(
    catalog: Catalog,
    region: str,
    templates: RegionTemplates,
    systematic: str,
    subject: str,
    label: Label,
) -> Figure:
    """Nominal, up and down, as filled and as the fit takes it, of a sample or of the sum."""
    from quarkline.figures.fits import plot_systematic_on_total
    from quarkline.figures.fits.templates import draw_control

    if subject == TOTAL:
        chosen = catalog.regions[region]
        title, place = catalog.systematics[systematic].title or systematic, chosen.label or region
        return plot_systematic_on_total(
            templates,
            systematic,
            samples=_summed(catalog, templates),
            variable=chosen.title,
            titles=(title, place),
            label=label,
        )
    return draw_control(catalog, region, templates, subject, systematic, label=label)
