"""Record how a version of pandas pickles a table: `python record_tables.py`.

Run it with each version; needs no Quarkline. Adds to `recorded_tables.json` beside this file.
"""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd

TABLE = Path(__file__).with_name("recorded_tables.json")
PROTOCOLS = (2, 4, 5)


def plain():
    """The table whose values `test_tables.py` knows."""
    return pd.DataFrame(
        {
            "label": np.array([0, 2, 1], np.int64),
            "jet_pT": np.array([0.25, np.nan, 0.5], np.float64),
            "eventNumber": np.array([7, 2**63 + 5, 9], np.uint64),
            "clus_time_0": np.array([1, 2, 3], np.float32),
            "track_pT_0": np.array([1.5, 2.5, 3.5]),
            "jet_isClean": np.array([1, 0, 1], np.int8),
            "flag": np.array([True, False, True]),
        }
    )


def joined():
    """The same as the CalRatio trainer makes tables: joined, with further columns."""
    table = pd.concat([plain(), plain().iloc[:2]], axis=0)
    table.insert(0, "llp_mH", 125.0)
    table["mcEventWeight"] = 1
    return table


def main() -> None:
    """Pickle the tables with this version."""
    table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    for protocol in PROTOCOLS:
        for made in (plain, joined):
            name = f"pandas {pd.__version__}, protocol {protocol}, {made.__name__}"
            data = pickle.dumps(made(), protocol=protocol)
            table[name] = base64.b64encode(data).decode()
    TABLE.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
