"""Two hundred files: equal bytes wherever the work runs, and nothing to do the second time."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import uproot

from quarkline.engine.compute.config import ComputeConfig
from quarkline.tools.skim import skim
from tests.events.skim.farm import Here, config_of, contents

FILES = 200
CUTS = ["two leptons: total_leptons == 2", "jets_pt > 40e3"]
KEEP = ["lep_*", "jets_*", "weight_*", "eventNumber", "mcChannelNumber", "met_met"]


@pytest.fixture(scope="module")
def farm(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pieces of the leptoquark ntuples of different lengths, some of them empty."""
    folder = tmp_path_factory.mktemp("farm") / "in"
    sources = sorted((data_folder / "lq_ntuples").glob("mc20*/p*/*.root"))
    random = np.random.default_rng(1)
    for number in range(FILES):
        with uproot.open(sources[number % len(sources)]) as file:
            tree = file["nominal"]
            size = min(int(random.integers(0, 400)), tree.num_entries)
            start = int(random.integers(0, tree.num_entries - size + 1))
            names = [name for name in tree.keys() if name != "njets"]  # noqa: SIM118
            events = tree.arrays(names, entry_start=start, entry_stop=start + size)
            path = folder / f"mc20{'ade'[number % 3]}" / f"{number}.root"
            path.parent.mkdir(parents=True, exist_ok=True)
            kinds = {name: tree[name].interpretation.awkward_form(None).type for name in names}
            with uproot.recreate(path) as small:
                small.mktree("nominal", kinds).extend({name: events[name] for name in names})
                small["sumWeights"] = {"number": np.array([number])}
    return folder


@pytest.fixture(scope="module")
def expected(farm: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the skim in one process, file after file, leaves."""
    folder = tmp_path_factory.mktemp("expected") / "out"
    assert skim(farm_config(farm, folder), executor=Here()).failures == ()
    return contents(folder)


def farm_config(farm, output, **keys):
    given = {"select": CUTS, "keep": KEEP, "weight": "weight_mc", "copy_tree": ["sumWeights"]}
    return config_of(farm, output, tree=None, **given | keys)


@contextlib.contextmanager
def local() -> Iterator[ComputeConfig]:
    yield ComputeConfig(workers=2)


@contextlib.contextmanager
def dask() -> Iterator[ComputeConfig]:
    distributed = pytest.importorskip("distributed", reason="pip install distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        yield ComputeConfig(cluster=cluster.scheduler_address)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("place", [local, dask])
def test_two_hundred_files_are_equal_wherever_they_are_skimmed(place, farm, expected, tmp_path):
    output = tmp_path / "out"
    with place() as compute:
        outcome = skim(farm_config(farm, output), compute=compute)
    assert outcome.failures == ()
    assert len(outcome.made) == FILES
    shutil.rmtree(output / ".quarkline" / "jobs", ignore_errors=True)
    assert contents(output) == expected
    here = Here()
    began = time.process_time()
    again = skim(farm_config(farm, output), executor=here)
    assert time.process_time() - began < 1.0  # of the processor: the wall clock is shared
    assert (here.worked, again.made, again.complete) == ([], {}, FILES)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_one_of_two_hundred_that_is_lost_is_made_again_alone(farm, expected, tmp_path):
    output = tmp_path / "out"
    skim(farm_config(farm, output), compute=ComputeConfig(workers=2))
    (output / "mc20a" / "198.root").unlink()
    here = Here()
    assert list(skim(farm_config(farm, output), executor=here).made) == ["mc20a/198"]
    assert len(here.worked) == 3
    assert contents(output) == expected
