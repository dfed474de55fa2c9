# SPDX-License-Identifier: GPL-2.0-only
"""The chain of one write, decoded from the bytes that each layer left (see chain.sh).

steps() gives a list of {"layer", "title", "text", "rows", "tag"}: a row is {"at", "hex", "fields"}, a field is
[name, value, whether it is part of the hint]; tag is the steering tag as this layer has it, or None.
Names are those of linux/vfio.h, rdma/ib_user_ioctl_verbs.h, linux/mlx5/mlx5_ifc.h (mkc), and the PCI Express
Base Specification 6.3 (2.2.1, 2.2.7.1.1, 7.9.13).
"""
import struct

PH = ["bi-directional", "requester", "target", "target with priority"]
POLICY = ["AUTO", "REQUIRE", "IGNORE"]
REASON = ["none", "other width", "too large", "no room", "not written", "key refused", "TPH off"]
SOURCE = ["none", "DMA handle", "dma-buf"]
REG_MR = ["HANDLE", "PD_HANDLE", "DMA_HANDLE", "IOVA", "ADDR", "LENGTH", "ACCESS_FLAGS", "FD", "FD_OFFSET",
          "RESP_LKEY", "RESP_RKEY", "TPH_POLICY"]


def spaced(data):
    return data.hex(" ")


def bits(word, high, low):
    return word >> low & (1 << high - low + 1) - 1


def flags(value, names):
    return " | ".join(name for bit, name in enumerate(names) if value >> bit & 1) or "0"


def structure(data, start, fields):
    """Rows of a structure: fields are (name, format, how to say the value, part of the hint)."""
    rows = []
    at = start
    for name, form, say, hint in fields:
        size = struct.calcsize("<" + form)
        value = struct.unpack_from("<" + form, data, at)[0]
        rows.append({"at": f"{at:#04x}", "hex": spaced(data[at:at + size]),
                     "fields": [[name, say(value), hint]]})
        at += size
    return rows


def feature(value):
    what = {0x10000: "GET", 0x20000: "SET"}[value & 0x30000]
    return f"{what}, feature {value & 0xffff}"


def plain(value):
    return str(value)


def hexadecimal(value):
    return f"{value:#x}"


def ph_text(ph):
    return f"{ph}, {PH[ph]}"


def export_step(call):
    data = bytes.fromhex(call["bytes"])
    rows = structure(data, 0, [
        ("argsz", "I", plain, False), ("flags", "I", feature, False),
        ("region_index", "I", lambda value: f"{value}, BAR {value}", False),
        ("open_flags", "I", hexadecimal, False), ("flags", "I", plain, False),
        ("nr_ranges", "I", plain, False), ("offset", "Q", hexadecimal, False),
        ("length", "Q", hexadecimal, False)])
    return {"layer": "vfio user", "title": "A range of the BAR becomes a dma-buf", "tag": None, "rows": rows,
            "text": "ioctl VFIO_DEVICE_FEATURE, struct vfio_device_feature_dma_buf; "
                    f"the dma-buf is file descriptor {call['result']}"}


def hint_step(call, width):
    data = bytes.fromhex(call["bytes"])
    rows = structure(data, 0, [
        ("argsz", "I", plain, False), ("flags", "I", feature, False), ("dmabuf_fd", "i", plain, False),
        ("flags", "I", lambda value: flags(value, ["ST", "ST_EXT"]), True),
        ("steering_tag", "H", plain, width == 8), ("steering_tag_ext", "H", plain, width == 16),
        ("ph", "B", ph_text, True)])
    return {"layer": "vfio user", "title": "The owner attaches the hint", "rows": rows,
            "tag": struct.unpack_from("<H", data, 0x10 if width == 8 else 0x12)[0],
            "text": "ioctl VFIO_DEVICE_FEATURE, struct vfio_device_feature_dma_buf_tph"}


