"""Templates to files and back: nothing is lost, and ROOT reads the same."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
import uproot

from quarkline.catalog import Catalog
from quarkline.engine.core.findings import InputError
from quarkline.templates.build import build_templates, rebuild_templates
from quarkline.templates.restore import read_templates
from quarkline.templates.sets import TemplateSet
from quarkline.templates.store import histogram_file, write_templates

from .made import analysis, built, histogram, varied
from .official import catalog_of, fit_example, kept_parts, pruning_text


def assert_same(one, other, path="templates"):
    """Both values, whatever they are made of, are the same to the last bit."""
    assert type(one) is type(other), path
    if is_dataclass(one):
        for field in fields(one):
            name = field.name
            assert_same(getattr(one, name), getattr(other, name), f"{path}.{name}")
    elif isinstance(one, dict):
        assert list(one) == list(other), path
        for key, value in one.items():
            assert_same(value, other[key], f"{path}[{key}]")
    elif isinstance(one, np.ndarray):
        np.testing.assert_array_equal(one, other, path)
    else:
        assert one == other, path


@pytest.fixture
def catalog():
    return analysis(
        samples={"data": {"role": "data"}, "top": {"separate_mc_statistics": True}, "W": {}},
        regions={"SR": {"drop_bins": [4]}, "one-bin": {"merge": 4}},
        systematics={
            "JES": varied(smoothing=40, symmetrise="one-sided"),
            "XS": {"kind": "normalisation", "up": 0.1, "down": -0.05},
            "bins": {"kind": "independent", "up": 0.2, "down": -0.2, "samples": ["W"]},
            "pair": varied(samples=["W"], drop_norm=["SR"]),
        },
        templates={"pruning": {"norm": 0.02, "shape": 0.1, "large": 0.5}},
    )


@pytest.fixture
def templates(catalog) -> TemplateSet:
    return built(
        catalog,
        data=[10, 12, 9, 3],
        top=histogram([5, 4, 0, 1.5], [1, 1, 0, 0.5], flow=(0.5, 2.0)),
        top__JES__up=[5.5, 4.1, 0.2, 1.4],
        top__JES__down=[5, 4, 0, 1.5],
        W=[4, 7, 8, 2],
        W__JES__up=[4, 8, 9, 2],
        W__JES__down=[4, 7, 7, 1],
        W__pair__up=[5, 7, 8, 2],
        W__pair__down=[3, 7, 8, 2],
    ).templates


@pytest.mark.parametrize("split", [True, False])
def test_nothing_is_lost(catalog, templates, tmp_path, split):
    files = write_templates(templates, catalog, tmp_path / "Histograms", "job", split=split)
    assert files == [
        histogram_file(tmp_path / "Histograms", "job", region)
        for region in (("SR", "one-bin") if split else (None,))
    ]
    assert_same(read_templates(catalog, tmp_path / "Histograms", "job"), templates)


def test_stored_templates_follow_the_analysis_as_it_is_now(catalog, templates, tmp_path):
    """Settings that need no new filling count although the file was written before them."""
    write_templates(templates, catalog, tmp_path, "job")
    told = catalog.model_dump(exclude_unset=True)
    told["samples"].pop("W")
    told["systematics"] = {"XS": told["systematics"]["XS"] | {"exclude": ["SR"]}}
    fewer = read_templates(Catalog.model_validate(told), tmp_path, "job")
    assert {name: list(region.templates) for name, region in fewer.regions.items()} == {
        "SR": ["top"],
        "one-bin": ["top"],
    }
    assert list(fewer.regions["SR"].templates["top"].shifts) == []
    assert list(fewer.regions["one-bin"].templates["top"].shifts) == ["XS"]

    told = catalog.model_dump(exclude_unset=True)
    told["templates"]["pruning"] = {"norm": 0.9, "shape": 0.9}
    pruned = read_templates(Catalog.model_validate(told), tmp_path, "job")
    kept = [
        shift.norm_kept or shift.shape_kept
        for region in pruned.regions.values()
        for template in region.templates.values()
        for name, shift in template.shifts.items()
        if name != "bins"
    ]
    assert kept
    assert not any(kept)

    told = catalog.model_dump(exclude_unset=True)
    told["systematics"]["XS"]["up"] = 0.3
    larger = read_templates(Catalog.model_validate(told), tmp_path, "job")
    shift = larger.regions["SR"].templates["top"].shifts["XS"]
    assert (shift.norm_up, shift.norm_down) == (0.3, -0.05)

    told = catalog.model_dump(exclude_unset=True)
    told["samples"]["new"] = {}
    with pytest.raises(InputError, match="no histogram `SR_new`"):
        read_templates(Catalog.model_validate(told), tmp_path, "job")

    told = catalog.model_dump(exclude_unset=True)
    told["regions"]["SR"]["blind"] = True
    blind = read_templates(Catalog.model_validate(told), tmp_path, "job")
    assert (blind.regions["SR"].data, blind.regions["SR"].observed) == (None, {})
    assert blind.regions["one-bin"].data is not None


def test_what_came_into_the_analysis_later_is_not_left_out(catalog, templates, tmp_path):
    write_templates(templates, catalog, tmp_path, "job")
    told = catalog.model_dump(exclude_unset=True)
    told["systematics"]["late"] = varied(samples=["W"])
    with pytest.raises(InputError, match="`late` was not filled for `W` in `SR`"):
        read_templates(Catalog.model_validate(told), tmp_path, "job")

    told = catalog.model_dump(exclude_unset=True)
    told["systematics"]["pair"]["samples"] = ["W", "top"]
    with pytest.raises(InputError, match="`pair` was not filled for `top` in `SR`"):
        read_templates(Catalog.model_validate(told), tmp_path, "job")

    told = catalog.model_dump(exclude_unset=True)
    told["samples"]["data2"] = {"role": "data"}
    with pytest.raises(InputError, match="the data of `data2` in `SR` were not filled"):
        read_templates(Catalog.model_validate(told), tmp_path, "job")


def test_what_was_hidden_and_is_not_any_more_is_not_left_out(catalog, templates, tmp_path):
    blind = catalog.model_dump(exclude_unset=True)
    blind["regions"]["SR"]["blind"] = True
    regions = {"SR": replace(templates.regions["SR"], observed={}, data=None)}
    blinded = TemplateSet({**templates.regions, **regions})
    write_templates(blinded, Catalog.model_validate(blind), tmp_path, "job")
    read_templates(Catalog.model_validate(blind), tmp_path, "job")
    with pytest.raises(InputError, match="the data of `data` in `SR` were not filled, or hidden"):
        read_templates(catalog, tmp_path, "job")


def test_changes_of_the_yield_that_are_stated_need_no_filling(catalog, templates, tmp_path):
    told = catalog.model_dump(exclude_unset=True)
    later = told["systematics"].pop("XS")
    fewer = Catalog.model_validate(told)
    histograms = {
        name: replace(
            region,
            templates={
                sample: replace(
                    template,
                    shifts={key: one for key, one in template.shifts.items() if key != "XS"},
                )
                for sample, template in region.templates.items()
            },
        )
        for name, region in templates.regions.items()
    }
    write_templates(TemplateSet(histograms), fewer, tmp_path, "job")
    read = read_templates(catalog, tmp_path, "job")
    for name, region in templates.regions.items():
        for sample, template in region.templates.items():
            found = read.regions[name].templates[sample].shifts
            assert list(found) == list(template.shifts)
            assert_same(found["XS"], template.shifts["XS"])
    assert later["kind"] == "normalisation"


def test_names_are_those_of_trexfitter(catalog, templates, tmp_path):
    write_templates(templates, catalog, tmp_path, "job", split=False, suffix="_mine")
    with uproot.open(tmp_path / "job_histos_mine.root") as file:
        names = set(file.keys(cycle=False))
        dropped = file["SR_top"].values()[3]
        regular = file["SR_top_regBin"]
        np.testing.assert_array_equal(regular.axis().edges(), np.linspace(0, 1, 4))
    assert dropped == -1
    ends = ("", "_orig", "_regBin", "_JES_Up", "_JES_Down_orig", "_JES_Shape_Up_regBin")
    assert {f"SR_top{end}" for end in ends} <= names
    assert {"SR_top_stat_top_Up_Var_regBin", "SR_W_bins_Up_Var_regBin", "SR_data_regBin"} <= names


def test_templates_of_what_was_filled_are_the_same_again(catalog, templates):
    assert_same(rebuild_templates(catalog, templates).templates, templates)


def test_another_treatment_needs_no_new_filling(catalog, templates):
    as_filled = catalog.systematics["JES"].model_copy(
        update={"smoothing": None, "symmetrise": None}
    )
    plain = catalog.model_copy(update={"systematics": {**catalog.systematics, "JES": as_filled}})
    shift = rebuild_templates(plain, templates).templates.regions["SR"].templates["W"].shifts["JES"]
    np.testing.assert_array_equal(shift.up.contents, [4, 8, 9, 0])
    np.testing.assert_array_equal(shift.down.contents, [4, 7, 7, 0])


class TestFilesOfOthers:
    """Files without our text, as TRExFitter writes them."""

    @pytest.fixture
    def catalog(self, official):
        return catalog_of(official, "FitExample")

    @pytest.fixture
    def folder(self, official, catalog, tmp_path):
        templates = build_templates(catalog, fit_example(official, catalog)).templates
        (path,) = write_templates(templates, catalog, tmp_path / "ours", "job", split=False)
        (tmp_path / "theirs").mkdir()
        with (
            uproot.open(path) as ours,
            uproot.recreate(tmp_path / "theirs" / "job_histos.root") as theirs,
        ):
            for name in ours.keys(cycle=False):
                if not name.startswith("quarkline"):
                    theirs[name] = ours[name]
        return tmp_path / "theirs"

    def test_they_are_read_by_the_names_of_the_analysis(self, official, catalog, folder):
        read = read_templates(catalog, folder, "job")
        expected = build_templates(catalog, fit_example(official, catalog)).templates
        for region, templates in expected.regions.items():
            for sample, template in templates.templates.items():
                found = read.regions[region].templates[sample]
                assert found.nominal.contents.tolist() == template.nominal.contents.tolist()
                assert set(found.shifts) == set(template.shifts)
                for name, shift in template.shifts.items():
                    other = found.shifts[name]
                    assert other.norm_up == pytest.approx(shift.norm_up)
                    if shift.shape_up is not None:
                        np.testing.assert_allclose(other.shape_up, shift.shape_up)

    def test_pruning_is_done_anew(self, official, catalog, folder):
        class Read:
            templates = read_templates(catalog, folder, "job")

        reference = official / "reference/FitExample/PruningText.txt"
        assert pruning_text(Read) == kept_parts(reference)


def test_absent_files_and_histograms_are_told(catalog, templates, tmp_path):
    with pytest.raises(InputError, match=r"there are no histograms of `SR` in"):
        read_templates(catalog, tmp_path, "job")
    with uproot.recreate(histogram_file(tmp_path, "job")) as file:
        file["other"] = np.histogram([1.0])
    with pytest.raises(InputError, match="there is no histogram `SR_top`"):
        read_templates(catalog, tmp_path, "job")


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
def test_root_reads_what_was_written(catalog, templates, tmp_path):
    root = pytest.importorskip("ROOT", reason="pip install ROOT", exc_type=ImportError)
    (path,) = write_templates(templates, catalog, tmp_path, "job", split=False)
    file = root.TFile.Open(str(path))
    for sample, template in templates.regions["one-bin"].templates.items():
        found = file.Get(f"one-bin_{sample}")
        assert found.ClassName() == "TH1D"
        bins = range(found.GetNbinsX() + 2)
        assert [found.GetBinContent(at) for at in bins] == template.nominal.sums.tolist()
        assert [found.GetBinError(at) ** 2 for at in bins] == pytest.approx(
            template.nominal.squares
        )
        assert found.GetXaxis().GetXmax() == template.nominal.edges[-1]
    file.Close()
