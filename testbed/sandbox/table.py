# SPDX-License-Identifier: GPL-2.0-only
"""Tables for a terminal."""


def table(rows, right=()):
    """Lines of ROWS, lists of cells, in columns as wide as they need to be; those of RIGHT are aligned to the right.

    None is shown as -.
    """
    rows = [["-" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    return ["  ".join(cell.rjust(width) if i in right else cell.ljust(width)
                      for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows]


def figure(value):
    """A number as people read it: three digits or so."""
    if value is None:
        return "-"
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
