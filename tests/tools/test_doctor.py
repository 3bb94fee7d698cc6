"""`quarkline doctor`: every fault that is put into files is found by its name, and no other."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import uproot

from quarkline.cli.main import main
from quarkline.engine.core.findings import InputError
from quarkline.engine.core.results import result_from_json
from quarkline.tools.config_inputs import load_inputs
from quarkline.tools.doctor import doctor, doctor_config
from quarkline.tools.doctor.duplicates import repeated_events, write_keys

ROWS = 300


def columns(seed: int, rows: int = ROWS) -> dict[str, np.ndarray]:
    """Clean columns: an event key, a measured value, a counter and a weight."""
    rng = np.random.default_rng(seed)
    return {
        "runNumber": np.full(rows, 7, np.uint32),
        "eventNumber": np.arange(rows, dtype=np.uint64) + np.uint64(10**10 * (seed + 1)),
        "x": rng.normal(50, 10, rows).astype(np.float32),
        "n": rng.integers(0, 5, rows).astype(np.int32),
        "w": rng.uniform(0.5, 1.5, rows),
    }


def write(path, data) -> str:
    with uproot.recreate(path) as file:
        tree = file.mktree("T", {name: values.dtype for name, values in data.items()})
        tree.extend(data)
    return str(path)


@pytest.fixture
def files(tmp_path):
    """Two clean files of one sample."""
    return [write(tmp_path / f"f{number}.root", columns(number)) for number in range(2)]


def seeded(tmp_path, number: int = 2, **changed) -> str:
    """A file with faults: columns that are replaced, or left out as None."""
    data = {name: v for name, v in (columns(number) | changed).items() if v is not None}
    return write(tmp_path / f"f{number}.root", data)


def spoiled(name: str, value: float, where=slice(3, 6), number: int = 2) -> dict[str, np.ndarray]:
    values = columns(number)[name].copy()
    values[where] = value
    return {name: values}


def found(files, **options) -> list[tuple[str, str]]:
    report = doctor(files, **options)
    return [(item["code"], item["message"]) for item in report.findings]


def test_clean_files_have_nothing_wrong(files):
    report = doctor(files, weight="w")
    assert (report.findings, report.files, report.events) == ((), 2, 2 * ROWS)


@pytest.mark.parametrize(
    ("changed", "code", "message"),
    [
        (spoiled("x", np.nan), "QL-CHECK-002", "`x`: 3 NaN of 900 values"),
        (spoiled("x", -np.inf), "QL-CHECK-002", "`x`: 3 infinite of 900 values"),
        (spoiled("x", -3e15), "QL-CHECK-003", "`x`: 3 beyond 1e9 of 900 values"),
        (spoiled("n", 2e9), "QL-CHECK-003", "`n`: 3 beyond 1e9 of 900 values"),
        (spoiled("x", -999), "QL-CHECK-005", "`x`: 3 times -999 among 900 values"),
        (
            {"w": None},
            "QL-CHECK-007",
            "unlike most files of the sample, it lacks `w`",
        ),
        (
            {"x": columns(2)["x"].astype(np.float64), "y": columns(2)["x"]},
            "QL-CHECK-007",
            "unlike most files of the sample, it has `y` more, `x` is float64 instead of float32",
        ),
    ],
)
def test_a_fault_is_found_once_and_nothing_else(files, tmp_path, changed, code, message):
    faulty = seeded(tmp_path, **changed)
    report = doctor([*files, faulty])
    (finding,) = report.findings
    assert (finding["code"], finding["message"]) == (code, message)
    if code != "QL-CHECK-005":
        assert finding["place"] == faulty
    assert report.errors == 0


def test_a_constant_column_is_one_over_all_files(tmp_path):
    one, two = (
        seeded(tmp_path, number, c=np.full(ROWS, number + 1.5), d=np.full(ROWS, 3.5))
        for number in (0, 1)
    )
    assert found([one]) == [("QL-CHECK-004", "one value in all events: `c` (1.5), `d` (3.5)")]
    assert found([one, two]) == [("QL-CHECK-004", "one value in all events: `d` (3.5)")]


def test_files_without_events_are_named(files, tmp_path):
    empty = write(tmp_path / "none.root", columns(5, rows=0))
    report = doctor([*files, empty])
    assert [(item["code"], item["place"]) for item in report.findings] == [("QL-CHECK-006", empty)]


def test_copies_and_the_events_in_them_are_found(files, tmp_path):
    copy = tmp_path / "copy.root"
    copy.write_bytes((tmp_path / "f1.root").read_bytes())
    report = doctor([*files, str(copy)])
    assert [item["code"] for item in report.findings] == ["QL-EVENTS-032", "QL-EVENTS-030"]
    repeated = report.findings[1]
    assert repeated["evidence"]["repeated"] == ROWS
    assert repeated["evidence"]["files"] == [{"first": files[1], "second": str(copy), "rows": ROWS}]


def test_events_that_overlap_are_named_with_both_entries(files, tmp_path):
    again = columns(2)["eventNumber"].copy()
    again[40:42] = columns(1)["eventNumber"][7:9]
    overlapping = seeded(tmp_path, eventNumber=again)
    report = doctor([*files, overlapping])
    (finding,) = report.findings
    assert finding["code"] == "QL-EVENTS-030"
    assert finding["message"] == (
        "2 of 900 rows repeat an event key, such as: runNumber 7, eventNumber 20000000007 is entry "
        f"7 of {files[1]} and entry 40 of {overlapping}"
    )
    assert doctor([*files, overlapping], identity=["eventNumber", "runNumber", "n"]).findings == ()


def test_the_identity_has_to_be_there(files):
    report = doctor(files, identity=["runNumber", "eventNumbr"])
    assert [item["code"] for item in report.findings] == ["QL-CHECK-001"] * 2
    assert report.findings[0]["suggestion"] == "did you mean `eventNumber` or `runNumber`?"
    assert report.errors == 2
    floats = doctor(files, identity=["x"])
    assert {item["code"] for item in floats.findings} == {"QL-EVENTS-031"}


@pytest.mark.parametrize(
    ("where", "value", "code", "message"),
    [
        (slice(4, 5), np.nan, "QL-CHECK-008", "the weight `w` is NaN in 1 of 900 events"),
        (slice(4, 6), np.inf, "QL-CHECK-008", "the weight `w` is infinite in 2 of 900 events"),
        (slice(None), 0.0, "QL-CHECK-008", "the weight `w` is 0 in all 300 events"),
        (slice(17, 18), 500.0, "QL-CHECK-009", "event 17 has the weight 500, "),
    ],
)
def test_suspicious_weights_are_found(files, tmp_path, where, value, code, message):
    report = doctor([*files, seeded(tmp_path, **spoiled("w", value, where))], weight="w")
    said = [item["message"] for item in report.findings if item["code"] == code]
    assert len(said) == 1
    assert said[0].startswith(message)
    others = {item["code"] for item in report.findings} - {code}
    assert others <= {"QL-CHECK-002"}


def test_weights_that_cancel_are_an_error(tmp_path):
    cancelling = seeded(tmp_path, w=np.tile([1.0, -1.0], ROWS // 2))
    assert found([cancelling], weight="w") == [
        ("QL-CHECK-008", "the weights `w` of 300 events, 150 of them negative, add up to 0")
    ]


def test_a_weight_that_does_not_fit_names_file_and_column(files):
    report = doctor(files, weight="ww * 2")
    assert [item["code"] for item in report.findings] == ["QL-EXPR-001"] * 2
    assert report.findings[0]["place"].startswith(files[0])


def test_missing_and_damaged_files_are_listed_beside_the_rest(files, tmp_path):
    whole = (tmp_path / "f1.root").read_bytes()
    cut = tmp_path / "cut.root"
    cut.write_bytes(whole[: len(whole) // 2])
    blank = tmp_path / "blank.root"
    blank.write_bytes(b"")
    missing = str(tmp_path / "f7.root")
    faulty = seeded(tmp_path, **spoiled("n", 2e9))
    report = doctor([files[0], missing, str(cut), str(blank), faulty])
    found = {item["place"]: item["code"] for item in report.findings}
    assert found[missing] == "QL-EVENTS-001"
    assert found[str(cut)] == "QL-EVENTS-004"
    assert found[str(blank)] == "QL-EVENTS-002"
    assert "QL-CHECK-003" in found.values()
    assert (report.errors, report.warnings, report.events) == (3, 1, 2 * ROWS)


def test_what_is_wrong_with_every_file_is_said_once(tmp_path):
    many = [write(tmp_path / f"g{number}.root", columns(number)) for number in range(5)]
    report = doctor(many, identity=["runNumber", "lumi"])
    (finding,) = report.findings
    assert finding["message"] == "there is no column `lumi`, and so in 4 other files"
    assert finding["evidence"]["places"] == many


def test_samples_are_judged_apart(files, tmp_path):
    other = seeded(tmp_path, x=None)
    assert doctor([f"a={files[0]}", f"a={files[1]}", f"b={other}"]).findings == ()


@pytest.mark.slow
def test_workers_find_the_same(files, tmp_path):
    given = [*files, seeded(tmp_path, **spoiled("x", np.nan))]
    assert doctor(given, weight="w", workers=2) == doctor(given, weight="w")


def test_without_files_there_is_nothing_to_look_at():
    with pytest.raises(InputError, match=r"QL-EVENTS-001.*no file is named"):
        doctor([])


@pytest.mark.parametrize("limit", [1, 7, 64, 10_000])
def test_repeated_keys_are_counted_whatever_fits_into_memory(tmp_path, monkeypatch, limit):
    monkeypatch.setattr("quarkline.tools.doctor.duplicates.IN_MEMORY", limit)
    monkeypatch.setattr("quarkline.tools.doctor.duplicates.EXAMPLES", 0)
    rng = np.random.default_rng(4)
    rows = rng.integers(-40, 40, (500, 2))
    folders = {tmp_path / name: tmp_path / f"{name}-keys" for name in "ab"}
    for place, folder in enumerate(folders.values()):
        folder.mkdir()
        for start in range(0, 250, 50):
            first = 250 * place + start
            write_keys(folder / f"keys_{start:05d}.npy", rows[first : first + 50], start)
    found = repeated_events(folders, ["run", "event"], None)
    assert (found.rows, found.repeated) == (500, 500 - len(np.unique(rows, axis=0)))
    assert sum(found.pairs.values()) == found.repeated


def run(monkeypatch, capsys, *arguments: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["quarkline", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    return ended.value.code or 0, said.out, said.err


def test_the_command_writes_a_line_a_finding(files, tmp_path, monkeypatch, capsys):
    faulty = seeded(tmp_path, **spoiled("x", np.nan))
    code, out, err = run(monkeypatch, capsys, "doctor", *files, faulty)
    assert (code, err) == (0, "")
    assert out == (
        f"warning  QL-CHECK-002  {faulty}  `x`: 3 NaN of 900 values\n"
        "3 files, 900 events: 0 errors, 1 warning, 0 notes\n"
    )


def test_errors_are_exit_code_1_and_wrong_usage_2(files, tmp_path, monkeypatch, capsys):
    code, out, _ = run(monkeypatch, capsys, "doctor", files[0], tmp_path / "f9.root", "--json")
    assert code == 1
    report = result_from_json(json.loads(out))
    assert (report.errors, report.findings[0]["code"]) == (1, "QL-EVENTS-001")
    for wrong in ([], ["a.yaml", "--weight", "w"], [files[0], "--all-columns"], ["a.yaml"]):
        assert run(monkeypatch, capsys, "doctor", *wrong)[0] == 2


def test_real_files_have_no_errors(data_folder):
    folder = data_folder / "lq_ntuples" / "mc20a"
    weight = "weight_pileup*weight_mc*xs/totalEventsWeighted"
    report = doctor([str(folder / "p6266" / "5458*.root")], weight=weight)
    assert (report.files, report.errors, report.warnings) == (3, 0, 0)
    assert {item["code"] for item in report.findings} <= {"QL-CHECK-004", "QL-CHECK-005"}


class TestOfASkim:
    """`doctor skim.yaml` looks over the files of a skim for what it reads."""

    def found(self, tmp_path, text: str) -> list[tuple[str, str]]:
        config = tmp_path / "skim.yaml"
        config.write_text(f"schema: 1\noutput: out\n{text}")
        report = doctor_config(load_inputs(config))
        return [(item["code"], item["message"]) for item in report.findings]

    def test_clean_files(self, files, tmp_path):
        assert self.found(tmp_path, "files: f*.root\nselect: x > 50\nweight: w\n") == []

    def test_a_column_that_one_file_lacks(self, files, tmp_path):
        seeded(tmp_path, x=None)
        found = self.found(tmp_path, "files: f*.root\nselect: x > 50\n")
        assert ("QL-CHECK-001", "there is no column `x`") in found

    def test_a_column_that_all_files_lack(self, files, tmp_path):
        (found,) = self.found(tmp_path, "files: f*.root\nselect: xx > 50\n")
        assert found[0] == "QL-EXPR-001"

    def test_the_weight_and_the_values_of_the_cuts(self, files, tmp_path):
        seeded(tmp_path, **spoiled("x", np.nan), **spoiled("w", np.nan))
        found = self.found(tmp_path, "files: f*.root\nselect: x > 50\nweight: w\n")
        assert {code for code, _ in found} == {"QL-CHECK-002", "QL-CHECK-008"}

    def test_cuts_that_exclude_each_other_and_a_missing_file(self, files, tmp_path):
        ((code, _),) = self.found(tmp_path, "files: f*.root\nselect: x > 50 && x < 40\n")
        assert code == "QL-EXPR-007"
        ((code, _),) = self.found(tmp_path, "files: g*.root\n")
        assert code == "QL-EVENTS-001"
