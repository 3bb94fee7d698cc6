"""Jets on disk as the rows of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from quarkline.studies.tagging.columns import STREAMS
from quarkline.studies.tagging.jets import JetSet

if TYPE_CHECKING:
    from torch import Tensor


class JetRows:
    """Some jets of a folder of features, which are read when they are taken.

    Args:
        jets: Scaled jets, memory-mapped perhaps.
        chosen: Which of them are the rows, with shape (N,).
        target: What a network is to find of each row, with shape (N,).
        weight: Weight of each row, with shape (N,).
    """

    def __init__(
        self,
        jets: JetSet,
        chosen: NDArray[np.int64],
        target: NDArray[np.int64],
        weight: NDArray[np.float32],
    ) -> None:
        if not len(chosen) == len(target) == len(weight):
            msg = f"{len(chosen)} rows, {len(target)} targets and {len(weight)} weights"
            raise ValueError(msg)
        self._jets, self._chosen = jets, chosen
        self._target, self._weight = target, weight

    def __len__(self) -> int:
        return len(self._chosen)

    @property
    def known(self) -> tuple[Tensor, Tensor]:
        """Targets and weights of all rows."""
        import torch

        return torch.from_numpy(self._target), torch.from_numpy(self._weight)

    def take(self, indices: Tensor) -> tuple[Tensor, ...]:
        """The tensors of some rows.

        Args:
            indices: Which rows, with shape (B,).

        Returns:
            What `Preprocess.tensors` gives of jets, then the targets and the weights.
        """
        import torch

        rows = indices.numpy()
        chosen = self._chosen[rows]
        jet = np.asarray(self._jets.jet[chosen])
        parts = [jet, np.zeros(jet.shape, bool), np.zeros((len(jet), 0), np.int64)]
        for stream in STREAMS:
            padded = self._jets.streams[stream.name].padded(chosen, stream.rows, absent=0.0)
            parts += [padded.values, padded.present]
        parts += [self._target[rows], self._weight[rows]]
        return tuple(torch.from_numpy(part) for part in parts)
