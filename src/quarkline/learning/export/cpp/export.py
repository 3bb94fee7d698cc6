"""Exports a network as a C++ header, with a program that tests it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import InputError, Rule
from quarkline.engine.store.atomic import write_atomic
from quarkline.learning.export.cpp.header import cpp_header, member, number
from quarkline.learning.models.config import StreamNetworkConfig
from quarkline.learning.models.event_model import EventModel

HEADER = "model.h"
PROGRAM = "test_model.cpp"
TOLERANCE = 1e-5
"""Largest difference of a probability between torch and the header."""

NOT_IN_CPP = Rule(
    "QL-EXPORT-008",
    "a C++ header holds a recurrent network of numbers",
    "The header computes networks of `kind: lstm-streams` with their scaling and masks. It has no "
    "other layers and no categorical features; `onnx` holds every network.",
)

START = """\
// Tests {header}: c++ -std=c++11 -O2 {program} -o test_model && ./test_model
#include "{header}"

#include <cstdio>

"""
LOOP = """\

int main() {{
  float largest = 0.0f;
{places}\
  for (std::size_t event = 0; event < {events}; ++event) {{
    quarkline_model::Event given;
{filled}\
    const auto found = quarkline_model::probabilities(given);
    for (std::size_t k = 0; k < found.size(); ++k) {{
      const float difference = std::fabs(found[k] - expected[event][k]);
      if (!(difference <= largest)) largest = difference;
    }}
  }}
  const bool agrees = largest <= {tolerance!r}f;
  std::printf("{events} events, largest difference %.3g: %s\\n", static_cast<double>(largest),
              agrees ? "agrees" : "DISAGREES");
  return agrees ? 0 : 1;
}}
"""
NUMBERS = (
    "    std::copy(numbers[event], numbers[event] + given.numbers.size(), given.numbers.begin());\n"
)
OBJECTS = """\
    for (std::size_t k = 0; k < count_{name}[event]; ++k, ++at_{name}) {{
      given.{name}.emplace_back();
      std::copy(of_{name}[at_{name}], of_{name}[at_{name}] + {features},
                given.{name}.back().begin());
    }}
"""


def export_cpp(model: EventModel, key: str, folder: Path) -> list[Path]:
    """Write `model.h`, and `test_model.cpp`, which compares it with torch on the model's examples.

    Args:
        model: The model.
        key: Its content key.
        folder: Takes the files.

    Raises:
        InputError: If the header has no code for such a model.
    """
    if not isinstance(model.config, StreamNetworkConfig) or model.spec.categorical:
        what = "has categorical features"
        if not isinstance(model.config, StreamNetworkConfig):
            what = f"is of `kind: {model.config.kind}`"
        raise InputError(
            NOT_IN_CPP.finding(
                f"the model {what}, for which the C++ header has no code",
                suggestion="export it with `--format onnx`",
            )
        )
    header = write_atomic(folder / HEADER, cpp_header(model, key))
    return [header, write_atomic(folder / PROGRAM, "".join(_program(model)))]


def _program(model: EventModel) -> Iterator[str]:
    """The text of the test program."""
    examples, scores = model.examples, model.probabilities(model.examples)
    yield START.format(header=HEADER, program=PROGRAM)
    yield from _array("expected", scores)
    places, filled = [], []
    if model.spec.continuous:
        yield from _array("numbers", examples.continuous)
        filled.append(NUMBERS)
    for group, objects in examples.objects.items():
        name = member(group)
        counts = ", ".join(map(str, objects.present.sum(axis=1)))
        yield f"static const std::size_t count_{name}[] = {{{counts}}};\n"
        none = np.zeros((1, objects.values.shape[2]), np.float32)  # no array is empty in C++
        yield from _array(f"of_{name}", np.concatenate([objects.values[objects.present], none]))
        places.append(f"  std::size_t at_{name} = 0;\n")
        filled.append(OBJECTS.format(name=name, features=none.shape[1]))
    yield LOOP.format(
        events=len(scores),
        places="".join(places),
        filled="".join(filled),
        tolerance=TOLERANCE,
    )


def _array(name: str, values: NDArray[np.float32]) -> Iterator[str]:
    """A table of numbers as C++."""
    yield f"static const float {name}[][{values.shape[1]}] = {{\n"
    for row in values:
        yield f"    {{{', '.join(map(number, row))}}},\n"
    yield "};\n"
