"""The job: what holds for the whole analysis."""

from __future__ import annotations

from collections.abc import Iterable

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
    """The keys that a job gives, but for how figures look."""
    place = (job.first("ReadFrom") or job).place
    data.put("reads", "histograms" if data.kind == "Histo" else "ntuples", place)
    data.files("files", job)
    data.text("selection", job, "Selection")
    data.text("weights.event", job, "MCweight")
    data.number("luminosity.value", job, "Lumi")
    data.number("luminosity.scale", job, "LumiScale")
    data.label("luminosity.label", job, "LumiLabel")
    data.number("hide.threshold", job, "BlindingThreshold")
    data.choice("hide.ratio", job, "BlindingType", RATIOS)
    data.truth("hide.same_after_fit", job, "KeepPrefitBlindedBins")
    data.truth("hide.signal_regions", job, "BlindSRs")
    if data.kind == "Histo":
        data.items("files.nominal_suffixes", job, "HistoNameNominal")
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
            data.null("templates.mc_statistics", option.place)
        else:
            data.number("templates.mc_statistics_threshold", job, "MCstatThreshold")
    if job.true("StatOnly"):  # there, bins have no errors either
        data.null("templates.mc_statistics", job.options["StatOnly"].place)
    data.put("templates.guess_empty_bins", True, job.place)
    data.truth("templates.guess_empty_bins", job, "GuessMCStatEmptyBins")
    data.truth("templates.repair_negative_sums", job, "CorrectNormForNegativeIntegral")
    data.label("templates.smoothing_rule", job, "SmoothingOption")
    data.number("templates.pruning.norm", job, "SystPruningNorm")
    data.number("templates.pruning.shape", job, "SystPruningShape")
    data.number("templates.pruning.large", job, "SystLarge")
    data.truth("templates.pruning.remove_large", job, "RemoveLargeSyst")
    data.truth("templates.pruning.remove_on_empty", job, "RemoveSystOnEmptySample")
    data.truth("templates.symmetric_shapes", job, "AlternativeShapeHistFactory")
    data.choice("templates.pruning.reference", job, "PruningType", REFERENCES)
    tests = {"MAXBIN": "largest-bin", "KSTEST": "ks-test"}
    data.choice("templates.pruning.shape_test", job, "PruningShapeOption", tests)
    data.truth("templates.statistics_only", job, "StatOnly")
    if (job.number("MaxNtupleEvents") or 0) > 0:
        data.number("templates.max_events", job, "MaxNtupleEvents")
    if (job.number("RankingMaxNP") or 0) >= 1:
        data.number("ranking.most", job, "RankingMaxNP")


def add_pois(data: Data, job: Block, others: Iterable[Block]) -> None:
    """The parameters of interest: those of the job, then those of limit and significance."""
    named = [(str(item), job) for item in job.items("POI")]
    named += [(str(item), block) for block in others for item in block.items("POI")]
    pois = {name: block.options["POI"].place for name, block in reversed(named)}
    first, *further = [*reversed(pois), ""]
    data.put("poi", first or None, pois.get(first))
    data.put("further_pois", further[:-1], pois.get(first))
