"""Values of parameters from the file of an earlier fit: our results, or TRExFitter's text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.statistics.likelihood.results import LikelihoodFit

BLOCK = "NUISANCE_PARAMETERS"

NO_FIT = Rule(
    "QL-TEMPLATE-043",
    "values of Asimov data come from the file of a fit",
    "`fit.asimov_from` names the JSON of results with a fit in it, or the text that TRExFitter "
    f"writes into its folder `Fits`, whose block `{BLOCK}` has a name and a value a line.",
)


def fitted_values(path: Path) -> dict[str, float]:
    """Values of the parameters that a fit's file holds, by name.

    Args:
        path: JSON of a fit or of results with one in it, or TRExFitter's text.

    Raises:
        InputError: If the file is not there, or holds no fit.
    """
    try:
        text = path.read_text()
    except OSError as error:
        raise _nothing(path, error.strerror or "it cannot be read") from error
    found = _of_json(text) if text.lstrip().startswith("{") else _of_text(text.splitlines())
    if not found:
        raise _nothing(path, "it holds no fit")
    return found


def _of_json(text: str) -> dict[str, float]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError:
        return {}
    results: Iterable[Any] = [data, *data.get("results", {}).values()]
    for result in results:
        if isinstance(result, Mapping) and result.get("kind") == LikelihoodFit.kind:
            fit = LikelihoodFit.from_json(result)
            return {parameter.name: parameter.value for parameter in fit.parameters}
    return {}


def _of_text(lines: Iterable[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    inside = False
    for words in map(str.split, lines):
        if len(words) == 1:
            inside = words == [BLOCK]
        elif inside and len(words) == 4:
            try:
                found[words[0]] = float(words[1])
            except ValueError:
                return {}
    return found


def _nothing(path: Path, why: str) -> InputError:
    place = Place(file=path)
    return InputError(NO_FIT.finding(f"no values are found: {why}", place=place))
