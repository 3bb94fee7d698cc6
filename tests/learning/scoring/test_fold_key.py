"""The same event is scored by the model of the same fold, wherever and however it is stored."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np
import pytest

pytest.importorskip("torch")

from quarkline.engine.core.findings import InputError
from quarkline.events.expressions import Batch, Entries
from quarkline.events.sources import open_source
from quarkline.learning.models.folded import FoldedModel
from quarkline.learning.scoring.fold_key import ROW_ID, FoldKey, Origin
from quarkline.tools.skim import load_skim, skim
from tests.events.skim.farm import Here
from tests.learning.models.conftest import GROUP, IDENTITY, event_model, folded_model
from tests.learning.scoring.farm import as_data, events, fold, without, write

DATA = as_data(events(200))
NAMELESS = without(DATA, "eventNumber")


@pytest.fixture(scope="module")
def model() -> FoldedModel:
    return folded_model("resnet")


def key_of(
    path: Path, model: FoldedModel, origin: Origin = Origin.AUTO
) -> tuple[FoldKey, np.ndarray]:
    """What decides the folds of a file's events, and the folds, read in pieces of seven."""
    with open_source(path) as source:
        key = FoldKey.of(model, source, origin)
        pieces = [
            key.folds(Batch(chunk.array, Entries(chunk.start, 0)), model)
            for chunk in source.chunks([*key.read, "HT"], step=7)
        ]
    return key, np.concatenate(pieces)


def skimmed(files: list[Path], output: Path, cut: str) -> list[Path]:
    done = skim(
        load_skim(
            keys={
                "schema": 1,
                "files": list(map(str, files)),
                "output": str(output),
                "select": [cut],
            }
        ),
        executor=Here(),
    )
    assert not done.failures
    return sorted(output.glob("*.root"))


def test_folds_follow_their_definition(tmp_path: Path, model: FoldedModel) -> None:
    for name, columns, told in (("mc", events(200), GROUP), ("data", DATA, IDENTITY)):
        key, found = key_of(write(tmp_path / f"{name}.root", columns), model)
        assert key.columns == told
        assert found.tolist() == fold(columns, model).tolist()
        assert set(found) == {0, 1, 2}


def test_data_keep_their_folds_in_other_files_formats_and_skims(
    tmp_path: Path, model: FoldedModel
) -> None:
    wanted = dict(zip(DATA["eventNumber"], fold(DATA, model), strict=True))
    order = np.random.default_rng(3).permutation(200)
    table = ak.Array(DATA)
    parts = {"a.root": order[:120], "b.parquet": order[120:]}
    paths = [
        write(tmp_path / name, {key: table[key][rows] for key in DATA})
        for name, rows in parts.items()
    ]
    paths += skimmed(paths[:1], tmp_path / "skim", "total_charge == 2")
    for path in paths:
        with open_source(path) as source:
            number = ak.to_numpy(source.read(["eventNumber"])["eventNumber"])
        _, found = key_of(path, model)
        assert found.tolist() == [wanted[one] for one in number]


def test_without_identity_the_row_decides_and_skims_remember_it(
    tmp_path: Path, model: FoldedModel
) -> None:
    path = write(tmp_path / "data.root", NAMELESS)
    key, whole = key_of(path, model, Origin.DATA)
    assert key.by_row
    assert not key.read
    assert np.bincount(whole, minlength=3).min() > 40
    (small,) = skimmed([path], tmp_path / "skim", "total_charge == 2")
    key, found = key_of(small, model, Origin.DATA)
    assert (key.by_row, key.read) == (True, frozenset(ROW_ID))
    assert found.tolist() == whole[NAMELESS["total_charge"] == 2].tolist()


def test_rows_of_another_file_have_other_folds(tmp_path: Path, model: FoldedModel) -> None:
    changed = NAMELESS | {"HT": NAMELESS["HT"] + np.float32(1)}
    first, second = (
        key_of(write(tmp_path / f"{name}.root", columns), model, Origin.DATA)[1]
        for name, columns in (("a", NAMELESS), ("b", changed))
    )
    assert 0.2 < (first == second).mean() < 0.5


class TestWhatAFileHolds:
    """Its columns of the group say it, or nobody does."""

    @pytest.mark.parametrize(
        ("columns", "origin"),
        [
            (events(30), Origin.SIMULATION),
            (as_data(events(30)), Origin.DATA),
            (as_data(events(30)) | {"genEventID": np.zeros(30, np.int32)}, Origin.DATA),
        ],
        ids=["simulation", "no truth", "empty truth"],
    )
    def test_it_says_so(self, tmp_path: Path, model: FoldedModel, columns, origin) -> None:
        assert key_of(write(tmp_path / "a.root", columns), model)[0].origin is origin

    @pytest.mark.parametrize(
        ("lost", "told"),
        [
            (["genEventID"], "genEventID"),
            (["mcChannelNumber"], "mcChannelNumber"),
            ([*GROUP], "mcChannelNumber"),
        ],
        ids=["truth", "dataset", "both"],
    )
    def test_simulation_that_lost_its_group_is_not_taken_for_data(
        self, tmp_path: Path, model: FoldedModel, lost: list[str], told: str
    ) -> None:
        path = write(tmp_path / "a.root", without(events(30), *lost))
        with pytest.raises(InputError, match=f"no column `{told}`, so it holds data, or") as why:
            key_of(path, model)
        assert why.value.findings[0].code == "QL-SCORE-008"
        assert "`--as data`" in why.value.findings[0].suggestion
        with pytest.raises(InputError, match=f"no column `{told}`, which the fold"):
            key_of(path, model, Origin.SIMULATION)

    def test_one_nonzero_number_is_enough(self, tmp_path: Path, model: FoldedModel) -> None:
        columns = as_data(events(30))
        columns["mcChannelNumber"][-1] = 410470
        with pytest.raises(InputError, match="so it holds data, or simulation that lost it"):
            key_of(write(tmp_path / "a.root", columns), model)

    def test_without_events_nothing_can_go_wrong(self, tmp_path: Path, model: FoldedModel) -> None:
        nothing = {"HT": np.zeros(0, np.float32)}
        for columns, origin in ((events(9), "simulation"), (without(events(9), *GROUP), "data")):
            path = write(tmp_path / f"{origin}.root", columns | nothing)
            assert key_of(path, model)[0].origin == origin

    def test_one_model_does_not_ask(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.root", without(events(9), *GROUP, "eventNumber"))
        key, found = key_of(path, FoldedModel.alone(event_model("resnet")))
        assert (key.columns, found.tolist()) == ((), [0] * 9)


@pytest.mark.parametrize(
    ("wrong", "what"),
    [(DATA["HT"], "float32"), (ak.Array([[1]] * 200), "lists")],
    ids=["float", "lists"],
)
def test_keys_of_data_hold_whole_numbers(
    tmp_path: Path, model: FoldedModel, wrong: object, what: str
) -> None:
    path = write(tmp_path / "a.root", DATA | {"eventNumber": wrong})
    with pytest.raises(InputError, match=f"`eventNumber`, which .* holds {what}"):
        key_of(path, model, Origin.DATA)