def attribute(data, at, names):
    number, length, _, _, value = struct.unpack_from("<HHHHQ", data, at)
    name = names[number] if number < len(names) else str(number)
    if name == "TPH_POLICY":
        say = POLICY[value]
    elif length <= 8 and not name.startswith("RESP"):
        say = hexadecimal(value) if value > 9 else str(value)
    else:
        say = f"{length} bytes at {value:#x}"
    return {"at": f"{at:#04x}", "hex": spaced(data[at:at + 16]), "fields": [[name, say, name == "TPH_POLICY"]]}


def register_step(call):
    data = bytes.fromhex(call["bytes"])
    length, _, _, count = struct.unpack_from("<HHHH", data)
    rows = [{"at": "0x00", "hex": spaced(data[:24]),
             "fields": [["length", str(length), False], ["object", "MR", False], ["method", "REG_MR", False],
                        ["num_attrs", str(count), False]]}]
    rows += [attribute(data, 24 + 16 * i, REG_MR) for i in range(count)]
    return {"layer": "libibverbs", "title": "The dma-buf is registered, and the hint required", "tag": None,
            "rows": rows, "text": "ioctl RDMA_VERBS_IOCTL by ibv_reg_mr_ex(), struct ib_uverbs_attr each"}


def event_fields(event):
    words = event.split(": ", 1)[1].split()
    return dict(word.split("=", 1) for word in words if "=" in word)


def event_step(events, name, title, layer, hint):
    line = next(event for event in events if event.startswith(name + ":"))
    fields = event_fields(line)
    return {"layer": layer, "title": title, "text": f"event {name}",
            "rows": [{"at": "", "hex": "", "fields": [[key, value, key in hint]
                                                      for key, value in fields.items()]}]}, fields


def tph_capability(config):
    """Where the TPH Requester capability is in configuration space (extended capability 0x17)."""
    at = 0x100
    while at:
        word = struct.unpack_from("<I", config, at)[0]
        if word & 0xffff == 0x17:
            return at
        at = word >> 20
    raise ValueError("no TPH Requester capability")


def table_step(config, index):
    at = tph_capability(config)
    header, capability, control = struct.unpack_from("<III", config, at)
    place = at + 12 + 2 * index
    tag = struct.unpack_from("<H", config, place)[0]
    location = ["none", "in the capability", "in the MSI-X table", "reserved"][bits(capability, 10, 9)]
    enable = ["off", "TPH", "reserved", "TPH and Extended TPH"][bits(control, 9, 8)]
    mode = bits(control, 2, 0)
    mode_name = ["No ST", "Interrupt Vector", "Device Specific"][mode] if mode < 3 else "reserved"

    def row(offset, size, fields):
        return {"at": f"{offset:#05x}", "hex": spaced(config[offset:offset + size]), "fields": fields}
    rows = [
        row(at, 4, [["Extended Capability ID", f"{header & 0xffff:#06x}, TPH Requester", False]]),
        row(at + 4, 4, [["Device Specific Mode", str(bits(capability, 2, 2)), False],
                        ["Extended TPH Requester", str(bits(capability, 8, 8)), False],
                        ["ST Table Location", location, False],
                        ["ST Table Size", f"{bits(capability, 26, 16) + 1} entries", False]]),
        row(at + 8, 4, [["ST Mode Select", f"{mode}, {mode_name}", False],
                        ["TPH Requester Enable", f"{bits(control, 9, 8)}, {enable}", True]]),
        row(place, 2, [[f"ST Table entry {index}", f"ST {tag} ({tag:#06x})", True]])]
    return {"layer": "mlx5", "title": "The tag takes a place in the HCA's Steering Tag table", "rows": rows,
            "tag": tag, "text": "configuration space of the HCA function, little-endian"}


