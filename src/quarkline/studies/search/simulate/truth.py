"""Generated events: what one collision has before the detector sees it, several times over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from quarkline.studies.search.simulate.processes import Process, Spread

Floats = NDArray[np.float64]
Draws = Callable[[str], np.random.Generator]
"""A generator for each purpose."""

JETS = 10
TAUS = 4
TRIES = 24
COMMON = 0.38
"""Correlation of the logarithms of all momenta of an event."""
Z_MASS, Z_WIDTH = 91.19, 2.5
LEAST = {"lepton": 10.0, "tau": 20.0, "jet": 25.0}
"""Lowest transverse momenta of what is kept, in GeV."""
EDGE = 2.47
CRACK = (1.37, 1.52)


@dataclass(frozen=True)
class Truth:
    """Generated events; in GeV, with shape (N,) unless said otherwise.

    Attributes:
        kind: Number in `KINDS`.
        same: Whether the two harder leptons have one charge.
        pt: Transverse momenta of three leptons, hardest of the pair first, shape (N, 3).
        eta: Their pseudorapidities.
        phi: Their azimuths.
        charge: Their charges, 0 for a third lepton that is not there.
        electron: Whether each is an electron.
        prompt: Whether the softer lepton of the pair does not come from a hadron.
        met: Missing transverse momentum.
        met_phi: Its azimuth.
        jet_pt: Of JETS jets, falling, shape (N, JETS).
        jet_eta: Their pseudorapidities.
        jet_phi: Their azimuths.
        jets: How many of them there are.
        b_jets: How many of these are tagged.
        tau_pt: Of TAUS tau candidates, falling, shape (N, TAUS).
        taus: How many of them there are.
        tau_eta: Pseudorapidity of the leading one.
        tau_phi: Its azimuth.
        tau_charge: Its charge.
        prongs: Its number of tracks, 1 or 3.
        real: Whether it is a hadronic tau.
    """

    kind: NDArray[np.int64]
    same: NDArray[np.bool_]
    pt: Floats
    eta: Floats
    phi: Floats
    charge: NDArray[np.int64]
    electron: NDArray[np.bool_]
    prompt: NDArray[np.bool_]
    met: Floats
    met_phi: Floats
    jet_pt: Floats
    jet_eta: Floats
    jet_phi: Floats
    jets: NDArray[np.int64]
    b_jets: NDArray[np.int64]
    tau_pt: Floats
    taus: NDArray[np.int64]
    tau_eta: Floats
    tau_phi: Floats
    tau_charge: NDArray[np.int64]
    prongs: NDArray[np.int64]
    real: NDArray[np.bool_]

    def take(self, rows: NDArray[np.int64]) -> Truth:
        """Some of the events, in any order and as often as wanted."""
        return Truth(**{item.name: getattr(self, item.name)[rows] for item in fields(self)})


def draw_truth(process: Process, kind: NDArray[np.int64], draws: Draws) -> Truth:
    """Generate events of given kinds.

    Args:
        process: The data set.
        kind: Numbers in `KINDS`, shape (N,).
        draws: Gives a generator for each purpose.
    """
    n, same = len(kind), kind >= 2
    common = draws("common").normal(size=n)
    real = (kind == 1) | (kind == 4)
    leptons = _leptons(process, same, common, draws)
    jets = _jets(process, common, draws("jets"))
    taus = _taus(process, real, kind != 2, leptons["charge"][:, 0], common, draws("taus"))
    rest = draws("rest")
    return Truth(
        kind=kind,
        same=same,
        prompt=~same | (rest.random(n) < process.prompt),
        met=_momenta(process.met, common, rest, 0.0),
        met_phi=_azimuth(rest, n),
        real=real,
        **leptons,
        **jets,
        **taus,
    )


def _momenta(spread: Spread, common: Floats, draw: np.random.Generator, least: float) -> Floats:
    """Log-normal momenta above a least one, that rise together in an event."""
    own = draw.normal(size=len(common))
    shift = COMMON**0.5 * common + (1 - COMMON) ** 0.5 * own
    momenta: Floats = least + spread.median * np.exp(spread.width * shift)
    return momenta


def _azimuth(draw: np.random.Generator, *shape: int) -> Floats:
    return draw.uniform(-np.pi, np.pi, shape)


def _eta(draw: np.random.Generator, width: float, *shape: int) -> Floats:
    """Pseudorapidities by a normal distribution that is cut off at the edge of the detector."""
    low = ndtr(-EDGE / width)
    eta: Floats = width * ndtri(draw.uniform(low, 1 - low, shape))
    return eta


def _leptons(
    process: Process, same: NDArray[np.bool_], common: Floats, draws: Draws
) -> dict[str, NDArray[Any]]:
    n, draw = len(same), draws("leptons")
    hard, soft = (Spread(item.median, item.width) for item in process.leptons)
    pt = np.stack(
        [_momenta(spread, common, draw, LEAST["lepton"]) for spread in (hard, soft, soft)], axis=1
    )
    eta, phi = _eta(draw, process.spread, n, 3), _azimuth(draw, n, 3)
    resonant = draw.random(n) < np.where(same, process.paired[1], process.paired[0])
    if process.pair:
        pair = _decays(process, int(resonant.sum()), draws("pairs"))
        pt[resonant, :2], eta[resonant, :2], phi[resonant, :2] = pair
    order = np.argsort(-pt[:, :2], axis=1)
    for values in (pt, eta, phi):
        values[:, :2] = np.take_along_axis(values[:, :2], order, axis=1)
    first = draw.choice(np.array([-1, 1]), n)
    third = draw.random(n) < np.where(same, process.third[1], process.third[0])
    charge = np.stack([first, np.where(same, first, -first), -first * third], axis=1)
    flavour = draw.choice(3, n, p=np.array(process.flavours) / sum(process.flavours))
    flavour[resonant & (flavour == 1)] = 0  # both leptons of a resonance have one flavour
    swapped = draw.random(n) < 0.5
    electron = np.stack(
        [
            (flavour == 2) | ((flavour == 1) & swapped),
            (flavour == 2) | ((flavour == 1) & ~swapped),
            draw.random(n) < 0.5,
        ],
        axis=1,
    )
    inside = electron & (np.abs(eta) > CRACK[0]) & (np.abs(eta) < CRACK[1])
    eta[inside] *= CRACK[1] / CRACK[0] + 0.001
    return {"pt": pt, "eta": eta, "phi": phi, "charge": charge, "electron": electron}


def _decays(process: Process, n: int, draw: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Leptons of a resonance in flight, of several tries the first that the detector would see."""
    if process.pair == "Z":
        mass = Z_MASS + 0.5 * Z_WIDTH * np.tan(draw.uniform(-1.45, 1.45, (n, TRIES)))
        recoil = 22 + draw.exponential(22, (n, TRIES))
    else:
        mass = 10 * 4 ** (draw.random((n, TRIES)) ** 1.25)
        recoil = 26 + draw.exponential(16, (n, TRIES))
    cos, azimuth = draw.uniform(-1, 1, (n, TRIES)), draw.uniform(-np.pi, np.pi, (n, TRIES))
    sin = np.sqrt(1 - cos**2)
    x, y, z = 0.5 * mass * np.stack([sin * np.cos(azimuth), sin * np.sin(azimuth), cos])
    gamma, boost = np.hypot(mass, recoil) / mass, recoil / mass
    along = [boost * 0.5 * mass + sign * gamma * x for sign in (1, -1)]
    pt = np.stack([np.hypot(px, y) for px in along], axis=2)
    rapidity = _eta(draw, process.spread, n, TRIES)
    eta = np.stack([np.arcsinh(sign * z / pt[..., i]) for i, sign in enumerate((1, -1))], axis=2)
    eta += rapidity[..., None]
    phi = np.stack([np.arctan2(sign * y, px) for sign, px in zip((1, -1), along, strict=True)], 2)
    seen = ((pt > LEAST["lepton"]) & (np.abs(eta) < EDGE)).all(axis=2)
    best = np.argmax(seen, axis=1)
    turn = _azimuth(draw, n, 1)
    row = np.arange(n)
    pt = np.maximum(pt[row, best], LEAST["lepton"] + 0.1)
    return pt, np.clip(eta[row, best], -EDGE, EDGE), _wrapped(phi[row, best] + turn)


