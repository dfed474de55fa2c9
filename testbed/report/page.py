# SPDX-License-Identifier: GPL-2.0-only
"""The report as one HTML page that needs nothing else: JSON of assemble.py on standard input, page on
standard output."""
import json
import sys
from html import escape
from pathlib import Path

import plot

CSS = {"bar-tph": ("s0", 0), "bar": ("s1", 1), "host": ("s2", 2), "rxe": ("s3", 3), "siw": ("s4", 4),
       "memcpy-bar": ("s5", 5), "memcpy-host": ("s6", 6)}

AGAIN = {"clock": "perftest could not measure the rate of the clock beside the machine\u2019s other work.",
         "failed": "one of soft-RoCE or soft-iWARP failed or did not end in time."}


def number(value):
    return f"{value:,}".replace(",", "\u202f")


def curves(report, metric):
    return [(one["id"], one["name"], *CSS[one["id"]],
             [point for point in report[metric]["points"] if point["series"] == one["id"]])
            for one in report["series"]]


def legend(entries):
    return '<ul class="legend">' + "".join(
        f"<li>{plot.swatch(css, shape)} {escape(name)}</li>" for name, css, shape in entries) + "</ul>"


def table(caption, head, rows):
    """A table beside a plot, folded."""
    out = [f'<details><summary>{escape(caption)}</summary><div class="scroll"><table><thead><tr>']
    out += [f'<th scope="col">{escape(cell)}</th>' for cell in head]
    out.append("</tr></thead><tbody>")
    for row in rows:
        out.append(f'<tr><th scope="row">{escape(row[0])}</th>'
                   + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:]) + "</tr>")
    return "".join(out) + "</tbody></table></div></details>"


def figure(name, title, legend_text, drawing, note, figures):
    return f'<figure aria-labelledby="{name}-head"><h3 id="{name}-head">{escape(title)}</h3>{legend_text}' \
           f"{drawing}<figcaption>{escape(note)}</figcaption>{figures}</figure>"


def spread(one):
    return f'{plot.figure_text(one["median"])} ({plot.figure_text(one["min"])}\u2013{plot.figure_text(one["max"])})'


def metric_figure(report, metric, title, note):
    data = report[metric]
    its = curves(report, metric)
    sizes = sorted({point["size"] for point in data["points"]})
    rows = []
    for _, name, _, _, points in its:
        at = {point["size"]: point for point in points}
        rows.append([name] + [spread(at[size]) if size in at else "\u2013" for size in sizes])
    entries = [(name, css, shape) for _, name, css, shape, _ in its]
    unit = data["unit"]
    text = f"{data['title']}, {unit}, both axes logarithmic. " + "; ".join(
        f"{name}: " + ", ".join(f"{plot.size_text(point['size'])} {plot.figure_text(point['median'])}"
                                for point in points) for _, name, _, _, points in its)
    return figure(metric, title, legend(entries), plot.over_size(metric + "-plot", title, text, unit, its), note,
                  table(f"Figures: {unit}, median (least\u2013most)",
                        ["series"] + [plot.size_text(size) for size in sizes], rows))


def largest(report, metric, series):
    points = [one for one in report[metric]["points"] if one["series"] == series]
    return points[-1] if points else None


def bandwidth_title(report):
    best = {series: max((one["median"] for one in report["bandwidth"]["points"] if one["series"] == series), default=0)
            for series in ("bar-tph", "rxe", "siw")}
    return ", ".join([f"Hinted writes into the BAR reach {plot.figure_text(best['bar-tph'])}\u00a0MB/s"] + [
        f"{name} {plot.figure_text(best[key])}"
        for key, name in (("rxe", "soft-RoCE"), ("siw", "soft-iWARP")) if best[key]])


def latency_title(report):
    smallest = min(one["size"] for one in report["latency"]["points"])
    at = {one["series"]: one["median"] for one in report["latency"]["points"] if one["size"] == smallest}
    words = [f"{plot.figure_text(at[key])} {name}"
             for key, name in (("rxe", "over soft-RoCE"), ("siw", "over soft-iWARP")) if key in at]
    return f"{smallest} bytes take {plot.figure_text(at['bar-tph'])}\u00a0\u00b5s into the BAR with a hint, " \
        + ", ".join([f"{plot.figure_text(at['bar'])} without"] + words)


def ratio_title(report):
    ratios = [one for metric in ("bandwidth", "latency") for one in report[metric]["hint_ratio"]]
    apart = [one for one in ratios if not one["min"] <= 1 <= one["max"]]
    if report["repeats"] < 3:
        return "With the hint by without: too few runs to tell a difference"
    widest = max(max(one["max"], 1 / one["min"]) for one in ratios)
    if not apart and widest > 2:
        return f"A difference by the hint would be lost in the spread of the runs, up to {widest:.0f} times"
    if not apart:
        return "The hint makes no difference beyond the spread of the runs"
    return f"The spread of the runs takes in 1 at {len(ratios) - len(apart)} of {len(ratios)} points"


