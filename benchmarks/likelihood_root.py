"""The fit of `likelihood.py` with RooFit: python likelihood_root.py WORKSPACE."""

from __future__ import annotations

import json
import sys
import time
from array import array
from pathlib import Path
from typing import Any

import ROOT

FACTORY = ROOT.RooStats.HistFactory


def main() -> None:
    """Print the times as one line of JSON."""
    ROOT.RooMsgService.instance().setGlobalKillBelow(ROOT.RooFit.FATAL)
    content = json.loads(Path(sys.argv[1]).read_text())
    steps = {}
    with Timed(steps, "model"):
        workspace = FACTORY.MakeModelAndMeasurementFast(measurement(content))
        config = workspace.obj("ModelConfig")
    with Timed(steps, "fit, cold"):
        nll = config.GetPdf().createNLL(
            workspace.data("obsData"),
            ROOT.RooFit.Constrain(config.GetNuisanceParameters()),
            ROOT.RooFit.GlobalObservables(config.GetGlobalObservables()),
        )
        status = minimised(nll)
    with Timed(steps, "fit, warm"):
        minimised(nll)
    poi = config.GetParametersOfInterest().first()
    print("\n" + json.dumps({"steps": steps, "poi": poi.getVal(), "status": status}))


class Timed:
    """Notes the seconds that a block takes, passed and of the processor."""

    def __init__(self, steps: dict[str, tuple[float, float]], name: str) -> None:
        self.steps, self.name = steps, name

    def __enter__(self) -> None:
        self.start = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        ends = time.perf_counter(), time.process_time()
        self.steps[self.name] = (ends[0] - self.start[0], ends[1] - self.start[1])


def minimised(nll: Any) -> int:
    minimiser = ROOT.RooMinimizer(nll)
    minimiser.setPrintLevel(-1)
    minimiser.setStrategy(1)
    status = int(minimiser.minimize("Minuit2", "Migrad"))
    minimiser.hesse()
    return status


def measurement(content: dict[str, Any]) -> Any:
    first = content["measurements"][0]["config"]
    lumi = [row for row in first["parameters"] if row["name"] == "lumi"]
    made = FACTORY.Measurement("measurement", "measurement")
    made.SetPOI(first["poi"])
    made.SetLumi(1.0)
    made.SetLumiRelErr(lumi[0]["sigmas"][0] if lumi else 0.01)
    if not lumi:
        made.AddConstantParam("Lumi")
    data = {row["name"]: row["data"] for row in content["observations"]}
    for row in content["channels"]:
        channel = FACTORY.Channel(row["name"])
        channel.SetData(histogram(data[row["name"]]))
        channel.SetStatErrorConfig(0.0, "Gaussian")
        for sample in row["samples"]:
            channel.AddSample(sample_of(sample))
        made.AddChannel(channel)
    return made


def sample_of(row: dict[str, Any]) -> Any:
    sample = FACTORY.Sample(row["name"])
    sample.SetHisto(histogram(row["data"]))
    sample.SetNormalizeByTheory(any(entry["type"] == "lumi" for entry in row["modifiers"]))
    for entry in row["modifiers"]:
        name, data = entry["name"], entry["data"]
        match entry["type"]:
            case "normfactor":
                sample.AddNormFactor(name, 1.0, 0.0, 10.0)
            case "normsys":
                sample.AddOverallSys(name, data["lo"], data["hi"])
            case "histosys":
                shift = FACTORY.HistoSys()
                shift.SetName(name)
                shift.SetHistoLow(histogram(data["lo_data"]))
                shift.SetHistoHigh(histogram(data["hi_data"]))
                sample.AddHistoSys(shift)
            case "staterror":
                relative = [
                    error / content if content else 0.0
                    for error, content in zip(data, row["data"], strict=True)
                ]
                sample.ActivateStatError()
                sample.GetStatError().SetErrorHist(histogram(relative))
            case "lumi":
                pass
            case other:
                raise ValueError(other)
    return sample


def histogram(contents: list[float]) -> Any:
    histogram.made = getattr(histogram, "made", 0) + 1
    name = f"histogram_{histogram.made}"
    made = ROOT.TH1D(name, name, len(contents), 0.0, float(len(contents)))
    made.SetContent(array("d", [0.0, *contents, 0.0]))
    made.SetDirectory(0)
    ROOT.SetOwnership(made, False)
    return made


if __name__ == "__main__":
    main()
