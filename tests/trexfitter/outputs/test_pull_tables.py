"""What pulls do to samples, against HistFactory's formulas."""

from __future__ import annotations

import pytest

from quarkline.statistics.likelihood.results import FitQuality, FittedParameter, LikelihoodFit
from quarkline.statistics.likelihood.spec import NormShift, SampleSpec, Scale, ShapeShift
from quarkline.trexfitter.outputs.pull_tables import pull_rows, pull_tex

SAMPLE = SampleSpec(
    "top",
    (10.0, 20.0, 0.0),
    (
        Scale("mu"),
        NormShift("XS_a", 1.2, 0.9),
        NormShift("small", 1.005, 0.995),
        ShapeShift("JES", (11.0, 20.1, 0.0), (9.0, 19.9, 0.0), "0"),
    ),
)


@pytest.fixture
def fit() -> LikelihoodFit:
    values = {"mu": 2.0, "XS_a": 1.5, "small": 1.0, "JES": -0.7}
    parameters = tuple(
        FittedParameter(name, "systematic", value, 1.0, None, None, 0.0, 1.0)
        for name, value in values.items()
    )
    return LikelihoodFit("mu", parameters, (), (), 0.0, FitQuality(True, 0.0, 1, ()))


def test_changes_are_those_of_histfactory(fit):
    """Beyond one sigma code 4 is a power law; code 0 is linear."""
    (norm,) = pull_rows(SAMPLE, fit, shapes=False)
    assert norm.parameter == "XS_a"
    assert norm.change == pytest.approx(1.2**1.5 - 1)
    _, shape = pull_rows(SAMPLE, fit, shapes=True)
    assert (shape.parameter, shape.bin_) == ("JES", 1)
    assert shape.change == pytest.approx(-0.07)


def test_a_parameter_of_no_fit_stays_where_it_is(fit):
    alone = LikelihoodFit("mu", (), (), (), 0.0, fit.quality)
    assert pull_rows(SAMPLE, alone, shapes=True) == []


def test_the_table(fit):
    lines = pull_tex("SR, $t\\bar t$", {"top": pull_rows(SAMPLE, fit, shapes=True)}).splitlines()
    assert r"\multicolumn{2}{|c|}{SR, $t\bar t$} \\" in lines
    at = lines.index(r"{\color{blue}{$\rightarrow \,$ top}} & \\")
    assert lines[at + 1 : at + 3] == [r"norm XS-a & 31 \% \\", r"shape JES bin 1 & -7 \% \\"]
    assert lines[-1] == r"\end{document}"
