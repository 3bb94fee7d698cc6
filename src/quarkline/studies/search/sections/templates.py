"""The templates of a fit: what pruning left, separations, and systematics."""

from __future__ import annotations

from quarkline.report import Block, Figures, Results, Row, Section, Table, number, result_of
from quarkline.studies.search.fits.results import Controls, MadeTemplates
from quarkline.studies.search.fits.template_figures import SEPARATION, grid_figures

GRID_WORDS = {
    "pruning": "What pruning left of each systematic.",
    "normalisation": "What each systematic does to yields.",
}


def templates_section(results: Results, draw: Figures) -> Section:
    """Separations, pruning and systematics."""
    made = result_of(results, "made", MadeTemplates)
    blocks: list[Block] = []
    if made.separations:
        rows: list[Row] = [[name, number(power)] for name, power in made.separations.items()]
        words = (
            "How well each region separates signal from background: ½ Σ (s - b)² / (s + b) over "
            "its bins, with s and b of unit sum. 0 is not at all, 1 wholly."
        )
        blocks.append(Table("separations", ["region", "separation"], rows, "templates", words))
        blocks += [
            draw(f"{SEPARATION}{name}", f"Signal and background in `{name}`.", "templates")
            for name in made.separations
        ]
    blocks += [
        draw(name, GRID_WORDS[kind], "templates") for name, (kind, _) in grid_figures(made).items()
    ]
    if "drawn" in results:
        blocks.append(_controls(result_of(results, "drawn", Controls)))
    return Section("Templates", blocks)


def _controls(drawn: Controls) -> Table:
    """A row a figure."""
    rows: list[Row] = [
        [
            one.systematic,
            one.region,
            one.sample,
            number(100 * one.up),
            number(100 * one.down),
            " and ".join(one.kept),
            one.figure,
        ]
        for one in drawn.figures
    ]
    words = (
        "What each systematic does to each sample where pruning left it. Nominal, up and down, as "
        "filled and as the fit takes them, are figures of these names in the folder of this stage."
    )
    columns = ["systematic", "region", "sample", "yield up [%]", "yield down [%]", "kept", "figure"]
    return Table("controls", columns, rows, "controls", words, folded=True)
