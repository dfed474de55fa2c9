-- SPDX-License-Identifier: GPL-2.0-only
-- Wireshark's view of the captures of tlpdump --pcapng: TLPs (link type USER0, in the layout of pcie/pcap.h) as the PCI
-- Express Base Specification 6.3 has them in Non-Flit Mode, section 2.2. Packets of InfiniBand ports (link type 247), which
-- Wireshark dissects, and whose link type it does not know in captures, are told to be that.
-- Use: wireshark -X lua_script:tlp.lua FILE, or put it into a directory of plugins.

local tlp = Proto("tlp", "PCI Express TLP")

local types = {
	[0x00] = "MRd32", [0x20] = "MRd64", [0x40] = "MWr32", [0x60] = "MWr64",
	[0x4c] = "FetchAdd32", [0x6c] = "FetchAdd64", [0x4d] = "Swap32", [0x6d] = "Swap64",
	[0x4e] = "CAS32", [0x6e] = "CAS64", [0x0a] = "Cpl", [0x4a] = "CplD",
}
local routes = { [0] = "none", "memory", "message", "function" }
local hints = { [0] = "bi-directional", "requester", "target", "target with priority" }
local statuses = { [0] = "SC", [1] = "UR", [2] = "RRS", [4] = "CA" }
local translations = { [0] = "untranslated", "translation request", "translated", "reserved" }

local KIND_TLP, KIND_MARK = 1, 2
local HEAD = 16

local f = tlp.fields
f.version = ProtoField.uint8("tlp.version", "Version of the layout")
f.kind = ProtoField.uint8("tlp.kind", "Kind", base.DEC, { "TLP", "mark" })
f.mark = ProtoField.string("tlp.mark", "Mark")
f.source = ProtoField.string("tlp.source", "Source")
f.target = ProtoField.string("tlp.target", "Target")
f.route = ProtoField.uint8("tlp.route", "Route", base.DEC, routes)
f.bar = ProtoField.uint8("tlp.bar", "BAR")
f.offset = ProtoField.uint64("tlp.offset", "Offset in the BAR", base.HEX)
f.header = ProtoField.bytes("tlp.header", "Header")
f.prefix = ProtoField.uint8("tlp.prefix", "TLP prefix", base.HEX, { [0x90] = "TPH" })
f.st_high = ProtoField.uint8("tlp.prefix.st", "ST[15:8]", base.HEX)
f.ama_valid = ProtoField.bool("tlp.prefix.ama_valid", "AMA valid", 8, nil, 0x10)
f.ama = ProtoField.uint8("tlp.prefix.ama", "AMA", base.DEC, nil, 0xe0)
f.fmt = ProtoField.uint8("tlp.fmt", "Fmt", base.HEX, nil, 0xe0)
f.type = ProtoField.uint8("tlp.type", "Type", base.HEX, nil, 0x1f)
f.fmt_type = ProtoField.uint8("tlp.fmt_type", "TLP", base.HEX, types)
f.t9 = ProtoField.bool("tlp.t9", "T9", 8, nil, 0x80)
f.tc = ProtoField.uint8("tlp.tc", "Traffic class", base.DEC, nil, 0x70)
f.t8 = ProtoField.bool("tlp.t8", "T8", 8, nil, 0x08)
f.ido = ProtoField.bool("tlp.ido", "ID-based ordering", 8, nil, 0x04)
f.th = ProtoField.bool("tlp.th", "TH", 8, nil, 0x01)
f.td = ProtoField.bool("tlp.td", "TD", 8, nil, 0x80)
f.ep = ProtoField.bool("tlp.ep", "EP", 8, nil, 0x40)
f.ro = ProtoField.bool("tlp.ro", "Relaxed ordering", 8, nil, 0x20)
f.ns = ProtoField.bool("tlp.ns", "No snoop", 8, nil, 0x10)
f.at = ProtoField.uint8("tlp.at", "AT", base.DEC, translations, 0x0c)
f.length = ProtoField.uint16("tlp.length", "Length in DW", base.DEC)
f.requester = ProtoField.string("tlp.requester", "Requester ID")
f.completer = ProtoField.string("tlp.completer", "Completer ID")
f.tag = ProtoField.uint16("tlp.tag", "Tag", base.DEC)
f.first_be = ProtoField.uint8("tlp.first_be", "First DW byte enables", base.HEX, nil, 0x0f)
f.last_be = ProtoField.uint8("tlp.last_be", "Last DW byte enables", base.HEX, nil, 0xf0)
f.addr = ProtoField.uint64("tlp.addr", "Address", base.HEX)
f.ph = ProtoField.uint8("tlp.ph", "Processing hint", base.DEC, hints, 0x03)
f.st = ProtoField.uint16("tlp.st", "Steering tag", base.HEX)
f.st_width = ProtoField.uint8("tlp.st_width", "Width of the steering tag")
f.status = ProtoField.uint8("tlp.status", "Completion status", base.DEC, statuses, 0xe0)
f.bcm = ProtoField.bool("tlp.bcm", "BCM", 8, nil, 0x10)
f.byte_count = ProtoField.uint16("tlp.byte_count", "Byte count", base.DEC)
f.lower_addr = ProtoField.uint8("tlp.lower_addr", "Lower address", base.HEX, nil, 0x7f)

