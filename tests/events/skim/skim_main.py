"""`python skim_main.py skim ...`: the command line, which a test may kill at a chosen change."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "engine" / "workflow"))

import killing

if __name__ == "__main__":
    from quarkline.cli.main import main

    killing.arm("main")
    main()
elif __name__ == "__mp_main__":
    killing.arm("worker")
