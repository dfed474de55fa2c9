// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause OR Linux-OpenIB
/* What vfiobar decides without a device: addresses, hints, ranges; see vfiobar.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vfiobar_internal.h"

/* Configuration space, by the PCI and PCIe base specifications. */
#define CFG_VENDOR	 0x00
#define CFG_DEVICE	 0x02
#define CFG_STATUS	 0x06
#define CFG_STATUS_CAPS	 0x10
#define CFG_CLASS	 0x09
#define CFG_BAR(n)	 (0x10 + 4 * (n))
#define CFG_BAR_IO	 0x01
#define CFG_BAR_PREFETCH 0x08
#define CFG_CAPS	 0x34
#define CAP_ID_EXP	 0x10
#define CAP_ID_MSIX	 0x11
#define EXP_FLAGS	 0x02
#define EXP_DEVCAP2	 0x24
#define MSIX_CONTROL	 0x02
#define MSIX_TABLE	 0x04
#define MSIX_PBA	 0x08

#define CLASS_NVM	 0x0108 /* base class and subclass of NVMe controllers */
#define NVM_REGISTER_BAR 0

_Static_assert(sizeof(struct vfiobar_layout) == VFIOBAR_LAYOUT_V1, "the first version's size");
_Static_assert(sizeof(struct vfiobar_hint) == VFIOBAR_HINT_V1, "the first version's size");

void vfiobar_say(struct vfiobar_msg *msg, const char *fmt, ...)
{
	va_list args;

	if (!msg)
		return;
	va_start(args, fmt);
	vsnprintf(msg->text, sizeof(msg->text), fmt, args);
	va_end(args);
}

int vfiobar_say_errno(struct vfiobar_msg *msg, const char *bdf, const char *what, int err)
{
	vfiobar_say(msg, "%s: %s: %s (%s)", bdf, what, strerror(err), vfiobar_errno_name(err));
	return -err;
}

const char *vfiobar_errno_name(int err)
{
	static _Thread_local char number[24];
	const char *name = NULL;

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 32)
	name = err > 0 ? strerrorname_np(err) : NULL;
#endif
	if (name)
		return name;
	snprintf(number, sizeof(number), "errno %d", err);
	return number;
}

static uint32_t size_of(const void *sized)
{
	uint32_t size;

	memcpy(&size, sized, sizeof(size));
	return size;
}

static int too_small(uint32_t size, size_t first, struct vfiobar_msg *msg)
{
	vfiobar_say(msg, "a structure says that it has %u bytes, and has at least %zu", size,
		    first);
	return -EINVAL;
}

int vfiobar_take(void *to, size_t have, const void *from, size_t first, struct vfiobar_msg *msg)
{
	uint32_t size = size_of(from);

	if (size < first)
		return too_small(size, first, msg);
	for (size_t i = have; i < size; i++) {
		if (((const uint8_t *)from)[i]) {
			vfiobar_say(msg,
				    "a structure of %u bytes has something behind the %zu that "
				    "this libvfiobar knows",
				    size, have);
			return -E2BIG;
		}
	}
	memset(to, 0, have);
	memcpy(to, from, size < have ? size : have);
	return 0;
}

int vfiobar_give(void *to, const void *from, size_t have, size_t first, struct vfiobar_msg *msg)
{
	uint32_t size = size_of(to), filled = size < have ? size : (uint32_t)have;

	if (size < first)
		return too_small(size, first, msg);
	memset(to, 0, size);
	memcpy(to, from, filled);
	memcpy(to, &filled, sizeof(filled));
	return 0;
}

/* Hex digits up to @end or @max; advances @p behind @end. -1 when there are none or too many. */
static int64_t hex_field(const char **p, unsigned int max, char end)
{
	int64_t value = 0;
	unsigned int n;

	for (n = 0; n <= max; n++, (*p)++) {
		char c = **p;

		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value = value * 16 + (c - 'A' + 10);
		else
			break;
	}
	if (!n || n > max || **p != end)
		return -1;
	if (end)
		(*p)++;
	return value;
}

