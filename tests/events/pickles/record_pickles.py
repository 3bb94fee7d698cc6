"""Record how a version of awkward pickles a dictionary of branches: `python record_pickles.py`.

Run it with each version; needs no Quarkline. Adds to `recorded.json` beside this file.
"""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path

import awkward as ak
import numpy as np

TABLE = Path(__file__).with_name("recorded.json")
PROTOCOLS = (2, 4, 5)


def branches():
    """The branches whose values `test_arrays.py` knows."""
    pt = ak.values_astype(ak.Array([[9.5], [20.5, 8.25], [], [3.0, 2.0, 1.0]]), np.float32)
    return {
        "Muon_pt": pt,
        "Muon_charge": ak.values_astype(ak.Array([[1], [-1, 1], [], [1, 1, -1]]), np.int32),
        "Muon_tightId": ak.Array([[True], [False, True], [], [True, True, False]]),
        "Muon_sliced": ak.concatenate([pt[:1], pt])[1:],
        "HLT_Mu17_Mu8": ak.Array(np.array([True, False, True, True])),
        "PV_npvsGood": ak.Array(np.array([31, 7, 0, 12], np.uint8)),
        "flat": np.array([1.5, -2.5, 0.0, 4.0], ">f8"),
    }


def main() -> None:
    """Pickle the branches with this version."""
    table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    for protocol in PROTOCOLS:
        name = f"awkward {ak.__version__}, numpy {np.__version__}, protocol {protocol}"
        data = pickle.dumps(branches(), protocol=protocol)
        table[name] = base64.b64encode(data).decode()
    TABLE.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
