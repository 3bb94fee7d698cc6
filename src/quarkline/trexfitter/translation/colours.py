"""ROOT's colours by their numbers, as `#rrggbb`.

The numbers are those of ROOT's `TColor`: 50 mixed colours, a rainbow from 51, six circles of pure
hues (`kRed+2`) and six rectangles of the hues between them (`kOrange-3`), whose colours have
channels of 0, 51, ... 255.
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Iterator

MIXED = (
    "000000 ff0000 00ff00 0000ff ffff00 ff00ff 00ffff 59d454 5954d9 ffffff c0b6ac 4d4d4d 666666 "
    "808080 999999 b2b2b2 cccccc e5e5e5 f2f2f2 ccc7ab ccc7ab c2bfa8 bab5a3 b2a696 b8a39c ad998c "
    "9c8f82 876657 b0cfc7 85c2a3 8aa8a1 829e8c adbdc7 7a8f99 758a91 698296 6e7a85 7d99d1 80809c "
    "aba6bf d4cf87 deba87 bd9e82 c7997d bf8278 cf5e61 ab8f94 a6787a 946970 d45954"
)
STEP = 51
HUES = {
    "magenta": (616, "h", "l", "h"),
    "red": (632, "h", "l", "l"),
    "yellow": (400, "h", "h", "l"),
    "green": (416, "l", "h", "l"),
    "cyan": (432, "l", "h", "h"),
    "blue": (600, "l", "l", "h"),
}
"""The number of each circle's pure colour, and which channels are high or low."""
NEAR = ("543", "432", "321", "320", "431", "542", "530", "541", "430", "540")
FAR = ("531", "420", "210", "310", "421", "532", "520", "521", "410", "510")
"""High, middle and low channel of a rectangle's colours, the middle one near to the high one."""
BETWEEN = {
    "orange": (800, (0, 1, 2), NEAR + FAR),
    "spring": (820, (1, 0, 2), FAR + NEAR),
    "teal": (840, (2, 0, 1), NEAR + FAR),
    "azure": (860, (2, 1, 0), NEAR[:3] + FAR[3:] + FAR[:3] + NEAR[3:]),
    "violet": (880, (1, 2, 0), NEAR + FAR),
    "pink": (900, (0, 2, 1), FAR + NEAR),
}
"""The number of each rectangle, which of a triple red, green and blue are, and the triples."""
ODD = {837: "#00ff66", 847: "#00ff99", 908: "#cc0099", 909: "#ff33cc", 910: "#ff0099"}
"""Colours in the rectangles that do not follow their order."""


def root_colour(number: int) -> str | None:
    """The colour of a number, as `#rrggbb`; None if ROOT has none, or not always the same."""
    return COLOURS.get(number)


def rgb_colour(channels: Iterable[float]) -> str:
    """The colour of three channels from 0 to 255."""
    return "#" + "".join(f"{round(channel):02x}" for channel in channels)


def _rainbow() -> Iterator[tuple[int, str]]:
    for index in range(49):
        hue = (280 - 5.6 * (index + 1)) / 360
        channels = colorsys.hls_to_rgb(hue, 0.5, 1.0)
        yield 51 + index, rgb_colour(int(255 * channel + 0.5) for channel in channels)


def _circle(number: int, pattern: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    pairs = ((high, low) for low in range(4, -1, -1) for high in range(5, low, -1))
    for offset, (high, low) in enumerate(pairs, start=-10):
        channels = ({"h": high, "l": low}[sign] * STEP for sign in pattern)
        yield number + offset, rgb_colour(channels)


def _rectangle(
    number: int, order: tuple[int, ...], triples: Iterable[str]
) -> Iterator[tuple[int, str]]:
    for offset, triple in enumerate(triples, start=-9):
        yield number + offset, rgb_colour(int(triple[index]) * STEP for index in order)


def _colours() -> Iterator[tuple[int, str]]:
    yield 0, "#ffffff"
    yield from ((number, f"#{colour}") for number, colour in enumerate(MIXED.split(), start=1))
    yield from _rainbow()
    for number, *pattern in HUES.values():
        yield from _circle(number, tuple(pattern))
    for number, order, triples in BETWEEN.values():
        yield from _rectangle(number, order, triples)
    yield from ((920 + index, rgb_colour([4 * STEP - index * STEP] * 3)) for index in range(4))


COLOURS = dict(_colours()) | ODD
