"""Tables of jets are read alike, whoever wrote them, and as a plain loop reads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.events.sinks import open_sink
from quarkline.studies.tagging.columns import JET, STREAMS
from quarkline.studies.tagging.jets import JetSet
from quarkline.studies.tagging.tables import ROW, UNSCALED, jets_in, open_jets
from quarkline.studies.tagging.upstream import jets as padded_jets

Lists = dict[str, Any]


@pytest.fixture(scope="module")
def folder(data_folder: Path) -> Path:
    return data_folder / "calratio"


FLAT = {
    "expected/build_sig_311424__pt30_400.parquet": (76, "upstream"),
    "expected/convert_bib__as_bib.parquet": (1, "none"),
    "expected/convert_sig_311314__as_qcd.parquet": (109, "none"),
    "expected/convert_sig_311314__as_sig_mH600_mS275.parquet": (21, "none"),
    "pickled_as_parquet/bib.parquet": (558, "upstream"),
    "pickled_as_parquet/felix_control_region.parquet": (449, "upstream"),
    "pickled_as_parquet/felix_control_region_835.parquet": (835, "upstream"),
    "pickled_as_parquet/one_length_file.parquet": (1, "none"),
    "pickled_as_parquet/sig_311424_600_275.parquet": (76, "none"),
}


def plainly(path: Path) -> dict[str, np.ndarray]:
    """Upstream's arrays of a table, column by column."""
    table = pq.read_table(path)
    held = {name.replace("_pT", "_pt"): table[name].to_numpy() for name in table.column_names}

    def column(name: str) -> np.ndarray:
        values = held[name].astype(np.float64)
        return np.where(np.isfinite(values), values, 0.0)

    found = {
        stream.name: np.stack(
            [
                np.stack([column(f"{name}_{row}") for name in stream.columns], axis=1)
                for row in range(stream.rows)
            ],
            axis=1,
        )
        for stream in STREAMS
    }
    return found | {"jet": np.stack([column(name) for name in JET], axis=1)}


@pytest.mark.parametrize("name", FLAT)
def test_flat_tables_hold_what_a_loop_over_columns_finds(folder: Path, name: str) -> None:
    expected = plainly(folder / name)
    table = open_jets(folder / name)
    found = jets_in(table)
    assert (len(found), table.rows, table.layout) == (FLAT[name][0], FLAT[name][0], "flat")
    assert table.scaling["kind"] == FLAT[name][1]
    arrays = found.arrays()
    assert np.array_equal(arrays.continuous, expected["jet"].astype(np.float32))
    for stream in STREAMS:
        objects = arrays.objects[stream.name]
        filled = np.where(objects.present[:, :, None], objects.values, 0)
        assert np.array_equal(filled, expected[stream.name].astype(np.float32))


def test_arrays_are_the_features_of_the_trainers_arrays(folder: Path) -> None:
    path = folder / "pickled_as_parquet/sig_311424_600_275.parquet"
    arrays = {name: item.astype(np.float32) for name, item in plainly(path).items()}
    expected = padded_jets(arrays["jet"], arrays["constit"], arrays["track"], arrays["MSeg"])
    found = jets_in(path).arrays()
    for name, objects in expected.objects.items():
        assert np.array_equal(found.objects[name].present, objects.present)
        there = objects.present
        assert np.array_equal(found.objects[name].values[there], objects.values[there])


def test_old_names_are_understood(folder: Path) -> None:
    signal = jets_in(folder / "pickled_as_parquet/sig_311424_600_275.parquet")
    assert (signal.mass == [125, 5]).all()
    assert (signal.label == 1).all()
    assert len(np.unique(signal.event)) == 70  # some events have two jets
    control = open_jets(folder / "pickled_as_parquet/felix_control_region.parquet")
    assert "track_pt_0" in control.columns
    assert not [name for name in control.columns if "pT" in name or "sign" in name]
    jets = jets_in(control)
    assert jets.weight[jets.label == 0].sum() == pytest.approx(974.514, abs=1e-3)
    assert sorted(np.unique(jets.label)) == [0, 2]


