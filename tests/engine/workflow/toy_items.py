"""The toy's task and its switches, apart from the study so that a worker starts fast."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quarkline.engine.store.atomic import write_atomic


def pause(step: str) -> None:
    """Wait if that was asked for, of this step (`square:60`) or of all (`:0.1`)."""
    wanted, _, seconds = os.environ.get("TOY_PAUSE", ":0").partition(":")
    if wanted in {"", step}:
        time.sleep(float(seconds))


def begin(step: str) -> None:
    """Note that a step is done, not taken from the store; fail if that was asked for."""
    if trace := os.environ.get("TOY_TRACE"):
        with Path(trace).open("a") as file:
            file.write(f"{step}\n")
    wanted, _, how = os.environ.get("TOY_FAIL", "").partition(":")
    if wanted == step:
        if how == "interrupt":
            raise KeyboardInterrupt
        message = "the toy was told to fail"
        raise RuntimeError(message)


def square(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Squares a number in two halves; the second continues where a killed attempt stopped."""
    half = folder / "half.txt"
    if not half.exists():
        begin("half")
        write_atomic(half, repr(args["number"]))
    pause("square")
    begin("square")
    return {"square": float(half.read_text()) ** args["power"]}
