# SPDX-License-Identifier: GPL-2.0-only
"""The report is what was measured, and says what is not as it has to be. A line "pass|fail NAME" for each case."""
import json
import subprocess
import sys
import traceback
from pathlib import Path

import made_up

TOP = Path(__file__).resolve().parents[2]
RUN = Path("/tmp/made-up")


def assemble(change=None):
    made_up.make(RUN, change)
    done = subprocess.run([sys.executable, "-B", "-m", "testbed.report.assemble", RUN, str(made_up.REPEATS), "11.1.3"], cwd=TOP, text=True,
                          capture_output=True, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def spoiled(change, *words):
    """The change is noticed, in words that say what it is about, in the report and on standard error."""
    status, report, errors = assemble(change)
    assert status == 1, (status, errors)
    assert len(report["wrong"]) == 1, report["wrong"]
    for word in words:
        assert word in report["wrong"][0] and word in errors, (word, report["wrong"], errors)


def field(step, name):
    return next(one for row in step["rows"] for one in row["fields"] if one[0] == name)


def replace(name, old, new):
    def change(files):
        assert files[name].count(old) >= 1, (name, old)
        files[name] = files[name].replace(old, new)
    return change


def of_chain(width, alter):
    def change(files):
        chain = json.loads(files[f"job/chain-{width}.json"])
        alter(chain)
        files[f"job/chain-{width}.json"] = json.dumps(chain)
    return change


def without(series, repeat):
    """The samples lack one."""
    def change(files):
        lines = files["job/samples"].splitlines()
        keep = [line for line in lines if not all(text in line for text in (f'"series": "{series}"', '"size": 64,',
                f'"repeat": {repeat},', '"bandwidth"'))]
        assert len(keep) == len(lines) - 1
        files["job/samples"] = "\n".join(keep) + "\n"
    return change


def test_medians():
    status, report, errors = assemble()
    assert (status, report["wrong"], errors) == (0, [], ""), (status, report["wrong"], errors)
    assert [one["id"] for one in report["series"]] == made_up.SERIES and not report["missing"]
    assert report["again"] == {"clock": 2, "failed": 1}
    for metric in ("bandwidth", "latency"):
        points = report[metric]["points"]
        assert [(one["series"], one["size"]) for one in points] \
            == [(series, size) for series in made_up.SERIES for size in made_up.SIZES]
        for one in points:
            values = [made_up.value(one["series"], metric, one["size"], repeat) for repeat in (1, 2, 3)]
            assert [one["max"], one["median"], one["min"]] == sorted(values, reverse=True) and one["samples"] == values
        assert [one["median"] for one in report[metric]["hint_ratio"]] == [0.5] * len(made_up.SIZES)


def test_arrival():
    _, report, _ = assemble()
    assert report["hints"]["bar-tph"] == report["hints"]["bar"] == {"requests": 420, "as_asked": 420}
    assert [(one["st"], one["st_width"], one["wire"], one["completer"]) for one in report["tags"]] \
        == [(None, None, 160, 160), (42, 8, 400, 400), (42, 16, 240, 240), (48879, 16, 320, 320)]


def test_chain_8():
    steps = assemble()[1]["chains"][0]["steps"]
    assert [one["tag"] for one in steps] == [None, 42, 42, None, 42, 42, None, 42, 42, 42]
    assert field(steps[0], "length")[1] == "0x2000"
    assert field(steps[1], "steering_tag") == ["steering_tag", "42", True]
    assert field(steps[1], "steering_tag_ext") == ["steering_tag_ext", "0", False]
    assert field(steps[1], "flags")[1] == "SET, feature 14"
    assert field(steps[3], "TPH_POLICY")[1] == "REQUIRE"
    assert field(steps[5], "TPH Requester Enable")[1] == "1, TPH"
    assert field(steps[5], "ST Table Size")[1] == "64 entries"
    assert field(steps[6], "pcie_tph_en")[1] == "1"
    assert field(steps[6], "pcie_tph_steering_tag_index")[1] == "1"
    tlp = [row["hex"] for row in steps[7]["rows"]]
    assert tlp == ["40 01 00 10", "00 28 2a ff", "f4 00 10 02"], tlp
    for name, value in (("TH", "1"), ("Length", "16 DW"), ("Requester ID", "00:05.0"), ("ST[7:0]", "0x2a"),
                        ("Last DW BE", "1111"), ("Address[31:2]", "0xf4001000"), ("PH", "10, target")):
        assert field(steps[7], name)[1] == value, (name, field(steps[7], name))
    assert field(steps[9], "flags")[1] == "APPLIED" and field(steps[9], "source")[1] == "dma-buf"


def test_chain_16():
    steps = assemble()[1]["chains"][1]["steps"]
    assert {one["tag"] for one in steps} == {None, 0xbeef}
    assert field(steps[5], "TPH Requester Enable")[1] == "3, TPH and Extended TPH"
    assert [row["hex"] for row in steps[7]["rows"]] == ["90 be 00 00", "40 01 00 10", "00 30 ef ff", "f4 00 10 02"]
    assert field(steps[7], "ST[15:8]") == ["ST[15:8]", "0xbe", True]
    assert field(steps[9], "st_width")[1] == "16"


def test_tlp_64_bit():
    # The vectors of the notes on TLPs, worked out by hand.
    sys.path.insert(0, str(TOP))
    from testbed.report import chain
    rows, hint = chain.tlp_fields(bytes.fromhex("600100010100 2a0f 00000040 00000012"))
    assert hint == {"ph": 2, "st": 42, "st_width": 8} and len(rows) == 4
    rows, hint = chain.tlp_fields(bytes.fromhex("90be0000 60010001 0100ef0f 00000040 00000013"))
    assert hint == {"ph": 3, "st": 0xbeef, "st_width": 16} and len(rows) == 5
    rows, hint = chain.tlp_fields(bytes.fromhex("60000001 0100000f 00000040 00000010"))
    assert hint is None and not any(name in ("PH", "ST[7:0]") for row in rows for name, *_ in row["fields"])


def test_missing_series():
    def change(files):
        files["job/missing"] = "siw\n"
        files["job/samples"] = "".join(line + "\n" for line in files["job/samples"].splitlines()
                                       if '"siw"' not in line)
    status, report, errors = assemble(change)
    assert (status, report["wrong"]) == (0, []), errors
    assert [one["id"] for one in report["missing"]] == ["siw"]
    assert "siw" not in [one["id"] for one in report["series"]]


def test_lost_figure():
    spoiled(without("bar", 2), "no hint", "bandwidth", "64 bytes: 2 of 3")
    # One to compare with is said to be missing, and no fault.
    status, report, _ = assemble(without("siw", 2))
    assert (status, report["wrong"]) == (0, []), report["wrong"]
    assert len(report["gaps"]) == 1 and "soft-iWARP" in report["gaps"][0] and "64 bytes: 2 of 3" in report["gaps"][0]


def test_lost_series():
    def change(files):
        files["job/samples"] = "".join(line + "\n" for line in files["job/samples"].splitlines()
                                       if '"host"' not in line)
    status, report, _ = assemble(change)
    assert status == 1 and len(report["wrong"]) == 2 * len(made_up.SIZES), report["wrong"]


def test_hint_lost_while_measuring():
    def change(files):
        lines = files["job/samples"].splitlines()
        at = next(i for i, line in enumerate(lines) if '"bar-tph"' in line)
        lines[at] = lines[at].replace('"st": 42', '"st": 43')
        files["job/samples"] = "\n".join(lines) + "\n"
    spoiled(change, "bar-tph", "of 420 requests 410")


def test_tag_lost():
    spoiled(replace("job/tags-counts", '"writes": 240', '"writes": 239'), "42, 16", "239")
    spoiled(replace("tags-hca1.json", '"count":400', '"count":401'), "42, 8", "401")
    spoiled(replace("job/tags-counts", "204800", "204796"), "204796")


def test_tag_of_nobody():
    spoiled(replace("job/tags", "16 42 2 30 4096\n", ""), "nobody asked for", "'st_width': 16")


def test_wrong_on_the_wire():
    status, report, _ = assemble(replace("tlp-8.json", "00282aff", "00282bff"))
    assert status == 1 and len(report["wrong"]) == 2, report["wrong"]
    assert "'Memory write TLP, as it travels': 43" in report["wrong"][0]


def test_other_ph():
    def change(files):
        files["tlp-8.json"] = files["tlp-8.json"].replace("f4001002", "f4001003")
        files["job/chain-8.json"] = files["job/chain-8.json"].replace('"counts": [\n    {\n      "ph": 2',
                                                                      '"counts": [\n    {\n      "ph": 3')
    spoiled(change, "8-bit chain", "PH 3", "ph=2")


def test_no_hint_on_the_wire():
    status, report, _ = assemble(replace("tlp-8.json", "40010010", "40000010"))
    assert status == 1 and any("on the wire None" in text for text in report["wrong"]), report["wrong"]


def test_other_width_on_the_wire():
    status, report, _ = assemble(replace("tlp-16.json", "90be0000", ""))
    assert status == 1 and any("16-bit chain" in text for text in report["wrong"]), report["wrong"]


def test_other_tag_in_the_table():
    def alter(chain):
        at = 2 * (0x10c + 2 * chain["mkey"]["st_index"])
        assert chain["config"][at:at + 4] == "2a00"
        chain["config"] = chain["config"][:at] + "2b00" + chain["config"][at + 4:]
    spoiled(of_chain(8, alter), "8-bit chain", "Steering Tag table")


def test_other_tag_read_back():
    def alter(chain):
        call = next(one for one in chain["ioctls"] if one["ioctl"] == "UVERBS_METHOD_QUERY_MR")
        call["response"] = call["response"].replace("2a00", "2b00", 1)
    spoiled(of_chain(8, alter), "8-bit chain", "reads back")


def test_two_tags_at_the_completer():
    def alter(chain):
        chain["counts"].append({"ph": 2, "st": 7, "st_width": 8, "writes": 1, "reads": 0, "write_bytes": 64})
    status, report, _ = assemble(of_chain(8, alter))
    assert status == 1 and any("at the completer" in text for text in report["wrong"]), report["wrong"]


def main():
    failed = False
    for name, case in sorted(globals().items()):
        if not name.startswith("test_"):
            continue
        try:
            case()
            print("pass", name[5:])
        except Exception:  # whatever it is, the case failed
            failed = True
            print("fail", name[5:])
            traceback.print_exc()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