def ratio_figure(report):
    names = {"bandwidth": ("Bandwidth: more is better", "s0", 0), "latency": ("Latency: less is better", "s2", 2)}
    its = [(metric, name, css, shape, report[metric]["hint_ratio"]) for metric, (name, css, shape) in names.items()]
    points = [one for curve in its for one in curve[4]]
    title = ratio_title(report)
    sizes = sorted({one["size"] for one in points})
    rows = [[name] + [spread(next(one for one in ones if one["size"] == size)) for size in sizes]
            for _, name, _, _, ones in its]
    text = "Figures with the hint divided by those without, over message size; 1 is no difference."
    return figure("ratio", title, legend([(name, css, shape) for _, name, css, shape, _ in its]),
                  plot.over_size("ratio-plot", title, text, "ratio", its, plot.ratio_ticks(points)),
                  "Figure with the hint divided by that without, of runs that followed each other; median, and least to "
                  "most as a line. 1 is no difference. The emulated endpoint counts hints and does not act on them.",
                  table("Figures: with / without, median (least\u2013most)",
                        ["ratio"] + [plot.size_text(size) for size in sizes], rows))


def tags_title(tags):
    wrong = [one for one in tags if one["wire"] != one["completer"]]
    if wrong:
        return f"{len(wrong)} of {len(tags)} tags did not arrive as they were sent"
    widths = {one["st"] for one in tags if one["st_width"] == 8} & {one["st"] for one in tags if one["st_width"] == 16}
    extra = "".join(f"; {tag} is two different tags, one of each width" for tag in sorted(widths))
    return f"Each of {len([one for one in tags if one['st'] is not None])} tags arrives as often as it was sent{extra}"


def tags_figure(tags):
    title = tags_title(tags)
    text = "Write TLPs that the completer counted, by tag: " + "; ".join(
        f"{plot.tag_text(one)}: {one['completer']}" for one in tags)
    key = '<ul class="legend"><li><span class="key st8"></span> 8-bit Steering Tag</li>' \
          '<li><span class="key st16"></span> 16-bit Extended Steering Tag</li>' \
          '<li><span class="key none"></span> no hint</li>' \
          '<li><span class="key wire"></span> on the wire, by the trace</li></ul>'
    rows = [[plot.tag_text(one), number(one["messages"]), number(one["wire"]), number(one["completer"]),
             number(one["completer_bytes"])] for one in tags]
    return figure("tags", title, key, plot.histogram("tags-plot", title, text, tags),
                  "Write TLPs into the BAR, counted by the endpoint for each tag and PH; the line at the end of a bar is "
                  f"what the trace of the link has. Messages of {tags[0]['message_bytes']} bytes.",
                  table("Figures: messages, TLPs, bytes", ["tag", "messages", "TLPs on the wire", "TLPs counted",
                                                            "bytes counted"], rows))


def row(one):
    hinted = any(field[2] for field in one["fields"])
    fields = "".join(f'<span class="field{" hint" if hint else ""}"><span class="name">{escape(name)}</span> '
                     f'<span class="value">{escape(value)}</span></span>' for name, value, hint in one["fields"])
    # Eight bytes a line.
    code = "".join(f"<span>{one['hex'][i:i + 24].strip()}</span> " for i in range(0, len(one["hex"]), 24))
    if code:
        code = f'<span class="at">{escape(one["at"])}</span><code>{code}</code>'
    return f'<li class="row{" hinted" if hinted else ""}{"" if one["hex"] else " wide"}">{code}' \
           f'<span class="fields">{fields}</span></li>'


def rows(lines):
    return '<ul class="rows">' + "".join(row(line) for line in lines) + "</ul>"


def step_rows(lines):
    """Long structures are folded down to what belongs to the hint."""
    hinted = [line for line in lines if any(field[2] for field in line["fields"])]
    rest = [line for line in lines if line not in hinted]
    if len(lines) <= 8 or not hinted:
        return rows(lines)
    return f"{rows(hinted)}<details><summary>{len(rest)} more</summary>{rows(rest)}</details>"


