"""The published analysis configuration: time by stage, and the result, for one seed or several.

    python benchmarks/analysis.py [--seeds 1 2 ...] [--files GLOB] [--set KEY=VALUE ...]
    python benchmarks/analysis.py --example demo --signal 0 --until hunt --seeds 101 102 ...

Without `--files` it searches built-in events of the published size, else NanoAOD files;
`--signal 0` leaves out the Upsilons. Five flows, ten repetitions of five folds for each of nine
degrees and bins, a scan of 25 points and 500 toys. The published code needs 3 to 8 minutes a flow,
2 to 4 minutes of trees and about an hour of fits on the same kind of machine.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from quarkline.tools.new import new
from quarkline.tools.run import load_analysis, run
from quarkline.tools.simulate import simulate


def analyse(config: Path, overrides: Sequence[str], until: str | None) -> None:
    """Run one analysis and print its stages and its headline."""
    clock = time.perf_counter()
    outcome = run(load_analysis(config, overrides=overrides), until=until)
    seconds = time.perf_counter() - clock
    for stage, record in outcome.run.records().items():
        print(f"{stage:12s} {record.seconds:7.1f} s  {' · '.join(record.summary)}")
    print(f"{'all':12s} {seconds:7.1f} s  on {os.cpu_count()} cores")
    print(outcome.headline or f"as asked, no further than {until}", flush=True)


def main() -> None:
    """Analyse every seed in a folder of its own, so that none finds another's stages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--files")
    parser.add_argument("--example", default="upsilon")
    parser.add_argument("--signal", type=int)
    parser.add_argument("--until")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    options = parser.parse_args()
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            files = options.files and str(Path(options.files).absolute())
            if not files:
                simulate("upsilon", folder / "nanoaod", signal=options.signal, seed=seed)
            given = [f"inputs.files={files}"] if files else []
            own = [f"roots.runs={folder / 'runs'}", f"seed={seed}", *given]
            print(f"== seed {seed}")
            config = new(options.example, folder=folder)
            analyse(config, [*own, *options.overrides], options.until)


if __name__ == "__main__":
    main()
