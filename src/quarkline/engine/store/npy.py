"""Arrays in `.npy` files: written part by part, and read without being loaded."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.lib import format as npy
from numpy.typing import ArrayLike, DTypeLike, NDArray


def load_mapped(path: Path) -> NDArray[Any]:
    """An array that stays on disk until it is looked at; read only.

    Raises:
        ValueError: If the file is no array, or one of Python objects.
    """
    try:
        mapped: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError:
        whole: NDArray[Any] = np.load(path, allow_pickle=False)
        if whole.size:
            raise
        return whole  # nothing cannot be mapped
    return mapped


class NpyWriter:
    """Writes an array whose length is not known yet; use it as a context manager.

    The file is an ordinary `.npy` file once the block has ended.
    """

    def __init__(self, path: Path, dtype: DTypeLike, shape: tuple[int, ...] = ()) -> None:
        """Begin an array.

        Args:
            path: The file, replaced if it exists.
            dtype: Type of the values.
            shape: Shape of one row.
        """
        self.rows = 0
        self._dtype, self._shape = np.dtype(dtype), shape
        self._file = path.open("wb+")
        self._header()

    def append(self, rows: ArrayLike) -> None:
        """Add rows to the end, with shape (N, *shape)."""
        array = np.ascontiguousarray(rows, self._dtype)
        if array.shape[1:] != self._shape:
            msg = f"rows of shape {array.shape[1:]} instead of {self._shape}"
            raise ValueError(msg)
        self._file.write(array.data)
        self.rows += len(array)

    def _header(self) -> None:
        """NumPy leaves room in a header for the length to grow, so its size stays."""
        self._file.seek(0)
        description = npy.dtype_to_descr(self._dtype)
        header = {
            "descr": description,
            "fortran_order": False,
            "shape": (self.rows, *self._shape),
        }
        npy.write_array_header_1_0(self._file, header)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._header()
        self._file.close()
