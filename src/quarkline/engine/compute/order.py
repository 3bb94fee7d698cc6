"""Orders: an item as JSON, so that a process of another computer can carry it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import quarkline
from quarkline.engine.compute.job import attempt
from quarkline.engine.compute.outcome import Done, Failed, Item
from quarkline.engine.compute.threads import prepare_this_process
from quarkline.engine.core.addresses import address_of


@dataclass(frozen=True)
class Order:
    """One item for a process elsewhere.

    Attributes:
        task: Importable name `module:function`.
        item: The item.
        folder: Where its files go.
        device: "cpu" hides GPUs.
        version: The version of Quarkline that gave the order.
    """

    task: str
    item: Item
    folder: Path
    device: str = "auto"
    version: str = quarkline.__version__

    def as_json(self) -> dict[str, Any]:
        """The order as a JSON object; its paths hold in any working folder."""
        return {
            "task": self.task,
            "name": self.item.name,
            "args": self.item.args,
            "inputs": {name: _everywhere(path) for name, path in self.item.inputs.items()},
            "folder": str(self.folder.absolute()),
            "device": self.device,
            "version": self.version,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Order:
        """The order that a JSON object holds."""
        inputs = {name: Path(path) for name, path in data["inputs"].items()}
        item = Item(data["name"], data["args"], inputs)
        return cls(data["task"], item, Path(data["folder"]), data["device"], data["version"])

    def carry_out(self) -> Done | Failed:
        """Try the item once in this process."""
        if self.version != quarkline.__version__:
            reason = f"it runs Quarkline {quarkline.__version__}, not {self.version}"
            return Failed(self.item.name, reason, "")
        prepare_this_process(self.device)
        return attempt(self.task, self.item, self.folder)


def _everywhere(path: Path) -> str:
    return str(path) if address_of(path) else str(path.absolute())