def key_step(mkey):
    data = bytes.fromhex(mkey["context"])
    word = list(struct.unpack(">16I", data))
    access = flags(bits(word[0], 14, 10), ["lr", "lw", "rr", "rw", "a"])
    names = {
        0: [["free", str(bits(word[0], 30, 30)), False], ["access", access, False],
            ["access_mode_1_0", ["PA", "MTT", "KLM", "KSM"][bits(word[0], 9, 8)], False]],
        1: [["qpn", f"{bits(word[1], 31, 8):#x}", False], ["mkey_7_0", f"{bits(word[1], 7, 0):#04x}", False]],
        3: [["pd", f"{bits(word[3], 23, 0):#x}", False]],
        4: [["start_addr[63:32]", f"{word[4]:#x}", False]], 5: [["start_addr[31:0]", f"{word[5]:#x}", False]],
        6: [["len[63:32]", f"{word[6]:#x}", False]], 7: [["len[31:0]", f"{word[7]:#x}", False]],
        13: [["translations_octword_size", str(word[13]), False]],
        14: [["log_page_size", str(bits(word[14], 5, 0)), False]],
        15: [["pcie_tph_en", str(bits(word[15], 26, 26)), True],
             ["pcie_tph_ph", ph_text(bits(word[15], 25, 24)), True],
             ["pcie_tph_steering_tag_index", str(bits(word[15], 23, 16)), True]]}
    rows = [{"at": f"{4 * i:#04x}", "hex": spaced(data[4 * i:4 * i + 4]), "fields": names.get(i, [])}
            for i in range(16) if word[i]]
    return {"layer": "HCA", "title": "The memory key holds PH and the table's index", "rows": rows, "tag": None,
            "text": f"context of memory key {mkey['mkey']} in the HCA, big-endian; words that are 0 left out"}


def tlp_fields(data):
    """Rows and the hint (th, ph, tag, width) of a memory write, or None where there is no such thing."""
    rows = []
    upper = None
    at = 0

    def row(fields):
        nonlocal at
        rows.append({"at": f"byte {at}", "hex": spaced(data[at:at + 4]), "fields": fields})
        at += 4
    if data[0] >> 5 == 4:
        upper = data[1]
        row([["Fmt", "100, TLP prefix", True], ["Type", f"{data[0] & 0x1f:05b}, TPH", True],
             ["ST[15:8]", f"{upper:#04x}", True]])
    b = data[at:]
    form, kind, th = b[0] >> 5, b[0] & 0x1f, b[1] & 1
    name = {2: "3 DW with data", 3: "4 DW with data", 0: "3 DW", 1: "4 DW"}[form]
    row([["Fmt", f"{form:03b}, {name}", False], ["Type", f"{kind:05b}, memory request", False],
         ["TC", str(bits(b[1], 6, 4)), False], ["TH", str(th), True],
         ["Attr", f"{b[1] >> 2 & 1}{b[2] >> 5 & 1}{b[2] >> 4 & 1}", False],
         ["AT", f"{bits(b[2], 3, 2):02b}", False],
         ["Length", f"{((b[2] & 3) << 8 | b[3]) or 1024} DW", False]])
    requester = f"{b[4]:02x}:{b[5] >> 3:02x}.{b[5] & 7}"
    row([["Requester ID", requester, False],
         ["ST[7:0]" if th else "Tag", f"{b[6]:#04x}" if th else str(b[6]), bool(th)],
         ["Last DW BE", f"{b[7] >> 4:04b}", False], ["First DW BE", f"{b[7] & 15:04b}", False]])
    if form & 1:
        row([["Address[63:32]", b[8:12].hex(), False]])
    low = int.from_bytes(data[at:at + 4], "big")
    ph = low & 3
    row([["Address[31:2]", f"{low & ~3:#010x}", False]] + ([["PH", f"{ph:02b}, {PH[ph]}", True]] if th else []))
    tag = (upper or 0) << 8 | b[6] if th else None
    return rows, {"ph": ph, "st": tag, "st_width": 8 if upper is None else 16} if th else None


def tlp_step(tlp):
    rows, hint = tlp_fields(bytes.fromhex(tlp["header"]))
    return {"layer": "PCIe", "title": "Memory write TLP, as it travels", "rows": rows,
            "tag": hint["st"] if hint else None,
            "text": f"{tlp['type']} from the HCA to BAR {tlp['bar']} + {tlp['offset']:#x} of the endpoint; "
                    "header bytes in the order of the link"}, hint


