"""The stages of the calibrations, in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarkline.engine.workflow.stage import Files, Stage
from quarkline.studies.resonance.calibrate import fit, injection, power, reweighting, scan
from quarkline.studies.resonance.check_inputs import power_files
from quarkline.studies.resonance.config import ResonanceConfig
from quarkline.studies.resonance.layout import SelectConfig, whole_files

SCORED = {"pairs": "select.pairs", "scores": "classify.scores"}
GENERATED = {"pool": "generate.pool", "pool_scores": "classify.pool_scores"}


def calibration_stages(
    config: ResonanceConfig,
    select: SelectConfig,
    common: Mapping[str, Any],
    background: Mapping[str, str],
) -> list[Stage]:
    """Toys of the scan, injected signal, degrees of the fit, reweighted toys, and power if asked.

    Args:
        config: The study's config.
        select: How signal files are selected.
        common: Values of `features`, `range`, `window` and `seed`.
        background: The selected pairs of background alone as an input; empty without any.
    """
    shared = {**common, "hypothesis": (config.fit.degree, config.fit.bins)}
    declared = {**shared, "working_point": config.fit.working_point}
    asked = config.calibration
    stages = [
        Stage(
            "calibrate",
            2,
            scan.ScanToysConfig(**shared, rates=config.fit.scan.rates, toys=config.fit.toys),
            {**SCORED, **GENERATED, "scans": "hunt.scans"},
            ("calibration", "trials", "z_toys"),
            scan.run,
        ),
        Stage(
            "inject",
            1,
            injection.InjectConfig(
                **declared,
                masses=sorted(config.resonance.marked.values()),
                resolution=asked.signal.resolution,
                strengths=asked.injection.strengths,
                toys=asked.injection.toys,
            ),
            SCORED,
            ("injection",),
            injection.run,
        ),
        Stage(
            "judge-fit",
            1,
            fit.JudgeFitConfig(
                **declared, degrees=config.fit.variations.degrees, toys=config.fit.toys
            ),
            {**SCORED, **GENERATED, "variations": "hunt.variations"},
            ("fit_checks", "envelope"),
            fit.run,
        ),
        Stage(
            "reweight",
            1,
            reweighting.ReweightConfig(**shared, toys=asked.reweighting.toys),
            {**SCORED, **GENERATED, "scans": "hunt.scans"},
            ("reweighting", "z_reweighted"),
            reweighting.run,
        ),
    ]
    if asked.power is None:
        return stages
    return [
        *stages,
        Stage(
            "power",
            1,
            power.PowerStageConfig(
                **declared,
                select=whole_files(select),
                method=config.background.kind,
                flow=config.background.flow,
                oversample=config.background.oversample,
                classifier=config.classifier,
                strengths=asked.power.strengths,
                experiments=asked.power.experiments,
            ),
            {
                **SCORED,
                **(background if config.background.kind == "ideal" else {}),
                "pool": "generate.pool",
                "files": Files(tuple(file.path for file in power_files(config))),
            },
            ("power",),
            power.run,
        ),
    ]


def drawn_inputs(config: ResonanceConfig) -> dict[str, str]:
    """What the figures read of these stages, by name."""
    inputs = {
        "calibration": "calibrate.calibration",
        "trials": "calibrate.trials",
        "z_toys": "calibrate.z_toys",
        "injection": "inject.injection",
        "fit_checks": "judge-fit.fit_checks",
        "envelope": "judge-fit.envelope",
        "reweighting": "reweight.reweighting",
        "z_reweighted": "reweight.z_reweighted",
    }
    return inputs | ({"power": "power.power"} if config.calibration.power else {})