int vfiobar_parse_bdf(const char *text, char bdf[VFIOBAR_BDF_LEN], struct vfiobar_msg *msg)
{
	const char *p = text, *colon = strchr(text, ':');
	int64_t domain = 0, bus, dev, fn;

	if (colon && strchr(colon + 1, ':'))
		domain = hex_field(&p, 8, ':');
	bus = domain < 0 ? -1 : hex_field(&p, 2, ':');
	dev = bus < 0 ? -1 : hex_field(&p, 2, '.');
	fn = dev < 0 ? -1 : hex_field(&p, 1, '\0');
	if (fn < 0 || fn > 7 || dev > 31) {
		vfiobar_say(msg, "'%s' is not a PCI address (domain:bus:dev.fn)", text);
		return -EINVAL;
	}
	/* It becomes part of structures that are compared and copied. */
	memset(bdf, 0, VFIOBAR_BDF_LEN);
	snprintf(bdf, VFIOBAR_BDF_LEN, "%04x:%02x:%02x.%x", (unsigned int)domain,
		 (unsigned int)bus & 0xff, (unsigned int)dev & 0x1f, (unsigned int)fn & 7);
	return 0;
}

/* Decimal, or hex behind 0x, nothing else; false too when above @max. */
static bool parse_number(const char *text, size_t len, unsigned long max, unsigned long *value)
{
	bool hex = len > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	unsigned long v = 0;

	if (!len)
		return false;
	for (size_t i = hex ? 2 : 0; i < len; i++) {
		char c = text[i];
		unsigned int digit;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if (hex && c >= 'a' && c <= 'f')
			digit = c - 'a' + 10;
		else if (hex && c >= 'A' && c <= 'F')
			digit = c - 'A' + 10;
		else
			return false;
		v = v * (hex ? 16 : 10) + digit;
		if (v > max)
			return false;
	}
	*value = v;
	return true;
}

int vfiobar_parse_hint(const char *spec, struct vfiobar_hint *hint, struct vfiobar_msg *msg)
{
	enum { ST, ST_EXT, PH, KEYS };
	static const struct {
		const char *name;
		unsigned long max;
	} keys[KEYS] = { { "st", 0xff }, { "st_ext", 0xffff }, { "ph", 3 } };
	unsigned long value[KEYS] = { 0 };
	bool seen[KEYS] = { false };
	struct vfiobar_hint found;
	const char *p = spec;

	while (*spec) {
		int len = (int)strcspn(p, ",");
		const char *eq = memchr(p, '=', len);
		int key, key_len = eq ? (int)(eq - p) : len;

		for (key = 0; key < KEYS; key++)
			if ((size_t)key_len == strlen(keys[key].name) &&
			    !memcmp(p, keys[key].name, key_len))
				break;
		if (key == KEYS) {
			vfiobar_say(msg, "'%.*s': unknown key, expected st=, st_ext= or ph=", len,
				    p);
			return -EINVAL;
		}
		if (seen[key]) {
			vfiobar_say(msg, "%s given twice", keys[key].name);
			return -EINVAL;
		}
		seen[key] = true;
		if (!eq || !parse_number(eq + 1, len - key_len - 1, keys[key].max, &value[key])) {
			vfiobar_say(msg, "'%.*s': not a number in 0..%lu", len, p, keys[key].max);
			return -EINVAL;
		}
		if (!p[len])
			break;
		p += len + 1;
	}
	if (!seen[ST] && !seen[ST_EXT]) {
		vfiobar_say(msg, "no steering tag given: st=<0-255> or st_ext=<0-65535>");
		return -EINVAL;
	}
	if (!seen[PH]) {
		vfiobar_say(msg, "no processing hint given: ph=<0-3>");
		return -EINVAL;
	}
	found = (struct vfiobar_hint){
		.size = sizeof(found),
		.has_st = seen[ST],
		.has_st_ext = seen[ST_EXT],
		.st = (uint8_t)value[ST],
		.st_ext = (uint16_t)value[ST_EXT],
		.ph = (uint8_t)value[PH],
	};
	return vfiobar_give(hint, &found, sizeof(found), VFIOBAR_HINT_V1, msg);
}

