"""A likelihood as HistFactory's XML and histograms, which ROOT's `hist2workspace` reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import uproot

from quarkline.engine.core.findings import InputError, Rule
from quarkline.engine.store.atomic import atomic_path, make_folder, write_atomic
from quarkline.events.sinks.root_file import new_root_file
from quarkline.statistics.likelihood.spec import (
    BinScale,
    ChannelSpec,
    Gaussian,
    LikelihoodSpec,
    Modifier,
    NormShift,
    Parameter,
    Poisson,
    SampleSpec,
    Scale,
    ShapeShift,
)
from quarkline.templates import histfactory_schema
from quarkline.templates.histograms import Array
from quarkline.templates.sets import TemplateSet

NOMINAL = "nominal"

NOT_HISTFACTORY = Rule(
    "QL-TEMPLATE-042",
    "HistFactory's XML can say what a likelihood does",
    "Factors are interpolated with code 4, shapes with code 4p, parameters of systematics have a "
    "normal constraint of mean 0 and width 1, parameters of bins are called `gamma_...` and scale "
    "bins of one number, and none changes the yield, or the shape, of a sample by two systematics. "
    "Anything else has no element in the XML; write pyhf's JSON instead.",
)

Histograms = dict[str, tuple[Array, Array]]
"""Contents and errors by their place in the file of histograms."""


def write_histfactory(
    spec: LikelihoodSpec, folder: Path, *, templates: TemplateSet | None = None
) -> tuple[Path, ...]:
    """Write a likelihood as XML, one file for the measurement and one for each channel.

    Run `hist2workspace NAME.xml` in the folder to make a workspace of it. Bins are of width one, as
    in TRExFitter, so that nothing depends on how densities are handled.

    Args:
        spec: The likelihood.
        folder: Where the files go.
        templates: Where the statistical errors of samples come from. Without them the error of each
            bin is divided among its samples so that their sum is right.

    Returns:
        The files: the measurement, the channels, the types of their elements, the histograms.

    Raises:
        InputError: If HistFactory has no words for a part of it.
    """
    make_folder(folder)
    writer = _Writer(spec, templates)
    documents = {spec.name: writer.measurement()}
    documents |= {f"{spec.name}_{one.name}": writer.channel(one) for one in spec.channels}
    paths = [_write_document(folder / f"{stem}.xml", root) for stem, root in documents.items()]
    paths.append(write_atomic(folder / histfactory_schema.NAME, histfactory_schema.schema()))
    paths.append(_write_histograms(folder / writer.file, writer.histograms))
    return tuple(paths)


def _write_document(path: Path, root: ET.Element) -> Path:
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return write_atomic(path, f"<!DOCTYPE {root.tag} SYSTEM '{histfactory_schema.NAME}'>\n{text}\n")


def _write_histograms(path: Path, histograms: Mapping[str, tuple[Array, Array]]) -> Path:
    with atomic_path(path) as temporary, new_root_file(temporary) as file:
        for name, (contents, errors) in histograms.items():
            file[name] = _root_histogram(name, contents, errors)
    return path


def _root_histogram(name: str, contents: Array, errors: Array) -> object:
    """A TH1D in unit bins."""
    bins = len(contents)
    axis = uproot.writing.identify.to_TAxis("xaxis", "", bins, 0.0, float(bins))
    return uproot.writing.identify.to_TH1x(
        name.rsplit("/", 1)[-1],
        "",
        np.pad(contents, 1),
        float(bins),
        float(contents.sum()),
        float(np.square(errors).sum()),
        0.0,
        0.0,
        np.pad(np.square(errors), 1),
        axis,
    )


class _Writer:
    """Makes the documents, and collects the histograms that they name."""

    def __init__(self, spec: LikelihoodSpec, templates: TemplateSet | None) -> None:
        self.spec = spec
        self.templates = templates
        self.file = f"{spec.name}_histograms.root"
        self.parameters = {parameter.name: parameter for parameter in spec.parameters}
        self.histograms: Histograms = {}
        self._places: dict[str, int] = {}

    def measurement(self) -> ET.Element:
        root = ET.Element("Combination", OutputFilePrefix=self.spec.name)
        for channel in self.spec.channels:
            ET.SubElement(root, "Input").text = f"./{self.spec.name}_{channel.name}.xml"
        options = {"Name": self.spec.name, "Lumi": "1", "LumiRelErr": "0.1", "ExportOnly": "True"}
        measurement = ET.SubElement(root, "Measurement", options)
        ET.SubElement(measurement, "POI").text = self.spec.poi or ""
        constant = ET.SubElement(measurement, "ParamSetting", Const="True")
        constant.text = " ".join(["Lumi", *self._constant()])
        for name in self._free():
            free = {"Type": "Uniform", "RelativeUncertainty": "1"}
            ET.SubElement(measurement, "ConstraintTerm", free).text = name
        return root

    def channel(self, channel: ChannelSpec) -> ET.Element:
        root = ET.Element("Channel", Name=channel.name, InputFile=self.file)
        if channel.data is not None:
            data = np.array(channel.data)
            root.append(self._histogram("Data", "Histo", channel.name, "data", data, np.sqrt(data)))
        statistics = {"RelErrorThreshold": "0", "ConstraintType": self._type_of(channel)}
        ET.SubElement(root, "StatErrorConfig", statistics)
        errors = self._errors(channel)
        for sample in channel.samples:
            root.append(self._sample(channel, sample, errors[sample.name]))
        return root

    def _constant(self) -> list[str]:
        """Parameters that fits leave alone, with those of bins whose errors are too small."""
        named = [_inside(one) for one in self.spec.parameters if one.fixed]
        for channel in self.spec.channels:
            for bins in {found for one in channel.samples if (found := _shared(one))}:
                stem = _stem(bins)
                named += [f"gamma_{stem}_bin_{i}" for i, name in enumerate(bins) if name is None]
        return named

    def _free(self) -> list[str]:
        return [
            one.name
            for one in self.spec.parameters
            if one.role == "systematic" and one.constraint is None
        ]

    def _type_of(self, channel: ChannelSpec) -> str:
        names = (name for one in channel.samples for name in _shared(one) or () if name)
        constraints = [self.parameters[name].constraint for name in names]
        return "Gaussian" if any(isinstance(one, Gaussian) for one in constraints) else "Poisson"

    def _errors(self, channel: ChannelSpec) -> dict[str, Array]:
        """Statistical errors of each sample's bins."""
        if self.templates is not None:
            region = self.templates.regions[channel.name]
            kept = [at for at in range(len(region.edges) - 1) if at not in region.dropped]
            return {
                one.name: region.templates[one.name].nominal.errors[kept] for one in channel.samples
            }
        return divided_errors(channel, self.parameters)

    def _sample(self, channel: ChannelSpec, sample: SampleSpec, errors: Array) -> ET.Element:
        place = f"{channel.name}/{sample.name}"
        contents = np.array(sample.contents)
        element = self._histogram("Sample", "Histo", place, NOMINAL, contents, errors)
        element.set("Name", sample.name)
        element.set("NormalizeByTheory", "False")
        for modifier in sample.modifiers:
            element.append(self._modifier(place, modifier))
        used = Counter((one.tag, one.get("Name")) for one in element)
        if twice := [name for (_, name), count in used.items() if name and count > 1]:
            what = f"`{sample.name}` in `{channel.name}` is changed twice by `{twice[0]}`"
            raise InputError(NOT_HISTFACTORY.finding(what))
        return element

    def _modifier(self, place: str, modifier: Modifier) -> ET.Element:
        if isinstance(modifier, Scale):
            return self._norm_factor(self.parameters[modifier.parameter])
        if isinstance(modifier, BinScale):
            return self._bins(place, modifier.parameters)
        self._check(modifier)
        if isinstance(modifier, NormShift):
            sides = {"High": f"{modifier.up:.17g}", "Low": f"{modifier.down:.17g}"}
            return ET.Element("OverallSys", {"Name": modifier.parameter, **sides})
        return self._shape(place, modifier)

    def _norm_factor(self, parameter: Parameter) -> ET.Element:
        values = {"Val": parameter.initial, "Low": parameter.low, "High": parameter.high}
        texts = {key: f"{value:.17g}" for key, value in values.items()}
        return ET.Element("NormFactor", {"Name": parameter.name, **texts})

    def _shape(self, place: str, modifier: ShapeShift) -> ET.Element:
        element = ET.Element("HistoSys", Name=modifier.parameter)
        for side, contents in (("High", modifier.up), ("Low", modifier.down)):
            name = f"{modifier.parameter}_{side}"
            self.histograms[f"{place}/{name}"] = (np.array(contents), np.zeros(len(contents)))
            element.set(f"HistoFile{side}", self.file)
            element.set(f"HistoPath{side}", f"{place}/")
            element.set(f"HistoName{side}", name)
        return element

    def _bins(self, place: str, names: tuple[str | None, ...]) -> ET.Element:
        stem = _stem(names)
        for at, name in enumerate(names):
            if name and self._places.setdefault(name, at) != at:
                what = f"`{name}` scales bins {self._places[name]} and {at} of two channels"
                raise InputError(NOT_HISTFACTORY.finding(what))
        first = self.parameters[next(name for name in names if name)]
        if stem.startswith("stat_"):
            return ET.Element("StatError", Activate="True")
        if first.role == "shape-factor":
            return ET.Element("ShapeFactor", Name=stem)
        relative = np.array([_width(self.parameters[name]) if name else 0.0 for name in names])
        zeros = np.zeros_like(relative)
        element = self._histogram("ShapeSys", "Histo", place, stem, relative, zeros)
        element.set("Name", stem)
        gaussian = isinstance(first.constraint, Gaussian)
        element.set("ConstraintType", "Gaussian" if gaussian else "Poisson")
        return element

    def _histogram(
        self, tag: str, key: str, place: str, name: str, contents: Array, errors: Array
    ) -> ET.Element:
        self.histograms[f"{place}/{name}"] = (contents, errors)
        options = {"InputFile": self.file, f"{key}Path": f"{place}/", f"{key}Name": name}
        return ET.Element(tag, options)

    def _check(self, modifier: NormShift | ShapeShift) -> None:
        parameter = self.parameters[modifier.parameter]
        code = "4" if isinstance(modifier, NormShift) else "4p"
        if str(modifier.code) != code:
            problem = (
                f"`{modifier.parameter}` is interpolated with code {modifier.code}, not {code}"
            )
        elif parameter.constraint not in (None, Gaussian()):
            problem = f"`{parameter.name}` is constrained by {parameter.constraint}"
        else:
            return
        raise InputError(NOT_HISTFACTORY.finding(problem))


