"""The network of LQ-asym, written plainly and trained its way, as a yardstick.

It keeps to the facts of the original: 44 scalar features and four jet lists of six slots, category
codes as numbers, a residual network of six blocks of width 64, unweighted cross-entropy, AdamW at
the learning rate of the lowest smoothed loss of a scan, 100 epochs of batches of 1024, the epoch
of the highest weighted AUC kept. What is under the mask of a missing jet stays there, and -99
stays a number, as there. Scaling uses all events, the split into training and validation is by
row. Only the folds are ours: each event is scored by the network of its fold, which has not seen
its generated event, because otherwise no figure could be compared.

    python benchmarks/seed_network.py NTUPLES --seeds 1 2 3 4 5
"""

from __future__ import annotations

import argparse
import copy
from pathlib import Path

import awkward as ak
import numpy as np
import torch
import uproot
from sklearn.metrics import roc_auc_score
from torch import nn

from quarkline.events.identity import fold_of

CLASSES = {
    "lq": ("p6266", (545824, 545825, 545826)),
    "ttH": ("p5855", (346343, 346344, 346345)),
    "ttbar": ("p5855", (410470,)),
    "VV": ("p5855", (364250, 364253, 364254, 363358)),
    "Zjets": ("p5855", (364100, 364114, 364128, 364198, 364204, 364211)),
}
SCALARS = [
    "DRll01",
    "HT",
    "HT_jets",
    "HT_lep",
    "HT_taus",
    "MLepAllMet",
    "Mll01",
    "dilep_type",
    "lep_E_0",
    "lep_E_1",
    "lep_EtaBE2_0",
    "lep_EtaBE2_1",
    "lep_Eta_0",
    "lep_Eta_1",
    "lep_ID_0",
    "lep_ID_1",
    "lep_Phi_0",
    "lep_Phi_1",
    "lep_Pt_0",
    "lep_Pt_1",
    "lep_isMedium_0",
    "lep_isMedium_1",
    "lep_isTightLH_0",
    "lep_isTightLH_1",
    "lep_Iso_Loose_VarRad_0",
    "met_met",
    "met_phi",
    "nJets_OR",
    "nTaus_OR",
    "nTaus_OR_Pt25",
    "taus_JetRNNSigLoose_0",
    "taus_JetRNNSigMedium_0",
    "taus_JetRNNSigTight_0",
    "taus_RNNJetScoreSigTrans_0",
    "taus_RNNJetScore_0",
    "taus_charge_0",
    "tau_Eta_0",
    "taus_fromPV_0",
    "taus_numTrack_0",
    "tau_Phi_0",
    "tau_Pt_0",
    "taus_width_0",
    "total_charge",
    "total_leptons",
]
JETS = ("jets_e", "jets_eta", "jets_phi", "jets_pt")
WEIGHTS = ("weight_mc", "weight_pileup", "xs", "totalEventsWeighted", "RunYear")
LUMINOSITY = {2015: 36207.66, 2016: 36207.66, 2017: 44307.4, 2018: 58450.1}
FOLDS, EPOCHS, BATCH, SLOTS = 5, 100, 1024, 6


def selected(events: ak.Array) -> np.ndarray:
    """The signal region of the original."""
    good = events["l2SS_1tau"] != 0
    for i in ("0", "1"):
        good = good & (events[f"lep_Pt_{i}"] >= 10e3) & (abs(events[f"lep_Eta_{i}"]) <= 2.5)
        kind = abs(events[f"lep_ID_{i}"])
        good = good & (
            ((kind == 11) & (events[f"lep_isTightLH_{i}"] != 0))
            | ((kind == 13) & (events[f"lep_isMedium_{i}"] != 0))
        )
    return ak.to_numpy(good & (abs(events["Mll01"] - 91.2e3) > 10e3))


