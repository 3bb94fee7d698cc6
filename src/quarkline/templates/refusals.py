"""What an analysis may ask of its templates that is not done, or makes no sense."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from quarkline.catalog import Automatic, Catalog, Independent, Varied
from quarkline.catalog.names import selects
from quarkline.engine.core.config import ConfigFile
from quarkline.engine.core.findings import Finding, Place, Rule, Severity, did_you_mean
from quarkline.templates.automatic import RULES as BINNINGS
from quarkline.templates.drafts import Where
from quarkline.templates.hiding import shows_no_data
from quarkline.templates.smooth import RULES as SMOOTHINGS

NOT_DONE = Rule(
    "QL-TEMPLATE-007",
    "what decides templates is understood",
    "A setting asks for something that is not done, or has not the values it needs. Templates "
    "would be others than asked for, so none are made.",
)

NO_EFFECT = Rule(
    "QL-TEMPLATE-012",
    "settings of templates have an effect",
    "A setting has no effect where it stands, here as in TRExFitter.",
    Severity.WARNING,
)

NO_SCALE = Rule(
    "QL-TEMPLATE-047",
    "samples are scaled to data that are shown",
    "`drawing.scale_to_data` scales samples of every region to its data. Where these are hidden, "
    "the scaled sum would tell how many there are; where there are none, nothing says by how much. "
    "Leave the setting out, or the samples out of such regions.",
)


def not_done(message: str, *setting: str, suggestion: str | None = None) -> Finding:
    """Something that keeps templates from being made, and the key of the setting that asks for it.

    Args:
        message: What is wrong.
        setting: The parts of the key, by which `placed` finds its line.
        suggestion: What to do instead.
    """
    place, evidence = Place(label=".".join(setting)), {"setting": list(setting)}
    return NOT_DONE.finding(message, suggestion=suggestion, place=place, evidence=evidence)


def placed(findings: Iterable[Finding], file: ConfigFile) -> tuple[Finding, ...]:
    """Findings that point at the lines of the config where their settings are, or belong."""
    return tuple(
        one.at(file.place(*one.evidence["setting"])) if "setting" in one.evidence else one
        for one in findings
    )


def refused(catalog: Catalog) -> list[Finding]:
    """Everything that keeps templates from being made."""
    return [
        *_smoothing(catalog),
        *_binning(catalog),
        *_sizes(catalog),
        *_scales(catalog),
        *_decorrelated(catalog),
        *_symmetric(catalog),
        *_dropped(catalog),
        *_bins_of_regions(catalog),
    ]


def _smoothing(catalog: Catalog) -> Iterator[Finding]:
    rules: dict[tuple[str, ...], str] = {
        ("templates", "smoothing_rule"): catalog.templates.smoothing_rule
    }
    for name, systematic in catalog.systematics.items():
        if isinstance(systematic, Varied) and systematic.smoothing_rule:
            rules["systematics", name, "smoothing_rule"] = systematic.smoothing_rule
    for key, rule in rules.items():
        if rule.upper() not in SMOOTHINGS:
            hint = did_you_mean(rule.upper(), SMOOTHINGS, what="rules")
            message = f"`{'.'.join(key)}` is `{rule}`, which is not done"
            yield not_done(message, *key, suggestion=hint)


def _binning(catalog: Catalog) -> Iterator[Finding]:
    for name, region in catalog.regions.items():
        if not isinstance(region.binning, Automatic):
            continue
        needed = 3 if region.binning.rule == "TransfoJ" else 2
        given = len(region.binning.parameters)
        if given != needed:
            rule = region.binning.rule
            message = f"`regions.{name}.binning` has {given} parameters, and {rule} has {needed}"
            hint = f"{', '.join(BINNINGS)} are the rules"
            yield not_done(message, "regions", name, "binning", suggestion=hint)


def _sizes(catalog: Catalog) -> Iterator[Finding]:
    for name, systematic in catalog.systematics.items():
        if not isinstance(systematic, Independent) or systematic.statistical:
            continue
        if systematic.up == 0 and systematic.down == 0:
            message = f"`systematics.{name}` changes no bin: `up` and `down` are 0"
            hint = "state `up`, the relative change of a bin"
            yield not_done(message, "systematics", name, suggestion=hint)


def _scales(catalog: Catalog) -> Iterator[Finding]:
    for name, systematic in catalog.systematics.items():
        for side, variation in (systematic.sides if isinstance(systematic, Varied) else {}).items():
            for scale in variation.scales:
                if not _is_number(scale.rpartition(":")[2]):
                    message = (
                        f"`systematics.{name}.{side}.scales` has `{scale}`, which is no factor"
                    )
                    hint = "write a number, `sample:number` or `region:number`"
                    key = ("systematics", name, side, "scales")
                    yield not_done(message, *key, suggestion=hint)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _decorrelated(catalog: Catalog) -> Iterator[Finding]:
    """Parameters of single samples, of which a combined sample would need several."""
    combined = [name for name, sample in catalog.samples.items() if sample.arithmetic]
    for name, systematic in catalog.systematics.items():
        if systematic.decorrelate == "sample" and combined:
            message = (
                f"`systematics.{name}` has a parameter for each sample, and `{combined[0]}` is "
                "made of several samples"
            )
            hint = f"write a systematic for each sample instead of `decorrelate` in `{name}`"
            yield not_done(message, "systematics", name, "decorrelate", suggestion=hint)


def _symmetric(catalog: Catalog) -> Iterator[Finding]:
    """What TRExFitter does to variations and not to shapes that were made apart from them."""
    if not catalog.templates.symmetric_shapes:
        return
    for name, systematic in catalog.systematics.items():
        if not isinstance(systematic, Varied):
            continue
        parameter = systematic.parameter or name
        clashes = {
            "combine": systematic.combine is not None,
            "force_shape": systematic.force_shape != "none",
            "reference_smoothing": systematic.reference_smoothing is not None,
            "parameter": parameter != name and parameter in catalog.systematics,
        }
        for key in (key for key, there in clashes.items() if there):
            message = f"`systematics.{name}.{key}` is not done with `templates.symmetric_shapes`"
            yield not_done(message, "systematics", name, key, suggestion="leave one of them out")


def _dropped(catalog: Catalog) -> Iterator[Finding]:
    for name, region in catalog.regions.items():
        if region.drop_hidden_bins and region.drop_bins:
            message = f"`regions.{name}` has both `drop_bins` and `drop_hidden_bins`"
            yield not_done(message, "regions", name, "drop_hidden_bins", suggestion="choose one")


def _bins_of_regions(catalog: Catalog) -> Iterator[Finding]:
    earlier: list[str] = []
    for name, region in catalog.regions.items():
        if region.bin_of:
            other = region.bin_of.region
            hint = None
            if other not in catalog.regions:
                problem = f"and there is no region `{other}`"
                hint = did_you_mean(other, catalog.regions, what="regions")
            elif other not in earlier:
                problem = f"and `{other}` comes later, so that its smoothing is not known yet"
                hint = f"put `{other}` before `{name}`"
            elif catalog.regions[other].merge is not None:
                problem = f"and the bins of `{other}` are merged after they are filled"
                hint = f"state the merged bins as the `binning` of `{other}`"
            else:
                problem = ""
            if problem:
                message = f"region `{name}` is a bin of `{other}`, {problem}"
                yield not_done(message, "regions", name, "bin_of", suggestion=hint)
        earlier.append(name)


def without_effect(catalog: Catalog) -> Iterator[Finding]:
    """Settings that have no effect on what they stand at."""
    for name, systematic in catalog.systematics.items():
        if not isinstance(systematic, Varied):
            continue
        if systematic.smooth_before and systematic.symmetrise != "two-sided":
            key = ("systematics", name, "smooth_before")
            yield _no_effect(key, "`two-sided`", "leave it out, or set `symmetrise`")
    for name, region in catalog.regions.items():
        if region.drop_hidden_bins and catalog.hide.threshold is None:
            key = ("regions", name, "drop_hidden_bins")
            yield _no_effect(key, "`hide.threshold`", "state the threshold")


def _no_effect(key: tuple[str, ...], without: str, hint: str) -> Finding:
    message = f"`{'.'.join(key)}` has no effect without {without}"
    return NO_EFFECT.finding(message, suggestion=hint, evidence={"setting": list(key)})


def missing_bins(where: Where, bins: int) -> Finding | None:
    """Bins that a region leaves out and has not."""
    absent = [number for number in where.region.drop_bins if not 1 <= number <= bins]
    if not absent:
        return None
    listed = ", ".join(map(str, absent))
    message = f"`regions.{where.name}.drop_bins` names {listed}, and there are {bins} bins"
    return not_done(message, "regions", where.name, "drop_bins", suggestion="bins count from 1")


def no_bins(where: Where) -> Finding:
    """A region whose bins are all left out."""
    key = "drop_hidden_bins" if where.region.drop_hidden_bins else "drop_bins"
    message = f"`regions.{where.name}.{key}` leaves out all bins of the region"
    return not_done(message, "regions", where.name, key, suggestion="leave the region out")


def hidden_scales(catalog: Catalog) -> Iterator[Finding]:
    """Regions with samples that are scaled to data which nobody is to see, or which are absent."""
    scaled = scaled_samples(catalog)
    for region in catalog.regions:
        here = [name for name in scaled if catalog.holds(name, region)]
        seen = any(
            one.role == "data" and catalog.holds(name, region) and not one.blind
            for name, one in catalog.samples.items()
        )
        if here and (shows_no_data(catalog, region) or not seen):
            yield NO_SCALE.finding(
                f"`{here[0]}` is scaled to the data of `{region}`, which shows none",
                suggestion="leave `drawing.scale_to_data` out (`ScaleSamplesToData` in a config of "
                "TRExFitter)",
                place=Place(label="drawing.scale_to_data"),
                evidence={"setting": ["drawing", "scale_to_data"], "region": region},
            )


def scaled_samples(catalog: Catalog) -> list[str]:
    """Samples that figures and tables scale to data."""
    return [
        name
        for name, sample in catalog.samples.items()
        if selects(catalog.drawing.scale_to_data, name) and sample.role in ("signal", "background")
    ]
