"""`quarkline hunt`: any table, the numbers of the statistics floor, and plain refusals."""

from __future__ import annotations

import json

import awkward as ak
import numpy as np
import pytest
import uproot
from typer.testing import CliRunner

from quarkline.cli.commands.hunt import lines, sentence
from quarkline.cli.main import app
from quarkline.engine.core.findings import InputError
from quarkline.engine.core.results import canonical_json, result_from_json
from quarkline.statistics import HuntBinning, bump_hunt, scan_windows
from quarkline.tools.hunt import hunt

PLACE = {"mass_range": (5.0, 16.0), "window": (9.0, 10.6), "degree": 4, "bins": 8}
OPTIONS = ["--range", "5", "16", "--window", "9", "10.6", "--degree", "4", "--bins", "8"]


@pytest.fixture(scope="module")
def events() -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    background = 5 + random.exponential(5, 9000)
    mass = np.concatenate([background, random.normal(9.6, 0.2, 150)])
    return {
        "m": mass,
        "score": random.uniform(size=mass.size),
        "w": random.exponential(1.0, mass.size),
        "signed": np.where(random.uniform(size=mass.size) < 0.05, -1.0, 1.0),
        "broken": np.where(mass > 15, np.nan, mass),
    }


@pytest.fixture
def table(tmp_path, events):
    path = tmp_path / "events.npz"
    np.savez(path, **events)
    return path


def run(*words, code=0):
    outcome = CliRunner().invoke(app, ["hunt", *map(str, words)])
    if code == 0:
        assert outcome.exit_code == 0, outcome.output
    return outcome


def refused(*arguments, **options) -> str:
    with pytest.raises(InputError) as caught:
        hunt(*arguments, **PLACE | options)
    assert len(caught.value.findings) == 1
    return str(caught.value)


def test_it_finds_what_the_statistics_find(table, events):
    report = hunt([table], "m", **PLACE)
    expected = bump_hunt(HuntBinning(bins=8).count(events["m"]), 4)
    assert report.hunt == expected
    assert report.events == report.n_selected == events["m"].size
    assert report.n_in_range == ((events["m"] >= 5) & (events["m"] <= 16)).sum()
    assert report.warnings == ()
    assert result_from_json(json.loads(canonical_json(report))) == report


def test_selection_and_weight_are_expressions(table, events):
    kept = (events["score"] > 0.5) & (events["m"] < 14)
    cut = hunt([table], "m*1000", **PLACE | {"mass_range": (5e3, 14e3), "window": (9e3, 10.6e3)})
    assert cut.hunt.n_window == HuntBinning(bins=8).count(events["m"]).window
    selected = hunt([table], "m", select="score > 0.5 && m < 14", **PLACE)
    assert selected.n_selected == kept.sum()
    assert not selected.hunt.weighted
    weighted = hunt([table], "m", select="score > 0.5 && m < 14", weight="2*w", **PLACE)
    spectrum = HuntBinning(bins=8).count(events["m"][kept], 2 * events["w"][kept])
    assert weighted.hunt.weighted
    assert weighted.hunt.q0 == pytest.approx(bump_hunt(spectrum, 4).q0)
    as_number = hunt([table], "m", select="(score > 0.5 && m < 14)*2*w", **PLACE)
    assert as_number.hunt.q0 == pytest.approx(weighted.hunt.q0)


def test_the_published_hunt_from_its_file(data_folder):
    path = data_folder / "upsilon_cms" / "os_events.npz"
    words = [path, "--mass", "mass", "--range", 5, 16, "--window", 9, 10.6, "--degree", 5]
    found = json.loads(run(*words, "--bins", 11, "--select", "level_OS_5_12 >= 5", "--json").output)
    assert found["n_window"] == 51
    assert found["signal"] == pytest.approx(38.620, abs=1e-3)
    assert found["background"] == pytest.approx(12.380, abs=1e-3)
    assert found["z_local"] == pytest.approx(4.81596, abs=1e-5)
    assert found["q0"] == pytest.approx(4.815957977**2)
    assert found["p_local"] == pytest.approx(7.3248e-7, rel=1e-4)
    assert found["status"] == "converged"