def read(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Features (N, 68), class, weight and group columns of the events of the signal region."""
    group = ("mcChannelNumber", "genEventID")
    columns = [*SCALARS, *JETS, *WEIGHTS, *group, "l2SS_1tau"]
    features, label, weight, keys = [], [], [], {name: [] for name in group}
    for number, (tag, datasets) in enumerate(CLASSES.values()):
        for campaign in ("mc20a", "mc20d", "mc20e"):
            for dataset in datasets:
                with uproot.open(folder / campaign / tag / f"{dataset}.root") as file:
                    events = file["nominal"].arrays(columns)
                events = events[selected(events)]
                if not len(events):
                    continue
                jets = [
                    np.asarray(ak.to_numpy(ak.pad_none(events[name], SLOTS, clip=True)))
                    for name in JETS
                ]
                flat = [ak.to_numpy(events[name]).astype(np.float64)[:, None] for name in SCALARS]
                features.append(np.concatenate([*flat, *jets], axis=1))
                label.append(np.full(len(events), number))
                share = np.vectorize(LUMINOSITY.get)(ak.to_numpy(events["RunYear"])) / 138965.16
                weight.append(
                    140068.94
                    * share
                    * ak.to_numpy(
                        events["weight_pileup"]
                        * events["weight_mc"]
                        * events["xs"]
                        / events["totalEventsWeighted"]
                    )
                )
                for name in group:
                    keys[name].append(ak.to_numpy(events[name]))
    joined = {name: np.concatenate(parts) for name, parts in keys.items()}
    return np.concatenate(features), np.concatenate(label), np.concatenate(weight), joined


def scaled(features: np.ndarray) -> np.ndarray:
    """Mean 0 and deviation 1 over all events; constant columns dropped."""
    deviation = features.std(axis=0)
    varying = deviation > 0
    return ((features - features.mean(axis=0))[:, varying] / deviation[varying]).astype(np.float32)


class Block(nn.Module):
    """Adds a linear map of the normalised, activated state."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.map = nn.LayerNorm(width), nn.Linear(width, width, bias=False)

    def forward(self, state: torch.Tensor) -> torch.Tensor:
        return state + self.map(self.norm(nn.functional.gelu(state, approximate="tanh")))


class SeedNetwork(nn.Module):
    """Six residual blocks of width 64."""

    def __init__(self, inputs: int, width: int = 64, blocks: int = 6) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, width, bias=False)
        self.blocks = nn.Sequential(*(Block(width) for _ in range(blocks)))
        self.norm, self.last = nn.LayerNorm(width), nn.Linear(width, len(CLASSES))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        state = self.blocks(self.first(features))
        return self.last(self.norm(nn.functional.gelu(state, approximate="tanh")))


def learning_rate(network: SeedNetwork, x: torch.Tensor, y: torch.Tensor) -> float:
    """The rate of the lowest smoothed loss over one batch each at 100 rates."""
    network = copy.deepcopy(network)
    rates, losses = np.logspace(-7, 1, 100), []
    for rate in rates:
        batch = torch.randint(len(x), (min(BATCH, len(x)),))
        optimiser = torch.optim.AdamW(network.parameters(), lr=rate)
        loss = nn.functional.cross_entropy(network(x[batch]), y[batch])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
        if losses[-1] > 4 * losses[0]:
            break
    smooth = [np.mean(losses[max(0, i - 5) : i + 5]) for i in range(len(losses))]
    return float(rates[int(np.argmin(smooth))])


def train(x: np.ndarray, label: np.ndarray, weight: np.ndarray, seed: int) -> SeedNetwork:
    """One training; 80 % of the rows train, the others choose the epoch."""
    torch.manual_seed(seed)
    order = torch.randperm(len(x))
    cut = int(0.8 * len(x))
    inputs, truth = torch.from_numpy(x), torch.from_numpy(label)
    first, rest = order[:cut], order[cut:]
    network = SeedNetwork(x.shape[1])
    rate = learning_rate(network, inputs[first], truth[first])
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate)
    best, kept = -1.0, network.state_dict()
    for _ in range(EPOCHS):
        network.train()
        for batch in first[torch.randperm(cut)].split(BATCH):
            loss = nn.functional.cross_entropy(network(inputs[batch]), truth[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        reached = auc(score(network, x[rest]), label[rest], weight[rest])
        if reached > best:
            best, kept = reached, copy.deepcopy(network.state_dict())
    network.load_state_dict(kept)
    return network


@torch.no_grad()
def score(network: SeedNetwork, x: np.ndarray) -> np.ndarray:
    """Probability of the signal."""
    network.eval()
    return torch.softmax(network(torch.from_numpy(x)), dim=1)[:, 0].numpy()


def auc(scores: np.ndarray, label: np.ndarray, weight: np.ndarray) -> float:
    """Weighted AUC of the signal against all else."""
    return float(roc_auc_score(label == 0, scores, sample_weight=weight))


def out_of_fold(folder: Path, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Out-of-fold scores of the signal, with class and weight."""
    features, label, weight, keys = read(folder)
    x, fold = scaled(features), fold_of(keys, seed=seed, folds=FOLDS)
    scores = np.zeros(len(x))
    for number in range(FOLDS):
        mine = fold == number
        network = train(x[~mine], label[~mine], weight[~mine], seed * 100 + number)
        scores[mine] = score(network, x[mine])
    return scores, label, weight


def main() -> None:
    """Print the AUC of each seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ntuples", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    given = parser.parse_args()
    torch.set_num_threads(1)
    values = []
    for seed in given.seeds:
        values.append(auc(*out_of_fold(given.ntuples, seed)))
        print(f"seed {seed}: AUC(lq) {values[-1]:.4f}")
    print(f"mean {np.mean(values):.4f}, spread {np.std(values, ddof=1):.4f}")


if __name__ == "__main__":
    main()
