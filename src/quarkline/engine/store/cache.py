"""Where file keys and copies of remote files are kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """Where those are kept: `QUARKLINE_CACHE`, else the user's cache folder."""
    if own := os.environ.get("QUARKLINE_CACHE"):
        return Path(own)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "quarkline"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "quarkline"
