# SPDX-License-Identifier: GPL-2.0-only
"""Tables for a terminal."""


def text(cell):
    """A cell as people read it: - for None, a whole number without a point."""
    if cell is None:
        return "-"
    if isinstance(cell, float) and cell.is_integer():
        return f"{cell:.0f}"
    return str(cell)


def table(rows, right=(), least=(), gap="  "):
    """Lines of ROWS, lists of cells, in columns as wide as they need to be; those of RIGHT are aligned to the right.

    LEAST has the least width of each of the first columns, so that tables of several runs look the same. GAP is between two columns.
    """
    rows = [[text(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    for i, width in enumerate(least[:len(widths)]):
        widths[i] = max(widths[i], width)
    return [gap.join(cell.rjust(width) if i in right else cell.ljust(width)
                     for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows]


def figure(value):
    """A number as people read it: three digits or so."""
    if value is None:
        return "-"
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def nearest(value):
    """The whole number next to VALUE; of two that are as near, the one that is farther from 0, as C's round()."""
    return int(abs(value) + 0.5) * (1 if value >= 0 else -1)
