"""Makes keras_steps.json: an epoch of upstream's procedure in Keras, without dropout.

Run it with TensorFlow 2.13.1, in an environment of its own: `python keras_steps.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras_case as case
import numpy as np
from tensorflow import keras

layers = keras.layers


def _classifier() -> tuple[Any, dict[str, Any]]:
    """What applies the network to inputs, and its layers by name."""
    norm = keras.regularizers.L1L2(case.PENALTY, case.PENALTY)
    made: dict[str, Any] = {}
    for name, parts in case.layers().items():
        width = parts["bias"][0]
        if "conv1d" in name:
            made[name] = layers.Conv1D(width, 1, activation="relu", kernel_regularizer=norm)
        elif "lstm" in name:
            made[name] = layers.LSTM(width // 4, kernel_regularizer=norm)
        elif name == "main_output":
            made[name] = layers.Dense(width, activation="softmax", name=name)
        else:
            made[name] = layers.Dense(width, activation="relu", kernel_regularizer=norm)

    def apply(inputs: dict[str, Any]) -> Any:
        names, ends = iter(made), []
        for group, filters in case.FILTERS.items():
            values = inputs[group]
            for _ in range(len(filters) + 1):
                values = made[next(names)](values)
            ends.append(values)
        values = layers.Concatenate()([*ends, inputs["jet"]])
        for name in names:
            values = made[name](values)
        return values

    return apply, made


def main() -> None:
    """Train one epoch and write the weights behind it."""
    shapes = {**case.LENGTHS, "jet": (3,)}
    apply, made = _classifier()
    own = {name: keras.Input(shape) for name, shape in shapes.items()}
    other = {name: keras.Input(shape) for name, shape in shapes.items()}
    output, scores = apply(own), apply(other)
    adversary: list[Any] = []
    for width in (*case.ADVERSARY, 1):
        kind = "sigmoid" if width == 1 else "tanh"
        adversary += [layers.BatchNormalization(), layers.Dense(width, activation=kind)]
    judged = scores
    for layer in adversary:
        judged = layer(judged)
    original = keras.Model([*own.values(), *other.values()], [output, judged])
    discriminator = keras.Model(list(other.values()), judged)
    weights = case.classifier_weights()
    for name, layer in made.items():
        layer.set_weights([value for key, value in weights.items() if key.startswith(f"{name}/")])
    for layer, values in zip(adversary, case.adversary_weights(), strict=True):
        layer.set_weights(values)

    def moves(model: Any, *, adversarial: bool) -> None:
        for layer in model.layers:
            layer.trainable = (layer in adversary) == adversarial

    moves(discriminator, adversarial=True)
    discriminator.compile(keras.optimizers.Nadam(case.RATE), "binary_crossentropy")
    moves(original, adversarial=False)
    original.compile(
        keras.optimizers.Nadam(case.RATE),
        [
            "categorical_crossentropy",
            lambda true, found: -case.WEIGHT * keras.losses.binary_crossentropy(true, found),
        ],
    )
    jets, control = case.case()
    mirrored = np.pad(np.arange(case.CONTROL), (0, case.MAIN - case.CONTROL), mode="symmetric")
    pieces = zip(
        *(
            np.array_split(rows, case.SPLITS)
            for rows in (np.arange(case.MAIN), np.arange(case.CONTROL), mirrored)
        ),
        strict=True,
    )
    target = control["target"].astype(np.float32)
    classes = np.eye(3, dtype=np.float32)[jets["target"]]
    losses = []
    for mine, short, long in pieces:
        inputs = [control[name][short] for name in shapes]
        judging = (inputs, target[short], control["weight"][short])
        losses += [discriminator.train_on_batch(*judging) for _ in range(2)]
        both = [jets[name][mine] for name in shapes] + [control[name][long] for name in shapes]
        losses.append(
            original.train_on_batch(
                both,
                [classes[mine], target[long]],
                sample_weight=[jets["weight"][mine], control["weight"][long]],
            )[0]
        )
    after = {
        key: value.ravel().tolist()
        for name, layer in made.items()
        for key, value in zip(
            [key for key in weights if key.startswith(f"{name}/")],
            layer.get_weights(),
            strict=True,
        )
    }
    judges = [[value.ravel().tolist() for value in layer.get_weights()] for layer in adversary]
    told = {"losses": losses, "classifier": after, "adversary": judges}
    rounded = json.loads(json.dumps(told), parse_float=lambda text: float(f"{float(text):.8g}"))
    Path(__file__).with_suffix(".json").write_text(json.dumps(rounded) + "\n")


if __name__ == "__main__":
    main()