def divided_errors(channel: ChannelSpec, parameters: Mapping[str, Parameter]) -> dict[str, Array]:
    """Errors of samples whose sum in quadrature is that of their common parameters.

    Args:
        channel: A channel.
        parameters: All parameters by name.
    """
    errors = {one.name: np.zeros(channel.bins) for one in channel.samples}
    sharing = [one for one in channel.samples if _shared(one)]
    if not sharing:
        return errors
    names = _shared(sharing[0]) or ()
    relative = np.array([_width(parameters[name]) if name else 0.0 for name in names])
    contents = np.array([one.contents for one in sharing])
    shares = contents / np.sqrt(np.square(contents).sum(axis=0))
    for one, share in zip(sharing, shares, strict=True):
        errors[one.name] = relative * contents.sum(axis=0) * share
    return errors


def _shared(sample: SampleSpec) -> tuple[str | None, ...] | None:
    """Parameters of the statistical error that a sample shares with others of its channel."""
    return next((bins for bins in _bin_scales(sample) if _stem(bins).startswith("stat_")), None)


def _bin_scales(sample: SampleSpec) -> Iterator[tuple[str | None, ...]]:
    for modifier in sample.modifiers:
        if isinstance(modifier, BinScale) and any(modifier.parameters):
            yield modifier.parameters


def _stem(names: Iterable[str | None]) -> str:
    """What HistFactory calls parameters `gamma_STEM_bin_0`, `gamma_STEM_bin_1`, ..."""
    stems = {name.removeprefix("gamma_").rpartition("_bin_")[0] for name in names if name}
    if len(stems) != 1 or not all(name.startswith("gamma_") for name in names if name):
        raise InputError(NOT_HISTFACTORY.finding(f"bins are scaled by {', '.join(sorted(stems))}"))
    return stems.pop()


def _inside(parameter: Parameter) -> str:
    """What HistFactory calls a parameter in its workspace."""
    return f"alpha_{parameter.name}" if parameter.role == "systematic" else parameter.name


def _width(parameter: Parameter) -> float:
    """Relative error of a bin."""
    if isinstance(parameter.constraint, Poisson):
        return float(parameter.constraint.tau**-0.5)
    return parameter.constraint.width if parameter.constraint else 0.0