def test_several_files_are_one_table(tmp_path, events):
    half = events["m"].size // 2
    np.savez(tmp_path / "part_1.npz", m=events["m"][:half])
    np.savez(tmp_path / "part_2.npz", m=events["m"][half:])
    split = hunt([tmp_path / "part_*.npz"], "m", **PLACE)
    assert split.files == 2
    assert split.hunt == bump_hunt(HuntBinning(bins=8).count(events["m"]), 4)


def test_root_events_and_jagged_masses(tmp_path):
    random = np.random.default_rng(2)
    counts = random.integers(0, 4, 6000)
    pt = 5 + random.exponential(5, counts.sum())
    jagged = ak.unflatten(pt, counts)
    path = tmp_path / "events.root"
    with uproot.recreate(path) as file:
        file.mktree("Events", {"Jet_pt": "var * float64", "run": "int64"})
        file["Events"].extend({"Jet_pt": jagged, "run": np.arange(6000)})
    each = hunt([path], "Jet_pt", tree="Events", **PLACE)
    assert each.n_selected == pt.size
    assert each.hunt.n_window == ((pt > 9) & (pt < 10.6)).sum()
    first = hunt([path], "sqrt(Jet_pt[0]*Jet_pt[0])", select="run % 2 == 0", **PLACE)
    leading = np.array([row[0] for row in jagged[::2].to_list() if row])
    assert first.n_selected == leading.size
    assert first.hunt.n_window == ((leading > 9) & (leading < 10.6)).sum()


def test_toys_and_scan_when_asked_for(table, events):
    plain = json.loads(run(table, "--mass", "m", *OPTIONS, "--json").output)
    assert not {"p_toys", "z_toys", "p_global", "z_global"} & set(plain)
    assert plain["scan"] is None
    words = [table, "--mass", "m", *OPTIONS, "--toys", 300, "--seed", 3, "--scan", "--json"]
    outcome = run(*words)
    found = json.loads(outcome.output)
    binning = HuntBinning(bins=8)
    alone = bump_hunt(binning.count(events["m"]), 4, n_toys=300, seed=3)
    assert found["p_toys"] == alone.p_toys.value
    assert found["p_toys_error_up"] == alone.p_toys.up
    scan = scan_windows(binning, events["m"], 4, n_toys=300, seed=3)
    assert found["scan"] == json.loads(canonical_json(scan))
    assert found["p_global"] == scan.best_p_global
    assert found["p_global"] >= scan.p_local[scan.best]
    assert {"signal_error", "background_error"} <= set(found)
    assert run(*words, "--workers", 2).output == outcome.output


def test_the_text_says_it_in_a_sentence(table):
    outcome = run(table, "--mass", "m", *OPTIONS, "--select", "score < 0.9", "--scan", "--toys", 99)
    text = outcome.output
    assert "selection: score < 0.9" in text
    assert "polynomial of degree 4, fit converged" in text
    assert "an excess of" in text
    assert "sigma local (p = " in text
    assert "best window *: global Z" in text
    assert "█" in text
    assert max(len(line) for line in text.splitlines()[:-1]) <= 90


def test_rows_of_the_spectrum_hold_every_event_once(table):
    report = hunt([table], "m", **PLACE)
    rows = [line.split() for line in lines(report, bar="#") if line[8:11] == " - "]
    seen = [int(row[-2].replace(",", "")) for row in rows]
    assert sum(seen) == sum(report.spectrum.counts)
    window = [int(row[-2].replace(",", "")) for row in rows if ">" in row]
    assert sum(window) == report.hunt.n_window