local bad = ProtoExpert.new("tlp.bad", "not in the layout of tlpdump", expert.group.MALFORMED, expert.severity.ERROR)
tlp.experts = { bad }

local function id_of(range)
	return string.format("%02x:%02x.%x", range:bitfield(0, 8), range:bitfield(8, 5), range:bitfield(13, 3))
end

-- What the two bytes behind Fmt and Type say; returns TH and the length.
local function add_common(tree, h)
	tree:add(f.fmt, h(0, 1))
	tree:add(f.type, h(0, 1))
	tree:add(f.fmt_type, h(0, 1))
	for _, field in ipairs({ f.t9, f.tc, f.t8, f.ido, f.th }) do
		tree:add(field, h(1, 1))
	end
	for _, field in ipairs({ f.td, f.ep, f.ro, f.ns, f.at }) do
		tree:add(field, h(2, 1))
	end
	local length = h(2, 2):bitfield(6, 10)
	-- Of a completion without data it says nothing.
	if length == 0 and h(0, 1):uint() ~= 0x0a then
		length = 1024
	end
	tree:add(f.length, h(2, 2), length)
	return h(1, 1):bitfield(7, 1) == 1, length
end

local function tag_of(h, low)
	return h(1, 1):bitfield(0, 1) * 512 + h(1, 1):bitfield(4, 1) * 256 + low
end

-- A request. @high: ST[15:8], of the prefix, or nil. Returns what the Info column says of it.
local function add_request(tree, h, name, high)
	local th, length = add_common(tree, h)
	local wide = h(0, 1):bitfield(2, 1) == 1
	local write = h(0, 1):uint() == (wide and 0x60 or 0x40)
	local info = string.format("%s %s", name, id_of(h(4, 2)))
	tree:add(f.requester, h(4, 2), id_of(h(4, 2)))
	if th and write then
		info = info .. " tag -"
	else
		local tag = tag_of(h, h(6, 1):uint())
		tree:add(f.tag, h(6, 1), tag)
		info = info .. " tag " .. tag
	end
	local last, first = h(7, 1):bitfield(0, 4), h(7, 1):bitfield(4, 4)
	if th and not write then
		-- Their place is the tag's; TH implies them.
		last, first = length > 1 and 15 or 0, 15
	else
		tree:add(f.last_be, h(7, 1))
		tree:add(f.first_be, h(7, 1))
	end
	local place = wide and h(8, 8) or h(8, 4)
	local addr = wide and place:uint64() or UInt64(place:uint(), 0)
	addr = addr:band(UInt64(0xfffffffc, 0xffffffff))
	tree:add(f.addr, place, addr)
	info = string.format("%s addr 0x%s length %u be %x/%x", info, addr:tohex():gsub("^0+(%x)", "%1"), length, last, first)
	if not th then
		return info
	end
	local ph_at = wide and h(15, 1) or h(11, 1)
	local st_at = write and h(6, 1) or h(7, 1)
	local st, width = st_at:uint(), 8
	if high then
		st, width = high * 256 + st, 16
	end
	tree:add(f.ph, ph_at)
	tree:add(f.st, st_at, st)
	tree:add(f.st_width, st_at, width):set_generated()
	return string.format(width == 16 and "%s TH ph %u st 0x%04x" or "%s TH ph %u st 0x%02x", info, ph_at:bitfield(6, 2), st)
end

