"""What can be said about templates and the fit of a search before anything runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from quarkline.catalog import Varied
from quarkline.engine.core.findings import Finding, Place, Rule, Severity
from quarkline.studies.search.config import SearchConfig
from quarkline.studies.search.fits.blind import names_any
from quarkline.studies.search.fits.scored import reads_scores
from quarkline.studies.search.places import place_of
from quarkline.templates.refusals import hidden_scales, refused

NO_SCORES = Rule(
    "QL-SEARCH-050",
    "templates of the score have scores to read",
    "A region that names the score gets it from the friends of the files, and where a systematic "
    "shifts columns, from the score of the shifted event. Both are written by the stage `friends`.",
)
BLIND = Rule(
    "QL-SEARCH-051",
    "blind data are not read",
    "Of a region or sample with `blind: true` no data are read: no event, no count, no score. "
    "Events of other regions that pass the selection of a blind one are left out, too. "
    "`--unblind REASON` reads them; the reason is kept with the run and shown in its report.",
    Severity.NOTE,
)
OPEN_SCORE = Rule(
    "QL-SEARCH-052",
    "a region behind a cut on the score is blind together with the one that is trained in",
    "The evaluation shows the score of the data in `train.region`, and with it those behind a cut.",
)


def fit_findings(config: SearchConfig, columns: Collection[str]) -> list[Finding]:
    """What is wrong with what is fitted, and what is blind.

    Args:
        config: The config.
        columns: Columns of the scores of unshifted events.
    """
    return [*_blind(config, columns), *_unscored(config, columns), *_refused(config)]


def _refused(config: SearchConfig) -> Iterator[Finding]:
    """What templates and figures refuse, told before anything is done."""
    if config.fit is None:
        return
    found = refused(config)
    if config.unblind is None:
        found += hidden_scales(config)
    for one in found:
        place = place_of(config, *one.evidence["setting"])
        yield one.at(place) if place.file else one


def _blind(config: SearchConfig, columns: Collection[str]) -> Iterator[Finding]:
    data = [name for name, sample in config.samples.items() if sample.role == "data"]
    blind = [
        f"`{sample}` in `{region}`"
        for sample in data
        for region in config.regions
        if config.holds(sample, region)
        and (config.samples[sample].blind or config.regions[region].blind)
    ]
    if not blind:
        return
    what = ", ".join(blind)
    trained = str(config.train.region)
    for region in config.regions:
        if any(
            config.hides(sample, region)
            and not config.hides(sample, trained)
            and config.holds(sample, trained)
            and names_any(config.selection_of(sample, region), columns)
            for sample in data
            if config.holds(sample, region)
        ):
            yield OPEN_SCORE.finding(
                f"`{region}` is blind and cuts on the score, and `{trained}` is open",
                suggestion=f"set `blind: true` of `{trained}`, too",
            )
    if config.unblind is None:
        yield BLIND.finding(f"blind: {what}", suggestion="`--unblind REASON` reads them")
    else:
        yield BLIND.finding(f"unblinded: {what}; {config.unblind}")


def _unscored(config: SearchConfig, columns: Collection[str]) -> Iterator[Finding]:
    if config.fit is None or not reads_scores(config, columns):
        return
    place = Place(label="friends")
    if not config.friends.write:
        yield NO_SCORES.finding(
            "templates read the score, and `friends.write` is false",
            suggestion="remove `friends: {write: false}`",
            place=place,
        )
    elif not config.friends.systematics and (names := _shifting(config)):
        yield NO_SCORES.finding(
            f"`{names[0]}` shifts columns, and `friends.systematics` is false",
            suggestion="remove `friends: {systematics: false}`",
            place=place,
        )


def _shifting(config: SearchConfig) -> list[str]:
    return [
        name
        for name, systematic in config.systematics.items()
        if isinstance(systematic, Varied)
        and any(variation.columns for variation in systematic.sides.values())
    ]
