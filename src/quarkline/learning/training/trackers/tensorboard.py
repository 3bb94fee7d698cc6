"""Event files for TensorBoard, a folder a training so that its curves lie on each other."""

from __future__ import annotations

import struct
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.plugins.text.metadata import create_summary_metadata
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from quarkline.learning.training.trackers.base import Row, TrackedRun
from quarkline.learning.training.trackers.config import TensorBoardConfig


class TensorBoard:
    """Shows a run in TensorBoard."""

    durable: ClassVar[bool] = True

    def __init__(self, config: TensorBoardConfig, run: TrackedRun, _: str | None) -> None:
        own = run.folder / "tensorboard"
        self.folder = config.folder / run.analysis / run.folder.name if config.folder else own
        self.identity = "one folder a training"
        self.writers: dict[str, EventFileWriter] = {}

    def rows(self, series: str, rows: Sequence[Row]) -> None:
        """Write the lines of one training; points of a killed process beyond them are dropped."""
        if series not in self.writers:
            restart = SessionLog(status=SessionLog.START)
            self._writer(series).add_event(_event(rows[0].step, session_log=restart))
        for row in rows:
            values = [Summary.Value(tag=name, simple_value=v) for name, v in row.values.items()]
            self._write(series, Summary(value=values), row.step)

    def figure(self, name: str, image: Path) -> None:
        """Write a picture as it is."""
        content = image.read_bytes()
        width, height = struct.unpack(">II", content[16:24])  # where every PNG says its size
        picture = Summary.Image(
            width=width, height=height, colorspace=4, encoded_image_string=content
        )
        self._write("", Summary(value=[Summary.Value(tag=name, image=picture)]))

    def artifact(self, name: str, path: Path) -> None:
        """Nothing: TensorBoard keeps no files."""

    def config(self, written: Path, resolved: Path) -> None:
        """Write both as text."""
        self._text("config", written.read_text(encoding="utf-8"))
        self._text("config, resolved", resolved.read_text(encoding="utf-8"))

    def results(self, values: Mapping[str, float]) -> None:
        """Write each as a single point."""
        scalars = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        self._write("", Summary(value=scalars))

    def finish(self, _: bool, /) -> None:
        """Close the files, whether the run ended well or not."""
        for writer in self.writers.values():
            writer.close()

    def _text(self, name: str, text: str) -> None:
        lines = "\n".join(f"    {line}" for line in text.splitlines())  # Markdown's way to say code
        tensor = TensorProto(
            dtype=DT_STRING,
            string_val=[lines.encode()],
            tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)]),
        )
        about = create_summary_metadata(display_name="", description="")
        self._write("", Summary(value=[Summary.Value(tag=name, tensor=tensor, metadata=about)]))

    def _write(self, series: str, summary: Summary, step: int = 0) -> None:
        writer = self._writer(series)
        writer.add_event(_event(step, summary=summary))
        writer.flush()

    def _writer(self, series: str) -> EventFileWriter:
        if series not in self.writers:
            self.writers[series] = EventFileWriter(str(self.folder / series))
        return self.writers[series]


def _event(step: int, **content: Summary | SessionLog) -> Event:
    return Event(wall_time=time.time(), step=step, **content)


TRACKER = TensorBoard
