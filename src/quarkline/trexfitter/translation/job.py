"""The job: what holds for the whole analysis."""

from __future__ import annotations

from quarkline.trexfitter.blocks import Block
from quarkline.trexfitter.translation.data import Data

RATIOS = {
    "SOVERB": "s/b",
    "SOVERSPLUSB": "s/(s+b)",
    "SOVERSQRTB": "s/sqrt(b)",
    "SOVERSQRTSPLUSB": "s/sqrt(s+b)",
}
REFERENCES = {
    "SEPARATESAMPLE": "sample",
    "BACKGROUNDREFERENCE": "background",
    "COMBINEDREFERENCE": "combined",
}


def kind_of_files(job: Block) -> str:
    """What the names of file options begin with: "Ntuple" or "Histo"."""
    reads = job.text("ReadFrom")
    if reads is not None:
        return "Histo" if reads.upper() == "HIST" else "Ntuple"
    return "Ntuple" if any(name.startswith("Ntuple") for name in job.options) else "Histo"


def add_job(data: Data, job: Block) -> None:
    """The keys that a job gives."""
    data.put("reads", "histograms" if data.kind == "Histo" else "ntuples", job.place)
    data.files("files", job)
    data.text("selection", job, "Selection")
    data.text("weights.event", job, "MCweight")
    data.number("luminosity.value", job, "Lumi")
    data.number("luminosity.scale", job, "LumiScale")
    data.label("luminosity.label", job, "LumiLabel")
    data.label("poi", job, "POI")
    data.number("hide.threshold", job, "BlindingThreshold")
    data.choice("hide.ratio", job, "BlindingType", RATIOS)
    data.truth("hide.signal_regions", job, "BlindSRs")
    _add_templates(data, job)


def _add_templates(data: Data, job: Block) -> None:
    data.truth("templates.merge_flow", job, "MergeUnderOverFlow")
    data.choice(
        "templates.mc_statistics",
        job,
        "MCstatConstraint",
        {"GAUSSIAN": "gaussian", "POISSON": "poisson"},
    )
    if option := job.first("MCstatThreshold"):
        if option.value.upper() == "NONE":
            data.values.setdefault("templates", {})["mc_statistics"] = None
        else:
            data.number("templates.mc_statistics_threshold", job, "MCstatThreshold")
    data.truth("templates.guess_empty_bins", job, "GuessMCStatEmptyBins")
    data.truth("templates.repair_negative_sums", job, "CorrectNormForNegativeIntegral")
    data.label("templates.smoothing_rule", job, "SmoothingOption")
    data.number("templates.pruning.norm", job, "SystPruningNorm")
    data.number("templates.pruning.shape", job, "SystPruningShape")
    data.number("templates.pruning.large", job, "SystLarge")
    data.truth("templates.pruning.remove_large", job, "RemoveLargeSyst")
    data.choice("templates.pruning.reference", job, "PruningType", REFERENCES)
    tests = {"MAXBIN": "largest-bin", "KSTEST": "ks-test"}
    data.choice("templates.pruning.shape_test", job, "PruningShapeOption", tests)
    data.truth("templates.statistics_only", job, "StatOnly")
    data.number("templates.max_events", job, "MaxNtupleEvents")
