# SPDX-License-Identifier: GPL-2.0-only
"""Plots as static SVG: no script, colours by the page's CSS classes, a text for each point."""
import math
from html import escape

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 80, 18, 50, 66


def size_text(size, unit=True):
    for step, name, short in ((1 << 20, "MiB", "M"), (1 << 10, "KiB", "K")):
        if size >= step and size % step == 0:
            return f"{size // step} {name}" if unit else f"{size // step}{short}"
    return f"{size} B" if unit else str(size)


def figure_text(value):
    """About three digits."""
    if value >= 1000:
        return f"{value:,.0f}".replace(",", "\u202f")
    return f"{value:.3g}" if value >= 0.001 else f"{value:.1e}"


def tick_text(value, unit):
    if unit == "ratio" and value < 1:
        return f"1/{1 / value:g}"
    for step, name in ((10 ** 9, "G"), (10 ** 6, "M"), (1000, "k")):
        if value >= step:
            return f"{value / step:g}{name}"
    return f"{value:g}"


class Axis:
    """Logarithmic from low to high, drawn from start to end."""

    def __init__(self, low, high, start, end):
        self.low, self.start = math.log(low), start
        self.scale = (end - start) / ((math.log(high) - self.low) or 1)

    def __call__(self, value):
        return round(self.start + (math.log(value) - self.low) * self.scale, 1)


def marker(number, x, y, r=6):
    """A shape of its own for each series, so that colour is not all that tells them apart."""
    if number == 0:
        return f'<circle cx="{x}" cy="{y}" r="{r}"/>'
    if number == 1:
        return f'<circle class="hollow" cx="{x}" cy="{y}" r="{r}"/>'
    if number == 2:
        return f'<rect x="{x - r + 1:g}" y="{y - r + 1:g}" width="{2 * r - 2}" height="{2 * r - 2}"/>'
    shapes = {3: ((0, -r), (r, r - 1), (-r, r - 1)), 4: ((0, r), (r, 1 - r), (-r, 1 - r)),
              5: ((0, -r), (r, 0), (0, r), (-r, 0)), 6: ((0, -r), (r, 0), (0, r), (-r, 0))}
    corners = " ".join(f"{x + dx:g},{y + dy:g}" for dx, dy in shapes[number])
    return f'<polygon class="{"hollow" if number == 6 else ""}" points="{corners}"/>'


def swatch(css, number):
    """For a legend."""
    return (f'<svg class="swatch {css}" viewBox="0 0 34 14" aria-hidden="true"><path class="line" d="M1 7H33"/>'
            f'{marker(number, 17, 7, 5)}</svg>')


def begin(name, height, title, text):
    return [f'<svg class="plot" id="{name}" viewBox="0 0 {WIDTH} {height}" role="img" '
            f'aria-labelledby="{name}-title {name}-desc">',
            f'<title id="{name}-title">{escape(title)}</title>',
            f'<desc id="{name}-desc">{escape(text)}</desc>']


def frame(x, y, sizes, ticks, unit):
    out = [f'<text class="unit" x="4" y="26">{escape(unit)}</text>']
    for tick in ticks:
        out.append(f'<path class="grid{" one" if unit == "ratio" and tick == 1 else ""}" '
                   f'd="M{LEFT} {y(tick)}H{WIDTH - RIGHT}"/>'
                   f'<text class="tick" text-anchor="end" x="{LEFT - 8}" y="{y(tick) + 6:g}">{tick_text(tick, unit)}</text>')
    bottom = HEIGHT - BOTTOM
    for size in sizes:
        out.append(f'<path class="grid" d="M{x(size)} {TOP}V{bottom + 5}"/>'
                   f'<text class="tick" text-anchor="middle" x="{x(size)}" y="{bottom + 26}">'
                   f'{size_text(size, False)}</text>')
    out.append(f'<text class="unit" text-anchor="middle" x="{(LEFT + WIDTH - RIGHT) / 2:g}" y="{HEIGHT - 8}">'
               'message size, bytes</text>')
    return out


