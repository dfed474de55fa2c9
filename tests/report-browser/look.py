# SPDX-License-Identifier: GPL-2.0-only
"""Looks at a page of ./tph report with a headless browser, at phone and desktop width, light and dark.

Usage: look.py PAGE REPORT-JSON DIRECTORY: a line "pass|fail NAME" for each thing seen; screenshots and causes go to
DIRECTORY and to standard error.
"""
import base64
import json
import sys
from pathlib import Path

from selenium import webdriver

WIDTHS = {"phone": 360, "desktop": 1280}
SCHEMES = ["light", "dark"]

# Each text with its colour and that behind it; contrast as WCAG 2.2 defines it.
CONTRAST = """
const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
const light = ([r, g, b]) => { const f = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
	return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
const behind = element => { for (let e = element; e; e = e.parentElement) {
	const back = parse(getComputedStyle(e).backgroundColor);
	if (back.length && (back.length < 4 || back[3] > 0)) return back; }
	return null; };
const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
document.querySelectorAll("details").forEach(one => one.open = true);
const result = [];
for (const element of document.body.querySelectorAll("*")) {
	const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
	const style = getComputedStyle(element), box = element.getBoundingClientRect();
	if (!own || !box.width || style.visibility === "hidden" || ["SCRIPT", "STYLE", "title", "desc"].includes(element.tagName))
		continue;
	const drawn = element.closest("svg");
	result.push({text: element.textContent.trim().slice(0, 40), back: behind(element),
		ratio: ratio(parse(drawn ? style.fill : style.color), behind(element)),
		size: parseFloat(style.fontSize) * (drawn ? drawn.getBoundingClientRect().width / drawn.viewBox.baseVal.width : 1)});
}
return result;
"""
# Lines and shapes need less contrast than text.
SHAPES = CONTRAST[:CONTRAST.index("document.querySelectorAll")] + """
return [...document.querySelectorAll(".line, .bar")].map(one => {
	const style = getComputedStyle(one);
	return ratio(parse(one.matches(".bar") ? style.fill : style.stroke), behind(one)); });
"""
POINTS = """
return Object.fromEntries([...document.querySelectorAll("svg.plot")].map(plot => [plot.id, {
	box: plot.getBoundingClientRect().toJSON(), title: plot.querySelector("title").textContent,
	points: [...plot.querySelectorAll(".point")].map(point => ({...point.dataset,
		series: point.parentElement.dataset.series || null,
		box: point.querySelector("circle, rect, polygon").getBoundingClientRect().toJSON()}))}]));
"""
# Texts of a plot that lie on each other or leave the plot.
OVERLAPS = """
const found = [];
for (const plot of document.querySelectorAll("svg.plot")) {
	const frame = plot.getBoundingClientRect();
	const texts = [...plot.querySelectorAll("text")].map(one => [one.textContent, one.getBoundingClientRect()]);
	texts.forEach(([text, a], i) => {
		if (a.left < frame.left - 1 || a.right > frame.right + 1 || a.top < frame.top - 1 || a.bottom > frame.bottom + 1)
			found.push(plot.id + ": '" + text + "' leaves the plot");
		texts.slice(i + 1).forEach(([other, b]) => {
			if (a.left < b.right && b.left < a.right && a.top + 4 < b.bottom && b.top + 4 < a.bottom)
				found.push(plot.id + ": '" + text + "' on '" + other + "'"); }); });
}
return found;
"""


