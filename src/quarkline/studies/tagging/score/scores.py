"""Scores of a table of jets, written beside what identifies each jet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.events.sources.base import record_array
from quarkline.events.table import TableSink
from quarkline.learning.features.arrays import FeatureArrays
from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.models.event_model import EventModel
from quarkline.studies.tagging.columns import JET, Label
from quarkline.studies.tagging.features.scaling import MASSES as MASS_INPUTS
from quarkline.studies.tagging.tables import EVENT, MASSES, ROW, SCALED_BELOW, WEIGHT, JetTable

NETWORK_OUTPUTS = ("jet_nn_qcd", "jet_nn_sig", "jet_nn_bib")
"""Columns of the scores, as the CalRatio trainer calls them."""

TOLD = (*EVENT, "label", WEIGHT, *JET, *MASSES, *ROW)
"""What else is written of a jet, where the table has it."""

EDGES = np.linspace(0, 1, 30)
ROWS = 16_384

NOT_ITS_UNITS = Rule(
    "QL-TAG-080",
    "a network reads values scaled as those it was trained on",
    "Networks of the CalRatio trainer take the values of its build step as they are: momenta "
    "divided by 500 GeV. Networks trained here on physical values scale these by themselves. One "
    "that is given the other's values gives scores that look like scores.",
)
NOT_ITS_INPUTS = Rule(
    "QL-TAG-081",
    "a network of the tagging study reads the columns of jets",
    "Scores of jets are those of a network with the inputs of the study: clusters, tracks, muon "
    "segments, the jet, and with mass parametrisation the masses of a hypothesis.",
)


@dataclass(frozen=True)
class Scored:
    """The scores of one table.

    Attributes:
        path: The file of scores.
        table: The jets.
        jets: Number of jets by label.
        shares: By label, and with -1 of all, the shares of jets whose signal output is the
            largest, above 0.5 and above 0.8.
        counts: By label, numbers of jets in 29 bins of each output, with shape (3, 29).
    """

    path: Path
    table: JetTable
    jets: Mapping[int, int]
    shares: Mapping[int, tuple[float, float, float]]
    counts: Mapping[int, NDArray[np.float64]]


def write_scores(
    model: EventModel,
    table: JetTable,
    path: Path,
    *,
    masses: tuple[float, float] | None = None,
    scaling: Mapping[str, Any] | None = None,
) -> Scored:
    """Score the jets of a table, some at a time.

    Args:
        model: The network.
        table: The jets.
        path: The Parquet file of the scores, in the order of the table.
        masses: m_H and m_S in GeV that a network with mass parametrisation is asked about.
        scaling: How the tables that it was trained on are scaled, if that is known.

    Raises:
        InputError: If the network reads other columns, or other units.
    """
    check_inputs(model, table, masses, scaling)
    told = _masses_told(model)
    held = [name for name in TOLD if name in table.columns]
    jets: dict[int, int] = {}
    passed: dict[int, NDArray[np.float64]] = {}
    counts: dict[int, NDArray[np.float64]] = {}
    with TableSink(path) as sink:
        if not table.rows:
            nothing = dict.fromkeys(NETWORK_OUTPUTS, np.zeros(0, np.float32))
            sink.write(record_array(nothing, 0))
        pairs = zip(table.jets(rows=ROWS), table.batches(held, rows=ROWS), strict=True)
        for part, columns in pairs:
            scores = model.probabilities(_with_masses(part.arrays(), told, masses))
            outputs = dict(zip(NETWORK_OUTPUTS, scores.T.copy(), strict=True))
            sink.write(record_array({**columns, **outputs}, len(part)))
            for label in np.unique(part.label).tolist():
                chosen = scores[part.label == label]
                jets[label] = jets.get(label, 0) + len(chosen)
                passed[label] = passed.get(label, 0.0) + _passed(chosen)
                counts[label] = counts.get(label, 0.0) + _binned(chosen)
    everyone = {-1: sum(passed.values(), np.zeros(3)), **passed}
    total = {-1: sum(jets.values()), **jets}
    shares = {
        label: (float(found[0]), float(found[1]), float(found[2]))
        for label, numbers in everyone.items()
        for found in [numbers / total[label] if total[label] else np.full(3, np.nan)]
    }
    return Scored(path, table, jets, shares, counts)


def check_inputs(
    model: EventModel,
    table: JetTable,
    masses: tuple[float, float] | None = None,
    scaling: Mapping[str, Any] | None = None,
) -> None:
    """Refuse jets that a network would misread.

    Raises:
        InputError: If it takes other columns, masses that are not given, or other units.
    """
    names = [feature.name for feature in model.spec.continuous]
    told = _masses_told(model)
    ours = names == [*JET, *told] and len(model.classes) == len(NETWORK_OUTPUTS)
    if not ours or bool(told) != (masses is not None):
        hint = "name a network of the study `tagging`"
        if ours:
            hint = "give a hypothesis: --masses 600,150" if told else "leave --masses out"
        raise InputError(
            NOT_ITS_INPUTS.finding(
                f"the network reads {', '.join(names)} of a jet and gives "
                f"{', '.join(model.classes)}; masses are {'not ' * (masses is None)}given",
                suggestion=hint,
            )
        )
    own = scaling or {"kind": "scaled" if reads_scaled(model.preprocess) else "none"}
    if not _same_units(own, table.scaling):
        scaled = own["kind"] != "none"
        hint = "build the table: quarkline build" if scaled else "score the table before its build"
        raise InputError(
            NOT_ITS_UNITS.finding(
                f"the network reads {_units(own)} values, and those of the table are "
                f"{_units(table.scaling)}",
                place=Place(table.path),
                suggestion=hint,
                evidence={"network": dict(own), "table": dict(table.scaling)},
            )
        )


def _masses_told(model: EventModel) -> tuple[str, ...]:
    """The masses that a network is told, in its order."""
    return tuple(one.name for one in model.spec.continuous if one.name in MASS_INPUTS)


def _same_units(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Whether two scalings are one; of Keras's weights only that there is one is known."""
    if "scaled" in (first["kind"], second["kind"]):
        return "none" not in (first["kind"], second["kind"])
    mine, other = ({**one, "assumed": None} for one in (first, second))
    return mine == other