def test_prefixes_of_old_columns_go(tmp_path: Path, folder: Path) -> None:
    table = pq.read_table(folder / "pickled_as_parquet/sig_311424_600_275.parquet")
    names = [
        f"nn_{name}" if "MSeg" in name else f"aux_{name}" if name.startswith("clus_") else name
        for name in table.column_names
    ]
    pq.write_table(table.rename_columns(names), tmp_path / "old.parquet")
    assert_alike(
        jets_in(tmp_path / "old.parquet"),
        jets_in(folder / "pickled_as_parquet/sig_311424_600_275.parquet"),
    )


def assert_alike(these: JetSet, those: JetSet) -> None:
    for name in ("jet", "label", "weight", "mass", "event"):
        assert np.array_equal(getattr(these, name), getattr(those, name)), name
    for name, objects in those.streams.items():
        assert np.array_equal(these.streams[name].values, objects.values, equal_nan=True), name
        assert np.array_equal(these.streams[name].offsets, objects.offsets), name


def as_lists(jets: JetSet, **changed: Any) -> Lists:
    """Columns of lists of some jets, as our own tables have them."""
    table: Lists = {name: jets.jet[:, place] for place, name in enumerate(JET)}
    table |= {"label": jets.label, "mcEventWeight": jets.weight}
    table |= {"llp_mH": jets.mass[:, 0], "llp_mS": jets.mass[:, 1]}
    table |= {"runNumber": np.ones(len(jets), int), "eventNumber": np.arange(len(jets))}
    for stream in STREAMS:
        objects = jets.streams[stream.name]
        for place, name in enumerate(stream.columns):
            table[name] = ak.unflatten(objects.values[:, place], objects.counts)
    return table | changed


def write(path: Path, table: Lists, metadata: Mapping[str, Any] | None = None) -> Path:
    with open_sink(path) as sink:
        sink.write(ak.Array(table))
        sink.metadata = metadata or {}
    return path


@pytest.fixture(scope="module")
def multijets(folder: Path) -> JetSet:
    return jets_in(folder / "expected/convert_sig_311314__as_qcd.parquet")


def test_lists_and_flat_columns_are_the_same_jets(tmp_path: Path, multijets: JetSet) -> None:
    told = {"scaling": {"kind": "quarkline", "min_pt": 40.0, "max_pt": 500.0}}
    table = open_jets(write(tmp_path / "own.parquet", as_lists(multijets), told))
    assert (table.layout, table.scaling) == ("lists", told["scaling"])
    found = jets_in(table)
    for name in ("jet", "label", "weight", "mass"):
        assert np.array_equal(getattr(found, name), getattr(multijets, name)), name
    for name, objects in multijets.streams.items():
        assert np.array_equal(found.streams[name].values, objects.values)
        assert np.array_equal(found.streams[name].offsets, objects.offsets)


@pytest.mark.parametrize("rows", [30, 109, 1000])
def test_jets_do_not_depend_on_how_many_are_read_at_a_time(
    tmp_path: Path, folder: Path, multijets: JetSet, rows: int
) -> None:
    lists = write(tmp_path / "own.parquet", as_lists(multijets))
    for path in (lists, folder / "expected/convert_sig_311314__as_qcd.parquet"):
        parts = JetSet.concatenated(list(open_jets(path).jets(rows=rows)))
        assert_alike(parts, jets_in(path))
        assert np.array_equal(parts.row, jets_in(path).row)


def test_a_rows_number_stays_with_it(tmp_path: Path, multijets: JetSet) -> None:
    ids = {
        "_source": np.full(len(multijets), 7, np.uint64),
        "_entry": np.arange(len(multijets), dtype=np.uint64),
        "_object": np.zeros(len(multijets), np.uint16),
    }
    assert tuple(ids) == ROW
    whole = jets_in(write(tmp_path / "a.parquet", as_lists(multijets, **ids)))
    order = np.random.default_rng(2).permutation(len(multijets))
    mixed = {name: column[order] for name, column in as_lists(multijets, **ids).items()}
    again = jets_in(write(tmp_path / "b.parquet", mixed))
    assert len(set(whole.row.tolist())) == len(whole)
    assert np.array_equal(again.row, whole.row[order])
    assert np.array_equal(again.event, whole.event[order])


