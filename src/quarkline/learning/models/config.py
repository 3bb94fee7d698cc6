"""Settings of the classifiers a config can ask for, behind one registry; loads no torch."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from quarkline.engine.core.config import Config

if TYPE_CHECKING:
    from torch import nn

    from quarkline.learning.features.geometry import Geometry

GROUP = "quarkline.models"
"""Entry points of other packages: subclasses of `NetworkConfig` with a `kind` of their own."""

Missing = Literal["learned", "mean"]
ObjectReading = Literal["attention", "slots"]
MISSING_HELP = "Missing numbers: a learned value of each feature, or its mean."
OBJECTS_HELP = "Objects: by attention, in any order, or place by place as features."


class NetworkConfig(Config):
    """Base of the settings of a network."""

    kind: str

    def build(self, geometry: Geometry, classes: int) -> nn.Module:
        """The module that maps a batch's tensors to logits, with shape (N, classes)."""
        raise NotImplementedError


class ResidualNetworkConfig(NetworkConfig):
    """Residual network: blocks of one layer each, added to what came before."""

    kind: Literal["resnet"] = Field("resnet", description="Residual network.")
    blocks: int = Field(6, ge=1, description="Blocks.")
    width: int = Field(64, ge=1, description="Width of the blocks.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of the activations left out.")
    categories: Literal["embed", "one-hot", "number"] = Field(
        "embed", description="Kinds: as learned vectors, as flags, or as plain numbers."
    )
    embedding: int = Field(8, ge=1, description="Length of the learned vectors.")
    missing: Missing = Field("learned", description=MISSING_HELP)
    objects: ObjectReading = Field("attention", description=OBJECTS_HELP)

    def build(self, geometry: Geometry, classes: int) -> nn.Module:
        """The network, with weights from torch's global state."""
        from quarkline.learning.models.residual import ResidualNetwork

        return ResidualNetwork(self, geometry, classes)


class FTTransformerConfig(NetworkConfig):
    """Transformer whose tokens are the features and objects of an event."""

    kind: Literal["ft-transformer"] = Field("ft-transformer", description="Transformer.")
    blocks: int = Field(2, ge=1, description="Blocks.")
    width: int = Field(128, ge=1, description="Width of a token.")
    heads: int = Field(4, ge=1, description="Attention heads; they divide the width.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of attention and sums left out.")
    readout: Literal["token", "first"] = Field(
        "token", description="What is read out: a token of its own, or that of the first feature."
    )
    missing: Missing = Field("learned", description=MISSING_HELP)
    objects: ObjectReading = Field("attention", description=OBJECTS_HELP)

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> Self:
        if self.width % self.heads:
            below = self.width - self.width % self.heads
            near = [width for width in (below, below + self.heads) if width]
            msg = (
                f"{self.heads} heads do not divide a width of {self.width}; "
                f"write width {' or '.join(map(str, near))}"
            )
            raise ValueError(msg)
        return self

    def build(self, geometry: Geometry, classes: int) -> nn.Module:
        """The network, with weights from torch's global state."""
        from quarkline.learning.models.transformer import FTTransformer

        return FTTransformer(self, geometry, classes)


class StreamConfig(Config):
    """What the objects of one group go through."""

    filters: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (64, 32, 32, 16), min_length=1, description="Widths of the layers that see one object."
    )
    nodes: int = Field(
        10, ge=0, description="Width of the LSTM over the objects; 0 is their mean instead."
    )
    layers: int = Field(1, ge=1, description="LSTMs, one on top of the other.")


class StreamNetworkConfig(NetworkConfig):
    """Recurrent network: an LSTM reads the objects of each group in their order."""

    kind: Literal["lstm-streams"] = Field("lstm-streams", description="LSTMs over objects.")
    streams: tuple[StreamConfig, ...] = Field(
        (StreamConfig(),),
        min_length=1,
        description="One for each group of objects; a single one is for all.",
    )
    hidden: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (512, 64), description="Widths of the layers behind the streams."
    )
    dropout: float = Field(0.2, ge=0, lt=1, description="Share of the activations left out.")
    absent: Literal["skipped", "zeros"] = Field(
        "skipped", description="Places without an object: skipped, or read as objects of zeros."
    )
    bidirectional: bool = Field(False, description="Read the objects backwards, too.")

    def build(self, geometry: Geometry, classes: int) -> nn.Module:
        """The network, with weights from torch's global state."""
        from quarkline.learning.models.streams import StreamNetwork

        return StreamNetwork(self, geometry, classes)


class TreesConfig(Config):
    """Boosted trees of LightGBM."""

    kind: Literal["bdt"] = Field("bdt", description="Boosted trees of LightGBM.")
    trees: int = Field(500, ge=1, description="Most trees of each class.")
    leaves: int = Field(31, ge=2, description="Most leaves of a tree.")
    learning_rate: float = Field(0.05, gt=0, description="Weight of each new tree.")
    subsample: float = Field(1.0, gt=0, le=1, description="Share of the events a tree sees.")
    feature_fraction: float = Field(
        1.0, gt=0, le=1, description="Share of the features a tree sees."
    )
    min_leaf: int = Field(20, ge=1, description="Fewest events in a leaf.")
    l2: float = Field(0.0, ge=0, description="Penalty on the square of a leaf's value.")
    patience: int = Field(
        50, ge=1, description="Stop after so many trees that improve no held-out loss."
    )


NETWORKS: tuple[type[NetworkConfig], ...] = (
    ResidualNetworkConfig,
    FTTransformerConfig,
    StreamNetworkConfig,
)
"""The networks that come with Quarkline: a new one is a subclass and its place here."""


def _known() -> Any:
    """Networks of this package and of others, and trees, as one type."""
    found = [point.load() for point in importlib.metadata.entry_points(group=GROUP)]
    known: Any = TreesConfig
    for network in (*NETWORKS, *found):
        known = network | known
    return known


if TYPE_CHECKING:
    ModelConfig = ResidualNetworkConfig | FTTransformerConfig | StreamNetworkConfig | TreesConfig
else:
    ModelConfig = Annotated[_known(), Field(discriminator="kind")]
