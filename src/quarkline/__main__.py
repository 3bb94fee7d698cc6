"""`python -m quarkline` is the command line."""

from __future__ import annotations

from quarkline.cli.main import main

if __name__ == "__main__":
    main()
