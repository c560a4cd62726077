"""Geometry for the inline SVG: numbers in, coordinates out. Colour is the stylesheet's.

Sizes are in the view box's units. No style attribute anywhere: the content policy
forbids them, so shapes are drawn by attributes alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi, sin
from typing import NamedTuple


class Bar(NamedTuple):
    """A rectangle, with what it stands for."""

    x: float
    y: float
    width: float
    height: float
    label: str
    kind: str


def spark(values: Sequence[float], width: float = 240, height: float = 48) -> tuple[str, str]:
    """Return the paths of a line and of the area under it, scaled to the highest value."""
    if len(values) < 2:
        return "", ""
    top = max(*values, 1)
    step = width / (len(values) - 1)
    points = [
        f"{at * step:.1f} {height - 2 - value / top * (height - 6):.1f}"
        for at, value in enumerate(values)
    ]
    line = "M" + "L".join(points)
    return line, f"{line}L{width:g} {height:g}L0 {height:g}Z"


def arc(share: float, radius: float = 80, centre: tuple[float, float] = (100, 96)) -> str:
    """Return the path of a half circle's first `share`, from the left over the top."""
    x, y = centre
    angle = pi * (1 - min(max(share, 0.004), 1.0))
    end = f"{x + radius * cos(angle):.2f} {y - radius * sin(angle):.2f}"
    return f"M{x - radius:g} {y:g}A{radius:g} {radius:g} 0 0 1 {end}"


def histogram(
    counts: Sequence[int], thresholds: tuple[float, float], width: float = 600, height: float = 140
) -> list[Bar]:
    """Return a bar for each count over [0, 1], coloured by the band it lies in."""
    top = max(*counts, 1)
    step = width / len(counts)
    low, high = thresholds
    bars = []
    for at, count in enumerate(counts):
        begins = at / len(counts)
        tall = max(count / top * height, 2 if count else 0)
        kind = "low" if begins < low else "medium" if begins < high else "high"
        label = f"{begins:.0%}–{(at + 1) / len(counts):.0%}"
        bars.append(Bar(at * step + 1.5, height - tall, step - 3, tall, label, kind))
    return bars


def stack(parts: Sequence[tuple[str, int]], width: float = 600, height: float = 10) -> list[Bar]:
    """Return bars side by side that share the width by their counts."""
    whole = sum(count for _, count in parts) or 1
    bars = []
    x = 0.0
    for at, (label, count) in enumerate(parts):
        wide = count / whole * width
        bars.append(Bar(x, 0, max(wide - 2, 1), height, label, f"part{at % 6}"))
        x += wide
    return bars


class Dot(NamedTuple):
    """A circle, with what it stands for."""

    x: float
    y: float
    radius: float
    predicted: float
    happened: float
    examples: int


def line(
    points: Sequence[tuple[float, float]],
    around: tuple[float, float],
    width: float = 600,
    height: float = 120,
) -> tuple[str, float, float]:
    """Return the path of (x, y) points, and the values at the bottom and at the top.

    The range holds `around` and all the values.
    """
    xs, ys = [x for x, _ in points], [y for _, y in points]
    low, high = min(*ys, around[0]), max(*ys, around[1])
    first, wide = xs[0], (xs[-1] - xs[0]) or 1
    placed = [
        f"{(x - first) / wide * width:.1f} {height - (y - low) / (high - low) * height:.1f}"
        for x, y in points
    ]
    return "M" + "L".join(placed), low, high


def calibration(bins: Sequence[tuple[int, float, float]], size: float = 220) -> list[Dot]:
    """Return a dot for each bin (examples, predicted, came true), its area by the examples."""
    most = max((count for count, _, _ in bins), default=1)
    return [
        Dot(
            predicted * size,
            size - happened * size,
            max(2.5, 9 * (count / most) ** 0.5),
            predicted,
            happened,
            count,
        )
        for count, predicted, happened in bins
    ]


def lift(tenths: Sequence[float], width: float = 600, height: float = 140) -> list[Bar]:
    """Return a bar for each tenth's lift; the mark of 1 lies at the same scale (`level`)."""
    if not tenths:
        return []
    top = max(*tenths, 1.5)
    step = width / len(tenths)
    return [
        Bar(at * step + 3, height - tall, step - 6, tall, f"{value:.2f}", kind)
        for at, value in enumerate(tenths)
        for tall, kind in [(value / top * height, "above" if value >= 1 else "below")]
    ]


def level(tenths: Sequence[float], height: float = 140) -> float:
    """Return where a lift of 1 lies in `lift`'s chart."""
    return height - height / max(*tenths, 1.5) if tenths else height
