"""Sample, Region, Weight, Systematic and Luminosity: the analysis in neutral words."""

from quarkline.catalog.catalog import Catalog
from quarkline.catalog.drawing import Drawing, RegionDrawing, SampleDrawing
from quarkline.catalog.factors import NormFactor, ShapeFactor
from quarkline.catalog.files import Files, InputFile
from quarkline.catalog.hide import Hide
from quarkline.catalog.inference import (
    FitSettings,
    LimitSettings,
    RandomStart,
    RankingSettings,
    ScanSettings,
    SignificanceSettings,
)
from quarkline.catalog.luminosity import Luminosity
from quarkline.catalog.regions import Automatic, Edges, Region, Uniform
from quarkline.catalog.samples import Sample
from quarkline.catalog.systematics import Independent, Normalisation, Variation, Varied
from quarkline.catalog.templates import Templates
from quarkline.catalog.written import Written

__all__ = [
    "Automatic",
    "Catalog",
    "Drawing",
    "Edges",
    "Files",
    "FitSettings",
    "Hide",
    "Independent",
    "InputFile",
    "LimitSettings",
    "Luminosity",
    "NormFactor",
    "Normalisation",
    "RandomStart",
    "RankingSettings",
    "Region",
    "RegionDrawing",
    "Sample",
    "SampleDrawing",
    "ScanSettings",
    "ShapeFactor",
    "SignificanceSettings",
    "Templates",
    "Uniform",
    "Variation",
    "Varied",
    "Written",
]
