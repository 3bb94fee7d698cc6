"""The public names of likelihoods, and what importing them costs."""

from __future__ import annotations

import subprocess
import sys

import quarkline.statistics.likelihood as room


def test_the_names_are_all_there():
    assert all(hasattr(room, name) for name in room.__all__)
    assert {"Data", "LikelihoodFit", "LikelihoodSpec", "Model", "fit", "minimum"} <= set(
        room.__all__
    )
    assert {"patched", "spec_from_workspace", "workspace_from_spec"} <= set(room.__all__)


def test_importing_them_needs_no_extra():
    code = "import quarkline.statistics.likelihood, sys; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert not {"iminuit", "pyhf", "scipy.optimize", "jsonpatch"} & set(loaded.split())
    code = "import quarkline.cli.main, sys; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert "scipy" not in loaded.split()
