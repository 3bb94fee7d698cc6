"""Settings that TRExFitter has for single analyses, on numbers worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

from quarkline.catalog import Catalog
from quarkline.engine.core.findings import InputError
from quarkline.statistics.likelihood.fit import fit
from quarkline.statistics.likelihood.model import Model
from quarkline.statistics.likelihood.spec import Scale
from quarkline.templates.build import Built, build_templates
from quarkline.templates.fill import HistRequest
from quarkline.templates.histfactory import write_histfactory
from quarkline.templates.likelihood import likelihood_of
from quarkline.templates.predict import predict
from quarkline.templates.restore import read_templates
from quarkline.templates.sets import Shift
from quarkline.templates.store import write_templates

from .made import analysis, built, histogram, shift, template, varied
from .roofit import fitted_by_roofit
from .test_histfactory import agree

TOP = {"top": {}}


def in_regions(catalog: Catalog, **contents: dict[str, Any]) -> Built:
    """Templates of histograms by region, of `sample` or `sample__systematic__side`."""
    histograms = {}
    for region, found in contents.items():
        for name, values in found.items():
            sample, *rest = name.split("__")
            histograms[HistRequest(sample, region, ":".join(rest))] = histogram(values)
    return build_templates(catalog, histograms)


def said(error: pytest.ExceptionInfo[InputError]) -> list[list[str]]:
    return [finding.evidence["setting"] for finding in error.value.findings]


class TestSymmetricShapes:
    """A shift of the yield bends the shapes of sides that mirror one another, but not these."""

    def _jes(
        self, *, up: Any, down: Any, symmetric: bool = True, scales: str = "1", **keys: Any
    ) -> Shift:
        systematic = varied(**keys)
        systematic["up"]["scales"] = systematic["down"]["scales"] = scales
        catalog = analysis(
            samples=TOP,
            systematics={"JES": systematic},
            templates={"symmetric_shapes": symmetric},
        )
        contents = {"top": [10, 30], "top__JES__up": up, "top__JES__down": down}
        return shift(built(catalog, **contents), "top", "JES")

    def test_of_one_side(self):
        both = [
            self._jes(up=[14, 30], down=[10, 30], symmetrise="one-sided", symmetric=symmetric)
            for symmetric in (False, True)
        ]
        for found in both:
            np.testing.assert_allclose(found.up.contents, [14, 30])
            np.testing.assert_allclose(found.down.contents, [6, 30])
            np.testing.assert_allclose([found.norm_up, found.norm_down], [0.1, -0.1])
        np.testing.assert_allclose(both[0].shape_up, [14 / 1.1, 30 / 1.1])
        np.testing.assert_allclose(both[0].shape_down, [6 / 0.9, 30 / 0.9])
        np.testing.assert_allclose(both[1].shape_up, [14 / 1.1, 30 / 1.1])
        np.testing.assert_allclose(both[1].shape_down, [20 - 14 / 1.1, 60 - 30 / 1.1])

    def test_of_two_sides_without_the_factor_of_the_shift(self):
        """Scaled to 40 events, up is (14, 30) / 1.1 and down (9, 27) / 0.9 = (10, 30)."""
        found = self._jes(up=[14, 30], down=[9, 27], symmetrise="two-sided", scales="2")
        half = (14 / 1.1 - 10) / 2
        np.testing.assert_allclose(found.shape_up, [10 + half, 30 - half])
        np.testing.assert_allclose(found.shape_down, [10 - half, 30 + half])
        np.testing.assert_allclose([found.norm_up, found.norm_down], [8 / 40, -8 / 40])

    def test_what_is_not_symmetrised_stays(self):
        plain, found = (
            self._jes(up=[14, 30], down=[9, 27], symmetric=symmetric) for symmetric in (False, True)
        )
        np.testing.assert_array_equal(found.shape_up, plain.shape_up)
        np.testing.assert_array_equal(found.shape_down, plain.shape_down)

    def test_they_survive_files(self, tmp_path: Path):
        catalog = analysis(
            samples=TOP,
            systematics={"JES": varied(symmetrise="one-sided")},
            templates={"symmetric_shapes": True},
        )
        contents = {"top": [10, 30], "top__JES__up": [14, 30], "top__JES__down": [10, 30]}
        made = built(catalog, **contents)
        write_templates(made.templates, catalog, tmp_path, "job")
        again = read_templates(catalog, tmp_path, "job").regions["SR"].templates["top"]
        np.testing.assert_array_equal(
            again.shifts["JES"].shape_down, shift(made, "top", "JES").shape_down
        )

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("combine", {"name": "c"}),
            ("force_shape", "linear"),
            ("reference_smoothing", "top"),
            ("parameter", "other"),
        ],
    )
    def test_what_trexfitter_does_to_sides_alone_is_refused(self, key: str, value: Any):
        catalog = analysis(
            samples=TOP,
            systematics={"other": varied(), "JES": varied(**{key: value})},
            templates={"symmetric_shapes": True},
        )
        with pytest.raises(InputError, match="is not done with `templates") as caught:
            built(catalog, top=[1, 2])
        assert said(caught) == [["systematics", "JES", key]]


COMBINED = {
    "top": [10, 20],
    "top__a__up": [12, 22],
    "top__a__down": [9, 19],
    "top__b__up": [11, 26],
    "top__b__down": [10, 20],
}


class TestCombinationsThatKeepTheYield:
    def _made(self, **combine: Any) -> Built:
        systematics = {
            "a": varied(combine={"name": "scales"}),
            "b": varied(combine={"name": "scales", **combine}),
        }
        regions: dict[str, Any] = {"SR": {}, "CR": {}}
        return built(analysis(samples=TOP, systematics=systematics, regions=regions), **COMBINED)

    def test_in_the_regions_that_any_of_them_names(self):
        made = self._made(drop_norm=["SR"])
        found = shift(made, "top", "a")
        np.testing.assert_allclose(found.up.contents, np.array([12, 26]) * 30 / 38)
        np.testing.assert_allclose(found.down.contents, np.array([9, 19]) * 30 / 28)
        np.testing.assert_allclose([found.norm_up, found.norm_down], 0, atol=1e-15)
        np.testing.assert_allclose(shift(made, "top", "a", "CR").up.contents, [12, 26])

    def test_everywhere(self):
        made = self._made(drop_norm=["all"])
        for region in ("SR", "CR"):
            assert shift(made, "top", "a", region).up.integral == pytest.approx(30)
            np.testing.assert_array_equal(shift(made, "top", "b", region).up.contents, [10, 20])


class TestPruning:
    def _jes(self, *, top: list[float], **pruning: Any) -> Shift:
        catalog = analysis(
            samples=TOP, systematics={"JES": varied()}, templates={"pruning": pruning}
        )
        up, down = ([value * by for value in top] for by in (1.1, 0.9))
        return shift(built(catalog, top=top, top__JES__up=up, top__JES__down=down), "top", "JES")

    def test_samples_without_events_lose_systematics_if_asked(self):
        assert self._jes(top=[4e-5, 4e-5]).norm_kept
        gone = self._jes(top=[4e-5, 4e-5], remove_on_empty=True)
        assert (gone.norm_kept, gone.shape_kept, gone.reason) == (
            *(False, False),
            "sample without events",
        )
        assert self._jes(top=[6e-5, 5e-5], remove_on_empty=True).norm_kept

    def test_stated_changes_of_the_yield_may_be_kept(self):
        stated = {"kind": "normalisation", "up": 0.01, "down": -0.01}
        catalog = analysis(
            samples=TOP,
            systematics={"XS": stated, "kept": {**stated, "prune": False}},
            templates={"pruning": {"norm": 0.05}},
        )
        made = built(catalog, top=[10, 30])
        kept = [shift(made, "top", name).norm_kept for name in ("XS", "kept")]
        assert kept == [False, True]
        assert not shift(made, "top", "kept").shape_kept

    def test_a_part_that_is_too_large_keeps_the_other_however_small(self):
        catalog = analysis(
            samples=TOP,
            systematics={"JES": varied()},
            templates={"pruning": {"norm": 0.1, "large": 0.5, "remove_large": False}},
        )
        contents = {"top": [10, 30], "top__JES__up": [20, 21], "top__JES__down": [10, 30]}
        found = shift(built(catalog, **contents), "top", "JES")
        assert found.bad == ("shape",)
        assert (found.norm_kept, found.shape_kept) == (True, False)


HIDDEN = {"sig": [1, 4, 5], "top": [100, 20, 20], "data": [98, 22, 30]}


class TestHiddenBins:
    def _catalog(self, *, region: dict[str, Any] | None = None, **keys: Any) -> Catalog:
        return analysis(
            samples={"sig": {"role": "signal"}, "top": {}, "data": {"role": "data"}},
            regions={"SR": {"drop_hidden_bins": True} if region is None else region},
            norm_factors={"mu": {"samples": "sig"}},
            poi="mu",
            **keys,
        )

    @pytest.mark.parametrize(
        ("hide", "dropped"),
        [
            ({"threshold": 0.2}, (2,)),
            ({"threshold": 0.19}, (1, 2)),
            ({"threshold": 0.19, "ratio": "s/(s+b)"}, (2,)),
            ({"threshold": 1.0, "ratio": "s/sqrt(b)"}, (2,)),
            ({"threshold": 1.0, "ratio": "s/sqrt(s+b)"}, ()),
        ],
    )
    def test_are_left_out_of_everything(self, hide: dict[str, Any], dropped: tuple[int, ...]):
        made = built(self._catalog(hide=hide), **HIDDEN)
        region = made.templates.regions["SR"]
        assert region.dropped == dropped
        assert region.data is not None
        for found in (region.data, template(made, "top").nominal):
            assert found.contents[list(dropped)].tolist() == [0] * len(dropped)
        spec = likelihood_of(made.templates, self._catalog(hide=hide)).spec
        assert spec.channels[0].bins == 3 - len(dropped)

    def test_the_signal_has_its_nominal_strength(self):
        catalog = self._catalog(hide={"threshold": 0.2})
        factor = catalog.norm_factors["mu"].model_copy(update={"nominal": 0.5})
        catalog = catalog.model_copy(update={"norm_factors": {"mu": factor}})
        assert built(catalog, **HIDDEN).templates.regions["SR"].dropped == ()

    def test_chi2_is_that_of_the_others(self):
        catalog = self._catalog(hide={"threshold": 0.2})
        found = predict(built(catalog, **HIDDEN).templates, catalog)["SR"]
        assert found.degrees == 2
        expected, errors = np.array([101, 24]), np.array([101, 24])
        seen = np.array([98, 22])
        variance = expected + errors  # Poisson errors, and those of 1 + 100 and 4 + 20 events
        assert found.chi2 == pytest.approx(((seen - expected) ** 2 / variance).sum())

    def test_without_a_background_no_ratio_to_it_counts(self):
        catalog = self._catalog(hide={"threshold": 0.2})
        samples = {name: one for name, one in catalog.samples.items() if name != "top"}
        catalog = catalog.model_copy(update={"samples": samples})
        contents = {name: HIDDEN[name] for name in samples}
        assert built(catalog, **contents).templates.regions["SR"].dropped == ()

    def test_they_survive_files_also_of_trexfitter(self, tmp_path: Path):
        catalog = self._catalog(hide={"threshold": 0.2})
        made = built(catalog, **HIDDEN)
        write_templates(made.templates, catalog, tmp_path, "job")
        assert read_templates(catalog, tmp_path, "job").regions["SR"].dropped == (2,)
        (path,) = tmp_path.glob("*.root")
        with uproot.open(path) as ours:
            kept = {name: ours[name] for name in ours.keys(cycle=False) if "quark" not in name}
            with uproot.recreate(tmp_path / "theirs_SR_histos.root") as theirs:
                for name, found in kept.items():
                    theirs[name] = found
        assert read_templates(catalog, tmp_path, "theirs").regions["SR"].dropped == (2,)

    def test_what_makes_no_sense_is_said(self):
        both = self._catalog(region={"drop_hidden_bins": True, "drop_bins": 1})
        with pytest.raises(InputError, match="has both `drop_bins` and `drop_hidden_bins`"):
            built(both, **HIDDEN)
        (found,) = built(self._catalog(), **HIDDEN).findings
        assert "no effect without `hide.threshold`" in found.message
        with pytest.raises(InputError, match="leaves out all bins") as caught:
            built(self._catalog(hide={"threshold": 0.001}), **HIDDEN)
        assert said(caught) == [["regions", "SR", "drop_hidden_bins"]]


VR = {"top": [100, 50], "top__JES__up": [110, 60], "top__JES__down": [100, 50]}
A = {"top": [40], "top__JES__up": [50], "top__JES__down": [40]}


class TestBinsOfRegions:
    """`A` is the second bin of `VR`, whose sides were (110, 60) and (100, 50)."""

    def _shift(self, regions: dict[str, Any] | None = None, **keys: Any) -> Shift:
        regions = regions or {"VR": {}, "A": {"bin_of": {"region": "VR", "bin": 2}}}
        catalog = analysis(samples=TOP, regions=regions, systematics={"JES": varied(**keys)})
        return shift(in_regions(catalog, VR=VR, A=A), "top", "JES", "A")

    def test_sides_are_scaled_as_the_bin_changed(self):
        """Two sides become (105, 55) and (95, 45), so that up is scaled by 55 / 60, down by 0.9."""
        found = self._shift(symmetrise="two-sided")
        half = (50 * 55 / 60 - 40 * 45 / 50) / 2
        np.testing.assert_allclose(found.up.contents, [40 + half])
        np.testing.assert_allclose(found.down.contents, [40 - half])

    def test_smoothing_reaches_a_region_of_one_bin(self):
        """Both bins are one group of the smoothing, which gives them the ratio 170 / 150."""
        found = self._shift(smoothing=40)
        few = {"VR": {}, "A": {}}
        alone = self._shift(few, smoothing=40)
        catalog = analysis(samples=TOP, regions=few, systematics={"JES": varied(smoothing=40)})
        treated = shift(in_regions(catalog, VR=VR, A=A), "top", "JES", "VR")
        assert alone.up.contents[0] == 50
        assert treated.up.contents[1] != 60
        np.testing.assert_allclose(found.up.contents, [50 * treated.up.contents[1] / 60])

    def test_the_side_that_is_mirrored_away_stays(self):
        """Down of `VR` is mirrored to (90, 40), which is no reason to scale down of `A`."""
        found = self._shift(symmetrise="one-sided")
        np.testing.assert_allclose([found.up.contents[0], found.down.contents[0]], [50, 30])

    @pytest.mark.parametrize(
        ("regions", "what"),
        [
            ({"A": {"bin_of": {"region": "VR", "bin": 2}}, "VR": {}}, "comes later"),
            ({"VR": {}, "A": {"bin_of": {"region": "VX", "bin": 2}}}, "there is no region `VX`"),
            ({"VR": {"merge": 2}, "A": {"bin_of": {"region": "VR", "bin": 1}}}, "are merged"),
            ({"VR": {}, "A": {"bin_of": {"region": "VR", "bin": 3}}}, "bin 3 of `VR`, of 2 bins"),
        ],
    )
    def test_bins_that_are_not_known_are_refused(self, regions: dict[str, Any], what: str):
        with pytest.raises(InputError, match=what) as caught:
            self._shift(regions, symmetrise="two-sided")
        assert said(caught) == [["regions", "A", "bin_of"]]


def test_factors_leave_out_samples_as_well_as_regions():
    catalog = analysis(
        samples={"sig": {"role": "signal"}, "tt": {}, "W": {}},
        regions={"SR": {}, "CR": {"role": "control"}},
        norm_factors={
            "mu": {"samples": "sig"},
            "k": {"samples": ["all"], "exclude": ["sig", "CR", "W*"], "nominal": 2.0},
        },
        poi="mu",
    )
    made = built(catalog, sig=[1, 2], tt=[10, 20], W=[5, 5])
    spec = likelihood_of(made.templates, catalog).spec
    scaled = {
        (channel.name, sample.name): [one.parameter for one in sample.modifiers if _is_scale(one)]
        for channel in spec.channels
        for sample in channel.samples
    }
    assert {place for place, names in scaled.items() if "k" in names} == {("SR", "tt")}
    found = predict(made.templates, catalog)["SR"]
    assert [sample.total for sample in found.samples] == [3, 60, 10]


def _is_scale(one: object) -> bool:
    return isinstance(one, Scale)


@pytest.mark.oracle
def test_roofit_finds_the_same_for_all_of_it(tmp_path: Path) -> None:
    """Symmetric shapes, hidden bins, an excluded sample and two measured parameters."""
    pytest.importorskip("ROOT", reason="pip install ROOT", exc_type=ImportError)
    catalog = analysis(
        samples={"sig": {"role": "signal"}, "tt": {}, "W": {}, "data": {"role": "data"}},
        regions={"SR": {"drop_hidden_bins": True}},
        systematics={"JES": varied(symmetrise="one-sided", samples=["tt", "sig"])},
        norm_factors={
            "mu": {"samples": "sig", "min": -5},
            "k": {"exclude": ["sig", "W"], "samples": "all"},
        },
        templates={"symmetric_shapes": True, "pruning": {"norm": 0.001, "shape": 0.001}},
        hide={"threshold": 0.5},
        poi="mu",
        further_pois=["k"],
    )
    contents = {
        "sig": histogram([5, 20, 40, 60], [0.3, 0.5, 0.7, 0.9]),
        "sig__JES__up": histogram([6, 22, 44, 61], [0.3, 0.5, 0.7, 0.9]),
        "sig__JES__down": histogram([5, 20, 40, 60], [0.3, 0.5, 0.7, 0.9]),
        "tt": histogram([300, 200, 120, 50], [6, 5, 4, 2]),
        "tt__JES__up": histogram([310, 220, 140, 60], [6, 5, 4, 2]),
        "tt__JES__down": histogram([300, 200, 120, 50], [6, 5, 4, 2]),
        "W": histogram([100, 60, 30, 10], [4, 3, 2, 1]),
        "data": [400, 300, 190, 999],
    }
    templates = built(catalog, **contents).templates
    assert templates.regions["SR"].dropped == (3,)
    spec = likelihood_of(templates, catalog, name="job").spec
    path = write_histfactory(spec, tmp_path, templates=templates)[0]
    (theirs,) = fitted_by_roofit(path)
    agree(spec, fit(Model(spec)), theirs)
