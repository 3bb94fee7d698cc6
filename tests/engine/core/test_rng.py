"""Random numbers are pure functions of a seed and names."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarkline.engine.core.rng import library_seed, mix64, rng, seed_bits, uniform_per_row

GAMMA = 0x9E3779B97F4A7C15

# The first outputs of splitmix64 from state 1234567, as listed by Rosetta Code ("Pseudo-random
# numbers/Splitmix64"), and from state 0, as given by Vigna's reference program.
PUBLISHED = {
    1234567: [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ],
    0: [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F],
}


@pytest.mark.parametrize("state", PUBLISHED)
def test_mix64_gives_the_published_outputs_of_splitmix64(state: int) -> None:
    states = [(state + step * GAMMA) % 2**64 for step in range(len(PUBLISHED[state]))]
    assert mix64(np.array(states, dtype=np.uint64)).tolist() == PUBLISHED[state]


@given(st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=50))
def test_mix64_is_one_to_one(values: list[int]) -> None:
    assert len(np.unique(mix64(np.array(values, dtype=np.uint64)))) == len(values)


def test_seeds_are_the_hash_of_seed_and_names() -> None:
    # printf '1\x1ftoys\x1f17' | b2sum -l 128, read little endian
    assert seed_bits(1, "toys", 17) == int.from_bytes(
        bytes.fromhex("2125db837c00e985801582a10a129355"), "little"
    )
    # printf '7\x1fa' | b2sum -l 64
    assert library_seed(7, "a") == (
        int.from_bytes(bytes.fromhex("f4dff1015e5afdb7"), "little") % 2**31
    )


def test_a_generator_is_philox_with_that_key() -> None:
    key = int.from_bytes(bytes.fromhex("2125db837c00e985801582a10a129355"), "little")
    expected = np.random.Generator(np.random.Philox(key=key)).integers(0, 2**63, 4)
    assert rng(1, "toys", 17).integers(0, 2**63, 4).tolist() == expected.tolist()


NAMES = [(), ("a",), ("b",), ("a", "b"), ("ab",), ("a", 1), (1,), ("b", "a")]


def test_names_give_independent_numbers() -> None:
    draws = np.array([rng(3, *names).normal(size=4000) for names in NAMES])
    correlation = np.corrcoef(draws) - np.eye(len(NAMES))
    assert np.abs(correlation).max() < 5 / np.sqrt(4000)


def test_seeds_give_independent_numbers() -> None:
    draws = np.array([rng(seed, "toys").normal(size=4000) for seed in range(8)])
    assert np.abs(np.corrcoef(draws) - np.eye(8)).max() < 5 / np.sqrt(4000)


def test_global_state_plays_no_part() -> None:
    np.random.seed(1)  # noqa: NPY002  (the global state is what this is about)
    first = rng(1, "x").normal()
    np.random.seed(2)  # noqa: NPY002
    assert rng(1, "x").normal() == first


identities = st.lists(
    st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**16)),
    min_size=1,
    max_size=60,
)


def columns(rows: list[tuple[int, int, int]]) -> list[np.ndarray]:
    return [np.array(column, dtype=np.uint64) for column in zip(*rows, strict=True)]


@given(rows=identities, data=st.data())
def test_draws_per_row_do_not_depend_on_order_or_chunks(
    rows: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    whole = uniform_per_row(5, "split", *columns(rows))
    order = data.draw(st.permutations(range(len(rows))))
    shuffled = uniform_per_row(5, "split", *columns([rows[index] for index in order]))
    assert shuffled.tolist() == whole[list(order)].tolist()
    cut = data.draw(st.integers(0, len(rows)))
    parts = [
        uniform_per_row(5, "split", *columns(part)) for part in (rows[:cut], rows[cut:]) if part
    ]
    assert np.concatenate(parts).tolist() == whole.tolist()


def test_draws_per_row_are_uniform_and_differ_by_seed_name_and_part() -> None:
    entries = np.arange(100_000, dtype=np.uint64)
    source = np.full_like(entries, 7)
    draws = {
        name: uniform_per_row(seed, text, *identity)
        for name, seed, text, identity in [
            ("one", 1, "split", (source, entries)),
            ("seed", 2, "split", (source, entries)),
            ("name", 1, "dropout", (source, entries)),
            ("swapped", 1, "split", (entries, source)),
            ("other source", 1, "split", (source + np.uint64(1), entries)),
        ]
    }
    for values in draws.values():
        assert (values.min() >= 0, values.max() < 1) == (True, True)
        counts, _ = np.histogram(values, bins=100, range=(0, 1))
        chi_square = ((counts - 1000) ** 2 / 1000).sum()
        assert 40 < chi_square < 180  # 99 degrees of freedom
    correlation = np.corrcoef(np.array(list(draws.values()))) - np.eye(len(draws))
    assert np.abs(correlation).max() < 5 / np.sqrt(len(entries))


def test_signed_identities_count_by_their_bits() -> None:
    signed = np.array([-1, 3], dtype=np.int64)
    unsigned = np.array([2**64 - 1, 3], dtype=np.uint64)
    assert (
        uniform_per_row(1, "x", signed).tolist() == uniform_per_row(1, "x", unsigned).tolist()  # type: ignore[arg-type]
    )