static uint32_t get_le(const uint8_t *p, unsigned int bytes)
{
	uint32_t v = 0;

	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

static void msix_range(struct vfiobar_layout *layout, unsigned int i, uint32_t where,
		       uint64_t length)
{
	layout->msix_bar[i] = where & 7;
	layout->msix[i] = (struct vfiobar_range){ .offset = where & ~7u, .length = length };
}

static bool answers(const uint8_t *cfg, size_t len)
{
	unsigned int i = 0;

	while (len >= 64 && i < 64 && cfg[i] == 0xff)
		i++;
	return len >= 64 && i < 64;
}

int vfiobar_parse_config(const uint8_t *cfg, size_t len, struct vfiobar_layout *layout)
{
	unsigned int pos, left;

	if (!answers(cfg, len))
		return -ENODATA;
	layout->vendor = (uint16_t)get_le(cfg + CFG_VENDOR, 2);
	layout->device = (uint16_t)get_le(cfg + CFG_DEVICE, 2);
	layout->class_code = get_le(cfg + CFG_CLASS, 3);
	layout->completer = VFIOBAR_COMPLETER_NONE;
	layout->prefetchable = 0;
	memset(layout->msix, 0, sizeof(layout->msix));
	memset(layout->msix_bar, 0, sizeof(layout->msix_bar));
	for (unsigned int i = 0; i < VFIOBAR_BARS; i++) {
		if (layout->bar_size[i] && (cfg[CFG_BAR(i)] & CFG_BAR_IO))
			layout->bar_size[i] = 0;
		if (layout->bar_size[i] && (cfg[CFG_BAR(i)] & CFG_BAR_PREFETCH))
			layout->prefetchable |= 1u << i;
	}

	if (!(cfg[CFG_STATUS] & CFG_STATUS_CAPS))
		return 0;
	pos = cfg[CFG_CAPS] & 0xfc;
	/* 48 capabilities fill the space, so a longer chain is a loop. */
	for (left = 48; left && pos >= 0x40 && pos + 4 <= len; left--) {
		const uint8_t *cap = cfg + pos;

		if (cap[0] == CAP_ID_EXP && pos + EXP_DEVCAP2 + 4 <= len &&
		    (cap[EXP_FLAGS] & 0xf) >= 2)
			layout->completer = get_le(cap + EXP_DEVCAP2, 4) >> 12 & 3;
		if (cap[0] == CAP_ID_MSIX && pos + MSIX_PBA + 4 <= len) {
			uint64_t n = (get_le(cap + MSIX_CONTROL, 2) & 0x7ff) + 1;

			msix_range(layout, 0, get_le(cap + MSIX_TABLE, 4), n * 16);
			msix_range(layout, 1, get_le(cap + MSIX_PBA, 4), (n + 63) / 64 * 8);
		}
		pos = cap[1] & 0xfc;
	}
	return 0;
}

static int no_such_bar(const struct vfiobar_layout *layout, unsigned int bar,
		       struct vfiobar_msg *msg)
{
	char have[3 * VFIOBAR_BARS + 1] = "";
	size_t n = 0;

	for (unsigned int i = 0; i < VFIOBAR_BARS; i++)
		if (layout->bar_size[i])
			n += (size_t)snprintf(have + n, sizeof(have) - n, " %u", i);
	vfiobar_say(msg, "%s: BAR %u does not exist (memory BARs:%s)", layout->bdf, bar,
		    n ? have : " none");
	return -ENOENT;
}

int vfiobar_check_range(const struct vfiobar_layout *layout, unsigned int bar, uint64_t offset,
			uint64_t length, uint64_t align, struct vfiobar_msg *msg)
{
	static const char *const msix_name[] = { "table", "pending bits" };
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), size;

	if (layout->size < VFIOBAR_LAYOUT_V1)
		return too_small(layout->size, VFIOBAR_LAYOUT_V1, msg);
	if (bar >= VFIOBAR_BARS || !layout->bar_size[bar])
		return no_such_bar(layout, bar, msg);
	size = layout->bar_size[bar];
	if (!length) {
		vfiobar_say(msg, "%s BAR %u: length is 0", layout->bdf, bar);
		return -EINVAL;
	}
	if (offset & (align - 1) || length & (align - 1)) {
		vfiobar_say(msg, "%s BAR %u: %s 0x%llx is not a multiple of the page size 0x%llx",
			    layout->bdf, bar, offset & (align - 1) ? "offset" : "length",
			    (unsigned long long)(offset & (align - 1) ? offset : length),
			    (unsigned long long)align);
		return -EINVAL;
	}
	if (offset >= size) {
		vfiobar_say(msg, "%s BAR %u: offset 0x%llx past the BAR (size 0x%llx)", layout->bdf,
			    bar, (unsigned long long)offset, (unsigned long long)size);
		return -ERANGE;
	}
	if (length > size - offset) {
		vfiobar_say(
			msg,
			"%s BAR %u: offset 0x%llx + length 0x%llx past the BAR (size 0x%llx): %llu "
			"bytes missing",
			layout->bdf, bar, (unsigned long long)offset, (unsigned long long)length,
			(unsigned long long)size, (unsigned long long)(length - (size - offset)));
		return -ERANGE;
	}
	for (unsigned int i = 0; i < 2; i++) {
		const struct vfiobar_range *used = &layout->msix[i];
		uint64_t first, end;

		if (!used->length || layout->msix_bar[i] != bar)
			continue;
		first = used->offset & ~(page - 1);
		end = (used->offset + used->length + page - 1) & ~(page - 1);
		if (offset < end && first < offset + length) {
			vfiobar_say(
				msg,
				"%s BAR %u: offset 0x%llx + length 0x%llx touches the pages of the "
				"MSI-X %s (0x%llx..0x%llx)",
				layout->bdf, bar, (unsigned long long)offset,
				(unsigned long long)length, msix_name[i], (unsigned long long)first,
				(unsigned long long)(end - 1));
			return -EACCES;
		}
	}
	return 0;
}

