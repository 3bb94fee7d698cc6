"""Findings of a run as tables: one row a rule, and the whole list behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from quarkline.report import Block, Row, Table


def findings_blocks(found: Iterable[Mapping[str, Any]]) -> list[Block]:
    """What there is to say about templates and the fit, by rule, and each of it if that is more.

    Args:
        found: Findings as JSON values.
    """
    by_code: dict[str, list[Mapping[str, Any]]] = {}
    for item in found:
        by_code.setdefault(item["code"], []).append(item)
    if not by_code:
        return []
    rows: list[Row] = [
        [code, same[0]["severity"], len(same), same[0]["rule"], _first(same)]
        for code, same in by_code.items()
    ]
    words = "What there is to say about the templates and the fit, by rule."
    columns = ["rule", "", "how often", "what should be", "what is"]
    blocks: list[Block] = [Table("fit-findings", columns, rows, "fit", words)]
    every: list[Row] = [
        [item["code"], item["message"], item["suggestion"] or ""]
        for same in by_code.values()
        for item in same
    ]
    columns = ["rule", "what", "what to do"]
    blocks.append(Table("fit-findings-all", columns, every, "fit", "Each of it.", folded=True))
    return blocks


def _first(same: list[Mapping[str, Any]]) -> str:
    rest = len(same) - 1
    return same[0]["message"] + (f"; {rest} more" if rest else "")
