"""Every name of lq-asym has a line that says where it went, and what the line names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import quarkline
from quarkline.cli import main as _  # noqa: F401
from quarkline.learning.training.config import TrainingConfig
from quarkline.studies.search.drawings import DRAWINGS
from tests.docs.pages import DOCS, LATER, code_spans, table_rows
from tests.docs.test_commands import COMMANDS, KEYS, options

PAGE = (DOCS / "migration-leptoquark.md").read_text(encoding="utf-8")
ROWS = list(table_rows(PAGE))
SOURCES = Path(quarkline.__file__).parent

LQ_ASYM = {
    "scripts": """
        get_names.py names.txt condor_submit.sub data_processing/main.py ./ml/train.py train
        evaluate two_phase download_model produce_friend.py friend_ntuples/produce_small.py
        friend_ntuples/produce_friend.py""",
    "options": """
        --tags --repeat --clean --config --restart --source-base-dir --target-base-dir
        --include-original --model-path --branch-name --file""",
    "keys of the small ntuples and friends": """
        source_base_dir target_base_dir model_path trex_config region branch_name batch_size model
        files""",
    "keys of the arrays": """
        trex_config region output_path features: categorical_features: array_features:
        invalid_values: n_jets samples""",
    "keys of trainings": """
        extend: run_name seed use_wandb project_name data_path use_binary: use_weights:
        use_embedding: use_nan_w: dropout n_embed_categorical cuts: trn_split: fraction compile
        use_half: repeat batch_size epochs tags evaluations model: n_blocks n_embed n_heads features
        classes require_cuda checkpoints_dir""",
    "metrics": """
        trn/loss val/loss val/acc/multi val/acc/multi_raw val/acc/bin val/acc/bin_raw val/f1
        val/auc/<class> val/auc_w/<class> sig/threshold sig/significance sig/significance_percent
        sig/threshold_simple sig/significance_simple sig/max_significance lr n_grad_steps""",
    "the saved model": """
        weights x_names_continuous x_names_categorical n_features_continuous categorical_sizes
        map_categorical threshold y_names mean std stats_best stats_last n_embed n_blocks n_classes
        n_parameters dropout n_inner n_heads""",
    "files": """
        x_continuous.npy x_categorical.npy y.npy w.npy selected.npy event_numbers.npy mean.npy
        std.npy x_names_continuous.npy x_names_categorical.npy y_names.npy map_categorical.npy
        <file>.processed <file>.lock failed.txt job.yaml require_memory status.json
        replacement_small.txt""",
}
NAMED = {
    word.strip(",") for row in ROWS for span in code_spans(row[0]) for word in (span, *span.split())
}
HERE = [span for row in ROWS for span in code_spans(row[1])]


@pytest.mark.parametrize("kind", LQ_ASYM)
def test_every_name_of_lq_asym_has_a_line(kind):
    assert set(LQ_ASYM[kind].split()) - NAMED == set()


def test_every_line_says_where_it_went():
    assert all(len(cells) == 2 and cells[1] for cells in ROWS)


def test_an_option_that_a_line_names_exists():
    known = {option for name in COMMANDS for option in options([name, *_inner(name)])}
    asked = {word for span in HERE for word in re.findall(r"(?:^|\s)(--?[a-z][\w-]*)", span)}
    assert asked - known == set()


def _inner(name: str) -> list[str]:
    return sorted(getattr(COMMANDS[name], "commands", {}))[:1]


def test_a_key_that_a_line_names_exists():
    known = {part for key in KEYS for part in key.split(".")}
    known |= {"extends", "kind", "jets", *TrainingConfig.model_fields}
    asked = {match[1] for span in HERE if (match := re.match(r"(\w+): [\w{\[.\"]", span))}
    assert asked
    assert asked - known == set()


def test_a_finding_that_a_line_names_exists():
    sources = "".join(path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py"))
    codes = set(re.findall(r"QL-[A-Z]+-\d+", PAGE))
    assert {code for code in codes if f'"{code}"' not in sources} == set()


def test_a_plot_that_a_line_names_is_drawn():
    section = PAGE.partition("### Plots")[2].partition("### ")[0]
    spans = {span for row in table_rows(section) for span in code_spans(row[1])}
    names = {span for span in spans if re.fullmatch(r"[a-z_]+", span)} - {"roc"}
    assert names
    assert names <= DRAWINGS.keys()


def test_nothing_is_put_off():
    assert [row[1] for row in ROWS if LATER in row[1]] == []
