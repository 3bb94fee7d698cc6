"""Tables of yields and of systematics: as text that is read again, and for LaTeX."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from quarkline.trexfitter.outputs.text import lines_of, refuse, spelt

BAR = " | "


@dataclass(frozen=True)
class YieldRow:
    """One line of a table of yields.

    Attributes:
        title: Its title.
        values: Events in each region.
        errors: Their errors; None for data.
        tex_title: Title in LaTeX; the title if empty.
    """

    title: str
    values: tuple[float, ...]
    errors: tuple[float, ...] | None
    tex_title: str = ""


@dataclass(frozen=True)
class YieldTable:
    """Yields: a column for each region, rows for samples, their sum and data.

    Attributes:
        regions: Labels of the regions.
        rows: The lines.
        tex_regions: Labels in LaTeX; those of `regions` where empty.
    """

    regions: tuple[str, ...]
    rows: tuple[YieldRow, ...]
    tex_regions: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The table as TRExFitter writes it."""
        lines = [" |       | " + "".join(f"{region} | " for region in self.regions)]
        for row in self.rows:
            cells = [spelt(value) for value in row.values]
            if row.errors is not None:
                pairs = zip(cells, row.errors, strict=True)
                cells = [f"{value} pm {spelt(error)}" for value, error in pairs]
            lines.append(f" | {row.title} | " + "".join(f"{cell} | " for cell in cells))
        return "\n".join(lines) + "\n"


def read_yields(path: Path) -> YieldTable:
    """Read a table of yields.

    Raises:
        InputError: If it is absent, or not such a table.
    """
    lines = lines_of(path, "d` or `p")
    if not lines:
        refuse(path, 0, "", "labels of regions between bars")
    regions = tuple(_cells(lines[0])[1:])
    rows = []
    for number, line in enumerate(lines[1:], start=1):
        if not line.strip():
            continue
        title, *cells = _cells(line)
        try:
            pairs = [[float(word) for word in cell.split(" pm ")] for cell in cells]
            widths = {len(pair) for pair in pairs}
            if len(cells) != len(regions) or len(widths) != 1 or not widths <= {1, 2}:
                raise ValueError
        except ValueError:
            refuse(path, number, line, f"a title and {len(regions)} yields between bars")
        errors = tuple(pair[1] for pair in pairs) if widths == {2} else None
        rows.append(YieldRow(title, tuple(pair[0] for pair in pairs), errors))
    return YieldTable(regions, tuple(rows))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split(" | ")]


def yields_tex(table: YieldTable, options: str = "STANDALONE") -> str:
    """A table of yields for LaTeX with siunitx.

    Args:
        table: The table.
        options: TRExFitter's `TableOptions`: STANDALONE, LANDSCAPE, FOOTNOTESIZE.
    """
    labels = table.tex_regions or ("",) * len(table.regions)
    pairs = zip(labels, table.regions, strict=True)
    head = "".join(f" & {{{tex or plain}}}" for tex, plain in pairs)
    body = []
    for number, row in enumerate(table.rows):
        if number and (row.errors is None) != (table.rows[number - 1].errors is None):
            body.append(r"\hline")
        if row.title.startswith("Tot"):
            body.append(r"\hline")
        cells = [f"{value:.0f}" for value in row.values]
        if row.errors is not None:
            found = zip(row.values, row.errors, strict=True)
            cells = [rf"{spelt(value)} \pm {spelt(error)}" for value, error in found]
        body.append(f"  {row.tex_title or row.title}   & " + " & ".join(cells) + r" \\")
    packages = [
        r"\usepackage{siunitx}",
        r"\sisetup{separate-uncertainty,table-format=6.3(6)}",
    ]
    columns = "|S" * len(table.regions)
    return _tex(columns, [rf"{head} \\"], body, "Yields of the analysis", options, packages)


@dataclass(frozen=True)
class EffectRow:
    """What one systematic, or a category, does to the yield of each sample.

    Attributes:
        title: Its title.
        up: Relative changes at +1.
        down: Relative changes at -1; None where both sides are one number.
        tex_title: Title in LaTeX; the title if empty.
    """

    title: str
    up: tuple[float, ...]
    down: tuple[float, ...] | None
    tex_title: str = ""


