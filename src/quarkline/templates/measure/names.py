"""Parameters that settings name: which are meant, and which the likelihood does not have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from quarkline.catalog import Catalog, FitSettings
from quarkline.engine.core.findings import Finding, Place, Rule, Severity, did_you_mean

ALL = "all"

NO_PARAMETER = Rule(
    "QL-TEMPLATE-046",
    "settings name parameters that the likelihood has",
    "Parameters that are fixed, scanned or ranked, that have asymmetric errors or values in Asimov "
    "data, are named as in the fit's result. Those that it does not have are passed over: pruning "
    "may have left nothing of them, or no fitted region has them.",
    Severity.WARNING,
)


def chosen_names(texts: Sequence[str], names: Iterable[str], *, parts: bool = True) -> list[str]:
    """The names that are meant: by themselves, or else by a part of them; each once.

    Args:
        texts: What settings say; `all` alone means all names.
        names: The names that there are.
        parts: Whether a part of a name chooses all that contain it.
    """
    known = list(names)
    if list(texts) == [ALL]:
        return known
    found: dict[str, None] = {}
    for text in texts:
        whole = [text] if text in known else []
        found |= dict.fromkeys(whole or [name for name in known if parts and text in name])
    return list(found)


def unknown_names(catalog: Catalog, names: Sequence[str]) -> tuple[Finding, ...]:
    """What settings of fit and ranking name and the likelihood does not have.

    Args:
        catalog: The analysis.
        names: All parameters of the likelihood.
    """
    return tuple(
        NO_PARAMETER.finding(
            f"the likelihood has no parameter `{text}`; it is passed over",
            suggestion=did_you_mean(text, names, what="parameters"),
            place=Place(label=place),
        )
        for place, text, parts in _named(catalog)
        if not chosen_names([text], names, parts=parts)
    )


def _named(catalog: Catalog) -> Iterator[tuple[str, str, bool]]:
    """Every text that names parameters, its place, and whether it may be a part of a name."""
    fit = catalog.fit or FitSettings()
    for place, whole in (
        ("fit.fixed", fit.fixed),
        ("fit.asimov", fit.asimov),
        ("fit.toys_with", fit.toys_with),
        ("fit.toys_hold", fit.toys_hold),
        ("fit.scans", [name for scan in fit.scans for name in scan.parameters]),
    ):
        yield from ((place, text, False) for text in whole)
    ranked = catalog.ranking.parameters if catalog.ranking else []
    for place, texts in (("fit.minos", fit.minos), ("ranking.parameters", ranked)):
        yield from ((place, text, True) for text in texts if text != ALL)
