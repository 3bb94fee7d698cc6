"""Pairs of jets of quarks and gluons, in slices of momentum with weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quarkline.studies.tagging.simulate.config import Slice
from quarkline.studies.tagging.simulate.decays import RESPONSE, SHOWER
from quarkline.studies.tagging.simulate.geometry import Floats
from quarkline.studies.tagging.simulate.truth import Draws, TrueEvents, TrueJets, turned

FALL = 4.0
"""Multijets fall as this power of the momentum."""
PRESCALED = 1.2
"""Of those that triggers keep, whose prescales fall with the momentum: the control region."""
WEIGHT = 1e-6
"""Weight of an event at 100 GeV in the slices of simulation."""
BALANCE = 0.2
"""Typical imbalance of the two jets."""
ETA_WIDTH, ETA_DIFFERENCE = 1.2, 1.1
EM_SHARE = (6.0, 3.4)
CHARGED_SHARE, NEUTRAL_SHARE = (2.6, 2.4), (0.7, 22.0)
"""Exponents of beta distributions: of electromagnetic clusters, and of the momentum of tracks in
most jets and in those with few."""
NEUTRAL, NEUTRAL_FALL = 0.14, 0.25
"""Share of jets with few tracks at 50 GeV, and the power with which it falls."""
NEUTRAL_EM = (1.3, 2.6)
NEUTRAL_CLUSTERS, NEUTRAL_SPREAD = 0.35, 0.6
"""Their clusters and their width over those of other jets: a neutral hadron has most of it."""
CLUSTERS = 7.5
SPREAD = 0.11
CROSSING, CROSSING_FALL, CROSSING_WIDTH = 0.06, 1.0, 5.0
"""Share of jets of other crossings at 50 GeV, the power with which it falls, and the width of
their times in ns. Their tracks are not found."""
PUNCH = 0.01
"""Share of the momentum that leaves the calorimeters on average."""


def draw_multijets(
    n: int, slices: Sequence[Slice], fall: float, draws: Draws, *, weighted: bool
) -> TrueEvents:
    """Pairs of jets whose momenta fall as a power.

    Args:
        n: Number of events.
        slices: Ranges of momenta. In each, events are drawn evenly in the logarithm of momentum.
        fall: The power.
        draws: Gives a generator for each purpose.
        weighted: Simulation, drawn in slices, in which weights restore the spectrum; otherwise
            data, drawn from the spectrum, with weights of 1.
    """
    draw = draws("multijets")
    if weighted:
        hard, weight = _sliced(n, slices, fall, draw)
    else:
        hard, weight = _falling(n, slices[0].min_pt, slices[-1].max_pt, fall, draw), np.ones(n)
    soft = hard * np.maximum(1 - BALANCE * np.abs(draw.standard_normal(n)), 0.2)
    generated = np.stack([hard, soft], axis=1)
    response = 1 + RESPONSE * (60 / generated) ** 0.3 * draw.standard_normal((n, 2))
    eta = ETA_WIDTH * draw.standard_normal(n)
    other = eta + ETA_DIFFERENCE * draw.standard_normal(n)
    phi = draw.uniform(-np.pi, np.pi, n)
    away = phi + np.pi + 0.3 * draw.standard_normal(n)
    jets = jets_of_partons(
        (generated * np.maximum(response, 0.2)).ravel(),
        np.stack([eta, other], axis=1).ravel(),
        turned(np.stack([phi, away], axis=1).ravel()),
        draw,
    )
    return TrueEvents(
        n, TrueJets(**(vars(jets) | {"event": np.arange(2 * n) // 2})), weight.astype("f4"), {}
    )


def _sliced(
    n: int, slices: Sequence[Slice], fall: float, draw: np.random.Generator
) -> tuple[Floats, Floats]:
    """Momenta drawn evenly in their logarithm in each slice, and the weights that make up for it.

    The density of events in a slice of share s is s / (p log(high / low)), the wanted one is
    (p / 100 GeV)^-fall / p.
    """
    shares = np.array([item.share for item in slices])
    shares /= shares.sum()
    number = draw.choice(len(slices), n, p=shares)
    low, high = np.array([(item.min_pt, item.max_pt) for item in slices]).T
    range_ = np.log(high / low)
    pt = low[number] * np.exp(draw.random(n) * range_[number])
    weight = (pt / 100) ** (1 - fall) * (range_ / shares)[number]
    return pt, WEIGHT * weight


def _falling(n: int, low: float, high: float, fall: float, draw: np.random.Generator) -> Floats:
    """Momenta that fall as a power, by inverting its integral."""
    near, far = low ** (1 - fall), high ** (1 - fall)
    pt: Floats = (near - draw.random(n) * (near - far)) ** (1 / (1 - fall))
    return pt


def jets_of_partons(pt: Floats, eta: Floats, phi: Floats, draw: np.random.Generator) -> TrueJets:
    """Jets of prompt particles with measured momenta; each is its own event."""
    n = len(pt)
    hard = (np.maximum(pt, 10) / 60) ** 0.25
    neutral = draw.random(n) < NEUTRAL * (np.maximum(pt, 10) / 50) ** -NEUTRAL_FALL
    other = draw.random(n) < CROSSING * (np.maximum(pt, 10) / 50) ** -CROSSING_FALL
    charged = np.where(neutral, draw.beta(*NEUTRAL_SHARE, n), draw.beta(*CHARGED_SHARE, n))
    spread = SPREAD / hard * np.exp(0.3 * draw.standard_normal(n))
    spread = spread * np.where(neutral, NEUTRAL_SPREAD, 1)
    columns = {
        "pt": pt,
        "eta": eta,
        "phi": phi,
        "em": np.where(neutral, draw.beta(*NEUTRAL_EM, n), draw.beta(*EM_SHARE, n)),
        "depth": np.zeros(n),
        "length": np.full(n, SHOWER[0]),
        "clusters": CLUSTERS * hard * np.where(neutral, NEUTRAL_CLUSTERS, 1),
        "spread_eta": spread,
        "spread_phi": spread,
        "split": np.zeros(n),
        "delay": np.where(other, CROSSING_WIDTH * draw.standard_normal(n), 0),
        "charged": np.where(other, 0, charged),
        "leak": pt * draw.exponential(PUNCH, n),
    }
    flat = {name: values.astype(np.float32) for name, values in columns.items()}
    return TrueJets(event=np.arange(n), halo=np.zeros(n, bool), **flat)
