"""HistFactory's XML: other programs read it, and find the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

import numpy as np
import pyhf
import pyhf.readxml
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.statistics.likelihood.fit import fit
from quarkline.statistics.likelihood.model import Model
from quarkline.statistics.likelihood.results import LikelihoodFit
from quarkline.statistics.likelihood.spec import (
    BinScale,
    ChannelSpec,
    Gaussian,
    LikelihoodSpec,
    NormShift,
    Parameter,
    Poisson,
    SampleSpec,
    Scale,
)
from quarkline.templates.build import build_templates
from quarkline.templates.fill import fill, requests_of
from quarkline.templates.histfactory import write_histfactory
from quarkline.templates.likelihood import likelihood_of
from quarkline.templates.sets import TemplateSet

from . import small
from .official import catalog_of, fit_example
from .roofit import fitted_by_roofit


def small_spec(**changes: Any) -> LikelihoodSpec:
    return likelihood_of(small.templates(), small.catalog(**changes), name="job").spec


def test_files_have_the_names_of_the_measurement_and_its_channels(tmp_path: Path) -> None:
    paths = write_histfactory(small_spec(), tmp_path / "RooStats")
    assert [path.name for path in paths] == [
        *("job.xml", "job_CR.xml", "job_SR.xml", "HistFactorySchema.dtd", "job_histograms.root"),
    ]


def declared(document: Path) -> tuple[set[str], dict[tuple[str, str], bool]]:
    """Elements that a document's types declare, and their attributes: whether each is needed."""
    elements: set[str] = set()
    attributes: dict[tuple[str, str], bool] = {}
    reader = expat.ParserCreate()

    def read_types(_context: str, _base: None, name: str, _public: None) -> int:
        part = reader.ExternalEntityParserCreate(_context)
        part.Parse((document.parent / name).read_bytes(), True)
        return 1

    def attribute(element: str, name: str, _type: str, _default: None, needed: int) -> None:
        attributes[element, name] = bool(needed)

    reader.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_ALWAYS)
    reader.ExternalEntityRefHandler = read_types
    reader.ElementDeclHandler = lambda name, _model: elements.add(name)
    reader.AttlistDeclHandler = attribute
    reader.Parse(document.read_bytes(), True)
    return elements, attributes


@pytest.mark.parametrize("variant", ["usual", "own errors", "bins", "decorrelated"])
def test_types_that_roots_reader_asks_for_are_beside_the_documents(
    tmp_path: Path, variant: str
) -> None:
    """ROOT's reader validates, and without the types it reads nothing."""
    spec = small_spec(**VARIANTS[variant])
    for path in write_histfactory(spec, tmp_path, templates=small.templates())[:3]:
        elements, attributes = declared(path)
        for element in ET.parse(path).getroot().iter():
            assert element.tag in elements
            assert {(element.tag, name) for name in element.attrib} <= set(attributes)
            needed = {name for (tag, name), it in attributes.items() if it and tag == element.tag}
            assert needed <= set(element.attrib)


@pytest.mark.filterwarnings("ignore:jsonschema.RefResolver:DeprecationWarning")
@pytest.mark.parametrize("with_errors", [False, True], ids=["spec", "templates"])
def test_pyhf_reads_the_same_expectations(tmp_path: Path, with_errors: bool) -> None:
    """For parameters of every kind that the XML of both has, wherever they are."""
    spec = small_spec(systematics__U={"kind": "independent", "up": 0.2, "samples": ["top"]})
    templates = small.templates() if with_errors else None
    write_histfactory(spec, tmp_path, templates=templates)
    workspace = pyhf.Workspace(pyhf.readxml.parse(tmp_path / "job.xml", tmp_path))
    theirs = workspace.model(
        modifier_settings={"normsys": {"interpcode": "code4"}, "histosys": {"interpcode": "code4p"}}
    )
    ours = Model(spec)
    rng = np.random.default_rng(4)
    for _ in range(5):
        values = np.array(
            [
                rng.normal(one.initial, 0.5 if one.role != "gamma" else 0.05)
                for one in spec.parameters
            ]
        )
        given = np.array(theirs.config.suggested_init())
        for name, value in zip(ours.names, values, strict=True):
            stem, _, bin_ = name.removeprefix("gamma_").partition("_bin_")
            stem = stem.replace("stat_", "staterror_") if bin_ else stem
            given[theirs.config.par_slice(stem)][int(bin_ or 0)] = value
        expected = theirs.expected_actualdata(given)
        np.testing.assert_allclose(ours.expected(values), expected, rtol=1e-6)


def test_what_xml_cannot_say_is_refused(tmp_path: Path) -> None:
    mu = Parameter("mu", "norm-factor", 1, 0, 5)

    def spec(*modifiers: NormShift, parameter: Parameter) -> LikelihoodSpec:
        sample = SampleSpec("s", (1.0,), (Scale("mu"), *modifiers))
        return LikelihoodSpec("x", (ChannelSpec("c", (sample,), (1.0,)),), (mu, parameter), "mu")

    usual = Parameter("a", "systematic", 0, -5, 5, constraint=Gaussian())
    with pytest.raises(InputError, match="`a` is interpolated with code 1, not 4"):
        write_histfactory(spec(NormShift("a", 1.1, 0.9, code=1), parameter=usual), tmp_path)
    other = Parameter("a", "systematic", 0, -5, 5, constraint=Poisson(3.0))
    with pytest.raises(InputError, match="`a` is constrained by Poisson"):
        write_histfactory(spec(NormShift("a", 1.1, 0.9), parameter=other), tmp_path)
    twice = (NormShift("a", 1.1, 0.9), NormShift("a", 1.2, 0.8))  # ROOT 6.40 ends with an exception
    with pytest.raises(InputError, match="`s` in `c` is changed twice by `a`"):
        write_histfactory(spec(*twice, parameter=usual), tmp_path)