local function add_completion(tree, h, name)
	local _, length = add_common(tree, h)
	local status = h(6, 1):bitfield(0, 3)
	local count = h(6, 2):bitfield(4, 12)
	local tag = tag_of(h, h(10, 1):uint())
	count = count == 0 and 4096 or count
	tree:add(f.completer, h(4, 2), id_of(h(4, 2)))
	tree:add(f.status, h(6, 1))
	tree:add(f.bcm, h(6, 1))
	tree:add(f.byte_count, h(6, 2), count)
	tree:add(f.requester, h(8, 2), id_of(h(8, 2)))
	tree:add(f.tag, h(10, 1), tag)
	tree:add(f.lower_addr, h(11, 1))
	return string.format("%s %s tag %u from %s %s bytes %u lower 0x%02x length %u", name, id_of(h(8, 2)), tag, id_of(h(4, 2)),
		statuses[status] or "CA", count, h(11, 1):bitfield(1, 7), length)
end

-- Returns nil when there is no header that is known.
local function add_header(tree, h)
	local high = nil
	if h:len() >= 4 and h(0, 1):bitfield(0, 3) == 4 then
		local prefix = tree:add(f.prefix, h(0, 1))
		if h(0, 1):uint() ~= 0x90 or h:len() < 16 then
			return nil
		end
		high = h(1, 1):uint()
		prefix:add(f.st_high, h(1, 1))
		prefix:add(f.ama, h(2, 1))
		prefix:add(f.ama_valid, h(2, 1))
		h = h(4, h:len() - 4)
	end
	local name = h:len() >= 12 and types[h(0, 1):uint()]
	if not name or h:len() ~= (h(0, 1):bitfield(2, 1) == 1 and 16 or 12) then
		return nil
	end
	if name == "Cpl" or name == "CplD" then
		return not high and add_completion(tree, h, name) or nil
	end
	return add_request(tree, h, name, high)
end

function tlp.dissector(buf, pinfo, root)
	pinfo.cols.protocol = "TLP"
	local tree = root:add(tlp, buf())
	local lengths = buf:len() >= HEAD and { buf(4, 1):uint(), buf(5, 1):uint(), buf(6, 1):uint() }
	if not lengths or buf(0, 1):uint() ~= 1 or HEAD + lengths[1] + lengths[2] + lengths[3] ~= buf:len() then
		tree:add_proto_expert_info(bad)
		return buf:len()
	end
	local kind, route = buf(1, 1):uint(), buf(2, 1):uint()
	local at = HEAD + lengths[1] + lengths[2]
	tree:add(f.version, buf(0, 1))
	tree:add(f.kind, buf(1, 1))
	if kind == KIND_MARK then
		local name = lengths[3] > 0 and buf(at, lengths[3]):string() or ""
		tree:add(f.mark, buf(at, lengths[3]), name)
		pinfo.cols.info = "mark " .. name
		return buf:len()
	end
	local source = lengths[1] > 0 and buf(HEAD, lengths[1]):string() or ""
	local target = lengths[2] > 0 and buf(HEAD + lengths[1], lengths[2]):string() or routes[route] or "?"
	tree:add(f.source, buf(HEAD, lengths[1]), source)
	tree:add(f.route, buf(2, 1))
	if lengths[2] > 0 then
		tree:add(f.target, buf(HEAD + lengths[1], lengths[2]), target)
	end
	local info = nil
	if kind == KIND_TLP and lengths[3] > 0 then
		local h = buf(at, lengths[3])
		local header = tree:add(f.header, h)
		info = add_header(header, h:tvb())
	end
	if not info then
		tree:add_proto_expert_info(bad)
		return buf:len()
	end
	if lengths[2] > 0 and not info:find("^Cpl") then
		tree:add(f.bar, buf(3, 1))
		tree:add(f.offset, buf(8, 8))
		target = string.format("%s/bar%u+0x%s", target, buf(3, 1):uint(), buf(8, 8):uint64():tohex():gsub("^0+(%x)", "%1"))
	end
	pinfo.cols.src = source
	pinfo.cols.dst = target
	pinfo.cols.info = info
	return buf:len()
end

local encaps = DissectorTable.get("wtap_encap")
encaps:add(wtap.USER0, tlp)
-- 0: a link type of a capture that this Wireshark has no number for. Of ours that is InfiniBand's.
encaps:add(0, Dissector.get("infiniband"))
