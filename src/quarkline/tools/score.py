"""Score files of events with a trained model: a friend for each, in the same layout."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from quarkline.engine.compute.config import ComputeConfig, compute_overrides
from quarkline.engine.compute.executors import Executor, open_executor
from quarkline.engine.core.config import Config, ConfigPath, load_config
from quarkline.engine.core.extras import missing_extra
from quarkline.engine.core.findings import InputError, Rule, did_you_mean
from quarkline.events.sinks import SINKS
from quarkline.events.skim.outputs import HIDDEN
from quarkline.events.skim.plan import SkimWatcher, Unwatched
from quarkline.learning.scoring.branches import SIGNAL, Branches
from quarkline.learning.scoring.fold_key import Origin
from quarkline.learning.scoring.run import ScoreRequest, ScoreRun, score_files
from quarkline.learning.scoring.runtimes import RUNTIMES, load_classifier
from quarkline.tools.models import RUNS, find_model

BAD_OPTION = Rule(
    "QL-SCORE-006",
    "scores are computed and written in a way that there is",
    "Friends are written as ROOT, Parquet or HDF5; scores are computed by `torch` (which stands "
    "for boosted trees, too) or, from an export, by `onnx`.",
)
FORMATS = tuple(name for name in SINKS if name != "csv")


class _Site(Config):
    """What the config of a computer may hold."""

    schema_version: Literal[1] = Field(alias="schema")
    roots: dict[str, ConfigPath] = Field(default_factory=dict)
    compute: ComputeConfig = Field(default_factory=ComputeConfig)


def compute_config(
    *, site: Path | None = None, compute: Mapping[str, Any] | None = None
) -> ComputeConfig:
    """Where the work runs.

    Args:
        site: Compute and storage settings of this computer.
        compute: Values of the `compute` section that win over these.

    Raises:
        InputError: With one finding for each mistake.
    """
    texts = compute_overrides(compute or {})
    return load_config(None, site=site, overrides=texts).validate(_Site).compute


def score(
    model: str,
    files: Sequence[str],
    output: Path,
    *,
    files_from: Path | None = None,
    column: str | None = None,
    classes: str = SIGNAL,
    origin: str = "auto",
    trees: Sequence[str] = (),
    identity: Sequence[str] | None = None,
    runtime: str | None = None,
    base: Path | None = None,
    format: str = "root",  # noqa: A002
    retries: int = 0,
    compute: ComputeConfig | None = None,
    executor: Executor | None = None,
    root: Path = RUNS,
    watcher: SkimWatcher | None = None,
) -> ScoreRun:
    """Make the friends that are missing or stale; what is finished and unchanged is kept.

    Args:
        model: A run, a stage or fold of it, a model's folder or key, or an export.
        files: Files, globs or addresses.
        output: Folder of the friends, each at its file's place below `base`.
        files_from: A text file with further files, one a line.
        column: Name of the branch, for all classes what names begin with; None is
            `probs_<class>`, or `probs`.
        classes: `signal`, `all`, or the name of a class.
        origin: `simulation`, where the fold that scores an event is that of its group; `data`,
            that of its identity; `auto`, what the columns of the group say in each file.
        trees: Names of the trees; none for the only one.
        identity: Columns that identify an event; None for the usual ones that a file has.
        runtime: `torch` or `onnx`; None is `onnx` for an export.
        base: Folder that friends mirror; None for the deepest one that holds all files.
        format: `root`, `rntuple`, `parquet` or `hdf5`.
        retries: How often a failed file is tried again.
        compute: Where the work runs; None is this computer.
        executor: What runs the work, instead of one that is opened for `compute`.
        root: Folder of all runs.
        watcher: Shown how far it is.

    Returns:
        The friends, and a finding for each file without one.

    Raises:
        InputError: If the model or a file is missing, or an option is none that there is; nothing
            has been written.
    """
    if missing := missing_extra("train"):
        raise InputError(*missing)
    _check("format", format, FORMATS)
    _check("origin", origin, tuple(Origin))
    found = find_model(model, root)
    runtime = runtime or ("onnx" if found.exported else "torch")
    _check("runtime", runtime, RUNTIMES)
    classifier, key = load_classifier(found.folder, runtime)
    request = ScoreRequest(
        model=found.folder.resolve(),
        key=key,
        branches=Branches.of(classifier.classes, classes, column),
        runtime=runtime,
        trees=tuple(trees),
        origin=Origin(origin),
        identity=None if identity is None else tuple(identity),
        format=format,
    )
    return score_files(
        request,
        files,
        output,
        base=base,
        files_from=files_from,
        executor=executor
        or open_executor(compute or ComputeConfig(), folder=output / HIDDEN / "jobs"),
        watcher=watcher or Unwatched(),
        retries=retries,
    )


def _check(name: str, value: str, allowed: Collection[str]) -> None:
    if value not in allowed:
        raise InputError(
            BAD_OPTION.finding(
                f"{name} `{value}` is none that there is",
                suggestion=did_you_mean(value, allowed, what="values"),
            )
        )
