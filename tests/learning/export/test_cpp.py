"""The C++ header computes what torch does: compiled, and run on random, empty and full jets."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from quarkline.engine.core.findings import InputError
from quarkline.learning.export.cpp.export import export_cpp
from quarkline.learning.features.arrays import FeatureArrays, Objects
from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.features.spec import Feature, FeatureSpec, ObjectGroup
from quarkline.learning.models.config import StreamConfig, StreamNetworkConfig
from quarkline.learning.models.event_model import EventModel
from quarkline.learning.models.keras_layers import read_keras_weights
from quarkline.learning.models.networks import Network, build_network
from quarkline.studies.tagging.upstream import examples, jets, upstream_model
from tests.learning.models.conftest import event_model

KEY = "5a" * 16
STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")

SPEC = FeatureSpec(
    (Feature("pt", "pt"), Feature("eta", "eta")),
    objects=(
        ObjectGroup("cells", 5, (Feature("e", "e"), Feature("t", "t"), Feature("x", "x"))),
        ObjectGroup("muon hits", 4, (Feature("z", "z"),)),
    ),
)
KINDS = {
    "masks": StreamNetworkConfig(
        streams=(StreamConfig(filters=(4, 3), nodes=2), StreamConfig(filters=(3,), nodes=0)),
        hidden=(5,),
    ),
    "both-ways": StreamNetworkConfig(
        streams=(StreamConfig(filters=(4, 3), nodes=2, layers=2),), hidden=(), bidirectional=True
    ),
}


def events(count: int = 60) -> FeatureArrays:
    """Events with missing and extreme values; the first is empty, the second full."""
    draw = np.random.default_rng(9)
    numbers = draw.lognormal(2, 1, (count, 2)).astype(np.float32)
    numbers[:, 1] -= 8
    numbers[3:6, 0] = [np.nan, 1e30, -1.0]
    objects = {}
    for group in SPEC.objects:
        shape = (count, group.length, len(group.features))
        values = draw.lognormal(1, 1, shape).astype(np.float32)
        number = draw.integers(0, group.length + 1, count)
        number[:2] = [0, group.length]
        values[draw.random(shape) < 0.1] = np.nan
        present = np.arange(group.length) < number[:, None]
        values[~present] = np.nan
        objects[group.name] = Objects(values, present)
    return FeatureArrays(numbers, np.zeros((count, 0), np.int64), objects)


def built(folder: Path, program: str = "test_model.cpp") -> list[str]:
    """The words that the compiled program says."""
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        pytest.skip("there is no C++ compiler")
    command = [compiler, "-std=c++11", "-O1", *STRICT, program, "-o", "program"]
    subprocess.run(command, cwd=folder, check=True)
    found = subprocess.run([folder / "program"], capture_output=True, text=True)
    return [str(found.returncode), *found.stdout.split()]


@pytest.mark.parametrize("kind", KINDS)
def test_scaling_and_masks_are_those_of_torch(kind: str, tmp_path: Path) -> None:
    given = events()
    preprocess = Preprocess.fit(SPEC, given)
    kinds = {scale.kind for scale in (*preprocess.scales, *preprocess.object_scales[0])}
    assert kinds == {"log", "linear"}
    module = build_network(KINDS[kind], preprocess.geometry, 2, seed=4).eval()
    model = EventModel(KINDS[kind], ("a", "b"), preprocess, Network(module), given)
    spread = model.probabilities(given)[:, 0]
    assert spread.std() > 0.01
    export_cpp(model, KEY, tmp_path)
    code, number, *_, difference, verdict = built(tmp_path)
    assert (code, number, verdict) == ("0", "60", "agrees")
    assert float(difference.strip(":")) < 1e-5


def test_a_real_network_agrees_on_random_empty_full_and_real_jets(
    data_folder: Path, tmp_path: Path
) -> None:
    folder = data_folder / "calratio" / "model"
    model = upstream_model(read_keras_weights(folder / "final_model_weights_1.keras"))
    with np.load(folder / "epoch1_reference_scores.npz") as held:
        real = jets(*(held[name] for name in ("jet", "constit", "track", "MSeg")))
    model = replace(model, examples=FeatureArrays.concatenated([examples(40), real]))
    export_cpp(model, KEY, tmp_path)
    code, number, *_, difference, verdict = built(tmp_path)
    assert (code, number, verdict) == ("0", "232", "agrees")
    assert float(difference.strip(":")) < 1e-5


def test_the_test_program_tells_of_a_changed_weight(tmp_path: Path) -> None:
    given = events()
    preprocess = Preprocess.fit(SPEC, given)
    module = build_network(KINDS["masks"], preprocess.geometry, 2, seed=4).eval()
    model = EventModel(KINDS["masks"], ("a", "b"), preprocess, Network(module), given)
    header, _ = export_cpp(model, KEY, tmp_path)
    text = header.read_text()
    weight = re.search(r"static const float values\[\] = \{\n +([^,]+),", text)
    assert weight is not None
    header.write_text(text.replace(weight[1], "0.7f", 1))
    said = built(tmp_path)
    assert (said[0], said[-1]) == ("1", "DISAGREES")


def test_more_objects_than_it_looks_at_and_two_models_in_a_program(tmp_path: Path) -> None:
    """Names that C++ cannot spell are changed; each header has the namespace it is given."""
    given = events()
    preprocess = Preprocess.fit(SPEC, given)
    for number in (1, 2):
        module = build_network(KINDS["masks"], preprocess.geometry, 2, seed=number).eval()
        model = EventModel(KINDS["masks"], ("a", "b"), preprocess, Network(module), given)
        (tmp_path / str(number)).mkdir()
        export_cpp(model, f"{number}" * 32, tmp_path / str(number))
    (tmp_path / "two.cpp").write_text(
        """
#define QUARKLINE_MODEL one
#include "1/model.h"
#define QUARKLINE_MODEL two
#include "2/model.h"
#include <cstdio>

int main() {
  one::Event event;
  event.numbers = {{3.0f, 1.0f}};
  for (int k = 0; k < 4; ++k) event.muon_hits.push_back({{0.5f}});
  const float before = one::probabilities(event)[0];
  event.muon_hits.push_back({{9.0f}});
  two::Event other;
  other.numbers = event.numbers;
  other.muon_hits = event.muon_hits;
  const bool ignored = one::probabilities(event)[0] == before;
  const bool different = two::probabilities(other)[0] != before;
  std::printf("%d %d", ignored, different);
}
"""
    )
    assert built(tmp_path, "two.cpp") == ["0", "1", "1"]


def test_other_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the model is of `kind: resnet`"):
        export_cpp(event_model("resnet"), KEY, tmp_path)
    with pytest.raises(InputError, match="the model has categorical features"):
        export_cpp(event_model("lstm-streams"), KEY, tmp_path)
    assert not list(tmp_path.iterdir())
