"""Texts keep the place of every character, whatever they are put together from."""

from __future__ import annotations

import pickle
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from quarkline.catalog import Written
from quarkline.catalog.written import conjunction, product
from quarkline.engine.core.config import Config, load_config
from quarkline.engine.core.findings import Place

LINES = [f"{'abcdefghij'[number]}-{number} some words of line {number}" for number in range(8)]
pieces = st.tuples(st.integers(0, 7), st.integers(0, 10), st.integers(11, 22))


def piece(number: int, start: int, stop: int) -> Written:
    """Some characters of a line, at their place."""
    place = Place(Path("a.config"), number + 1, start + 1, stop - start, LINES[number])
    return Written.at(LINES[number][start:stop], place)


def assert_every_character_is_where_it_says(text: Written) -> None:
    for index, sign in enumerate(text):
        place = text.within(index, index + 1)
        assert place.text[place.column - 1] == sign
        assert LINES[place.line - 1] == place.text


@given(st.lists(pieces, min_size=1, max_size=6), st.data())
def test_each_character_of_a_joined_and_cut_text_knows_its_place(chosen, data):
    text = Written.joined([piece(*item) for item in chosen])
    assert_every_character_is_where_it_says(text)
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, len(text)))
    cut = text.part(start, stop)
    assert cut == str(text)[start:stop]
    assert_every_character_is_where_it_says(cut)
    assert_every_character_is_where_it_says(cut.stripped())
    assert cut.stripped() == str(cut).strip()
    assert_every_character_is_where_it_says(pickle.loads(pickle.dumps(cut)))


def test_a_part_that_crosses_a_border_is_as_long_as_its_first_piece():
    text = Written.joined([piece(0, 0, 5), piece(3, 0, 5)])
    assert (text.within(3, 9).line, text.within(3, 9).length) == (1, 2)


def test_quotes_around_a_text_are_taken_off_once_and_only_in_pairs():
    assert Written('  " a b " ').trimmed() == "a b"
    assert Written('"a","b"').trimmed() == '"a","b"'
    assert Written('"').trimmed() == '"'


def test_a_product_and_a_conjunction_keep_the_precedence_of_their_parts():
    parts = [Written("a + b"), Written("c || d")]
    assert product(parts) == "(a + b)*(c || d)"
    assert conjunction(parts) == "(a + b)&&(c || d)"
    assert conjunction(parts[:1]) == "a + b"
    assert product([]) == "1"


def test_a_part_is_replaced_by_one_wherever_it_stands():
    assert Written("w*jvt*(w*jvt)").without("w*jvt") == "1*(1)"
    assert Written("a && b").without("c") == "a && b"


class Cut(Config):
    plain: Written
    quoted: Written
    folded: Written
    number: Written


def test_a_text_in_yaml_points_at_its_own_characters(tmp_path: Path):
    path = tmp_path / "a.yaml"
    path.write_text("plain: pt > 3\nquoted: 'a == b'\nfolded: >\n  a &&\n  b\nnumber: 1.20\n")
    cut = load_config(path).validate(Cut)
    assert str(cut.plain.within(5, 6)) == f"{path}:1:13"
    assert str(cut.quoted.within(0, 1)) == f"{path}:2:10"
    assert cut.folded.within(5, 6).line == 3
    assert cut.folded.within(5, 6).column is None
    assert cut.number == "1.2"