def curve(series, name, css, number, points, x, y, unit):
    """Line, spread and points of one series."""
    path = "L".join(f'{x(one["size"])} {y(one["median"])}' for one in points)
    out = [f'<g class="series {css}" data-series="{escape(series)}"><path class="line" d="M{path}"/>']
    for one in points:
        at = x(one["size"])
        text = f'{name}, {size_text(one["size"])}: {figure_text(one["median"])} {unit} ' \
               f'({figure_text(one["min"])} to {figure_text(one["max"])})'
        out.append(f'<g class="point" data-size="{one["size"]}" data-value="{one["median"]!r}">'
                   f'<title>{escape(text)}</title>'
                   f'<path class="spread" d="M{at} {y(one["max"])}V{y(one["min"])}"/>'
                   f'{marker(number, at, y(one["median"]))}</g>')
    return out + ["</g>"]


def over_size(name, title, text, unit, curves, ticks=None):
    """A plot of curves over size: (series, name, CSS class, marker, points) each. Ticks: decades."""
    points = [one for curve_ in curves for one in curve_[4]]
    sizes = sorted({one["size"] for one in points})
    low, high = min(one["min"] for one in points), max(one["max"] for one in points)
    if ticks is None:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        ticks = [10.0 ** exponent for exponent in range(first, max(last, first + 1) + 1)]
    low, high = min(low, ticks[0]), max(high, ticks[-1])
    x = Axis(sizes[0], max(sizes[-1], 2 * sizes[0]), LEFT + 14, WIDTH - RIGHT - 14)
    y = Axis(low, high, HEIGHT - BOTTOM, TOP)
    out = begin(name, HEIGHT, title, text) + frame(x, y, sizes, ticks, unit)
    for series, label, css, number, its in curves:
        out += curve(series, label, css, number, its, x, y, "times" if unit == "ratio" else unit)
    return "\n".join(out + ["</svg>"])


def ratio_ticks(points):
    """Powers of two around 1, wide enough for the spread."""
    far = max(2.0, *(max(one["max"], 1 / one["min"]) for one in points))
    exponent = math.ceil(math.log2(far))
    step = 1 if exponent <= 3 else 2
    return [2.0 ** e for e in range(-exponent - exponent % step, exponent + exponent % step + 1, step)]


def tag_text(one):
    return "no hint" if one["st"] is None else f'{one["st"]} {one["st_width"]}-bit PH {one["ph"]}'


def histogram(name, title, text, tags):
    """A bar for each tag: what the completer counted; a line across it: what was on the wire."""
    row, left, right = 42, 284, 92
    height = 12 + row * len(tags)
    longest = max(max(one["completer"], one["wire"]) for one in tags) or 1
    scale = (WIDTH - left - right) / longest
    out = begin(name, height, title, text)
    for number, one in enumerate(tags):
        y = 6 + row * number
        css = "none" if one["st"] is None else f'st{one["st_width"]}'
        words = f'{tag_text(one)}: {one["wire"]} TLPs on the wire, {one["completer"]} counted'
        wire = left + one["wire"] * scale
        out.append(f'<g class="point {css}" data-tag="{one["st"]}/{one["st_width"]}/{one["ph"]}" '
                   f'data-value="{one["completer"]}"><title>{escape(words)}</title>'
                   f'<text class="label" text-anchor="end" x="{left - 10}" y="{y + 25}">{escape(tag_text(one))}</text>'
                   f'<rect class="bar" x="{left}" y="{y + 5}" width="{one["completer"] * scale:.1f}" height="28"/>'
                   f'<path class="wire" d="M{wire:.1f} {y}v38"/>'
                   f'<text class="label" x="{max(wire, left + one["completer"] * scale) + 9:.1f}" y="{y + 25}">'
                   f'{one["completer"]}</text></g>')
    return "\n".join(out + ["</svg>"])
