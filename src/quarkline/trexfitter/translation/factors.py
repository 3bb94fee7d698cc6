"""Norm factors and shape factors."""

from __future__ import annotations

from quarkline.trexfitter.blocks import Block
from quarkline.trexfitter.translation.data import Data

NORM_FACTORS = "NormFactors"
"""Group of norm factors that name none."""


def norm_factor_data(data: Data, block: Block) -> Data:
    """The keys of one norm factor."""
    factor = shape_factor_data(data, block)
    factor.items("exclude", block, "Exclude")
    factor.number("nominal", block, "Nominal")
    factor.number("min", block, "Min")
    factor.number("max", block, "Max")
    factor.truth("constant", block, "Constant")
    factor.text("expression", block, "Expression")
    factor.number("tau", block, "Tau")
    factor.label("category", block, "Category")
    factor.put("sub_category", NORM_FACTORS, block.place)
    factor.label("sub_category", block, "SubCategory")
    return factor


def shape_factor_data(data: Data, block: Block) -> Data:
    """The keys of one shape factor."""
    factor = data.below()
    factor.label("title", block, "Title")
    option = block.first("Samples")
    if option is None:
        factor.put("samples", ["all"], block.place)
    factor.names("samples", block, "Samples")
    factor.names("regions", block, "Regions")
    return factor
