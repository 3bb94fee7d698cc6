"""Every name of the CalRatio trainer has a line that says where it went, and what it names is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("torch")

import quarkline
from quarkline.cli import main as _  # noqa: F401
from quarkline.studies.tagging.train.seed_keys import SeedKeys
from quarkline.studies.tagging.watch.drawings import HISTORY
from quarkline.studies.tagging.watch.quantities import HISTORY as QUANTITIES
from tests.docs.pages import DOCS, LATER, code_spans, table_rows
from tests.docs.test_commands import COMMANDS, KEYS, options

PAGE = (DOCS / "migration-calratio.md").read_text(encoding="utf-8")
ROWS = list(table_rows(PAGE))

OURS = {"ks_worst"}
TRAINER = {
    "commands": "train plot analyze convert training divertanalysis xaod build model-dump score",
    "options": """
        --print-settings --continue --plot_every_column --output_report --output_json --data_type
        --output_path --min_jet_pt --max_jet_pt --llp_mH --llp_mS --clean --working_directory
        --nevents --skip_build --add_trainings --output_file --config -v""",
    "keys of trainings": " ".join(SeedKeys.model_fields),
    "keys of reports": """
        common_plots data_labels_adversary data_labels_main plot_every_column output_report
        input_files input_file legend_name runs_to_analyze run_to_convert output_json""",
    "keys of conversions and builds": """
        data_type output_dir llp_mH llp_mS signal_branches bib_branches qcd_branches
        rename_branches num_events event_filter output_file remove_branches training""",
    "files": """
        training_details.txt training_params.yaml train_loss.txt test_loss.txt model.keras
        final_model.keras discriminator_model.keras initial_discriminator_model_weights.keras
        final_model_weights_<epoch>.keras final_weights_checkpoint.keras
        original_model_checkpoint.keras discriminator_checkpoint.keras history_checkpoint.json
        x_to_test.npz weights_to_test.npz y_test.pkl Z_test.pkl <stem>.pkl <output>.pkl.lock
        parquet/<stem>.parquet main_training_file.pkl score.parquet""",
    "quantities": " ".join({*QUANTITIES} - OURS),
    "plots": f"""
        {" ".join({*HISTORY} - OURS)} signal_llp_efficiencies bkg_falsePositives sig_predictions
        adv_sig_predictions roc_curve_atlas_rej_bib__None SoverB_scan__None
        <nnn>_main_sig_predictions_linear <nnn>_val_adversary_sig_predictions""",
}
NAMED = {
    word.strip(",") for row in ROWS for span in code_spans(row[0]) for word in (span, *span.split())
}
HERE = [span for row in ROWS for span in code_spans(row[1])]


@pytest.mark.parametrize("kind", TRAINER)
def test_every_name_of_the_trainer_has_a_line(kind: str) -> None:
    assert set(TRAINER[kind].split()) - NAMED == set()


def test_every_line_says_where_it_went() -> None:
    assert all(len(cells) == 2 and cells[1] for cells in ROWS)
    assert [row[1] for row in ROWS if LATER in row[1]] == []


def test_an_option_that_a_line_names_exists() -> None:
    inner = {name: sorted(getattr(COMMANDS[name], "commands", {})) for name in COMMANDS}
    known = {
        option
        for name, subs in inner.items()
        for words in ([[name, sub] for sub in subs] or [[name]])
        for option in options(words)
    }
    asked = {word for span in HERE for word in re.findall(r"(?:^|\s)(--?[a-z][\w-]*)", span)}
    assert {word for word in asked - known if not word.startswith("--no-")} == set()


def test_a_key_that_a_line_names_exists() -> None:
    dotted = {span.partition(":")[0] for span in HERE}
    dotted = {span for span in dotted if re.fullmatch(r"[a-z]+(\.[a-z_]+)+", span)}
    sections = {key.partition(".")[0] for key in KEYS}
    asked = {key for key in dotted if key.partition(".")[0] in sections}
    assert asked
    assert asked - KEYS - {"results.json", "provenance.json", "metrics.csv"} == set()


def test_a_finding_that_a_line_names_exists() -> None:
    files = Path(quarkline.__file__).parent.rglob("*.py")
    sources = "".join(path.read_text(encoding="utf-8") for path in files)
    codes = set(re.findall(r"QL-[A-Z]+-\d+", PAGE))
    assert {code for code in codes if f'"{code}"' not in sources} == set()