def _units(scaling: Mapping[str, Any]) -> str:
    kind = str(scaling["kind"])
    if kind in {"none", "scaled"}:
        return {"none": "physical", "scaled": "scaled"}[kind]
    ends = f" {scaling['min_pt']:g}-{scaling['max_pt']:g}" if "max_pt" in scaling else ""
    return f"scaled ({kind}{ends})"


def reads_scaled(preprocess: Preprocess) -> bool:
    """Whether a network was trained on values that a build step had scaled.

    Its own scale of a jet's momentum tells: it was fitted to training jets.
    """
    scale = preprocess.scales[0]
    if scale.kind == "none":
        return True
    middle = exp(scale.mean) - scale.offset if scale.kind == "log" else scale.mean
    return middle < SCALED_BELOW


def _with_masses(
    arrays: FeatureArrays, told: tuple[str, ...], masses: tuple[float, float] | None
) -> FeatureArrays:
    if masses is None:
        return arrays
    given = {str(name): mass for name, mass in zip(MASS_INPUTS, masses, strict=True)}
    hypothesis = np.array([given[name] for name in told], np.float32)
    same = np.broadcast_to(hypothesis, (len(arrays), len(told)))
    jet = np.concatenate([arrays.continuous, same], axis=1, dtype=np.float32)
    return FeatureArrays(jet, arrays.categorical, arrays.objects)


def _passed(scores: NDArray[Any]) -> NDArray[np.float64]:
    signal = scores[:, Label.SIGNAL]
    largest = scores.argmax(axis=1) == Label.SIGNAL
    return np.array([largest.sum(), (signal > 0.5).sum(), (signal > 0.8).sum()], np.float64)


def _binned(scores: NDArray[Any]) -> NDArray[np.float64]:
    return np.stack([np.histogram(column, EDGES)[0] for column in scores.T]).astype(np.float64)
