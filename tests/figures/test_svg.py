"""SVGs in fewer bytes are the same drawings."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET

import pytest

from quarkline.figures.svg import compact

LINK = "{http://www.w3.org/1999/xlink}href"


def corners(path):
    """Every point a path goes to, to a hundredth, without those it is at already."""
    at, points = (0.0, 0.0), []
    for command, rest in re.findall(r"([MLHVCQz])([^MLHVCQz]*)", path):
        numbers = [round(float(text), 2) for text in rest.split()]
        if command == "H":
            numbers = [numbers[0], at[1]]
        if command == "V":
            numbers = [at[0], numbers[0]]
        for pair in zip(numbers[::2], numbers[1::2], strict=True):
            if pair != at or not points:
                points.append(pair)
            at = pair
    return points


@pytest.mark.parametrize("name", ["mass_spectrum", "roc_curves", "correlation", "stack"])
def test_paths_and_marks_stay_where_they_are(draw, name):
    drawing = io.StringIO()
    draw(name).savefig(drawing, format="svg")
    text = drawing.getvalue()
    long = list(ET.fromstring(text).iter())
    short = list(ET.fromstring(compact(text, "q1")).iter())
    for tag in ("path", "use", "image", "clipPath"):
        pairs = [
            [item for item in items if item.tag.endswith("}" + tag)] for items in (long, short)
        ]
        assert len(pairs[0]) == len(pairs[1])
        for one, other in zip(*pairs, strict=True):
            for key in ("x", "y"):
                assert float(other.get(key, 0)) == pytest.approx(float(one.get(key, 0)), abs=0.006)
            if tag == "path":
                assert corners(other.get("d", "")) == corners(one.get("d", ""))
                styles = [re.sub(r"#\S+", "", item.get("style") or "") for item in (one, other)]
                assert styles[0] == styles[1]
            assert (LINK in one.attrib) == ("href" in other.attrib)
    assert len(compact(text, "q1")) < 0.7 * len(text)
