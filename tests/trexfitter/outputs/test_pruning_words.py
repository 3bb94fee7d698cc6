"""What pruning left, in TRExFitter's words."""

from __future__ import annotations

import numpy as np
import pytest

from quarkline.templates.histograms import Histogram
from quarkline.templates.sets import Shift
from quarkline.trexfitter.outputs.pruning import state

SIDE = Histogram.of(np.array([0.0, 1.0]), np.array([1.0]), np.array([0.1]))


@pytest.mark.parametrize(
    ("norm", "shape", "bad", "words"),
    [
        (True, True, (), "is kept"),
        (True, False, (), "is norm only"),
        (False, True, (), "is shape only"),
        (False, False, (), "is dropped"),
        (False, True, ("norm",), "has bad norm"),
        (True, False, ("shape",), "has bad shape"),
        (False, False, ("shape", "norm"), "is bad"),
    ],
)
def test_words(norm, shape, bad, words):
    shift = Shift(SIDE, SIDE, None, None, 0.1, -0.1, None, None, norm, shape, bad=bad)
    assert state(shift) == words


def test_systematics_of_yields_never_have_a_shape():
    shift = Shift(SIDE, SIDE, None, None, 0.1, -0.1, None, None)
    assert state(shift, norm_only=True) == "is norm only"
    assert state(None) == "is not present"
