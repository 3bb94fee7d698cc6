"""Which histograms are asked for, and what they are made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import uproot

from quarkline.catalog import Catalog, Uniform
from quarkline.engine.core.config import load_config
from quarkline.events.friends import FriendSink
from quarkline.events.sources import open_source
from quarkline.templates.fill import HistRequest, fill, requests_of
from quarkline.templates.fill.bins import Bins
from quarkline.templates.fill.requests import meaning_of
from tests.templates.fill.conftest import SMALL

MORE = """\
samples:
  alternative: {role: reference, files: {names: b}, scales: 7}
  dull: {files: {names: b}, use_systematics: false}
regions:
  VR:
    variable: pt
    binning: {kind: automatic, parameters: [2, 2], fine: {kind: uniform, bins: 50, low: 0, high: 1}}
systematics:
  model: {kind: varied, samples: top, up: {sample: alternative}}
  shower:
    kind: varied
    samples: top
    reference: alternative
    ignore_weight: weight_pu
    up: {files: {names: a}, weight_factor: weight_pu / 2}
  driven:
    kind: varied
    samples: top
    regions: SR
    reference: data
    subtract_reference: true
    up: {weight_factor: "2", reference_files: {names: data_up}}
  dummy: {kind: varied, samples: top, without_effect_on: top, up: {weight_factor: "2"}}
"""


@pytest.fixture
def more(tmp_path: Path) -> Catalog:
    (tmp_path / "small.yaml").write_text(SMALL)
    (tmp_path / "more.yaml").write_text("extends: small.yaml\n" + MORE)
    return load_config(tmp_path / "more.yaml").validate(Catalog)


def test_samples_without_systematics_and_without_effect(more):
    asked = requests_of(more)
    assert {item.variation for item in asked if item.sample in {"alternative", "dull"}} == {""}
    assert not [item for item in asked if item.systematic in {"dummy", "lumi"}]


def test_a_variation_may_be_another_sample(more):
    varied = meaning_of(HistRequest("top", "SR", "model:up"), more)
    assert varied == meaning_of(HistRequest("alternative", "SR"), more)
    assert varied.scales == (42.0,)


def test_a_side_leaves_a_weight_out_of_the_nominal_one_only(more):
    varied = meaning_of(HistRequest("top", "SR", "shower:up"), more)
    assert varied.weight == "(weight_mc * 2)*(1)*(1.2)*(weight_pu / 2)"
    assert [file.path.name for file in varied.files] == ["a.root"]
    assert varied.scales == (42.0,)  # of the reference
    assert varied.selection == "(quality != 0)&&(n > 1)&&(truth == 1)"


def test_data_that_others_subtract_vary_with_files_of_their_own(more):
    asked = [item for item in requests_of(more) if item.sample == "data" and item.variation]
    assert asked == [HistRequest("data", "SR", "driven:up")]
    varied = meaning_of(asked[0], more)
    assert [file.path.name for file in varied.files] == ["data_up.root"]
    assert varied.weight == "1"


def test_statistics_only_needs_no_variations(load):
    alone = load(SMALL + "templates: {statistics_only: true}\n")
    assert not [item for item in requests_of(alone) if item.variation]


def test_automatic_bins_are_filled_as_fine_as_given(more):
    bins = Bins.of(more.regions["VR"].binning)
    np.testing.assert_array_equal(bins.edges, np.linspace(0, 1, 51))


def test_an_edge_belongs_to_the_bin_above_it():
    uniform = Bins.of(Uniform(bins=10, low=0, high=1))
    edges = uniform.edges
    np.testing.assert_array_equal(uniform.find(edges), np.arange(1, 12))
    below = np.nextafter(edges, -np.inf)
    np.testing.assert_array_equal(uniform.find(below), np.arange(11))
    assert uniform.find(np.array([-np.inf, np.inf])).tolist() == [0, 11]
    assert Bins.from_json(uniform.as_json) == uniform


def test_friends_and_their_shifted_columns(load, folder, tmp_path):
    for name, entries in (("b", 300),):
        with (
            open_source(folder / f"{name}.root", tree="nominal") as source,
            FriendSink(friend_place(tmp_path, name), source, identity=(), producer="t") as sink,
        ):
            score = np.linspace(0, 1, entries)
            sink.write({"score": score, "score_up": score * 0.5})
    text = SMALL.replace("trees: nominal}", "trees: nominal, friends: friends}")
    text = text.replace("names: b}}", "names: b}, use_friends: true, use_systematics: true}")
    text = text.replace("variable: n,", "variable: score,").replace("samples: [top, other]", "")
    text = text.replace('{pt: "1.1 * pt"}', "{score: score_up}").replace("scale:\n", "score:\n")
    told = load(text)
    nominal, varied = HistRequest("ghost", "count"), HistRequest("ghost", "count", "score:up")
    filled = fill([nominal, varied], told)
    with uproot.open(folder / "b.root") as file:
        table = file["nominal"].arrays(["quality", "n", "weight_mc", "weight_pu"], library="np")
    factor = (table["quality"] != 0) & (table["n"] != 0)
    weight = table["weight_mc"] * 2.0 * table["weight_pu"].astype(float) * factor * 6
    score = np.linspace(0, 1, 300)
    for request, values in ((nominal, score), (varied, 0.5 * score)):
        expected = np.histogram(values, [0, 1, 2, 3, 4], weights=weight)[0]
        np.testing.assert_allclose(filled.histograms[request].contents, expected)
    assert not filled.findings


def friend_place(folder: Path, name: str) -> Path:
    (folder / "friends").mkdir(exist_ok=True)
    return folder / "friends" / f"{name}.root"
