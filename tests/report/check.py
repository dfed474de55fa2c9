# SPDX-License-Identifier: GPL-2.0-only
"""What must be true of a page of ./tph report whatever draws it. A line "pass|fail NAME" for each case.

Usage: check.py PAGE REPORT-JSON WORD...; the words must not be in the page.
"""
import json
import re
import sys
import traceback
from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """Elements as dictionaries: name, attributes, text (of all that is in it), parent."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.open = [], []
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {[one['name'] for one in self.open]}"

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(self.elements[-1])

    def handle_startendtag(self, tag, attrs):
        self.elements.append({"name": tag, "attrs": dict(attrs), "text": "",
                              "parent": self.open[-1] if self.open else None})

    def handle_endtag(self, tag):
        assert self.open and self.open[-1]["name"] == tag, f"</{tag}> where <{self.open[-1:]}> is open"
        self.open.pop()

    def handle_data(self, data):
        for one in self.open:
            one["text"] += data

    def all(self, name=None, css=None, inside=None):
        return [one for one in self.elements if (name is None or one["name"] == name)
                and (css is None or css in (one["attrs"].get("class") or "").split())
                and (inside is None or self.within(one, inside))]

    @staticmethod
    def within(one, outer):
        while one is not None and one is not outer:
            one = one["parent"]
        return one is outer


def nothing_from_elsewhere(page, html, report, words):
    for one in page.elements:
        for key, value in one["attrs"].items():
            assert key not in ("src", "srcset", "data", "action") and not key.startswith("on"), (one["name"], key)
            assert "href" not in key or value.startswith("#"), value
    assert {one["name"] for one in page.elements}.isdisjoint({"img", "iframe", "object", "embed", "link", "base"})
    for style in page.all("style"):
        assert not re.search(r"url\(|@import|@font-face|image-set", style["text"])
    assert all(one["attrs"].get("type") == "application/json" for one in page.all("script"))
    policy = [one["attrs"]["content"] for one in page.all("meta")
              if one["attrs"].get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"], policy


def same_figures(page, html, report, words):
    embedded = [one for one in page.all("script") if one["attrs"].get("id") == "report"]
    assert len(embedded) == 1 and json.loads(embedded[0]["text"]) == report


def each_point_is_drawn(page, html, report, words):
    drawn = {one["attrs"]["id"]: one for one in page.all("svg", "plot")}
    assert set(drawn) == {"bandwidth-plot", "latency-plot", "ratio-plot", "tags-plot"}, set(drawn)

    def points(name):
        return [(one["parent"]["attrs"].get("data-series"), one["attrs"].get("data-size"),
                 one["attrs"]["data-value"]) for one in page.all("g", "point", drawn[name])]
    for metric in ("bandwidth", "latency"):
        wanted = [(one["series"], str(one["size"]), repr(one["median"])) for one in report[metric]["points"]]
        assert wanted and points(f"{metric}-plot") == wanted, metric
    wanted = [(metric, str(one["size"]), repr(one["median"])) for metric in ("bandwidth", "latency")
              for one in report[metric]["hint_ratio"]]
    assert wanted and points("ratio-plot") == wanted
    assert [value for _, _, value in points("tags-plot")] == [str(one["completer"]) for one in report["tags"]]


def higher_is_more(page, html, report, words):
    for name in ("bandwidth", "latency"):
        drawn = next(one for one in page.all("svg", "plot") if one["attrs"]["id"] == f"{name}-plot")
        heights = []
        for group in page.all("g", "series", drawn):
            path = next(one for one in page.all("path", "line", group))
            ys = [float(point.split()[1]) for point in path["attrs"]["d"][1:].split("L")]
            values = [float(one["attrs"]["data-value"]) for one in page.all("g", "point", group)]
            assert len(ys) == len(values)
            heights += zip(values, ys)
        heights.sort()
        assert all(a[1] >= b[1] for a, b in zip(heights, heights[1:])), heights


def plots_for_all(page, html, report, words):
    assert page.all("html")[0]["attrs"].get("lang") == "en"
    assert any(one["attrs"].get("name") == "viewport" for one in page.all("meta"))
    ids = [one["attrs"]["id"] for one in page.elements if "id" in one["attrs"]]
    assert len(ids) == len(set(ids))
    for one in page.elements:
        for name in one["attrs"].get("aria-labelledby", "").split():
            assert name in ids, name
    for plot in page.all("svg", "plot"):
        assert plot["attrs"]["role"] == "img"
        for name in ("title", "desc"):
            texts = [one for one in page.all(name, inside=plot) if one["parent"] is plot]
            assert len(texts) == 1 and len(texts[0]["text"]) > 20, (plot["attrs"]["id"], name)
    for figure in page.all("figure"):
        assert len(page.all("table", inside=figure)) == 1


def tables_have_the_figures(page, html, report, words):
    tables = [page.all("table", inside=figure)[0] for figure in page.all("figure")]
    rows = [[[cell["text"] for cell in page.elements if cell["parent"] is row] for row in page.all("tr", inside=table)]
            for table in tables]
    names = [one["name"] for one in report["series"]]
    sizes = len({one["size"] for one in report["bandwidth"]["points"]})
    for table in rows[:2]:
        assert [row[0] for row in table[1:]] == names
        assert all(len(row) == 1 + sizes and all("(" in cell for cell in row[1:]) for row in table[1:]), table
    assert [row[3] for row in rows[3][1:]] == [f"{one['completer']:,}".replace(",", "\u202f") for one in report["tags"]]


def chain_has_the_bytes(page, html, report, words):
    sections = page.all("section", "chain")
    assert len(sections) == len(report["chains"]) == 2
    for section, chain in zip(sections, report["chains"]):
        steps = page.all("li", "step", section)
        assert [page.all("h4", inside=one)[0]["text"] for one in steps] == [one["title"] for one in chain["steps"]]
        for step, wanted in zip(steps, chain["steps"]):
            shown = [" ".join(one["text"].split()) for one in page.all("code", inside=step)]
            assert sorted(shown) == sorted(row["hex"] for row in wanted["rows"] if row["hex"]), wanted["title"]
            values = [one["text"] for one in page.all("span", "value", step)]
            fields = [field for row in wanted["rows"] for field in row["fields"]]
            assert sorted(values) == sorted(field[1] for field in fields)
            marked = [one["text"] for one in page.all("span", "hint", step)]
            assert sorted(marked) == sorted(f"{field[0]} {field[1]}" for field in fields if field[2])


def says_what_is_wrong(page, html, report, words):
    shown = [item["text"] for box in page.all("section", "wrong") for item in page.all("li", inside=box)]
    assert shown == report["wrong"], shown
    notes = [one["text"] for one in page.all("p", "note")]
    assert all(any(gap in text for text in notes) for gap in report["gaps"])
    for cause, count in report["again"].items():
        assert not count or any(text.startswith(f"{count} further runs") for text in notes), cause
    for one in report["missing"]:
        assert any("not measured" in text and one["name"] in text for text in notes), one


def names_no_machine(page, html, report, words):
    found = [word for word in words if word in html]
    # Any path from the root, of two names or more; "</td>" and "Gb/s" are none.
    found += re.findall(r"(?<![\w<.:/])/[\w.-]+/[\w./-]*", html)
    assert not found, found


def main():
    html = Path(sys.argv[1]).read_text()
    report = json.loads(Path(sys.argv[2]).read_text())
    page = Page(html)
    failed = False
    for case in (nothing_from_elsewhere, same_figures, each_point_is_drawn, higher_is_more, plots_for_all,
                 tables_have_the_figures, chain_has_the_bytes, says_what_is_wrong, names_no_machine):
        try:
            case(page, html, report, sys.argv[3:])
            print("pass", case.__name__)
        except Exception:  # whatever it is, the case failed
            failed = True
            print("fail", case.__name__)
            traceback.print_exc()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
