"""Figures and tables of regions, before the fit (`d`) and after it (`p`)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from quarkline.catalog import Catalog
from quarkline.catalog.looks import region_titles
from quarkline.statistics.likelihood.results import LikelihoodFit
from quarkline.templates.predict import predict
from quarkline.templates.predictions import RegionPrediction
from quarkline.templates.shown import shown
from quarkline.trexfitter.outputs import table_content, tables
from quarkline.trexfitter.outputs.hepdata import region_table, yields_table
from quarkline.trexfitter.outputs.layout import POST
from quarkline.trexfitter.outputs.pull_tables import pull_rows, pull_tex
from quarkline.trexfitter.outputs.region_histograms import write_region_histograms
from quarkline.trexfitter.steps.inputs import Inputs
from quarkline.trexfitter.steps.work import Work

Predictions = Mapping[str, RegionPrediction]
LAYOUT_WORDS = {"EMPTY", "ENDL"}
"""Words among the regions of a figure that only lay it out."""


def draw_before(work: Work, inputs: Inputs) -> None:
    """Figures and tables of what is expected before the fit."""
    _draw(work, inputs, None)
    write_tables(work, inputs, None)


def draw_after(work: Work, inputs: Inputs) -> None:
    """Figures and tables of what is expected after the fit."""
    fit = inputs.fit
    _draw(work, inputs, fit)
    write_tables(work, inputs, fit)
    _write_pull_tables(work, inputs, fit)


def _write_pull_tables(work: Work, inputs: Inputs, fit: LikelihoodFit) -> None:
    """What each pulled parameter does to the samples that ask for it."""
    catalog = work.catalog
    asked = {name: one.drawing.pull_table for name, one in catalog.samples.items()}
    if not any(asked.values()):
        return
    for channel in inputs.whole_likelihood.spec.channels:
        rows = {
            catalog.samples[sample.name].tex_title or sample.name: pull_rows(
                sample, fit, shapes=asked[sample.name] == "norm+shape"
            )
            for sample in channel.samples
            if asked[sample.name]
        }
        title = catalog.regions[channel.name].tex_label or channel.name
        work.write(work.layout.pull_table(channel.name), pull_tex(title, rows))


def _draw(work: Work, inputs: Inputs, fit: LikelihoodFit | None) -> None:
    catalog, wanted = work.catalog, set(work.catalog.drawing.wanted)
    before = predict(inputs.templates, catalog)
    now = before
    if fit is not None:
        now = predict(inputs.templates, catalog, fit=fit)
    for region in now.values():
        if "regions" in wanted:
            work.tell(f"drawing {region.region}")
            earlier = before[region.region] if fit and catalog.drawing.before_over_after else None
            _draw_region(work, region, earlier)
        _write_region_table(work, region)
        path = work.layout.region_histograms(region.region, after=fit is not None)
        work.files.append(write_region_histograms(path, region))
    if "summary" in wanted:
        _draw_summaries(work, now, before if fit else {})
    if "merged" in wanted:
        _draw_merged(work, now, after=fit is not None)
    if "pie-charts" in wanted:
        _draw_pies(work, now, after=fit is not None)
    if fit is None and "signal-regions" in wanted:
        _draw_signal_regions(work, now)


def _write_region_table(work: Work, region: RegionPrediction) -> None:
    """The region for HEPData."""
    catalog, when = work.catalog, "postfit" if region.after_fit else "prefit"
    titles = {name: sample.title for name, sample in catalog.samples.items() if sample.title}
    title = catalog.regions[region.region].title
    work.write_hepdata(
        f"{region.region}_{when}", lambda taken: region_table(region, title, titles, taken)
    )


def _draw_region(work: Work, region: RegionPrediction, earlier: RegionPrediction | None) -> None:
    from quarkline.figures.fits.analysis import draw_region

    figure = draw_region(work.catalog, region, before=earlier, label=work.label)
    work.draw(figure, work.layout.region(region.region, after=region.after_fit))


def _draw_summaries(work: Work, now: Predictions, before: Predictions) -> None:
    """One figure of the regions that are fitted, one of validation regions."""
    from quarkline.figures.fits.analysis import draw_summary

    drawing = work.catalog.drawing
    asked = {False: drawing.summary_regions, True: drawing.summary_validation_regions}
    for validation, names in asked.items():
        summarised = _summarised(work.catalog, names, validation=validation)
        chosen = [name for name in summarised if name in now]
        if not chosen:
            continue
        after = now[chosen[0]].after_fit
        earlier = before if drawing.before_over_after else {}
        figure = draw_summary(
            work.catalog,
            [now[name] for name in chosen],
            before=[earlier[name] for name in chosen if name in earlier],
            label=work.label,
        )
        stem = work.layout.summary(drawing.summary_prefix, after=after, validation=validation)
        work.draw(figure, stem)


def _summarised(catalog: Catalog, names: list[str], *, validation: bool) -> list[str]:
    if names:
        return [name for name in names if name in catalog.regions]
    return [
        name
        for name, region in catalog.regions.items()
        if validation == (region.role == "validation")
    ]


def _draw_merged(work: Work, now: Predictions, *, after: bool) -> None:
    """Regions beside each other: those of each group, or all if there are no groups."""
    from quarkline.figures.fits.analysis import draw_merged

    drawing, regions = work.catalog.drawing, work.catalog.regions
    for group in drawing.region_groups or [""]:
        chosen = [one for name, one in now.items() if not group or regions[name].group == group]
        if chosen:
            figure = draw_merged(work.catalog, chosen, label=work.label)
            work.draw(figure, work.layout.merged(drawing.summary_prefix, group, after=after))


def _draw_pies(work: Work, now: Predictions, *, after: bool) -> None:
    """Shares of the backgrounds in each region."""
    from quarkline.figures.fits.analysis import draw_pies

    figure = draw_pies(work.catalog, _mini(work, now), label=work.label)
    work.draw(figure, work.layout.figure("PieChart", end=POST * after))


def _draw_signal_regions(work: Work, now: Predictions) -> None:
    """Signal over background in each region."""
    from quarkline.figures.fits import plot_signal_regions

    chosen = _mini(work, now)
    if any(sample.role == "signal" for region in chosen for sample in region.samples):
        titles_ = region_titles(work.catalog)
        figure = plot_signal_regions(chosen, regions=titles_, label=work.label)
        work.draw(figure, work.layout.figure("SignalRegions"))


def _mini(work: Work, now: Predictions) -> list[RegionPrediction]:
    """The regions of figures with one small frame each."""
    asked = [name for name in work.catalog.drawing.signal_regions if name not in LAYOUT_WORDS]
    return [now[name] for name in asked or now if name in now]


def write_tables(work: Work, inputs: Inputs, fit: LikelihoodFit | None) -> None:
    """Tables of yields, and of what systematics do to them."""
    catalog, after = work.catalog, fit is not None
    if "tables" not in catalog.drawing.wanted:
        return
    expected = shown(inputs.templates, catalog, fit)
    for group in ("", *catalog.drawing.region_groups):
        regions = [name for name in expected if not group or catalog.regions[name].group == group]
        if regions:
            table = table_content.yield_table(
                expected,
                inputs.templates,
                catalog,
                regions=regions,
                signal=catalog.drawing.signal_in_stack,
            )
            _write_yields(work, work.layout.yields(group, after=after), table)
            if not group:
                name = "Table_postfit" if after else "Table_prefit"
                work.write_hepdata(name, partial(yields_table, table))
    likelihood = inputs.whole_likelihood
    for name, region in expected.items():
        effects = (
            table_content.effects_before(region, inputs.templates, catalog)
            if fit is None
            else table_content.effects_after(region, catalog, likelihood.titles)
        )
        _write_effects(work, work.layout.effects(name, after=after), effects)
        if catalog.drawing.tables.by_category:
            sums = table_content.categories(region, catalog, likelihood.categories)
            _write_effects(work, work.layout.effects(name, after=after, category=True), sums)


def table_options(catalog: Catalog) -> str:
    """How LaTeX tables are set, in TRExFitter's words."""
    chosen = catalog.drawing.tables
    asked = {
        "STANDALONE": chosen.standalone,
        "FOOTNOTESIZE": chosen.small,
        "LANDSCAPE": chosen.landscape,
    }
    return ",".join(word for word, wanted in asked.items() if wanted)


def _write_yields(work: Work, stem: Path, table: tables.YieldTable) -> None:
    chosen = work.catalog.drawing.tables.rounded
    plain, tex = (
        tables.rounded_table(table) if kind in chosen else table for kind in ("txt", "tex")
    )
    work.write(stem.with_name(f"{stem.name}.txt"), str(plain))
    _write_tex(work, stem, tables.yields_tex(tex, table_options(work.catalog)))


def _write_effects(work: Work, stem: Path, table: tables.EffectTable) -> None:
    work.write(stem.with_name(f"{stem.name}.txt"), str(table))
    _write_tex(work, stem, tables.effects_tex(table, table_options(work.catalog)))


def _write_tex(work: Work, stem: Path, content: str) -> None:
    work.write(stem.with_name(f"{stem.name}.tex"), content)
    if work.catalog.drawing.tables.clean:
        work.write(stem.with_name(f"{stem.name}_clean.tex"), tables.cleaned(content))
