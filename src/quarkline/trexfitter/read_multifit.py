"""Reads a `MultiFit` config and the configs of the jobs it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from quarkline.catalog.inference import LimitSettings, ScanSettings, SignificanceSettings
from quarkline.catalog.written import Written
from quarkline.engine.core.findings import Finding, InputError, Rule
from quarkline.trexfitter.blocks import Block, Option, TrexConfig
from quarkline.trexfitter.command_line import CommandOptions, joined_options
from quarkline.trexfitter.job import Job, filed, open_job
from quarkline.trexfitter.lines import NO_FILE, split
from quarkline.trexfitter.multifit import ComparedJob, MultiFit
from quarkline.trexfitter.parser import read_trexfitter
from quarkline.trexfitter.schema import NUMBER
from quarkline.trexfitter.translation.data import BAD_FORM, Data
from quarkline.trexfitter.translation.fits import (
    add_limit,
    add_scans,
    add_significance,
)

NO_JOBS = Rule(
    "QL-TREX-040",
    "a multi-fit names the jobs that it compares or combines",
    "Each is a block `Fit` with the `ConfigFile` of the job.",
)
TEXTS = {
    "label": "Label",
    "luminosity": "LumiLabel",
    "energy": "CmeLabel",
    "combined_label": "CombiLabel",
    "limit_title": "LimitTitle",
    "poi_label": "POILabel",
}
LISTS = {
    "poi_title": "POITitle",
    "poi_precision": "POIPrecision",
    "categories": "NPCategories",
}
NUMBERS = {
    "poi_nominal": "POINominal",
    "poi_asimov": "POIAsimov",
    "poi_initial": "POIInitial",
    "limit_max": "LimitMax",
    "correlation_threshold": "CorrelationThreshold",
}
SWITCHES = {
    "combine": "Combine",
    "compare": "Compare",
    "compare_pois": "ComparePOI",
    "compare_pulls": "ComparePulls",
    "compare_limits": "CompareLimits",
    "combined_correlations": "PlotCombCorrMatrix",
    "with_statistics_only": "IncludeStatOnly",
    "show_observed": "ShowObserved",
    "show_total_only": "ShowTotalOnly",
    "goodness_of_fit": "GetGoodnessOfFit",
    "ranking_includes_pois": "UsePOISinRanking",
}
PATHS = {"parameters": "NuisParListFile", "fit_results": "FitResultsFile", "limits": "LimitsFile"}
HYPOTHESES = {"SPLUSB": "signal+background", "BONLY": "background"}


def read_multifit(
    config: TrexConfig,
    options: CommandOptions,
    *,
    replace: Mapping[str, str] | None = None,
    free: Sequence[str] = (),
    output: Path | None = None,
) -> MultiFit:
    """The multi-fit that a config describes, with its jobs.

    Args:
        config: The config.
        options: What the option string says; it holds for every job.
        replace: Values of placeholders of the jobs' configs.
        free: Constant parameters of the jobs that are fitted all the same.
        output: Folder that the folders of it and of its jobs are made in.

    Raises:
        InputError: With all that is wrong with it and its jobs.
    """
    (block, *_) = config.sound().of("MultiFit")
    reader = _Reader(config, options, dict(replace or {}), tuple(free), output)
    jobs = tuple(reader.compared(fit) for fit in config.of("Fit"))
    if not jobs:
        reader.findings.append(NO_JOBS.finding("there is no block `Fit`", place=block.place))
    values = {
        **reader.plain(block),
        "pois": _pois(config, block),
        "poi_ranges": tuple(reader.ranges(block)),
        "scans": reader.scans(block),
        **reader.settings(),
        "limit_files": filed(config, "Limit", "myLimit", options.limit_value),
        "significance_files": filed(config, "Significance", "mySignificance"),
    }
    if reader.findings:
        raise InputError(*reader.findings)
    name = str(block.name)
    parent = output or Path(options.output or block.text("OutputDir") or ".")
    suffix = str(block.text("SaveSuf") or options.suffix or "")
    return MultiFit(
        name, parent / name, config, options, jobs, suffix=suffix, data=_data(block), **values
    )


@dataclass
class _Reader:
    """Collects what is wrong while the parts of a multi-fit are read."""

    config: TrexConfig
    options: CommandOptions
    replace: Mapping[str, str]
    free: Sequence[str]
    output: Path | None
    findings: list[Finding] = field(default_factory=list)

    def plain(self, block: Block) -> dict[str, Any]:
        """Options that are texts, lists, numbers, switches and files."""
        values: dict[str, Any] = {
            key: str(value) for key, name in TEXTS.items() if (value := block.text(name))
        }
        values |= {
            key: tuple(map(str, block.items(name)))
            for key, name in LISTS.items()
            if name in block.options
        }
        said = {key: block.number(name) for key, name in NUMBERS.items()}
        said |= {key: block.true(name) for key, name in SWITCHES.items()}
        values |= {key: value for key, value in said.items() if value is not None}
        if (strategy := block.number("FitStrategy")) in (0, 1, 2):
            values["strategy"] = int(strategy or 0)
        values |= {key: Path(value) for key, name in PATHS.items() if (value := block.text(name))}
        if kind := block.first("FitType"):
            values["hypothesis"] = HYPOTHESES.get(kind.value.upper())
            if values["hypothesis"] is None:
                self._refuse(kind, "is not done", "write SPLUSB or BONLY")
        return values

    def ranges(self, block: Block) -> Iterator[tuple[float, float]]:
        """The ranges of the measured parameters, `low:high` for each."""
        option = block.first("POIRange")
        for item in option.items if option else []:
            edges = [part.trimmed() for part in split(item, ":")]
            if option and (len(edges) != 2 or not all(map(NUMBER.fullmatch, edges))):
                self._refuse(option, "is not `low:high` for each", "write for example -10:30")
                return
            low, high = map(float, edges)
            yield low, high

    def scans(self, block: Block) -> tuple[ScanSettings, ...]:
        """The scans of the combination."""
        data = self._data()
        add_scans(data, block)
        found = data.values.get("fit", {}).get("scans", [])
        return tuple(ScanSettings.model_validate(scan) for scan in found)

    def settings(self) -> dict[str, Any]:
        """The settings of limit and significance."""
        data = self._data()
        for block in self.config.of("Limit")[:1]:
            add_limit(data, block, blind=False)
        for block in self.config.of("Significance")[:1]:
            add_significance(data, block, blind=False)
        found: dict[str, Any] = {}
        if "limit" in data.values:
            found["limit"] = LimitSettings.model_validate(data.values["limit"])
        if "significance" in data.values:
            given = data.values["significance"]
            found["significance"] = SignificanceSettings.model_validate(given)
        return found

    def compared(self, block: Block) -> ComparedJob:
        """One of the jobs."""
        name = str(block.name)
        texts = {"fit_results": "FitResultsFile", "limits": "LimitsFile"}
        return ComparedJob(
            name,
            str(block.text("Label") or name),
            self._job(block),
            suffix=str(block.text("LoadSuf") or self.options.suffix or ""),
            poi=_plain(block.text("POIName")),
            in_fit=block.true("UseInFit") is not False,
            in_comparison=block.true("UseInComparison") is not False,
            **{key: Path(value) for key, text in texts.items() if (value := block.text(text))},
        )

    def _job(self, block: Block) -> Job | None:
        named = block.text("ConfigFile")
        if named is None:
            return None
        path = _found(self.config, named)
        if path is None:
            message = f"there is no config `{named}`"
            self.findings.append(NO_FILE.finding(message, place=named.place))
            return None
        try:
            options = joined_options(self.options, str(block.text("Options") or ""))
            config = read_trexfitter(path, replace=self.replace)
            job = open_job(config, options, free=self.free, output=self.output)
        except InputError as error:
            self.findings += error.findings
            return None
        folder, name = block.text("Directory"), block.text("InputName")
        job = replace(job, folder=Path(folder)) if folder else job
        return replace(job, name=str(name)) if name else job

    def _data(self) -> Data:
        data = Data(self.config.base, "Histo")
        data.findings = self.findings
        return data

    def _refuse(self, option: Option, what: str, hint: str) -> None:
        message = f"`{option.name}: {option.raw}` {what}"
        place = option.raw.place
        self.findings.append(BAD_FORM.finding(message, suggestion=hint, place=place))


def _found(config: TrexConfig, name: str) -> Path | None:
    """A config at its path from the nearest folder at or above the one that names it."""
    here = config.path.resolve().parent
    tried = (folder / name for folder in (config.base, here, *here.parents))
    return next((path for path in tried if path.is_file()), None)


def _pois(config: TrexConfig, block: Block) -> tuple[str, ...]:
    blocks = (*config.of("Limit"), *config.of("Significance"))
    named = [*block.items("POIName"), *(item for part in blocks for item in part.items("POI"))]
    return tuple(dict.fromkeys(map(str, named)))


def _data(block: Block) -> str:
    name = block.text("DataName") or "obsData"
    return "observed" if name == "obsData" else "asimov"


def _plain(value: Written | None) -> str | None:
    return None if value is None else str(value)