def chain_column(chain):
    tag = next(one["tag"] for one in chain["steps"] if one["tag"] is not None)
    kind = "8-bit Steering Tag" if chain["width"] == 8 else "16-bit Extended Steering Tag"
    out = [f'<section class="chain" aria-labelledby="chain-{chain["width"]}">'
           f'<h3 id="chain-{chain["width"]}">{kind} {tag}, {tag:#0{4 if chain["width"] == 8 else 6}x}</h3>'
           f'<p class="command"><code>--dmabuf-tph={escape(chain["requested"])}</code></p><ol class="steps">']
    for one in chain["steps"]:
        out.append(f'<li class="step"><p class="layer">{escape(one["layer"])}</p><h4>{escape(one["title"])}</h4>'
                   f'<p class="what">{escape(one["text"])}</p>{step_rows(one["rows"])}</li>')
    return "".join(out) + "</ol></section>"


def tiles(report):
    hinted, plain = report["hints"]["bar-tph"], report["hints"]["bar"]
    peak = max(one["median"] for one in report["bandwidth"]["points"] if one["series"] == "bar-tph")
    entries = [
        (f"{number(hinted['as_asked'])}", f"of {number(hinted['requests'])} requests carried the hint that was asked for"),
        (f"{number(plain['requests'] - plain['as_asked'])}",
         f"of {number(plain['requests'])} requests carried one where none was asked for"),
        (f"{sum(1 for one in report['tags'] if one['wire'] == one['completer'])} / {len(report['tags'])}",
         "tags counted by the completer as the link's trace has them"),
        (f"{plot.figure_text(peak)}\u00a0MB/s", "most that was written into the BAR with a hint")]
    return '<dl class="tiles">' + "".join(
        f"<div><dt>{escape(text)}</dt><dd>{escape(value)}</dd></div>" for value, text in entries) + "</dl>"


def page(report):
    missing = "".join(f'<p class="note">Not in this kernel, so not measured: {escape(one["name"])}.</p>'
                      for one in report["missing"])
    missing += "".join(f'<p class="note">A figure to compare with is not there: {escape(text)}.</p>'
                       for text in report["gaps"])
    wrong = "".join(f"<li>{escape(text)}</li>" for text in report["wrong"])
    if wrong:
        wrong = f'<section class="wrong" role="alert"><h2>Not as it has to be</h2><ul>{wrong}</ul></section>'
    repeats = report["repeats"]
    runs = f"Median of {repeats} interleaved runs, least to most as a line." if repeats > 1 else "One run each."
    again = "".join(f'<p class="note">{count} further runs were repeated: {AGAIN[cause]}</p>'
                    for cause, count in report["again"].items() if count)
    style = (Path(__file__).parent / "style.css").read_text()
    data = json.dumps(report, ensure_ascii=False).replace("<", "\\u003c")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>rdma-tph: steering tags of RDMA writes, measured and decoded</title>
<style>
{style}</style>
</head>
<body>
<header>
<h1>Steering tags of RDMA writes into a PCIe BAR</h1>
<p class="lead">An RDMA NIC writes straight into the BAR of another device, and each write carries the TLP Processing
Hint that the BAR\u2019s owner chose. Here are its cost, its arrival, and its way through the layers.</p>
<p class="note">These are figures of an emulation: a real kernel {escape(report["kernel"])}, real mlx5 drivers and perftest in
QEMU {escape(report["qemu"])} without hardware acceleration, and an emulated HCA and endpoint. They can be compared within
this run, and with nothing else. Soft-RoCE, soft-iWARP and the CPU copy ran in the same guest, in turn with the HCA.</p>
{missing}{again}
</header>
<main>
{wrong}{tiles(report)}
<section class="pair" aria-label="Bandwidth and latency">
{metric_figure(report, "bandwidth", bandwidth_title(report), f"RDMA writes between two processes (ib_write_bw), and memcpy. {runs}")}
{metric_figure(report, "latency", latency_title(report), "Half a round trip of messages whose buffer is in the BAR or in host memory (ib_send_lat), and the time of one memcpy. " + runs)}
</section>
<section class="pair" aria-label="Hint on and off, tags">
{ratio_figure(report)}
{tags_figure(report["tags"])}
</section>
<section aria-labelledby="chain">
<h2 id="chain">One write, from the ioctl to the TLP</h2>
<p class="note">The bytes are those of one run of ib_write_bw for each width, as each layer had them. Marked: what belongs to the
hint. Integers of ioctls and of configuration space are little-endian, those of the memory key and of the TLP
big-endian.</p>
<div class="chains">
{"".join(chain_column(chain) for chain in report["chains"])}
</div>
</section>
</main>
<footer><p>Made by <code>./tph report</code> of rdma-tph. All figures are in this file, as JSON in its element
<code>report</code>.</p></footer>
<script type="application/json" id="report">{data}</script>
</body>
</html>
"""


def main():
    try:
        report = json.load(sys.stdin)
        html = page(report)
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
        print(f"tph report: not a report of ./tph report --json: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(html)
    return 0


if __name__ == "__main__":
    sys.exit(main())
