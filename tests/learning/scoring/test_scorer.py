"""Scores of a table are those of its events, one by one."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest
from scipy.stats import ks_2samp

pytest.importorskip("torch")

from quarkline.engine.core.findings import InputError
from quarkline.events.schema import Column, Schema
from quarkline.learning.models.folded import FoldedModel
from quarkline.learning.scoring.branches import Branches
from quarkline.learning.scoring.fold_key import FoldKey, Origin
from quarkline.learning.scoring.scorer import Scorer
from tests.learning.models.conftest import CLASSES, GROUP, IDENTITY, event_model, folded_model
from tests.learning.scoring.farm import as_data, events, expected, features


def schema(columns: dict) -> Schema:
    found = {
        name: Column(name, "float32", depth=1)
        if name.startswith("jets")
        else Column(name, str(values.dtype))
        for name, values in columns.items()
    }
    return Schema(found, len(columns["HT"]), "nominal", {})


KEYS = {"simulation": FoldKey(Origin.SIMULATION, GROUP), "data": FoldKey(Origin.DATA, IDENTITY)}


@pytest.mark.parametrize("kind", ["resnet", "bdt"])
@pytest.mark.parametrize("origin", ["simulation", "data"])
def test_every_event_is_scored_by_the_model_of_its_fold(kind: str, origin: str) -> None:
    model, columns = folded_model(kind), events(60)
    columns = as_data(columns) if origin == "data" else columns
    scorer = Scorer.of(model, schema(columns), KEYS[origin])
    unread = "eventNumber" if origin == "simulation" else "genEventID"
    assert scorer.columns == columns.keys() - {unread}
    found = scorer.score(ak.Array(columns))
    assert found == pytest.approx(expected(columns, model), abs=1e-6)
    others = [model.probabilities(features(columns), np.full(60, fold)) for fold in range(3)]
    assert max(np.abs(found - one).max() for one in others) > 0.01


def test_scores_of_data_are_distributed_as_those_of_simulation() -> None:
    """Models of folds that differ a lot: a mean of them would have another distribution."""
    model = folded_model("resnet")
    simulation, data = events(3000, 2), as_data(events(3000, 3))
    found = {
        origin: Scorer.of(model, schema(columns), KEYS[origin]).score(ak.Array(columns))[:, 0]
        for origin, columns in (("simulation", simulation), ("data", data))
    }
    assert ks_2samp(found["simulation"], found["data"]).pvalue > 0.01
    everyone = features(data)
    mean = np.mean([model.probabilities(everyone, np.full(3000, i))[:, 0] for i in range(3)], 0)
    assert ks_2samp(found["simulation"], mean).pvalue < 1e-6


@pytest.mark.parametrize("origin", ["simulation", "data"])
def test_order_and_chunks_change_less_than_1e_6(origin: str) -> None:
    model, columns = folded_model("ft-transformer"), ak.Array(events(300))
    scorer = Scorer.of(model, schema(events(300)), KEYS[origin])
    whole = scorer.score(columns)
    order = np.random.default_rng(1).permutation(300)
    assert np.abs(scorer.score(columns[order]) - whole[order]).max() < 1e-6
    parts = [scorer.score(columns[start : start + 7]) for start in range(0, 300, 7)]
    assert np.abs(np.concatenate(parts) - whole).max() < 1e-6


def test_one_model_alone_scores_every_event() -> None:
    model = FoldedModel.alone(event_model("resnet"))
    columns = events(40)
    scorer = Scorer.of(model, schema(columns), FoldKey(Origin.AUTO, ()))
    wanted = event_model("resnet").probabilities(features(columns))
    assert scorer.score(ak.Array(columns)) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("origin", ["simulation", "data"])
def test_shifted_columns_change_the_score_and_not_the_fold(origin: str) -> None:
    model, columns = folded_model("resnet"), events(50)
    columns = as_data(columns) if origin == "data" else columns
    shifted = columns | {"HT": columns["HT"] * np.float32(2)}
    replaced = {"HT": "HT*2", "eventNumber": "eventNumber + 1", "genEventID": "0"}
    key = KEYS[origin]
    held = {name: text for name, text in replaced.items() if name in columns}
    scorer = Scorer.of(model, schema(columns), key, replaced=held)
    assert scorer.score(ak.Array(columns)) == pytest.approx(expected(shifted, model), abs=1e-5)


def test_branches_are_of_the_classes_asked_for() -> None:
    assert Branches.of(CLASSES, "signal", None) == Branches(("probs_lq",), (0,))
    assert Branches.of(CLASSES, "VV", "score") == Branches(("score",), (2,))
    assert Branches.of(CLASSES, "all", "p").names == ("p_lq", "p_ttH", "p_VV")
    found = Branches.of(CLASSES, "all", None).columns(np.eye(3, dtype=np.float32), "_up")
    assert found["probs_ttH_up"].tolist() == [0, 1, 0]
    with pytest.raises(InputError, match="no class `tth`") as refused:
        Branches.of(CLASSES, "tth", None)
    assert refused.value.findings[0].suggestion == "did you mean `ttH`?"
    for chosen, column in [("all", None), ("signal", None), ("signal", "a b")]:
        with pytest.raises(InputError, match="is no name for a branch"):
            Branches.of(["t#bar{t}H", "VV"], chosen, column)
