"""What a search draws of its templates, and the words and tables of its fit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quarkline.catalog import Catalog
from quarkline.report import Cell, Figures, Table
from quarkline.statistics.likelihood.results import CLsLimit, DiscoverySignificance
from quarkline.statistics.likelihood.spec import LikelihoodSpec
from quarkline.studies.search.fits.parts import controlled_part
from quarkline.studies.search.fits.results import Controls, MadeTemplates
from quarkline.studies.search.fits.template_figures import (
    controls_of,
    draw_controls,
    draw_templates,
    template_items,
)
from quarkline.studies.search.fits.templates import made_of
from quarkline.studies.search.fits.words import sentence
from quarkline.studies.search.sections.fit import yields
from quarkline.studies.search.sections.found import findings_blocks
from quarkline.studies.search.sections.templates import templates_section
from quarkline.templates.build import Built
from quarkline.templates.fill import Filled
from quarkline.templates.likelihood import Likelihood
from quarkline.templates.measure import Measured
from quarkline.templates.measure.data import Sources
from quarkline.templates.predict import predict
from quarkline.templates.sets import TemplateSet
from quarkline.templates.store import write_templates
from tests.templates.made import analysis, built, varied

LABEL = {"experiment": "", "text": "", "luminosity": ""}
SIGNAL, TOP = [1.0, 4.0, 5.0], [60.0, 30.0, 10.0]
UP, DOWN = [66.0, 30.0, 12.0], [57.0, 30.0, 9.0]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return analysis(
        samples={"lq": {"role": "signal"}, "top": {"title": "Top"}, "rare": {}},
        systematics={
            "scale": varied(samples="top", symmetrise="two-sided"),
            "small": varied(samples="top", symmetrise="two-sided"),
            "luminosity": {"kind": "normalisation", "up": 0.01, "down": -0.01},
        },
        norm_factors={"mu": {"samples": "lq"}},
        templates={"pruning": {"norm": 0.005, "shape": 0.005}},
        poi="mu",
    )


@pytest.fixture(scope="module")
def templates_built(catalog: Catalog) -> Built:
    """The effect of `small` is a thousandth; `rare` has no events."""
    content: dict[str, Any] = {"lq": SIGNAL, "top": TOP, "rare": [0.0, 0.0, 0.0]}
    content |= {"top__scale__up": UP, "top__scale__down": DOWN}
    content |= {"top__small__up": [60.06, 30.03, 10.01], "top__small__down": TOP}
    return built(catalog, **content)


@pytest.fixture(scope="module")
def templates(templates_built: Built) -> TemplateSet:
    return templates_built.templates


@pytest.fixture(scope="module")
def folder(
    catalog: Catalog, templates: TemplateSet, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("templates")
    write_templates(templates, catalog, folder, "job")
    return folder


@pytest.fixture(scope="module")
def made(catalog: Catalog, templates_built: Built) -> MadeTemplates:
    return made_of(catalog, Filled({}), templates_built)


def drawn(path: Path) -> dict[str, list[Any]]:
    """Columns of the drawn values: by name and qualifiers."""
    found: dict[str, list[Any]] = {}
    for table in json.loads(path.read_text())["tables"]:
        for column in table["data"]["dependent_variables"]:
            tags = [str(tag["value"]) for tag in column.get("qualifiers", [])]
            name = ", ".join([column["header"]["name"], *tags])
            found[name] = [row["value"] for row in column["values"]]
    return found


def test_separations_and_pruning_are_drawn_from_the_stored_templates(
    catalog: Catalog, folder: Path, made: MadeTemplates, tmp_path: Path
) -> None:
    items = template_items(made, controlled_part(catalog), "job", LABEL, folder)
    assert [item.name for item in items] == ["pruning", "normalisation", "separation_SR"]
    for item in items:
        (tmp_path / item.name).mkdir()
        draw_templates(json.loads(json.dumps(item.args)), item.inputs, tmp_path / item.name)
        assert (tmp_path / item.name / "figure.svg").is_file()
    shapes = drawn(tmp_path / "separation_SR" / "figure.json")
    s, b = np.divide(SIGNAL, 10), np.divide(TOP, 100)
    np.testing.assert_allclose(shapes["Share of events, Signal"], s, rtol=1e-6)
    assert made.separations["SR"] == pytest.approx(0.5 * np.sum((s - b) ** 2 / (s + b)), rel=1e-6)
    pruned = drawn(tmp_path / "pruning" / "figure.json")
    by_row = np.array(pruned["Norm kept"], dtype=object).reshape(3, 3)
    assert by_row[0].tolist() == ["-", 1.0, "-"]
    assert by_row[1].tolist() == ["-", 0.0, "-"]
    assert by_row[2].tolist() == [1.0, 1.0, 1.0]


def test_systematics_are_drawn_as_filled_and_as_fitted_where_pruning_left_them(
    catalog: Catalog, templates: TemplateSet, folder: Path, made: MadeTemplates, tmp_path: Path
) -> None:
    (control,) = controls_of(catalog, templates)
    assert (control.figure, control.kept) == ("SR_top_scale", ("norm", "shape"))
    args = {
        "catalog": controlled_part(catalog).model_dump(mode="json"),
        "job": "job",
        "label": LABEL,
        "region": "SR",
        "systematic": "scale",
        "figures": {"top": control.figure},
    }
    draw_controls(args, {"templates": folder}, tmp_path)
    columns = drawn(tmp_path / "SR_top_scale.json")
    assert columns["Events, up, as filled"] == UP
    assert columns["Events, down, as filled"] == DOWN
    half = (np.array(UP) - DOWN) / 2
    np.testing.assert_allclose(columns["Events, up"], TOP + half)
    np.testing.assert_allclose(columns["Events, down"], TOP - half)
    assert {path.suffix for path in tmp_path.iterdir()} == {".pdf", ".png", ".json"}
    section = templates_section({"made": made, "drawn": Controls((control,))}, Figures(Path()))
    table = section.blocks[-1]
    assert isinstance(table, Table)
    assert [table.rows[0][at] for at in (0, 1, 2, 5, 6)] == [
        *("scale", "SR", "top", "norm and shape", "SR_top_scale"),
    ]


def test_a_sample_without_events_yields_nothing(
    catalog: Catalog, templates: TemplateSet, made: MadeTemplates
) -> None:
    before = tuple(predict(templates, catalog).values())
    (rare,) = (one for one in before[0].samples if one.name == "rare")
    assert 0 < rare.total < 1e-5
    assert made.empty == {"SR": ("rare",)}
    assert [one["message"] for one in made.findings] == ["`rare` in `SR` has no events"]
    rows = {row[0]: row[1] for row in yields("yields", before, made.empty, "").rows}
    assert rows["rare"] == Cell("0", 0)
    assert isinstance(rows["top"], Cell)
    assert rows["top"].value == pytest.approx(100.0)


def test_findings_are_grouped_by_rule_with_all_of_them_behind() -> None:
    def finding(code: str, message: str) -> dict[str, Any]:
        parts = {"severity": "warning", "rule": f"rule {code}", "suggestion": None}
        return {"code": code, "message": message, **parts}

    found = [finding("A", "first"), finding("B", "other"), finding("A", "second")]
    short, long = findings_blocks(found)
    assert isinstance(short, Table)
    assert isinstance(long, Table)
    assert [list(row) for row in short.rows] == [
        ["A", "warning", 2, "rule A", "first; 1 more"],
        ["B", "warning", 1, "rule B", "other"],
    ]
    assert (long.folded, short.folded) == (True, False)
    assert [row[1] for row in long.rows] == ["first", "second", "other"]
    assert findings_blocks([]) == []


@pytest.mark.parametrize(("z", "told"), [(4.9, True), (9.0, False), (None, True)])
def test_a_signal_beyond_doubt_has_no_limit_in_the_headline(z: float | None, told: bool) -> None:
    limit = CLsLimit("mu", 0.95, 2.0, (0.5, 0.7, 1.0, 1.4, 2.0), None, None, (), "toys", True)
    found = Measured(
        Likelihood(LikelihoodSpec("job", (), (), "mu"), {}, {}, {}),
        significance=DiscoverySignificance("mu", None, None, z, 6.0, 1.0),
        limit=limit if z is not None else replace(limit, observed=None),
    )
    words = sentence(found, None, {}, Sources(("SR",), (), ()))
    assert ("mu < " in words) == told
    assert "σ" in words