int vfiobar_check_memory(const struct vfiobar_layout *layout, unsigned int bar,
			 struct vfiobar_msg *msg)
{
	if (layout->size < VFIOBAR_LAYOUT_V1)
		return too_small(layout->size, VFIOBAR_LAYOUT_V1, msg);
	if (bar >= VFIOBAR_BARS || !layout->bar_size[bar])
		return no_such_bar(layout, bar, msg);
	if (layout->class_code >> 8 == CLASS_NVM && bar == NVM_REGISTER_BAR) {
		vfiobar_say(msg,
			    "%s BAR %u: holds the registers of an NVMe controller (class %06x): "
			    "data written there is commands to it",
			    layout->bdf, bar, layout->class_code);
		return -EPERM;
	}
	if (!(layout->prefetchable & 1u << bar)) {
		vfiobar_say(msg,
			    "%s BAR %u: is not prefetchable, so it holds registers (class %06x): "
			    "data written there is commands to the device",
			    layout->bdf, bar, layout->class_code);
		return -EPERM;
	}
	return 0;
}

bool vfiobar_mappable(const void *data, size_t size, uint64_t offset, uint64_t length)
{
	struct vfio_region_info info;
	struct vfio_info_cap_header cap;
	uint32_t pos, steps;

	if (size < sizeof(info))
		return false;
	memcpy(&info, data, sizeof(info));
	if (!(info.flags & VFIO_REGION_INFO_FLAG_MMAP))
		return false;
	if (!(info.flags & VFIO_REGION_INFO_FLAG_CAPS) || !info.cap_offset)
		return true;
	for (pos = info.cap_offset, steps = 64; pos; pos = cap.next) {
		struct vfio_region_info_cap_sparse_mmap sparse;

		if (!steps-- || pos < sizeof(info) || pos > size - sizeof(cap))
			return false;
		memcpy(&cap, (const uint8_t *)data + pos, sizeof(cap));
		if (cap.id != VFIO_REGION_INFO_CAP_SPARSE_MMAP)
			continue;
		if (pos > size - sizeof(sparse))
			return false;
		memcpy(&sparse, (const uint8_t *)data + pos, sizeof(sparse));
		pos += sizeof(sparse);
		for (uint32_t i = 0; i < sparse.nr_areas; i++) {
			struct vfio_region_sparse_mmap_area area;

			if (size - pos < sizeof(area))
				return false;
			memcpy(&area, (const uint8_t *)data + pos, sizeof(area));
			pos += sizeof(area);
			if (offset >= area.offset && offset - area.offset <= area.size &&
			    length <= area.size - (offset - area.offset))
				return true;
		}
		return false;
	}
	return true;
}
