"""ROOT's HistFactory and RooFit on exported XML: run as a script in a process of its own.

The wheel of ROOT has no reader of the XML, so that the elements are handed to HistFactory here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET


def fitted_by_roofit(*documents: Path, minos: Sequence[str] = ()) -> list[dict[str, Any]]:
    """What RooFit finds for each measurement's XML: parameters, and how far the likelihood fell.

    A parameter has its value, its error, and its errors above and below.
    """
    done = subprocess.run(
        [sys.executable, __file__, ",".join(minos), *map(str, documents)],
        check=True,
        timeout=300,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _main(minos: list[str], documents: list[Path]) -> None:
    import ROOT

    ROOT.RooMsgService.instance().setGlobalKillBelow(ROOT.RooFit.FATAL)
    found = []
    for document in documents:
        os.chdir(document.parent)
        found.append(_fitted(ROOT, document, minos))
    sys.stdout.write(f"{json.dumps(found)}\n")


def _fitted(root: Any, document: Path, minos: list[str]) -> dict[str, Any]:
    factory = root.RooStats.HistFactory
    measurement = _measurement(factory, ET.parse(document).getroot())
    measurement.CollectHistograms()
    workspace = factory.MakeModelAndMeasurementFast(measurement)
    config = workspace.obj("ModelConfig")
    for fixed in measurement.GetConstantParams():
        workspace.var(str(fixed)).setConstant(True)
    nll = config.GetPdf().createNLL(
        workspace.data("obsData"),
        root.RooFit.Constrain(config.GetNuisanceParameters()),
        root.RooFit.GlobalObservables(config.GetGlobalObservables()),
    )
    start = nll.getVal()
    minimiser = root.RooMinimizer(nll)
    minimiser.setPrintLevel(-1)
    minimiser.setStrategy(2)
    minimiser.setEps(1e-5)
    minimiser.minimize("Minuit2", "Migrad")
    minimiser.hesse()
    if minos:
        minimiser.minos(root.RooArgSet(*(workspace.var(one) for one in minos)))
    parameters = {
        one.GetName().removeprefix("alpha_"): [
            one.getVal(),
            one.getError(),
            one.getErrorHi(),
            -one.getErrorLo(),
        ]
        for one in minimiser.save().floatParsFinal()
    }
    return {"fall": start - nll.getVal(), "parameters": parameters}


def _measurement(factory: Any, root: ET.Element) -> Any:
    element = _one(root, "Measurement")
    name = element.attrib["Name"]
    measurement = factory.Measurement(name, name)
    measurement.SetOutputFilePrefix(root.attrib["OutputFilePrefix"])
    measurement.SetPOI(_one(element, "POI").text)
    measurement.SetLumi(float(element.attrib["Lumi"]))
    measurement.SetLumiRelErr(float(element.attrib["LumiRelErr"]))
    for setting in element.iter("ParamSetting"):
        for one in (setting.text or "").split():
            measurement.AddConstantParam(one)
    for term in element.iter("ConstraintTerm"):
        measurement.AddUniformSyst(term.text)
    for document in root.iter("Input"):
        measurement.AddChannel(_channel(factory, ET.parse(str(document.text)).getroot()))
    return measurement


def _channel(factory: Any, root: ET.Element) -> Any:
    channel = factory.Channel(root.attrib["Name"])
    data, errors = _one(root, "Data").attrib, _one(root, "StatErrorConfig").attrib
    channel.SetData(data["HistoName"], data["InputFile"], data["HistoPath"])
    channel.SetStatErrorConfig(float(errors["RelErrorThreshold"]), errors["ConstraintType"])
    for element in root.iter("Sample"):
        channel.AddSample(_sample(factory, element))
    return channel


def _sample(factory: Any, element: ET.Element) -> Any:
    given = element.attrib
    sample = factory.Sample(
        given["Name"], given["HistoName"], given["InputFile"], given["HistoPath"]
    )
    sample.SetNormalizeByTheory(given["NormalizeByTheory"] == "True")
    for one in element:
        _add(factory, sample, one.tag, one.attrib)
    return sample


def _add(factory: Any, sample: Any, tag: str, given: dict[str, str]) -> None:
    if tag == "StatError":
        sample.ActivateStatError()
    elif tag == "NormFactor":
        sample.AddNormFactor(given["Name"], *(float(given[key]) for key in ("Val", "Low", "High")))
    elif tag == "OverallSys":
        sample.AddOverallSys(given["Name"], float(given["Low"]), float(given["High"]))
    elif tag == "HistoSys":
        sides = [
            given[f"Histo{key}{side}"]
            for side in ("Low", "High")
            for key in ("Name", "File", "Path")
        ]
        sample.AddHistoSys(given["Name"], *sides)
    elif tag == "ShapeSys":
        kind = getattr(factory.Constraint, given["ConstraintType"])
        place = (given["HistoName"], given["InputFile"], given["HistoPath"])
        sample.AddShapeSys(given["Name"], kind, *place)
    elif tag == "ShapeFactor":
        sample.AddShapeFactor(given["Name"])
    else:
        raise ValueError(tag)


def _one(element: ET.Element, tag: str) -> ET.Element:
    found = element.find(tag)
    assert found is not None
    return found


if __name__ == "__main__":
    _main([name for name in sys.argv[1].split(",") if name], [*map(Path, sys.argv[2:])])
