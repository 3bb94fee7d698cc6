"""Random numbers without global state: a generator is a pure function of a seed and names.

Every generator is a Philox counter keyed by a hash, so equal names give equal numbers on every
platform and in every process. Draws per event are keyed by the event's row id, which makes them
independent of chunking, order and workers.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def seed_bits(seed: int, *names: str | int, bits: int = 128) -> int:
    """Hash a seed and names to an integer of `bits` bits (blake2b)."""
    text = "\x1f".join([str(int(seed)), *(str(name) for name in names)])
    digest = hashlib.blake2b(text.encode(), digest_size=bits // 8).digest()
    return int.from_bytes(digest, "little")


def rng(seed: int, *names: str | int) -> np.random.Generator:
    """A generator for one purpose, for example `rng(seed, "toys", 17)`."""
    return np.random.Generator(np.random.Philox(key=seed_bits(seed, *names)))


def library_seed(seed: int, *names: str | int) -> int:
    """A seed in [0, 2^31) for libraries that take a plain integer."""
    return seed_bits(seed, *names, bits=64) % 2**31


def uniform_per_row(seed: int, name: str, *identity: NDArray[np.uint64]) -> NDArray[np.float64]:
    """One number in [0, 1) for each row, a pure function of (seed, name, identity).

    Args:
        seed: The analysis seed.
        name: What the numbers are for.
        identity: The parts of the row id (source, entry, object), each with shape (N,).
    """
    key = np.uint64(seed_bits(seed, name, bits=64))
    mixed = np.full(len(identity[0]), key, dtype=np.uint64)
    for part in identity:
        mixed = mix64(mixed ^ mix64(part.astype(np.uint64)))
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def mix64(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix the bits of 64-bit integers: the finaliser of splitmix64 (Steele et al., 2014)."""
    with np.errstate(over="ignore"):
        mixed = values + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