def _wrapped(phi: Floats) -> Floats:
    return (phi + np.pi) % (2 * np.pi) - np.pi


def _falling(first: Floats, least: float, number: int, draw: np.random.Generator) -> Floats:
    """Momenta that fall from a first one towards the least."""
    ratios = np.cumprod(draw.random((len(first), number - 1)) ** 0.55, axis=1)
    above = (first - least)[:, None]
    return least + np.concatenate([above, above * ratios], axis=1)


def _jets(process: Process, common: Floats, draw: np.random.Generator) -> dict[str, NDArray[Any]]:
    n, (least, more) = len(common), process.jets
    jets = np.minimum(least + draw.poisson(more, n), JETS)
    first = _momenta(process.jet, common, draw, LEAST["jet"])
    return {
        "jet_pt": _falling(first, LEAST["jet"], JETS, draw),
        "jet_eta": _eta(draw, process.spread, n, JETS),
        "jet_phi": _azimuth(draw, n, JETS),
        "jets": jets,
        "b_jets": draw.binomial(np.minimum(jets, 2), process.b_jets),
    }


def _taus(
    process: Process,
    real: NDArray[np.bool_],
    has: NDArray[np.bool_],
    lepton: NDArray[np.int64],
    common: Floats,
    draw: np.random.Generator,
) -> dict[str, NDArray[Any]]:
    n = len(real)
    spreads = (_momenta(item, common, draw, LEAST["tau"]) for item in _tau_spreads(process))
    first = np.where(real, *spreads)
    opposite = draw.random(n) < np.where(real, 0.75, 0.5)
    return {
        "tau_pt": _falling(first, LEAST["tau"], TAUS, draw),
        "taus": np.where(has, np.minimum(1 + draw.poisson(process.more_taus, n), TAUS), 0),
        "tau_eta": _eta(draw, process.spread, n),
        "tau_phi": _azimuth(draw, n),
        "tau_charge": np.where(opposite, -lepton, lepton),
        "prongs": np.where(draw.random(n) < np.where(real, 0.72, 0.6), 1, 3),
    }


def _tau_spreads(process: Process) -> tuple[Spread, Spread]:
    return process.real_tau, process.false_tau
