"""Systematics of every kind."""

from __future__ import annotations

from quarkline.trexfitter.blocks import Block
from quarkline.trexfitter.translation.data import Data

SYMMETRISE = {
    "ONESIDED": "one-sided",
    "TWOSIDED": "two-sided",
    "ABSMEAN": "absolute-mean",
    "MAXIMUM": "maximum",
}
COMBINE = {
    "ENVELOPE": "envelope",
    "STANDARDDEVIATION": "standard-deviation",
    "STANDARDDEVIATIONNODDOF": "standard-deviation-without-dof",
    "HESSIAN": "hessian",
}


def systematic_data(data: Data, block: Block) -> Data:
    """The keys of one systematic."""
    systematic = data.below()
    kind = (block.text("Type") or "HISTO").upper()
    if kind == "OVERALL":
        systematic.put("kind", "normalisation", block.place)
        systematic.values |= {"up": 0.0, "down": 0.0}
        _add_sizes(systematic, block)
    elif kind == "HISTO":
        systematic.put("kind", "varied", block.place)
        _add_sides(systematic, block)
        _add_treatment(systematic, block)
    else:
        systematic.put("kind", "independent", block.place)
        _add_sizes(systematic, block)
        systematic.put("statistical", kind == "STAT" or None, block.place)
    _add_scope(systematic, block)
    return systematic


def _add_scope(systematic: Data, block: Block) -> None:
    systematic.label("title", block, "Title")
    systematic.label("parameter", block, "NuisanceParameter")
    systematic.label("category", block, "Category")
    systematic.label("sub_category", block, "SubCategory")
    systematic.items("samples", block, "Samples")
    systematic.items("regions", block, "Regions")
    systematic.items("exclude", block, "Exclude")
    systematic.items("exclude_pairs", block, "ExcludeRegionSample")
    meanings = {"REGION": "region", "SAMPLE": "sample", "SHAPEACC": "shape"}
    systematic.choice("decorrelate", block, "Decorrelate", meanings)
    systematic.truth("free", block, "IsFreeParameter")


def _add_sizes(systematic: Data, block: Block) -> None:
    systematic.number("up", block, "OverallUp")
    systematic.number("down", block, "OverallDown")


def _add_sides(systematic: Data, block: Block) -> None:
    for side in ("Up", "Down"):
        part = systematic.below()
        part.text("weight", block, f"Weight{side}")
        part.text("weight_factor", block, f"WeightSuf{side}")
        part.files("files", block, side, suf="Suf")
        part.files("reference_files", block, side, "RefSample", suf="Suf")
        part.label("sample", block, f"Sample{side}")
        part.items("scales", block, f"Scale{side}")
        if any(name.endswith(side) or f"{side}RefSample" in name for name in block.options):
            key = side.lower()
            systematic.values[key] = part.values
            systematic.places |= {(key, *at): place for at, place in part.places.items()}
            if block.place:
                systematic.places[(key,)] = next(iter(part.places.values()), block.place)
        systematic.findings += part.findings


def _add_treatment(systematic: Data, block: Block) -> None:
    systematic.choice("symmetrise", block, "Symmetrisation", SYMMETRISE)
    systematic.number("smoothing", block, "Smoothing")
    systematic.label("smoothing_rule", block, "SmoothingOption")
    systematic.truth("smooth_before", block, "PreSmoothing")
    systematic.label("reference", block, "ReferenceSample")
    systematic.label("reference_smoothing", block, "ReferenceSmoothing")
    systematic.label("reference_pruning", block, "ReferencePruning")
    systematic.truth("subtract_reference", block, "SubtractRefSampleVar")
    systematic.truth("keep_reference_norm", block, "KeepReferenceOverallVar")
    systematic.text("ignore_weight", block, "IgnoreWeight")
    systematic.items("drop_norm", block, "DropNorm")
    systematic.items("drop_shape", block, "DropShapeIn")
    systematic.items("keep_norm_for", block, "KeepNormForSamples")
    systematic.items("without_effect_on", block, "DummyForSamples")
    systematic.label("combine.name", block, "CombineName")
    systematic.choice("combine.rule", block, "CombineType", COMBINE)
    systematic.truth("prune", block, "NoPruning", negated=True)
    shapes = {"NOSHAPE": "none", "LINEAR": "linear", "TRIANGULAR": "triangular"}
    systematic.choice("force_shape", block, "ForceShape", shapes)