def test_a_bin_of_two_numbers_is_refused(tmp_path: Path) -> None:
    """HistFactory counts bins from 0 in each channel, so that others would be scaled together."""
    names = ("gamma_f_bin_0", "gamma_f_bin_1")
    parameters = tuple(Parameter(name, "shape-factor", 1, 0, 5) for name in names)

    def spec(*bins: tuple[str, ...]) -> LikelihoodSpec:
        ones = [(1.0,) * len(names) for names in bins]
        channels = tuple(
            ChannelSpec(f"c{at}", (SampleSpec("s", one, (BinScale(names),)),), one)
            for at, (names, one) in enumerate(zip(bins, ones, strict=True))
        )
        return LikelihoodSpec("x", channels, parameters, None)

    write_histfactory(spec(names, names), tmp_path)
    with pytest.raises(InputError, match="`gamma_f_bin_1` scales bins 1 and 0 of two channels"):
        write_histfactory(spec(names, names[1:]), tmp_path)


def minuit_error(value: float, error: float, low: float, high: float) -> float:
    """What Minuit calls the error of a parameter with bounds.

    It takes the error of an angle, whose sine is the parameter, and gives the mean of what this
    makes of the parameter to both sides (F. James, Minuit manual, section 1.2.1).
    """
    half = (high - low) / 2
    angle = np.arcsin((value - low) / half - 1)
    width = error / (half * np.cos(angle))
    sides = [half * abs(np.sin(angle + sign * width) - np.sin(angle)) for sign in (1, -1)]
    return float(np.mean(sides))


def agree(spec: LikelihoodSpec, found: LikelihoodFit, theirs: dict[str, Any]) -> None:
    """Values and errors agree to 1e-3 of the errors, and so does the fall of the likelihood."""
    model = Model(spec)
    errors = dict(zip(found.free, np.sqrt(np.diag(np.array(found.covariance))), strict=True))
    assert set(found.free) == set(theirs["parameters"]) - {found.poi} | set(found.free)
    for name, error in errors.items():
        value, their_error, *_ = theirs["parameters"][name]
        parameter = spec.parameters[model.index(name)]
        assert found.by_name[name].value == pytest.approx(value, abs=1e-3 * error)
        expected = minuit_error(
            found.by_name[name].value, float(error), parameter.low, parameter.high
        )
        assert their_error == pytest.approx(expected, rel=2e-3)
    fall = model.nll(model.initial, model.data) - found.nll
    assert theirs["fall"] == pytest.approx(fall, abs=1e-4)


VARIANTS: dict[str, dict[str, Any]] = {
    "usual": {},
    "gaussian": {"templates__mc_statistics": "gaussian"},
    "own errors": {"samples__top__separate_mc_statistics": True},
    "bins": {"systematics__U": {"kind": "independent", "up": 0.2, "samples": ["top"]}},
    "fixed": {"norm_factors__k__constant": True},
    "decorrelated": {"systematics__JES__decorrelate": "shape"},
    "threshold": {"templates__mc_statistics_threshold": 0.03},
}


@pytest.mark.oracle
def test_roofit_finds_the_same_for_small_templates(tmp_path: Path) -> None:
    pytest.importorskip("ROOT", reason="pip install ROOT", exc_type=ImportError)
    specs = {name: small_spec(**changes) for name, changes in VARIANTS.items()}
    documents = [
        write_histfactory(spec, tmp_path / name, templates=small.templates())[0]
        for name, spec in specs.items()
    ]
    for spec, theirs in zip(specs.values(), fitted_by_roofit(*documents), strict=True):
        agree(spec, fit(Model(spec)), theirs)


def build_ntuple(official: Path) -> tuple[LikelihoodSpec, TemplateSet]:
    catalog = catalog_of(official, "FitExampleNtuple")
    files = catalog.files.model_copy(update={"folders": [str(official / "inputs/Ntuple")]})
    catalog = catalog.model_copy(update={"files": files})
    templates = build_templates(catalog, fill(requests_of(catalog), catalog).histograms).templates
    return likelihood_of(templates, catalog, name="FitExampleNtuple").spec, templates


@pytest.mark.oracle
def test_roofit_finds_the_same_for_ntuples(tmp_path: Path, official: Path) -> None:
    pytest.importorskip("ROOT", reason="pip install ROOT", exc_type=ImportError)
    spec, templates = build_ntuple(official)
    path = write_histfactory(spec, tmp_path, templates=templates)[0]
    measured = ["mu_XS_ttH", "tt_norm"]
    (theirs,) = fitted_by_roofit(path, minos=measured)
    agree(spec, fit(Model(spec), minos=measured), theirs)


@pytest.mark.oracle
def test_roofit_finds_the_same_at_a_bound(tmp_path: Path, official: Path) -> None:
    """The signal ends at its bound 0, where Minuit's angle lets it correlate with nothing.

    So errors of the other parameters are those with it fixed, and its own is no error.
    """
    pytest.importorskip("ROOT", reason="pip install ROOT", exc_type=ImportError)
    catalog = catalog_of(official, "FitExample")
    templates = build_templates(catalog, fit_example(official, catalog)).templates
    spec = likelihood_of(templates, catalog, name="FitExample").spec
    path = write_histfactory(spec, tmp_path, templates=templates)[0]
    (theirs,) = fitted_by_roofit(path)
    free = fit(Model(spec))
    assert free.by_name["SigXsecOverSM"].value == pytest.approx(0, abs=1e-4)
    assert theirs["parameters"]["SigXsecOverSM"][0] == pytest.approx(0, abs=1e-4)
    agree(spec, fit(Model(spec), fixed={"SigXsecOverSM": 0.0}), theirs)
