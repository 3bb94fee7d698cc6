"""Tables and fits of TRExFitter's own examples."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarkline.catalog import Catalog
from quarkline.templates.build import build_templates
from quarkline.templates.expectation import Expectation, expected_after, expected_before
from quarkline.templates.fill import HistRequest
from quarkline.templates.histograms import Histogram
from quarkline.templates.likelihood import likelihood_of
from quarkline.templates.measure import measure
from quarkline.templates.sets import TemplateSet

from .official import catalog_of, fit_example
from .reference_fit import reference_fit, reference_values

pytestmark = pytest.mark.xdist_group("official")  # one process makes what they share

ROWS = {"Background": ("Bkg1", "Bkg2"), "Signal": ("Signal",), "Total": None}

Analysis = tuple[Catalog, TemplateSet]


@pytest.fixture(scope="module")
def example(official: Path) -> Analysis:
    """FitExample."""
    catalog = catalog_of(official, "FitExample")
    return catalog, build_templates(catalog, fit_example(official, catalog)).templates


@pytest.fixture(scope="module")
def ntuple(filled: tuple[Catalog, dict[HistRequest, Histogram]]) -> Analysis:
    """FitExampleNtuple, filled from its files."""
    return filled[0], build_templates(*filled).templates


def table(path: Path) -> dict[str, list[tuple[float, ...]]]:
    """Numbers of each row of a table of yields, by its title."""
    rows = [line.split("|")[1:-1] for line in path.read_text().splitlines()[1:]]
    return {
        title.strip(): [tuple(map(float, cell.split(" pm "))) for cell in cells if cell.strip()]
        for title, *cells in rows
    }


def printed(expectation: Expectation, samples: tuple[str, ...] | None = None) -> tuple[float, ...]:
    """Yield and error with the digits that the tables have."""
    found = expectation.sum_of(samples)
    return float(f"{found.total:.6g}"), float(f"{found.total_error:.6g}")


def test_yields_and_errors_before_the_fit_of_histograms(example: Analysis, official: Path) -> None:
    """To the last printed digit but one: the inputs are single precision."""
    rows = table(official / "reference/FitExample/Tables/Yields.txt")
    for column, region in enumerate(expected_before(*example).values()):
        for title, samples in ROWS.items():
            assert printed(region, samples) == pytest.approx(rows[title][column], rel=1e-6)


def test_yields_and_errors_before_the_fit_of_ntuples(ntuple: Analysis, official: Path) -> None:
    rows = list(table(official / "reference/FitExampleNtuple/Tables/Yields.txt").values())
    for column, region in enumerate(expected_before(*ntuple).values()):
        lines = [*((sample,) for sample in region.samples), None]
        for row, samples in zip(rows, lines, strict=False):
            assert printed(region, samples) == pytest.approx(row[column], rel=1e-5)


def test_yields_and_errors_after_the_fit_with_gammas(example: Analysis, official: Path) -> None:
    """With the values, errors and correlations of their fit, to the printed digits.

    The sum of backgrounds in the validation region is left out: their table forgets its
    statistical errors there, which their total has.
    """
    theirs = official / "reference/FitExample"
    rows = table(theirs / "Tables/Yields_postFit.txt")
    fitted = reference_fit(theirs / "Fits/FitExample.txt", likelihood_of(*reversed(example)).spec)
    for column, region in enumerate(expected_after(*example, fitted).values()):
        for title, samples in ROWS.items():
            found, expected = printed(region, samples), rows[title][column]
            assert found[0] == pytest.approx(expected[0], rel=1e-5)
            if (region.region, title) != ("VR", "Background"):
                assert found[1] == pytest.approx(expected[1], rel=1e-5)


@pytest.mark.parametrize("region", ["SR_1", "SR_2", "VR"])
def test_shifts_after_the_fit_with_gammas(example: Analysis, official: Path, region: str) -> None:
    theirs = official / "reference/FitExample"
    fitted = reference_fit(theirs / "Fits/FitExample.txt", likelihood_of(*reversed(example)).spec)
    found = expected_after(*example, fitted)[region]
    titles = {"Jet Energy Scale": "JES", "Backgr. 1 Cross-Section": "Bkg1Xsec"}
    titles |= {"Backgr. 2 Cross-Section": "Bkg2Xsec"}
    lines = (theirs / f"Tables/{region}_syst_postFit.txt").read_text().splitlines()
    for title, *cells in (line.split("|")[1:-1] for line in lines[1:]):
        name = title.strip()
        name = titles.get(name, f"gamma_{name}" if name.startswith("stat_") else name)
        for sample, cell in zip(found.samples, cells, strict=True):
            expected = tuple(map(float, cell.split("/")))
            assert found.relative_shifts(sample)[name] == pytest.approx(expected, rel=2e-5)


def test_yields_after_the_fit_without_gammas(ntuple: Analysis, official: Path) -> None:
    """Their errors after this fit are statistical ones alone.

    `GetChi2: STAT` makes TRExFitter forget its systematics before it writes the tables.
    """
    theirs = official / "reference/FitExampleNtuple"
    rows = list(table(theirs / "Tables/Yields_postFit.txt").values())
    spec = likelihood_of(*reversed(ntuple)).spec
    fitted = reference_fit(theirs / "Fits/FitExampleNtuple.txt", spec)
    for column, region in enumerate(expected_after(*ntuple, fitted).values()):
        lines = [*((at,) for at in range(len(region.samples))), range(len(region.samples))]
        for row, chosen in zip(rows, lines, strict=False):
            found = region.contents[list(chosen)].sum()
            statistical = float((region.statistical[list(chosen)] ** 2).sum() ** 0.5)
            assert (found, statistical) == pytest.approx(row[column], rel=1e-5)


def test_the_fit_of_histograms_is_theirs(example: Analysis, official: Path) -> None:
    """With the signal at its bound: its error, and the others', are what Minuit makes of that.

    Minuit's errors of systematics are smaller by up to 0.7 %, since it looks at an angle.
    """
    catalog, templates = example
    found = measure(templates, catalog, what=["fit"]).fit
    assert found is not None
    theirs = reference_values(official / "reference/FitExample/Fits/FitExample.txt")
    assert {row.name for row in found.parameters} == set(theirs)
    for row in found.parameters:
        value, up, _ = theirs[row.name]
        assert row.value == pytest.approx(value, abs=1e-3 * up)
        assert row.error == pytest.approx(up, rel=0.007)
    assert found.by_name["SigXsecOverSM"].error == pytest.approx(0.917551, rel=1e-5)


def test_the_likelihood_at_the_minimum_is_theirs(
    example: Analysis, ntuple: Analysis, official: Path
) -> None:
    without = catalog_of(official, "FitExampleStatOnly")
    alone = build_templates(without, fit_example(official, without)).templates
    analyses = {
        "FitExample": example,
        "FitExampleNtuple": ntuple,
        "FitExampleStatOnly": (without, alone),
    }
    for name, (catalog, templates) in analyses.items():
        words = (official / f"reference/{name}/Fits/{name}.txt").read_text().split()
        theirs = float(words[words.index("NLL") + 1])
        found = measure(templates, catalog, what=["fit"]).minimum
        assert found == pytest.approx(theirs, rel=2e-6)


def test_the_ranking_of_histograms_is_theirs(example: Analysis, official: Path) -> None:
    """One parameter moves the signal off its bound, if it moves by its error before the fit."""
    found = measure(*reversed(example), what=["ranking"]).ranking
    assert found is not None
    lines = (official / "reference/FitExample/Fits/NPRanking_SigXsecOverSM.txt").read_text()
    theirs = {name: list(map(float, cells)) for name, *cells in map(str.split, lines.splitlines())}
    assert {row.name for row in found.rows} == set(theirs)
    for row in found.rows:
        *_, up, down, up_before, down_before = theirs[row.name]
        assert (row.up, row.down) == pytest.approx((up, down), abs=1e-5)
        if row.role == "systematic":
            before = (row.up_before, row.down_before)
            assert before == pytest.approx((up_before, down_before), abs=1e-4)


def test_the_fit_of_ntuples_is_theirs(ntuple: Analysis, official: Path) -> None:
    """Values within 0.2 % of the errors, errors within 0.7 %; their fit stops at a tolerance."""
    catalog, templates = ntuple
    found = measure(templates, catalog, what=["fit"]).fit
    assert found is not None
    theirs = reference_values(official / "reference/FitExampleNtuple/Fits/FitExampleNtuple.txt")
    assert {row.name for row in found.parameters} == set(theirs)
    for row in found.parameters:
        value, up, down = theirs[row.name]
        assert row.value == pytest.approx(value, abs=2e-3 * up)
        if row.up is None or row.down is None:
            assert row.error == pytest.approx(up, rel=0.007)
        else:
            assert (row.up, row.down) == pytest.approx((up, down), rel=2e-3)
    assert {row.name for row in found.parameters if row.up} == {"mu_XS_ttH", "tt_norm"}


def test_grouped_impacts_of_ntuples_are_theirs(ntuple: Analysis, official: Path) -> None:
    """Symmetric ones to 1 %; squares of all to 0.2 % of the whole squared error.

    What small groups add to asymmetric errors is lost in the tolerance to which these are found.
    """
    catalog, templates = ntuple
    found = measure(templates, catalog, what=["impacts"]).impacts
    assert found is not None
    lines = (official / "reference/FitExampleNtuple/Fits/GroupedImpact.txt").read_text()
    theirs = {words[0]: words for words in map(str.split, lines.splitlines())}
    assert {group.name for group in found.groups} == set(theirs)
    for group in found.groups:
        _, error, _, up, down, _ = theirs[group.name]
        assert group.error == pytest.approx(float(error), rel=0.01)
        for ours, text, total in (
            (group.up, up, found.total.up),
            (group.down, down, found.total.down),
        ):
            assert ours is not None
            assert total is not None
            expected = float(text.strip("+-,"))
            assert ours**2 == pytest.approx(expected**2, abs=2e-3 * total**2)


def test_the_fit_without_systematics_is_theirs(official: Path) -> None:
    catalog = catalog_of(official, "FitExampleStatOnly")
    templates = build_templates(catalog, fit_example(official, catalog)).templates
    found = measure(templates, catalog, what=["fit"]).fit
    assert found is not None
    (signal,) = found.parameters
    assert signal.value == pytest.approx(0, abs=1e-6)
    assert signal.up == pytest.approx(0.575666, rel=1e-3)
