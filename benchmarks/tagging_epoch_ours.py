"""Our side of `tagging_epoch.py`: upstream's network and procedure. THREADS JETS."""

from __future__ import annotations

import sys
from itertools import pairwise

import numpy as np
import torch
from tagging_epoch import SPLITS, jets, serve
from torch import Tensor, nn
from torch.nn import functional

from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.models.networks import build_network
from quarkline.studies.tagging import upstream

RATE, PENALTY, WEIGHT = 8e-4, 1e-11, 10.0


def adversary() -> nn.Sequential:
    """Its layers, with Keras's settings of batch normalisation."""
    found: list[nn.Module] = []
    for before, after in pairwise((3, 24, 12, 6)):
        found += [_norm(before), nn.Linear(before, after), nn.Tanh()]
    return nn.Sequential(*found, _norm(6), nn.Linear(6, 1))


def _norm(width: int) -> nn.Module:
    return nn.BatchNorm1d(width, eps=1e-3, momentum=0.01)


def main() -> None:
    """Build both networks and serve."""
    torch.set_num_threads(int(sys.argv[1]))
    preprocess = Preprocess.none(upstream.INPUTS)
    network = build_network(upstream.NETWORK, preprocess.geometry, 3, seed=0).train()
    judge = adversary()
    moves = [
        torch.optim.NAdam(one.parameters(), RATE, eps=1e-7, foreach=True)
        for one in (judge, network)
    ]
    arrays, control, padded = jets(sys.argv[2])
    draw = np.random.default_rng(2)
    label = torch.from_numpy(draw.integers(0, 3, len(arrays[0])))
    target = torch.from_numpy(draw.integers(0, 2, len(control[0])).astype(np.float32))
    mains, controls = pieces([*tensors(arrays), label]), pieces([*tensors(control), target])
    longer = pieces([*tensors([one[padded] for one in control]), target[torch.from_numpy(padded)]])
    penalised = [
        weight
        for name, weight in network.named_parameters()
        if name.endswith("weight") and "read_out" not in name
    ]

    def step(batch: int) -> None:
        *inputs, truth = controls[batch]
        judge.train().requires_grad_(True)
        with torch.no_grad():  # dropout differs between the halves
            twice = network(*(torch.cat([one, one]) for one in inputs)).softmax(1)
        for scores in twice.chunk(2):
            moves[0].zero_grad()
            loss = functional.binary_cross_entropy_with_logits(judge(scores)[:, 0], truth)
            loss.backward()
            moves[0].step()
        judge.eval().requires_grad_(False)
        *first, labels = mains[batch]
        *second, targets = longer[batch]
        logits = network(*(torch.cat(pair) for pair in zip(first, second, strict=True)))
        judged = judge(logits[len(labels) :].softmax(1))[:, 0]
        loss = functional.cross_entropy(logits[: len(labels)], labels)
        loss = loss - WEIGHT * functional.binary_cross_entropy_with_logits(judged, targets)
        moves[1].zero_grad()
        loss.backward()
        for weight in penalised:
            slope = weight.detach().sign().add_(weight.detach(), alpha=2)
            weight.grad.add_(slope, alpha=PENALTY)
        moves[1].step()

    serve(step)


def tensors(arrays: list[np.ndarray]) -> tuple[Tensor, ...]:
    """What the network takes, of arrays of the streams and of the jet."""
    *streams, jet = arrays
    return Preprocess.none(upstream.INPUTS).tensors(upstream.jets(jet, *streams))


def pieces(whole: list[Tensor]) -> list[list[Tensor]]:
    """The batches."""
    return [list(part) for part in zip(*(one.tensor_split(SPLITS) for one in whole), strict=True)]


if __name__ == "__main__":
    main()
