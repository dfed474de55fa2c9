# SPDX-License-Identifier: GPL-2.0-only
"""What tshark says of a capture of packet/tests/capture_all.c: one packet of each opcode on each of two routes,
in order. Nothing is malformed, no expert has an objection, and each field is what it was made from. Prints a
result for each packet. Usage: judge.py FILE [TSHARK-OPTION...]"""
import subprocess
import sys

# Headers of RC by opcode, as the Architecture's table 38 has them.
RC = {
    0: "", 1: "", 2: "", 3: "imm", 4: "", 5: "imm", 6: "reth", 7: "", 8: "", 9: "imm", 10: "reth", 11: "reth imm",
    12: "reth", 13: "aeth", 14: "", 15: "aeth", 16: "aeth", 17: "aeth", 18: "aeth original", 19: "atomic",
    20: "atomic", 22: "ieth", 23: "ieth",
}
OPCODES = {code: headers.split() for code, headers in RC.items()}
OPCODES.update({0x20 | code: OPCODES[code] for code in range(12)})
OPCODES.update({0x64: ["deth"], 0x65: ["deth", "imm"], 0x81: []})
# tshark 4.4 knows no headers of XRC, and no payload of a CNP.
OPCODES.update({0xa0 | code: [] for code in RC})

FIELDS = {
    "reth": {"reth.va": 0x7f0000001000, "reth.r_key": 0x1234, "reth.dmalen": 1024},
    "aeth": {"aeth.syndrome": 0x1f, "aeth.msn": 1},
    "atomic": {"atomiceth.swapdt": 1, "atomiceth.cmpdt": 2},
    "original": {"atomicacketh.origremdt": 3},
    "deth": {"deth.q_key": 0x11111111, "deth.srcqp": 0x34},
    "imm": {"immdt": 0xdeadbeef},
    "ieth": {"ieth": 0xdeadbeef},
}
NAMES = [name for fields in FIELDS.values() for name in fields]
RESPONSES = range(0x0d, 0x13)


def number(text):
    """A field's value; "" is None. Bytes, and what is in a packet twice, as tshark prints them."""
    text = text.split(",")[0]
    if not text:
        return None
    return int(text, 16) if text.startswith("0x") or len(text) == 8 else int(text)


def faults(opcode, psn, row):
    """What is wrong with a packet that should have @opcode and @psn; @row: field -> text."""
    wrong = []
    expected = {"bth.opcode": opcode, "bth.psn": psn,
                "bth.destqp": 0x34 if opcode >> 5 in (0, 5) and opcode & 0x1f in RESPONSES else 0x12}
    for header in OPCODES[opcode]:
        expected.update(FIELDS[header])
    for name in ["bth.opcode", "bth.psn", "bth.destqp"] + NAMES:
        if name == "reth.r_key" and "atomic" in OPCODES[opcode]:
            continue  # an atomic's key and address have the same names
        if name == "reth.va" and "atomic" in OPCODES[opcode]:
            continue
        if number(row[name]) != expected.get(name):
            wrong.append(f"{name} is {row[name] or 'not there'}, not {expected.get(name)}")
    if row["expert"]:
        wrong.append(f"expert: {row['expert']}")
    return wrong


def look(rows):
    """Pairs of what a packet is and what is wrong with it."""
    expected = [opcode for opcode in sorted(OPCODES) for _ in range(2)]
    if len(rows) != len(expected):
        return [("all packets", [f"{len(rows)} were dissected, {len(expected)} were captured"])]
    return [(f"opcode {opcode:#04x} packet {psn}", faults(opcode, psn, row))
            for psn, (opcode, row) in enumerate(zip(expected, rows))]


def dissect(path, options):
    names = ["bth.opcode", "bth.psn", "bth.destqp"] + NAMES
    command = ["tshark", "-r", path, "--disable-protocol", "rpcordma", "-T", "fields", "-E", "separator=|"] + options
    for name in names:
        command += ["-e", f"infiniband.{name}"]
    command += ["-e", "_ws.malformed", "-e", "_ws.expert.message"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = []
    for line in out.splitlines():
        *values, malformed, expert = line.split("|")
        row = dict(zip(names, values))
        row["expert"] = malformed or expert
        rows.append(row)
    return rows


def main():
    bad = False
    for what, wrong in look(dissect(sys.argv[1], sys.argv[2:])):
        print(("fail " if wrong else "pass ") + what)
        for line in wrong:
            print(f"{what}: {line}", file=sys.stderr)
        bad |= bool(wrong)
    return bad


if __name__ == "__main__":
    sys.exit(main())
