"""What the toy knows of each data set: yields by kind of event, and the shapes of its objects."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = (
    "opposite sign, false tau",
    "opposite sign, real tau",
    "same sign, no tau",
    "same sign, false tau",
    "same sign, real tau",
)
"""Kinds of event that pass the preselection: two leptons, and a tau or the same sign."""

Five = tuple[float, float, float, float, float]


@dataclass(frozen=True)
class Spread:
    """A log-normal distribution.

    Attributes:
        median: Its median, in GeV.
        width: Standard deviation of the logarithm.
    """

    median: float
    width: float


@dataclass(frozen=True)
class Process:
    """One data set of simulated events.

    Attributes:
        number: Number of the data set.
        sample: The sample that it belongs to.
        folder: The production that it comes from, a folder of the layout.
        cross_section: In pb.
        share: Relative number of its entries.
        kinds: Fraction of its entries of each of `KINDS`.
        yields: Events expected of each of `KINDS` in the whole luminosity.
        flavours: Weights of two muons, an electron and a muon, and two electrons.
        leptons: Transverse momenta of the harder lepton, and of the softer one above 10 GeV.
        met: Missing transverse momentum.
        jet: Transverse momentum of the leading jet above 25 GeV.
        jets: Least number of jets, and mean of the further ones.
        b_jets: Chance of each of the two leading jets to be tagged.
        real_tau: Transverse momentum of a real tau above 20 GeV.
        false_tau: The same of a jet that is taken for one.
        more_taus: Mean number of further tau candidates.
        third: Chance of a third lepton, for opposite and same signs.
        pair: Mass of the leptons: of a Z boson, of a photon of 10 to 40 GeV, or of no resonance.
        paired: Chance of the leptons to come from it, for opposite and same signs.
        prompt: Chance of the softer of two same-sign leptons not to come from a hadron.
        spread: Width of the pseudorapidities.
        corrected: Whether the generator is one that gives negative weights.
    """

    number: int
    sample: str
    cross_section: float
    share: float
    kinds: Five
    yields: Five
    flavours: tuple[float, float, float]
    leptons: tuple[Spread, Spread]
    met: Spread
    jet: Spread
    jets: tuple[int, float]
    b_jets: float
    real_tau: Spread
    false_tau: Spread
    more_taus: float
    third: tuple[float, float] = (0.0, 0.0)
    pair: str = ""
    paired: tuple[float, float] = (0.0, 0.0)
    prompt: float = 1.0
    spread: float = 1.3
    corrected: bool = False
    folder: str = "p5855"


def _leptoquark(
    number: int, cross_section: float, yields: Five, scale: float, tau: float
) -> Process:
    """Pairs of leptoquarks that decay to a top quark and a tau each."""
    return Process(
        number,
        "lq",
        cross_section,
        share=63,
        kinds=(0.20, 0.39, 0.093, 0.073, 0.244),
        yields=yields,
        flavours=(0.28, 0.51, 0.21),
        leptons=(Spread(140 * scale, 0.67), Spread(55 * scale, 0.9)),
        met=Spread(219 * scale, 0.65),
        jet=Spread(240 * scale, 0.62),
        jets=(1, 3.1),
        b_jets=0.61,
        real_tau=Spread(tau, 1.0),
        false_tau=Spread(0.25 * tau, 1.1),
        more_taus=0.42,
        third=(0.15, 0.11),
        spread=1.0,
        folder="p6266",
    )


def _top_higgs(
    number: int, cross_section: float, share: float, kinds: Five, yields: Five, jets: float
) -> Process:
    """Higgs bosons with a pair of top quarks."""
    return Process(
        number,
        "ttH",
        cross_section,
        share,
        kinds,
        yields,
        flavours=(0.29, 0.50, 0.21),
        leptons=(Spread(55, 0.62), Spread(18, 0.95)),
        met=Spread(78, 0.68),
        jet=Spread(88, 0.66),
        jets=(1, jets),
        b_jets=0.58,
        real_tau=Spread(23, 1.0),
        false_tau=Spread(19, 1.0),
        more_taus=0.33,
        third=(0.13, 0.08),
        prompt=0.95,
        corrected=True,
    )


def _dibosons(
    number: int,
    cross_section: float,
    share: float,
    kinds: Five,
    yields: Five,
    met: Spread,
    flavours: tuple[float, float, float],
    paired: tuple[float, float],
    third: tuple[float, float] = (0.0, 0.0),
    jets: float = 0.38,
) -> Process:
    """Pairs of W and Z bosons."""
    return Process(
        number,
        "VV",
        cross_section,
        share,
        kinds,
        yields,
        flavours,
        leptons=(Spread(52, 0.5), Spread(19, 0.85)),
        met=met,
        jet=Spread(30, 1.25),
        jets=(0, jets),
        b_jets=0.015,
        real_tau=Spread(19, 0.9),
        false_tau=Spread(12, 1.0),
        more_taus=0.06,
        third=third,
        pair="Z",
        paired=paired,
        spread=1.8,
        corrected=True,
    )


def _z_jets(
    number: int,
    cross_section: float,
    share: float,
    kinds: Five,
    yields: Five,
    flavours: tuple[float, float, float],
    *,
    pair: str,
    jets: float,
) -> Process:
    """Z bosons and photons with jets; same signs come from wrongly measured charges."""
    soft = pair == "photon"
    return Process(
        number,
        "Zjets",
        cross_section,
        share,
        kinds,
        yields,
        flavours,
        leptons=(Spread(28, 0.45), Spread(5, 1.0)),
        met=Spread(11, 0.6) if pair else Spread(29, 0.75),
        jet=Spread(17 if soft else 24, 1.3),
        jets=(0, jets),
        b_jets=0.025,
        real_tau=Spread(12, 0.8),
        false_tau=Spread(9 if soft else 11, 0.95),
        more_taus=0.035,
        pair=pair,
        spread=1.8,
        paired=(0.99, 0.99) if pair else (0.0, 0.0),
    )


MUONS, ELECTRONS, MIXED = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.22, 0.55, 0.23)

PROCESSES = (
    _leptoquark(545824, 0.031759, (59, 318, 103, 20, 202), 1.0, 150),
    _leptoquark(545825, 0.0067843, (12.5, 73.8, 21.8, 3.9, 44.8), 1.23, 190),
    _leptoquark(545826, 0.00090337, (1.6, 10.0, 2.9, 0.45, 5.9), 1.55, 240),
    _top_higgs(
        346343, 0.069746, 8, (0.853, 0.021, 0.05, 0.068, 0.008), (66, 4, 2.2, 0.5, 0.3), 3.6
    ),
    _top_higgs(
        346344, 0.066638, 32, (0.30, 0.09, 0.28, 0.26, 0.07), (130, 121, 546, 110, 105), 2.7
    ),
    _top_higgs(346345, 0.016233, 17, (0.40, 0.22, 0.18, 0.10, 0.10), (92, 169, 155, 20, 71), 1.7),
    Process(
        410470,
        "ttbar",
        442.15,
        share=350,
        kinds=(0.811, 0.029, 0.110, 0.045, 0.005),
        yields=(305_000, 33_000, 17_900, 2_360, 520),
        flavours=(0.28, 0.50, 0.22),
        leptons=(Spread(58, 0.55), Spread(18, 0.9)),
        met=Spread(70, 0.61),
        jet=Spread(57, 0.83),
        jets=(0, 1.95),
        b_jets=0.58,
        real_tau=Spread(25, 0.9),
        false_tau=Spread(17, 0.95),
        more_taus=0.14,
        third=(0.01, 0.03),
        prompt=0.5,
        corrected=True,
    ),
    _dibosons(
        *(364250, 0.23188, 22, (0.105, 0.287, 0.523, 0.04, 0.045), (224, 2290, 4010, 81, 298)),
        met=Spread(14, 0.9),
        flavours=MIXED,
        paired=(0.75, 0.0),
        third=(0.25, 0.4),
    ),
    _dibosons(
        *(364253, 1.2893, 47, (0.137, 0.137, 0.625, 0.063, 0.038), (1380, 4690, 20600, 571, 1250)),
        met=Spread(42, 0.6),
        flavours=MIXED,
        paired=(0.7, 0.0),
        third=(0.15, 0.2),
    ),
    _dibosons(
        *(364254, 10.87, 15, (0.647, 0.001, 0.329, 0.022, 0.001), (7880, 1.5, 565, 9.5, 1.5)),
        met=Spread(48, 0.68),
        flavours=(0.19, 0.51, 0.30),
        paired=(0.0, 0.0),
    ),
    _dibosons(
        *(363358, 2.6855, 12, (0.869, 0.001, 0.097, 0.032, 0.001), (8195, 2, 144, 12, 0.4)),
        met=Spread(12, 0.6),
        flavours=(0.53, 0.01, 0.46),
        paired=(0.98, 0.98),
        jets=1.0,
    ),
    _z_jets(
        *(364100, 402.05, 115, (0.997, 0.001, 0.001, 0.0005, 0.0005)),
        *((1.21e6, 3570, 562, 8, 2), MUONS),
        pair="Z",
        jets=0.28,
    ),
    _z_jets(
        *(364114, 401.9, 120, (0.667, 0.002, 0.277, 0.053, 0.001)),
        *((9.02e5, 5760, 56_200, 2770, 5), ELECTRONS),
        pair="Z",
        jets=0.42,
    ),
    _z_jets(
        *(364128, 399.5, 4, (0.74, 0.04, 0.19, 0.025, 0.005)),
        *((43_400, 8000, 2390, 55, 5), MIXED),
        pair="",
        jets=0.4,
    ),
    _z_jets(
        *(364198, 142.19, 28, (0.994, 0.001, 0.004, 0.0005, 0.0005)),
        *((169_500, 600, 512, 4, 1), MUONS),
        pair="photon",
        jets=0.2,
    ),
    _z_jets(
        *(364204, 142.94, 30, (0.679, 0.001, 0.272, 0.047, 0.001)),
        *((126_500, 500, 7910, 340, 2), ELECTRONS),
        pair="photon",
        jets=0.33,
    ),
    _z_jets(
        *(364211, 142.28, 3, (0.55, 0.01, 0.33, 0.10, 0.01)),
        *((1510, 50, 1150, 14, 1), MIXED),
        pair="",
        jets=0.3,
    ),
)
