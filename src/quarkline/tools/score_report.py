"""Score tables of jets, and write a report on the scores."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from quarkline.engine.core.extras import missing_extra
from quarkline.engine.core.findings import InputError
from quarkline.engine.store.atomic import make_folder
from quarkline.studies.tagging.score.report import score_report as report_of
from quarkline.studies.tagging.score.scores import check_inputs, write_scores
from quarkline.studies.tagging.tables import open_jets
from quarkline.tools.models import RUNS
from quarkline.tools.plot import Written, named_files, written
from quarkline.tools.taggers import load_tagger


@dataclass(frozen=True)
class ScoreReport:
    """What was written.

    Attributes:
        scores: A Parquet file for each table.
        report: The report.
    """

    scores: tuple[Path, ...]
    report: Written


def score_report(
    model: str,
    files: Sequence[str],
    output: Path,
    *,
    masses: tuple[float, float] | None = None,
    root: Path = RUNS,
) -> ScoreReport:
    """Write the scores of tables of jets, and a report on them.

    Args:
        model: A run, an epoch of one, a model's folder, or Keras's weights.
        files: Tables, as `NAME=PATH`, or `PATH`, whose name is that of the file.
        output: Folder of the scores, one `NAME.scores.parquet` a table, and of the report.
        masses: m_H and m_S in GeV for a network with mass parametrisation.
        root: Folder of all runs.

    Raises:
        InputError: If there is no such model or table, or one does not fit the other; then
            nothing has been written.
    """
    if missing := missing_extra("train"):
        raise InputError(*missing)
    tagger = load_tagger(model, root)
    names = [text if "=" in text else f"{Path(text).stem}={text}" for text in files]
    tables = {name: open_jets(path) for name, path in named_files(names).items()}
    for table in tables.values():
        check_inputs(tagger.model, table, masses, tagger.scaling)
    make_folder(output)
    scored = {
        name: write_scores(
            tagger.model,
            table,
            output / f"{name}.scores.parquet",
            masses=masses,
            scaling=tagger.scaling,
        )
        for name, table in tables.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        document = report_of(tagger.place, scored, Path(folder))
        report = written(document, output / "report.md")
    return ScoreReport(tuple(one.path for one in scored.values()), report)
