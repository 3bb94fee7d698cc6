"""The types of HistFactory's XML documents, without which ROOT's reader refuses to read them.

ROOT's reader validates what it reads, against a file beside it that it cannot do without. Users of
ROOT copy that from its installation; ours stands there already, and allows for every element and
attribute that the reader knows, so that documents may be edited.
"""

from __future__ import annotations

NAME = "HistFactorySchema.dtd"

_HISTOGRAM = ("InputFile", "HistoName", "HistoPath")
_SIDES = tuple(f"Histo{key}{side}" for side in ("High", "Low") for key in ("Name", "File", "Path"))
_MODIFIERS = (
    "NormFactor",
    "OverallSys",
    "HistoSys",
    "HistoFactor",
    "ShapeSys",
    "ShapeFactor",
    "StatError",
)

_ELEMENTS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "Combination": ("(Function*, Input+, Measurement*)", ("OutputFilePrefix",), ()),
    "Function": ("EMPTY", ("Name", "Expression", "Dependents"), ("Command",)),
    "Input": ("(#PCDATA)", (), ()),
    "Measurement": (
        "(POI, (ParamSetting | ConstraintTerm | Asimov)*)",
        ("Name", "Lumi", "LumiRelErr"),
        ("BinLow", "BinHigh", "Mode", "ExportOnly"),
    ),
    "POI": ("(#PCDATA)", (), ()),
    "ParamSetting": ("(#PCDATA)", (), ("Const", "Val")),
    "ConstraintTerm": ("(#PCDATA)", ("Type",), ("RelativeUncertainty",)),
    "Asimov": ("EMPTY", ("Name",), ("FixParams",)),
    "Channel": ("(Data*, StatErrorConfig?, Sample*)", ("Name",), _HISTOGRAM),
    "Data": ("EMPTY", (), ("Name", *_HISTOGRAM)),
    "StatErrorConfig": ("EMPTY", (), ("RelErrorThreshold", "ConstraintType")),
    "Sample": (
        f"({' | '.join(_MODIFIERS)})*",
        ("Name",),
        (*_HISTOGRAM, "NormalizeByTheory"),
    ),
    "NormFactor": ("EMPTY", ("Name",), ("Val", "Low", "High", "Const")),
    "OverallSys": ("EMPTY", ("Name", "High", "Low"), ()),
    "HistoSys": ("EMPTY", ("Name",), _SIDES),
    "HistoFactor": ("EMPTY", ("Name",), _SIDES),
    "ShapeSys": ("EMPTY", ("Name",), (*_HISTOGRAM, "ConstraintType")),
    "ShapeFactor": ("EMPTY", ("Name",), (*_HISTOGRAM, "Const")),
    "StatError": ("EMPTY", ("Activate",), _HISTOGRAM),
}
"""What each element holds, the attributes that it needs, and those that it may have."""


def schema() -> str:
    """The document type definition."""
    lines = []
    for name, (content, needed, possible) in _ELEMENTS.items():
        lines.append(f"<!ELEMENT {name} {content}>")
        lines += [f"<!ATTLIST {name} {one} CDATA #REQUIRED>" for one in needed]
        lines += [f"<!ATTLIST {name} {one} CDATA #IMPLIED>" for one in possible]
    return "\n".join(lines) + "\n"
