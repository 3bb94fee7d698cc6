"""The other side of `tagging_epoch.py`: upstream's network in Keras 2.13. THREADS JETS."""

from __future__ import annotations

import sys

import numpy as np
import tensorflow as tf
from tagging_epoch import SHAPES, SPLITS, jets, serve
from tensorflow import keras
from tensorflow.keras import layers

FILTERS = {"constit": [64, 32, 32, 16], "track": [64, 32, 32, 16], "MSeg": [32, 16, 8]}
NODES = {"constit": 10, "track": 10, "MSeg": 5}
DROPOUT, RATE, PENALTY, WEIGHT = 0.2, 8e-4, 1e-11, 10.0


def classifier() -> object:
    """Layers that are shared by both inputs, as a function of the inputs by name."""
    penalty = keras.regularizers.L1L2(PENALTY, PENALTY)

    def dense(width: int) -> object:
        return layers.Dense(width, "relu", kernel_regularizer=penalty)

    convolutions = {
        name: [
            layers.Conv1D(width, 1, activation="relu", kernel_regularizer=penalty)
            for width in widths
        ]
        for name, widths in FILTERS.items()
    }
    lstms = {name: layers.LSTM(width, kernel_regularizer=penalty) for name, width in NODES.items()}
    hidden, output = [dense(512), dense(64)], layers.Dense(3, "softmax")

    def applied(inputs: dict[str, object]) -> object:
        parts = []
        for name in FILTERS:
            values = inputs[name]
            for number, convolution in enumerate(convolutions[name]):
                values = convolution(values)
                values = layers.Dropout(DROPOUT)(values) if number else values
            parts.append(layers.Dropout(DROPOUT)(lstms[name](values)))
        values = layers.Concatenate()([*parts, inputs["jet"]])
        for layer in hidden:
            values = layers.Dropout(DROPOUT)(layer(values))
        return output(values)

    return applied


def adversary() -> list[object]:
    """Its layers."""
    found: list[object] = []
    for width in (24, 12, 6):
        found += [layers.BatchNormalization(), layers.Dense(width, "tanh")]
    return [*found, layers.BatchNormalization(), layers.Dense(1, "sigmoid")]


def main() -> None:
    """Build both models and serve."""
    tf.config.threading.set_intra_op_parallelism_threads(int(sys.argv[1]))
    tf.config.threading.set_inter_op_parallelism_threads(int(sys.argv[1]))
    shared, judge = classifier(), adversary()
    main_inputs = {name: keras.Input(shape) for name, shape in SHAPES.items()}
    control_inputs = {name: keras.Input(shape) for name, shape in SHAPES.items()}
    scores, judged = shared(main_inputs), shared(control_inputs)
    for layer in judge:
        judged = layer(judged)
    both = [*main_inputs.values(), *control_inputs.values()]
    whole = keras.Model(both, [scores, judged])
    alone = keras.Model(list(control_inputs.values()), judged)
    own = {id(layer) for layer in judge}
    for model, moves in ((alone, True), (whole, False)):
        for layer in model.layers:
            layer.trainable = (id(layer) in own) == moves
        losses = {"loss": "binary_crossentropy", "metrics": ["binary_accuracy"]}
        if model is whole:
            losses = {
                "loss": ["categorical_crossentropy", fooled],
                "metrics": [["categorical_accuracy"], ["binary_accuracy"]],
            }
        model.compile(keras.optimizers.Nadam(RATE), **losses)
    serve(stepper(whole, alone))


def fooled(target: object, score: object) -> object:
    """What the classifier minimises of the adversary's loss."""
    return -WEIGHT * keras.losses.binary_crossentropy(target, score)


def stepper(whole: object, alone: object) -> object:
    """A function of a batch's number that trains on it."""
    main_jets, control, padded = jets(sys.argv[2])
    draw = np.random.default_rng(2)
    label = np.eye(3, dtype=np.float32)[draw.integers(0, 3, len(main_jets[0]))]
    target = draw.integers(0, 2, len(control[0])).astype(np.float32)

    def pieces(arrays: list[np.ndarray]) -> list[list[np.ndarray]]:
        split = (np.array_split(one, SPLITS) for one in arrays)
        return [list(part) for part in zip(*split, strict=True)]

    mains, controls = pieces([*main_jets, label]), pieces([*control, target])
    longer = pieces([*(one[padded] for one in control), target[padded]])

    def step(batch: int) -> None:
        *inputs, truth = controls[batch]
        for _ in range(2):
            alone.train_on_batch(inputs, truth, np.ones(len(truth), np.float32))
        *first, labels = mains[batch]
        *second, targets = longer[batch]
        weights = [np.ones(len(labels), np.float32)] * 2
        whole.train_on_batch([*first, *second], [labels, targets], sample_weight=weights)

    return step


if __name__ == "__main__":
    main()
