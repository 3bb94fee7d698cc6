"""Record the yields that ROOT itself gives for the expressions of real configs.

`python -m tests.events.expressions.record_yields FOLDER` with the folder of the test data needs
ROOT; it writes `root_yields.json` beside this file. The expressions stay in the configs: the table
has their hashes, and numbers.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
from pathlib import Path

import numpy as np

from quarkline.trexfitter.replacements import read_replacements
from tests.events.expressions import configs
from tests.events.expressions.record_root import column

TABLE = Path(__file__).with_name("root_yields.json")


def ntuples(data: Path) -> list[Path]:
    return sorted((data / "lq_ntuples").rglob("*.root"))


def key(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def weighted_regions(data: Path) -> list[str]:
    """What the leptoquark configs draw: the weight times the selection of each region."""
    folder = data / "lq" / "trex-fitter"
    known = read_replacements(folder / "replacements" / "replacement.txt")
    regions = sorted((folder / "regions").glob("*.config"))
    cuts = {cut for region in regions for cut in configs.options(region, known, "Selection")}
    return [f"({known.values['XXX_MC_WEIGHT']})*({cut})" for cut in sorted(cuts)]


def main() -> None:
    """Draw every expression that fits the ntuples, and every weighted region file by file."""
    import ROOT

    ROOT.gROOT.SetBatch(True)
    ROOT.gErrorIgnoreLevel = ROOT.kFatal
    data = Path(sys.argv[1])
    files = [ROOT.TFile.Open(str(path)) for path in ntuples(data)]
    trees = [file.Get("nominal") for file in files]
    summed = {}
    for text in sorted(configs.expressions(data)):
        drawn = [weights(tree, text) for tree in trees]
        if all(part is not None for part in drawn):
            summed[key(text)] = yields(np.concatenate(drawn))
    names = [path.relative_to(data).as_posix() for path in ntuples(data)]
    regions = {}
    for text in weighted_regions(data):
        drawn = [weights(tree, text) for tree in trees]
        if all(part is not None for part in drawn):
            parts = zip(names, drawn, strict=True)
            regions[key(text)] = {name: yields(part) for name, part in parts}
    table = {"root": ROOT.__version__, "summed": summed, "regions": regions}
    TABLE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def weights(tree, text: str) -> np.ndarray | None:
    """The weights of the instances that pass; None if ROOT refuses the expression."""
    tree.SetEstimate(tree.GetEntries() + 10)
    count = tree.Draw("1", text, "goff")
    if count < 0:
        return None
    if count >= tree.GetEstimate():
        tree.SetEstimate(count + 10)
        tree.Draw("1", text, "goff")
    return column(tree.GetW(), count)


def yields(weights: np.ndarray) -> list[float]:
    """Number, sum and sum of squares."""
    return [len(weights), math.fsum(weights), math.fsum(weights * weights)]


if __name__ == "__main__":
    main()
