"""Stage `templates`: every file read once for all histograms, which become templates of a fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from quarkline.catalog import Catalog, InputFile
from quarkline.engine.core.config import Config
from quarkline.engine.workflow.stage import Context
from quarkline.studies.search.fits.results import MadeTemplates
from quarkline.studies.search.friends import friend_place
from quarkline.templates.build import build_templates
from quarkline.templates.fill import Allowed, HistRequest, fill, requests_of
from quarkline.templates.fill.requests import Meaning
from quarkline.templates.separation import separation_of
from quarkline.templates.sets import RegionTemplates
from quarkline.templates.store import write_templates


class TemplateFile(Config):
    """A file of ntuples.

    Attributes:
        name: What the stage's catalog calls it, with a number instead of its folder.
        there: Whether it is there.
        friend: Place of its scores in the folder of friends; None if none are read.
    """

    name: str
    there: bool
    friend: str | None


class TemplatesStageConfig(Config):
    """What templates depend on.

    Attributes:
        job: Name of the analysis, which is in the names of the files.
        catalog: The analysis, with numbers instead of folders.
        files: The files; those that are there are the stage's, in this order.
        allow_missing: Files that may be absent.
        allow_bad_files: Unreadable files that may be left out.
        unblind: Why blind data are read all the same.
    """

    job: str
    catalog: Catalog
    files: list[TemplateFile]
    allow_missing: int
    allow_bad_files: int
    unblind: str | None


def located(
    named: Mapping[HistRequest, Meaning], real: Mapping[HistRequest, Meaning]
) -> tuple[list[Path], list[Path]]:
    """The files of an analysis as a catalog without folders calls them, and where they are.

    Args:
        named: What histograms are made of in the catalog without folders.
        real: The same in the analysis.
    """
    found: dict[Path, Path] = {}
    for request, meaning in real.items():
        for name, file in zip(named[request].files, meaning.files, strict=True):
            found.setdefault(name.path, file.path)
    return list(found), list(found.values())


def run(context: Context) -> dict[str, Any]:
    """One item a range of a file; then the templates of all regions."""
    config: TemplatesStageConfig = context.config
    filled = fill(
        requests_of(config.catalog),
        config.catalog,
        context=context,
        allowed=Allowed(config.allow_missing, config.allow_bad_files),
        where=_where(context, config),
    )
    built = build_templates(config.catalog, filled.histograms)
    folder = context.out / "templates"
    write_templates(built.templates, config.catalog, folder, config.job)
    found = [*filled.findings, *built.findings]
    regions = built.templates.regions
    samples = {name: None for region in regions.values() for name in region.templates}
    context.summary(
        f"{len(filled.histograms):,} histograms · {len(regions)} regions · {len(samples)} samples"
    )
    made = MadeTemplates(
        regions=tuple(regions),
        samples=tuple(samples),
        histograms=len(filled.histograms),
        bad_files={str(path): why for path, why in filled.bad.items()},
        blind=tuple(f"{one.sample} in {one.region}" for one in filled.hidden if not one.variation),
        unblind=config.unblind,
        systematics=tuple(
            name for name, one in config.catalog.systematics.items() if one.kind != "independent"
        ),
        empty={name: found for name, region in regions.items() if (found := _empty(region))},
        separations={
            name: power
            for name, region in regions.items()
            if (power := separation_of(config.catalog, region)) is not None
        },
        findings=tuple(finding.as_json() for finding in found),
    )
    return {"templates": folder, "made": made}


def _empty(region: RegionTemplates) -> tuple[str, ...]:
    """Samples of a region without any event; their bins are set to a tiny content."""
    return tuple(
        name
        for name, template in region.templates.items()
        if not (template.filled.contents.any() or template.filled.errors.any())
    )


def _where(context: Context, config: TemplatesStageConfig) -> Callable[[InputFile], InputFile]:
    """Where the files of the stage's catalog are, with their friends."""
    paths = iter(context.inputs["files"])
    known: dict[Path, tuple[Path, tuple[Path, ...]]] = {}
    for file in config.files:
        if file.there:
            friends = (context.path("friends") / friend_place(file.friend),) if file.friend else ()
            known[Path(file.name)] = (next(paths), friends)

    def where(file: InputFile) -> InputFile:
        path, friends = known.get(file.path, (Path("absent") / file.path, ()))
        return InputFile(path, file.tree, friends)

    return where