@dataclass(frozen=True)
class EffectTable:
    """Effects of systematics on yields in one region: a column for each sample.

    Attributes:
        samples: Titles of the samples.
        rows: The systematics.
        tex_samples: Titles in LaTeX; those of `samples` where empty.
    """

    samples: tuple[str, ...]
    rows: tuple[EffectRow, ...]
    tex_samples: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The table as TRExFitter writes it."""
        digits = 6 if all(row.down is not None for row in self.rows) else 3
        lines = [f" | {'      | '.join(('', *self.samples))} |"]
        lines += [f" | {BAR.join((row.title, *_effects(row, digits)))} |" for row in self.rows]
        return "\n".join(lines) + "\n"


def _effects(row: EffectRow, digits: int) -> list[str]:
    if row.down is None:
        return [f"{value:.{digits}g}" for value in row.up]
    sides = zip(row.up, row.down, strict=True)
    return [f"{up:.{digits}g} / {down:.{digits}g}" for up, down in sides]


def read_effects(path: Path) -> EffectTable:
    """Read a table of systematics.

    Raises:
        InputError: If it is absent, or not such a table.
    """
    lines = lines_of(path, "d` or `p")
    if not lines:
        refuse(path, 0, "", "titles of samples between bars")
    samples = tuple(_cells(lines[0])[1:])
    rows = []
    for number, line in enumerate(lines[1:], start=1):
        title, *cells = _cells(line)
        try:
            sides = [[float(word) for word in cell.split(" / ")] for cell in cells]
            up, down = zip(*sides, strict=True)
        except ValueError:
            refuse(path, number, line, f"a title and {len(samples)} pairs such as `0.02 / -0.02`")
        rows.append(EffectRow(title, up, down))
    return EffectTable(samples, tuple(rows))


def effects_tex(table: EffectTable, options: str = "STANDALONE") -> str:
    """A table of systematics for LaTeX.

    Args:
        table: The table.
        options: TRExFitter's `TableOptions`: STANDALONE, LANDSCAPE, FOOTNOTESIZE.
    """
    titles = table.tex_samples or ("",) * len(table.samples)
    pairs = zip(titles, table.samples, strict=True)
    head = "".join(f"      & {tex or plain}" for tex, plain in pairs)
    body = []
    for row in table.rows:
        title = row.tex_title or row.title.replace("#geq", r"$\geq$")
        body.append(f"  {title} & {' & '.join(_effects(row, 3))} " + r"\\")
    caption = "Relative effect of each systematic on the yields"
    return _tex("|c" * len(table.samples), [rf"{head} \\"], body, caption, options, [])


def _tex(
    columns: str,
    head: list[str],
    body: Iterable[str],
    caption: str,
    options: str,
    packages: list[str],
) -> str:
    """One `tabular` in a `table`, alone in a document if asked for."""
    alone, wide = "STANDALONE" in options, "LANDSCAPE" in options
    lines = []
    if alone:
        geometry = r"\usepackage[margin=0.1in,landscape,papersize={210mm,350mm}]{geometry}"
        lines += [r"\documentclass[10pt]{article}", *packages, geometry, r"\begin{document}"]
    elif packages:
        lines += ["% the main document needs:", *(f"% {package}" for package in packages)]
    lines += [r"\begin{landscape}"] * wide
    lines += [r"\begin{table}[htbp]", r"\begin{center}"]
    lines += [r"\footnotesize"] * ("FOOTNOTESIZE" in options)
    lines += [rf"\begin{{tabular}}{{|l{columns}|}}", r"\hline", *head, r"\hline", *body, r"\hline"]
    lines += [r"\end{tabular}", rf"\caption{{{caption}.}}", r"\end{center}", r"\end{table}"]
    lines += [r"\end{landscape}"] * wide + [r"\end{document}"] * alone
    return "\n".join(lines) + "\n"


def cleaned(tex: str) -> str:
    """A table without ROOT's `#`, which LaTeX does not take (`CleanTables`)."""
    return tex.replace("#", " ")


def rounded(value: float, error: float) -> tuple[float, float, int]:
    """A number and its error with as many digits as the PDG's rule gives the error.

    Errors that begin with 100 to 354 keep two digits, with 355 to 949 one, and others become 1000
    with two (Review of Particle Physics, introduction, section 5.3).

    Returns:
        The number, the error, and how many decimals both have.
    """
    if not (error > 0 and math.isfinite(error)):
        return value, error, 6
    power = math.floor(math.log10(error))
    three = round(error / 10.0 ** (power - 2))
    if three >= 950:
        power, error = power + 1, 10.0 ** (power + 1)
    decimals = (0 if 354 < three < 950 else 1) - power
    return round(value, decimals), round(error, decimals), max(0, decimals)


def rounded_table(table: YieldTable) -> YieldTable:
    """A table whose numbers are rounded by their errors (`UseATLASRounding`)."""
    return replace(table, rows=tuple(map(_rounded_row, table.rows)))


def _rounded_row(row: YieldRow) -> YieldRow:
    if row.errors is None:
        return row
    pairs = [rounded(*pair)[:2] for pair in zip(row.values, row.errors, strict=True)]
    values, errors = zip(*pairs, strict=True)
    return replace(row, values=values, errors=errors)