def test_a_deficit_is_no_signal(tmp_path):
    mass = np.random.default_rng(4).uniform(5, 16, 3000)
    np.savez(tmp_path / "x.npz", m=mass[(mass < 9.2) | (mass > 10.4)])
    report = hunt([tmp_path / "x.npz"], "m", **PLACE)
    assert sentence(report.hunt).endswith("a deficit, no signal.")
    assert report.hunt.z_local == 0.0
    assert report.hunt.p_local == 0.5


def test_plots_are_written_beside_each_other(table, tmp_path):
    run(table, "--mass", "m", *OPTIONS, "--scan", "--plot", tmp_path / "bump", "--json")
    written = sorted(path.name for path in tmp_path.iterdir() if path.stem.startswith("bump"))
    assert written == [
        f"bump{end}.{kind}" for end in ("", "_scan") for kind in ("json", "pdf", "png")
    ]


def test_bad_input_is_one_finding_each(table, tmp_path):
    assert refused([table], "m", window=(4.0, 10.6)).startswith("QL-STAT-001")
    assert refused([table], "m", degree=60).startswith("QL-STAT-005")
    assert refused([tmp_path / "none.npz"], "m").startswith("QL-EVENTS-001")
    assert "did you mean `score`" in refused([table], "scor")
    assert refused([table], "m", select="score > 2").startswith("QL-STAT-030")
    nan = refused([table], "broken")
    assert nan.startswith("QL-STAT-002")
    assert "leave them out with a selection such as `(broken) > 5`" in nan
    assert hunt([table], "broken", select="(broken) > 5", **PLACE).n_selected > 0
    assert refused([table], "m", select="m > 9.1 && m < 10.5").startswith("QL-STAT-031")
    assert refused([table], "m", weight="-w").startswith("QL-STAT-003")
    assert refused([table], "m", weight="w + broken").startswith("QL-STAT-007")
    assert "from 5" in refused([table], "m", mass_range=(1e3, 2e3), window=(1.1e3, 1.2e3))


def test_nothing_is_read_before_the_options_are_checked(tmp_path):
    path = tmp_path / "events.npz"
    path.write_bytes(b"not an archive")
    assert refused([path], "m", degree=60).startswith("QL-STAT-005")
    assert not refused([path], "m").startswith("QL-STAT")


def test_a_side_without_events_is_said(table):
    report = hunt([table], "m", select="m > 9", **PLACE)
    assert [warning["code"] for warning in report.warnings] == ["QL-STAT-031"]
    assert "below the window" in report.warnings[0]["message"]
    assert report.warnings[0]["severity"] == "warning"


def test_negative_weights_are_allowed_and_counted(table, events):
    report = hunt([table], "m", weight="signed", **PLACE)
    assert [warning["code"] for warning in report.warnings] == ["QL-STAT-032"]
    inside = (events["m"] >= 5) & (events["m"] <= 16)
    negative = (events["signed"][inside] < 0).sum()
    assert f"{negative:,} of {inside.sum():,} weights are" in report.warnings[0]["message"]
    assert report.hunt.n_window == pytest.approx(
        events["signed"][(events["m"] > 9) & (events["m"] < 10.6)].sum()
    )


def test_refusals_on_the_command_line_exit_with_2(table):
    import subprocess
    import sys

    words = ["hunt", str(table), "--mass", "m", *OPTIONS[:6], "--degree", "99"]
    done = subprocess.run(
        [sys.executable, "-c", "from quarkline.cli.main import main; main()", *words],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("QL-STAT-005")


def test_the_summary_is_one_json_object_with_null_for_nan(table, monkeypatch):
    import quarkline.tools.hunt as tool

    real = tool.bump_hunt

    def failed(*arguments, **options):
        from dataclasses import replace

        return replace(real(*arguments, **options), q0=np.nan, z_local=np.nan, p_local=np.nan)

    monkeypatch.setattr(tool, "bump_hunt", failed)
    found = json.loads(run(table, "--mass", "m", *OPTIONS, "--json").output)
    assert found["q0"] is None
    text = run(table, "--mass", "m", *OPTIONS).output
    assert "did not converge" in text