def test_what_is_not_finite_is_missing_in_lists_and_zero_in_flat_columns(
    tmp_path: Path, folder: Path, multijets: JetSet
) -> None:
    broken = ak.to_list(as_lists(multijets)["clus_time"])
    broken[0][0], broken[0][1] = np.nan, np.inf
    lists = as_lists(multijets, clus_time=ak.Array(broken))
    values = jets_in(write(tmp_path / "own.parquet", lists)).streams["constit"].values
    assert np.isnan(values[:2, -1]).all()
    assert np.isfinite(values[2:]).all()
    flat = pq.read_table(folder / "expected/convert_sig_311314__as_qcd.parquet")
    place = flat.column_names.index("clus_time_0")
    times = flat["clus_time_0"].to_numpy().copy()
    times[0] = -np.inf
    flat = flat.set_column(place, "clus_time_0", pa.array(times))
    pq.write_table(flat, tmp_path / "flat.parquet")
    assert jets_in(tmp_path / "flat.parquet").streams["constit"].values[0, -1] == 0


def test_a_network_sees_so_many_constituents_and_no_more(tmp_path: Path, multijets: JetSet) -> None:
    table = as_lists(multijets)
    for name in STREAMS[1].columns:
        table[name] = ak.concatenate([table[name]] * 5, axis=1)
    found = jets_in(write(tmp_path / "own.parquet", table)).streams["track"]
    assert np.array_equal(found.counts, np.minimum(5 * multijets.streams["track"].counts, 20))


def test_saved_jets_are_mapped_and_the_same(tmp_path: Path, multijets: JetSet) -> None:
    multijets.save(tmp_path / "jets")
    again = JetSet.load(tmp_path / "jets")
    assert isinstance(again.streams["constit"].values, np.memmap)
    assert_alike(again, multijets)
    rows = np.array([5, 100, 5])
    assert_alike(again[rows], multijets[rows])
    assert_alike(JetSet.concatenated([again[:50], again[50:]]), multijets)


def test_no_jets_are_jets(tmp_path: Path, multijets: JetSet) -> None:
    multijets[:0].save(tmp_path / "jets")
    assert len(JetSet.load(tmp_path / "jets").arrays()) == 0
    pq.write_table(
        pq.read_table(write(tmp_path / "one.parquet", as_lists(multijets))).slice(0, 0),
        tmp_path / "none.parquet",
    )
    assert len(jets_in(tmp_path / "none.parquet")) == 0


def test_a_missing_column_is_told_with_the_nearest(tmp_path: Path, multijets: JetSet) -> None:
    table = as_lists(multijets)
    table["clus_timee"] = table.pop("clus_time")
    with pytest.raises(InputError, match=r"no column `clus_time`(.|\n)*`clus_timee`"):
        jets_in(write(tmp_path / "own.parquet", table))


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column `jet_pt`"):
        open_jets(write(tmp_path / "other.parquet", {"x": np.arange(3.0)}))
    (tmp_path / "text.parquet").write_text("no table")
    with pytest.raises(InputError, match="cannot be opened"):
        open_jets(tmp_path / "text.parquet")


def test_lists_of_different_lengths_are_refused(tmp_path: Path, multijets: JetSet) -> None:
    table = as_lists(multijets)
    table["clus_time"] = table["clus_time"][:, :-1]
    with pytest.raises(InputError, match=r"values of `clus_pt` and .* of `clus_time`"):
        jets_in(write(tmp_path / "own.parquet", table))


def test_an_unscaled_table_says_so(tmp_path: Path, multijets: JetSet) -> None:
    table = open_jets(write(tmp_path / "own.parquet", as_lists(multijets)))
    assert table.scaling == UNSCALED