def completer_step(counts):
    rows = [{"at": "", "hex": "", "fields": [
        ["PH", "none" if one["ph"] is None else ph_text(one["ph"]), True],
        ["ST", "none" if one["st"] is None else f"{one['st']}, {one['st_width']} bits", True],
        ["writes", str(one["writes"]), False], ["bytes", str(one["write_bytes"]), False]]}
        for one in counts if one["writes"]]
    seen = {(one["ph"], one["st"], one["st_width"]) for one in counts if one["writes"]}
    return {"layer": "endpoint", "title": "The completer has counted", "rows": rows,
            "tag": next(iter(seen))[1] if len(seen) == 1 else None,
            "text": "by PH and Steering Tag, all that was written since the hint was attached"}, seen


def read_back_step(call):
    data = bytes.fromhex(call["response"])
    rows = structure(data, 0, [
        ("flags", "I", lambda value: flags(value, ["APPLIED", "STALE", "FALLBACK"]), True),
        ("steering_tag", "H", plain, True), ("ph", "B", ph_text, True), ("st_width", "B", plain, True),
        ("source", "B", lambda value: SOURCE[value], False), ("policy", "B", lambda value: POLICY[value], False),
        ("reason", "B", lambda value: REASON[value], False)])
    return {"layer": "libibverbs", "title": "The application reads back what it got", "rows": rows,
            "tag": struct.unpack_from("<H", data, 4)[0],
            "text": "answer to QUERY_MR by ibv_query_mr_tph(), struct ib_uverbs_mr_tph"}


def call_of(chain, name):
    for call in chain["ioctls"]:
        if call["ioctl"] == name and call["result"] >= 0:
            return call
    raise ValueError(f"no {name} that succeeded")


def steps(chain, tlp):
    """The steps, and what is wrong with them: a list of texts."""
    width = chain["width"]
    name = "steering_tag" if width == 8 else "steering_tag_ext"
    stored, stored_fields = event_step(chain["events"], "vfio_pci_dma_buf_set_tph",
                                       "vfio-pci keeps it with the dma-buf", "vfio-pci", (name, "flags", "ph"))
    stored["tag"] = int(stored_fields[name], 0)
    asked, asked_fields = event_step(chain["events"], "dma_buf_get_tph",
                                     "RDMA core asks for a tag of the width the HCA sends", "RDMA core",
                                     ("st_width", "steering_tag", "ph"))
    asked["tag"] = int(asked_fields["steering_tag"], 0)
    on_wire, hint = tlp_step(tlp)
    counted, seen = completer_step(chain["counts"])
    result = [export_step(call_of(chain, "VFIO_DEVICE_FEATURE_DMA_BUF")),
              hint_step(call_of(chain, "VFIO_DEVICE_FEATURE_DMA_BUF_TPH"), width), stored,
              register_step(call_of(chain, "UVERBS_METHOD_REG_MR")), asked,
              table_step(bytes.fromhex(chain["config"]), chain["mkey"]["st_index"]), key_step(chain["mkey"]),
              on_wire, counted, read_back_step(call_of(chain, "UVERBS_METHOD_QUERY_MR"))]
    wrong = []
    tags = {one["title"]: one["tag"] for one in result if one["tag"] is not None}
    if len(set(tags.values())) != 1 or len(tags) < 7:
        wrong.append(f"{width}-bit chain: not one tag in all layers: {tags}")
    if not hint or seen != {(hint["ph"], hint["st"], hint["st_width"])} or hint["st_width"] != width:
        wrong.append(f"{width}-bit chain: on the wire {hint}, at the completer {sorted(map(str, seen))}")
    if hint and f"ph={hint['ph']}" not in chain["requested"].split(","):
        wrong.append(f"{width}-bit chain: PH {hint['ph']} on the wire for {chain['requested']}")
    return result, wrong
