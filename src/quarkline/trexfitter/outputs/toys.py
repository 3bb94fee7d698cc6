"""`Toys/Toys.root`: fits of pseudo-data, one entry each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import uproot

from quarkline.engine.store.atomic import atomic_path
from quarkline.statistics.likelihood.results import ToyFits


def write_toys(stem: Path, toys: ToyFits) -> Path:
    """Write fitted values and errors as tree `toys`.

    Args:
        stem: The path without ending.
        toys: The fits.
    """
    columns = {
        toys.parameter: np.array(toys.values, dtype=np.float64),
        f"{toys.parameter}_error": np.array(toys.errors, dtype=np.float64),
    }
    path = stem.with_name(f"{stem.name}.root")
    with atomic_path(path) as temporary, uproot.recreate(temporary) as file:
        file.mktree("toys", dict.fromkeys(columns, np.float64))
        file["toys"].extend(columns)
    return path