class Look:
    def __init__(self, page, report, directory):
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                         "--hide-scrollbars", "--user-data-dir=/tmp/browser"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        self.driver = webdriver.Chrome(options=options,
                                       service=webdriver.ChromeService("/usr/bin/chromedriver"))
        self.page, self.report, self.directory = page, report, directory
        self.failed = False

    def say(self, name, causes):
        print("fail" if causes else "pass", name, flush=True)
        for cause in causes[:12]:
            print(f"{name}: {cause}", file=sys.stderr)
        self.failed |= bool(causes)

    def load(self, width, scheme):
        send = self.driver.execute_cdp_cmd
        send("Emulation.setDeviceMetricsOverride",
             {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600})
        send("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        send("Emulation.setScriptExecutionDisabled", {"value": False})
        self.driver.get_log("performance")
        self.driver.get(self.page.as_uri())

    def requests(self):
        """What the page asked for, apart from itself; the browser's own pages do not count."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        urls = [message["params"]["request"]["url"] for message in messages
                if message["method"] == "Network.requestWillBeSent"
                and message["params"]["documentURL"] == self.page.as_uri()]
        if self.page.as_uri() not in urls:
            return ["the page itself was not seen to be loaded"]
        return [url for url in urls if url != self.page.as_uri()]

    def screenshot(self, name):
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
        (self.directory / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))

    def wide(self):
        seen = self.driver.execute_script("""
            const limit = innerWidth, wide = [...document.body.querySelectorAll("*")].filter(one =>
                !one.closest(".scroll") && one.getBoundingClientRect().right > limit + 1);
            return [document.documentElement.scrollWidth, limit, wide.map(one => one.outerHTML.slice(0, 80))];""")
        return [] if seen[0] <= seen[1] and not seen[2] else [f"{seen[0]} pixels in {seen[1]}"] + seen[2]

    def points(self):
        causes = []
        plots = self.driver.execute_script(POINTS)
        expected = {"tags-plot": len(self.report["tags"]),
                    "ratio-plot": sum(len(self.report[m]["hint_ratio"]) for m in ("bandwidth", "latency"))}
        for metric in ("bandwidth", "latency"):
            expected[f"{metric}-plot"] = len(self.report[metric]["points"])
        if set(plots) != set(expected):
            return [f"plots are {sorted(plots)}"]
        for name, plot in plots.items():
            its, frame = plot["points"], plot["box"]
            if len(its) != expected[name]:
                causes.append(f"{name} has {len(its)} points, not {expected[name]}")
            causes += [f"{name}: a point is outside: {one}" for one in its
                       if not (one["box"]["width"] > 0 and frame["left"] <= one["box"]["left"]
                               and one["box"]["right"] <= frame["right"] and frame["top"] <= one["box"]["top"]
                               and one["box"]["bottom"] <= frame["bottom"])
                       and (name != "tags-plot" or one["value"] != "0")]
            if name == "tags-plot":
                order = [(float(one["value"]), one["box"]["width"]) for one in its]
            else:
                order = [(float(one["value"]), -(one["box"]["top"] + one["box"]["bottom"])) for one in its]
            order.sort()
            causes += [f"{name}: {a} is drawn above {b}" for a, b in zip(order, order[1:]) if a[1] > b[1] + 4]
        return causes

    def contrast(self):
        texts = self.driver.execute_script(CONTRAST)
        shapes = self.driver.execute_script(SHAPES)
        causes = [f"{one['text']!r} has contrast {one['ratio']:.2f} on {one['back']}" for one in texts
                  if one["ratio"] < 4.5]
        if len(texts) < 200:
            causes.append(f"only {len(texts)} texts were found")
        return causes + [f"a line or bar has contrast {ratio:.2f}" for ratio in shapes if ratio < 3] \
            + [f"{one['text']!r} is {one['size']:.1f} pixels high" for one in texts if one["size"] < 10.5]

    def dark(self, scheme):
        """The background follows the scheme."""
        back = self.driver.execute_script("return getComputedStyle(document.body).backgroundColor")
        level = sum(int(float(part)) for part in back[back.index("(") + 1:-1].split(",")[:3])
        return [] if (level < 384) == (scheme == "dark") else [f"background {back}"]

    def all(self):
        for place, width in WIDTHS.items():
            for scheme in SCHEMES:
                name = f"{place}-{scheme}"
                self.load(width, scheme)
                self.say(f"{name}: nothing is loaded", self.requests())
                self.screenshot(name)
                self.say(f"{name}: the scheme", self.dark(scheme))
                self.say(f"{name}: width", self.wide())
                self.say(f"{name}: points", self.points())
                self.say(f"{name}: texts of plots", self.driver.execute_script(OVERLAPS))
                # Opens the tables.
                self.say(f"{name}: contrast and size", self.contrast())
                self.say(f"{name}: width with tables", self.wide())
        errors = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
        self.say("no errors", errors)
        self.driver.quit()
        return 1 if self.failed else 0


if __name__ == "__main__":
    page, report, directory = (Path(arg) for arg in sys.argv[1:4])
    sys.exit(Look(page.resolve(), json.loads(report.read_text()), directory).all())
