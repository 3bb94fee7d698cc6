"""Systematics of every kind."""

from __future__ import annotations

from quarkline.catalog.names import selects
from quarkline.trexfitter.blocks import Block
from quarkline.trexfitter.schema import NUMBER
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


UNGROUPED = "Uncategorised"
"""Group of systematics that name none."""


def systematic_data(data: Data, block: Block) -> Data:
    """The keys of one systematic."""
    systematic = data.below()
    kind = (block.text("Type") or "HISTO").upper()
    if kind == "OVERALL":
        systematic.put("kind", "normalisation", block.place)
        systematic.values |= {"up": 0.0, "down": 0.0}
        _add_sizes(systematic, block)
        systematic.truth("prune", block, "NoPruning", negated=True)
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
    systematic.label("tex_title", block, "TexTitle")
    systematic.label("stored_name", block, "StoredName")
    systematic.label("parameter", block, "NuisanceParameter")
    _decorrelate(systematic, block)
    systematic.label("category", block, "Category")
    systematic.put("sub_category", UNGROUPED, block.place)
    systematic.label("sub_category", block, "Category")
    systematic.label("sub_category", block, "SubCategory")
    systematic.names("samples", block, "Samples")
    systematic.names("regions", block, "Regions")
    systematic.items("exclude", block, "Exclude")
    systematic.items("exclude_pairs", block, "ExcludeRegionSample")
    meanings = {"REGION": "region", "SAMPLE": "sample", "SHAPEACC": "shape"}
    systematic.choice("decorrelate", block, "Decorrelate", meanings)
    systematic.truth("free", block, "IsFreeParameter")


def _decorrelate(systematic: Data, block: Block) -> None:
    """Give the parameter the suffix that the job asks for."""
    job = systematic.job
    name = str(block.text("NuisanceParameter") or block.name)
    if job and selects(job.items("DecorrSysts"), name):
        suffix = job.text("DecorrSuff") or "_decor"
        systematic.put("parameter", f"{name}{suffix}", job.options["DecorrSysts"].place)


def _add_sizes(systematic: Data, block: Block) -> None:
    for side in ("Up", "Down"):
        size, option = block.number(f"Overall{side}"), block.first(f"Scale{side}")
        factor = 1.0
        if option and NUMBER.fullmatch(option.value):
            factor = float(option.value)
        elif option:
            systematic.refuse(option, "is not one number", "write one systematic for each")
        if size is not None:
            place = block.options[f"Overall{side}"].place
            systematic.put(side.lower(), size * factor, place)


def _add_sides(systematic: Data, block: Block) -> None:
    for side in ("Up", "Down"):
        part = systematic.below()
        part.text("weight", block, f"Weight{side}")
        if "weight" not in part.values:  # a weight wins over a factor of it
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
    if block.first("CombineName"):  # without which it has no effect
        systematic.items("combine.drop_norm", block, "DropNormSpecial")
    systematic.truth("prune", block, "NoPruning", negated=True)
    shapes = {"NOSHAPE": "none", "LINEAR": "linear", "TRIANGULAR": "triangular"}
    systematic.choice("force_shape", block, "ForceShape", shapes)
