"""The published analysis configuration on built-in events of the published size: time by stage.

    python benchmarks/analysis.py [--seed 1] [--set KEY=VALUE ...]

Five flows, ten repetitions of five folds for each of nine degrees and bins, a scan of 25 points
and 500 toys. The published code needs 3 to 8 minutes a flow, 2 to 4 minutes of trees and about an
hour of fits on the same kind of machine.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from quarkline.tools.new import new
from quarkline.tools.run import load_analysis, run
from quarkline.tools.simulate import simulate


def main() -> None:
    """Print the seconds of every stage and the headline."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clock = time.perf_counter()
        simulate("upsilon", folder / "nanoaod", seed=options.seed)
        print(f"{'simulate':12s} {time.perf_counter() - clock:7.1f} s")
        overrides = [f"roots.runs={folder / 'runs'}", f"seed={options.seed}", *options.overrides]
        analysis = load_analysis(new("upsilon", folder=folder), overrides=overrides)
        clock = time.perf_counter()
        outcome = run(analysis)
        seconds = time.perf_counter() - clock
        for stage, record in outcome.run.records().items():
            print(f"{stage:12s} {record.seconds:7.1f} s  {' · '.join(record.summary)}")
    print(f"{'all':12s} {seconds:7.1f} s  on {os.cpu_count()} cores")
    print(outcome.headline)


if __name__ == "__main__":
    main()
