"""The config of the exports of a run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from quarkline.engine.core.config import Config

Format = Literal["frugally-deep", "cpp", "onnx"]


class ExportConfig(Config):
    """As what the chosen network is written."""

    formats: tuple[Format, ...] = Field(
        ("frugally-deep", "cpp", "onnx"), description="Formats; none writes nothing."
    )
