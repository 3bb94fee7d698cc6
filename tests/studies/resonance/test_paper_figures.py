"""The old plotting class, called as the old guide calls it."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.figures import FEATURES
from quarkline.studies.resonance.paper_figures import (
    DEFAULT_FEATURE_BINS,
    DEFAULT_FEATURE_LABELS,
    PaperFigureGenerator,
)
from quarkline.tools.new import new

FEATURE_SET = ["dimu_pt", "mu0_ip3d", "mu1_ip3d"]
GUIDE = {
    "plot_feature_distributions": {
        "data_dicts": ...,
        "data_labels": ...,
        "feature_set": ...,
        "kwargs_dict": ...,
        "feature_bins": DEFAULT_FEATURE_BINS,
        "feature_labels": DEFAULT_FEATURE_LABELS,
        "save_path": None,
        "yscale_log": True,
    },
    "plot_significance_variations": {
        "significance_results": ...,
        "fpr_thresholds": ...,
        "fit_degrees": (3, 5, 7),
        "num_bins_list": (8, 12, 16),
        "save_path": None,
    },
    "plot_roc_curve": {"data": ..., "samples": ..., "n_runs": 3, "save_path": None},
    "plot_training_losses": {
        "train_losses": ...,
        "val_losses": ...,
        "yrange": None,
        "save_path": None,
    },
}
"""Arguments and defaults that the guide states; `...` where one must be given."""


@pytest.fixture
def generator(tmp_path: Path) -> PaperFigureGenerator:
    return PaperFigureGenerator(new("upsilon", folder=tmp_path))


def events(count: int, seed: int) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    columns = [draw.gamma(4, 8, (count, 1)), *(draw.exponential(0.02, (count, 1)) for _ in "ab")]
    return dict(zip(FEATURE_SET, columns, strict=True))


def tables(stem: Path) -> list[dict[str, Any]]:
    """The drawn values; that all three files are there is part of every use."""
    assert {path.suffix for path in stem.parent.glob(f"{stem.name}.*")} == {".pdf", ".png", ".json"}
    return list(json.loads(stem.with_name(f"{stem.name}.json").read_text())["tables"])


def column(table: dict[str, Any], kind: str) -> list[float]:
    return [item["value"] for item in table["data"][f"{kind}_variables"][0]["values"]]


@pytest.mark.parametrize("method", GUIDE)
def test_arguments_are_those_of_the_guide(method: str) -> None:
    parameters = inspect.signature(getattr(PaperFigureGenerator, method)).parameters
    found = {
        name: ... if item.default is item.empty else item.default
        for name, item in parameters.items()
        if name != "self"
    }
    assert list(found) == list(GUIDE[method])
    assert all(
        found[name] == value or found[name] is value for name, value in GUIDE[method].items()
    )


def test_default_bins_and_labels_name_every_feature_once() -> None:
    assert set(DEFAULT_FEATURE_LABELS) == set(FEATURES)
    assert len(DEFAULT_FEATURE_BINS["dimu_pt"]) == 60
    assert (DEFAULT_FEATURE_BINS["mu0_ip3d"][0], DEFAULT_FEATURE_BINS["mu0_ip3d"][-1]) == (0, 0.25)


def test_the_guides_feature_distributions(generator: PaperFigureGenerator, tmp_path: Path) -> None:
    regions = {name: events(300 + 100 * i, i) for i, name in enumerate(("SBL", "SR", "SBH"))}
    colors = {"SBL": "green", "SR": "red", "SBH": "purple"}
    stem = tmp_path / "feature_distributions.v2"
    figure = generator.plot_feature_distributions(
        data_dicts=list(regions.values()),
        data_labels=list(regions),
        feature_set=FEATURE_SET,
        kwargs_dict={
            name: {"histtype": "step", "color": color, "label": f"band {name}"}
            for name, color in colors.items()
        },
        save_path=stem,
    )
    found = tables(stem)
    assert len(found) == 9
    edges = DEFAULT_FEATURE_BINS["dimu_pt"]
    counts, _ = np.histogram(regions["SBL"]["dimu_pt"], edges)
    assert column(found[0], "dependent") == list(counts)
    patches = figure.axes[0].patches
    assert [patch.get_edgecolor()[:3] for patch in patches[:2]] == [(0, 128 / 255, 0), (1, 0, 0)]
    assert patches[0].get_label().startswith("band SBL")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"data_labels": ["SBL"]}, "2 `data_dicts` have 1 `data_labels`"),
        ({"feature_set": ["dimu_ptt"]}, "`SBL` has no feature `dimu_ptt`"),
        ({"kwargs_dict": {"SR": {"colour": "red"}}}, "`colour` of `SR`"),
        ({"kwargs_dict": {"SR": {"histtype": "bar"}}}, "`histtype` of `SR` is `bar`"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    generator: PaperFigureGenerator, change: dict[str, Any], what: str
) -> None:
    given: dict[str, Any] = {
        "data_dicts": [events(9, 1), events(9, 2)],
        "data_labels": ["SBL", "SR"],
        "feature_set": FEATURE_SET,
        "kwargs_dict": {},
    }
    with pytest.raises(InputError) as refused:
        generator.plot_feature_distributions(**(given | change))
    assert what in refused.value.findings[0].message
    assert refused.value.findings[0].suggestion


def test_the_guides_variations_count_edges(generator: PaperFigureGenerator, tmp_path: Path) -> None:
    fpr = np.logspace(-4, -1, 100)
    results = {
        f"{degree}_{edges}": {"significances": np.linspace(0, degree, 100)[:, None]}
        for degree in (3, 5, 7)
        for edges in (8, 12, 16)
    }
    stem = tmp_path / "significance_variations"
    figure = generator.plot_significance_variations(results, fpr, save_path=stem)
    assert len(tables(stem)[0]["data"]["dependent_variables"]) == 18  # Z and p of nine curves
    words = " ".join(text.get_text() for text in figure.axes[0].get_legend().get_texts())
    for width in (2.3, 1.5, 1.1):  # 1.6 GeV over 7, 11 and 15 bins, in percent of 10 GeV
        assert f"{width}" in words
    del results["7_16"]
    with pytest.raises(InputError, match="`significance_results` has no `7_16`"):
        generator.plot_significance_variations(results, fpr)
    generator.plot_significance_variations(results, fpr, num_bins_list=[8, 12])
    with pytest.raises(InputError, match="`3_8` has 100 significances for 25 `fpr_thresholds`"):
        generator.plot_significance_variations(results, fpr[:25], num_bins_list=[8])


def test_the_guides_roc_curve(generator: PaperFigureGenerator, tmp_path: Path) -> None:
    data, same, other = (
        np.concatenate([*events(1500, seed).values(), np.full((1500, 1), mass)], axis=1)
        for seed, mass in ((1, 7.0), (2, 12.0), (3, 7.0))
    )
    mean, spread = generator.plot_roc_curve(data=data, samples=same, save_path=tmp_path / "roc")
    assert abs(mean - 0.5) < 0.04, "the mass, which differs, is no input"
    assert 0 < spread < 0.03
    assert len(tables(tmp_path / "roc")) == 3
    other[:, 0] *= 2
    assert generator.plot_roc_curve(data, other, n_runs=1)[0] > 0.75
    assert generator.plot_roc_curve(data, other[:, :3], n_runs=1)[0] > 0.75
    with pytest.raises(InputError, match=r"`samples` has the shape \(1500, 2\)"):
        generator.plot_roc_curve(data, other[:, :2])


def test_the_guides_losses(generator: PaperFigureGenerator, tmp_path: Path) -> None:
    train = np.linspace(2, 1, 12)
    generator.plot_training_losses(train, train + 0.1, save_path=tmp_path / "training_losses")
    first, second = tables(tmp_path / "training_losses")
    assert column(first, "dependent") == pytest.approx(list(train))
    assert column(second, "dependent") == pytest.approx(list(train + 0.1))


def test_the_five_others(generator: PaperFigureGenerator, tmp_path: Path) -> None:
    draw = np.random.default_rng(5)
    mass = np.concatenate([draw.uniform(5, 16, 4000), draw.normal(9.8, 0.1, 300)])
    score = draw.random(mass.size)
    generator.plot_mass_spectrum(mass, save_path=tmp_path / "spectrum")
    assert sum(column(tables(tmp_path / "spectrum")[0], "dependent")) > 4200
    generator.plot_background_fit(mass, fit_degree=3, num_bins=8, save_path=tmp_path / "fit")
    assert len(column(tables(tmp_path / "fit")[0], "dependent")) == 17 + 7 + 23
    generator.plot_significance(mass, save_path=tmp_path / "significance")
    z = column(tables(tmp_path / "significance")[0], "dependent")
    assert max(z) > 5
    assert 30 < np.argmax(z) < 37, "the bins about 9.8 GeV"
    generator.plot_score_vs_mass(mass, score, save_path=tmp_path / "score_vs_mass")
    regions = {"SBL": score[mass < 9], "SR": score[(mass >= 9) & (mass < 10.6)]}
    generator.plot_anomaly_score_distribution(regions, save_path=tmp_path / "score")
    assert len(tables(tmp_path / "score")) == 2


def test_another_file_than_a_config_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        PaperFigureGenerator(tmp_path / "none.yaml")
