/* SPDX-License-Identifier: GPL-2.0-only */
#include "pcie/burst.h"

#include <assert.h>
#include <string.h>

#include "pcie/fabric.h"

/* struct tlp_record.shape */
#define MAX_BITS	0x0007u /* request: 128 << n bytes */
#define COMPLETION_BITS 0x0038u /* completion: the same */
#define COMPLETION_AT	3
#define TAGS_256	0x0040u
#define REQUESTS	0x0080u
#define COMPLETIONS	0x0100u
#define EACH		0x0200u
#define ALL_BITS	0x03ffu
#define MAX_CODE	5u /* 4096 */

/* Behind the header, little-endian as the other fields. */
#define LENGTH_AT    TLP_MAX_HEADER
#define COMPLETER_AT (TLP_MAX_HEADER + 2)

static void put_le16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = v >> 8;
}

static uint16_t get_le16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static uint16_t code_of(size_t max)
{
	uint16_t code = 0;

	while ((size_t)128 << code < max)
		code++;
	return code;
}

void tlp_burst_put(struct tlp_record *record, const struct tlp_burst *burst)
{
	record->kind = TLP_RECORD_BURST;
	record->shape = code_of(burst->max) | (burst->requests ? REQUESTS : 0);
	put_le16(record->header + LENGTH_AT, (uint16_t)(burst->len - 1));
	put_le16(record->header + COMPLETER_AT, burst->completer);
	if (burst->tags == 256)
		record->shape |= TAGS_256;
	if (burst->completions)
		record->shape |= COMPLETIONS | code_of(burst->completion_max) << COMPLETION_AT;
	if (burst->each)
		record->shape |= EACH;
}

static struct tlp_burst get(const struct tlp_record *record)
{
	return (struct tlp_burst){
		.len = get_le16(record->header + LENGTH_AT) + 1u,
		.max = (size_t)128 << (record->shape & MAX_BITS),
		.requests = record->shape & REQUESTS,
		.completions = record->shape & COMPLETIONS,
		.each = record->shape & EACH,
		.completer = get_le16(record->header + COMPLETER_AT),
		.completion_max = (size_t)128
				  << ((record->shape & COMPLETION_BITS) >> COMPLETION_AT),
		.tags = record->shape & TAGS_256 ? 256 : 32,
	};
}

static bool is_shape(const struct tlp_record *record, enum tlp_type type)
{
	unsigned int shape = record->shape;

	if (shape & ~ALL_BITS || (shape & MAX_BITS) > MAX_CODE ||
	    (shape & COMPLETION_BITS) >> COMPLETION_AT > MAX_CODE)
		return false;
	if (type == TLP_MWR)
		return (shape & ~MAX_BITS) == REQUESTS;
	return type == TLP_MRD && shape & (REQUESTS | COMPLETIONS);
}

/* Every TLP of it can be sent, and the first one says what its header says. */
static bool is_sound(const struct tlp_record *record, const struct tlp_burst *burst,
		     const struct tlp *tlp)
{
	uint8_t header[TLP_MAX_HEADER];
	struct tlp first = *tlp;
	uint64_t addr;
	size_t n = tlp_range(tlp, &addr);

	if (!n || n != tlp_split(addr, burst->len, burst->max) || addr + (burst->len - 1) < addr)
		return false;
	if (tlp->type == TLP_MRD && tlp->tag >= burst->tags)
		return false;
	/* TH in a read says that all bytes of each DW are meant (2.2.7.1.1). */
	if (tlp->type == TLP_MRD && tlp->hint.th && (addr % 4 || burst->len % 4))
		return false;
	if (tlp_set_range(&first, addr, n) || tlp_encode(&first, header) != record->header_len)
		return false;
	return !memcmp(header, record->header, record->header_len);
}

const char *tlp_burst_fault(const struct tlp_record *record, struct tlp *tlp)
{
	struct tlp_burst burst = get(record);

	if (record->header_len > TLP_MAX_HEADER || record->route > PCIE_ROUTE_FUNCTION ||
	    record->route == PCIE_ROUTE_NONE)
		return "bad length or route";
	if (tlp_decode(record->header, record->header_len, tlp) != record->header_len)
		return "undecodable TLP header";
	return is_shape(record, tlp->type) && is_sound(record, &burst, tlp) ? NULL : "no burst";
}

void tlp_burst_start(struct tlp_burst_walk *walk, const struct tlp_record *record,
		     const struct tlp *tlp)
{
	*walk = (struct tlp_burst_walk){ .record = *record, .tlp = *tlp, .burst = get(record) };
	walk->record.kind = TLP_RECORD_TLP;
	walk->record.shape = 0;
	memset(walk->record.header + LENGTH_AT, 0, TLP_TRACE_NAME - LENGTH_AT);
	walk->completing = !walk->burst.requests;
	tlp_range(tlp, &walk->addr);
}

static size_t this_request(const struct tlp_burst_walk *walk)
{
	return tlp_split(walk->addr + walk->at, walk->burst.len - walk->at, walk->burst.max);
}

static void advance(struct tlp_burst_walk *walk)
{
	walk->at += this_request(walk);
	walk->number++;
}

static void put_header(struct tlp_record *record, const struct tlp *tlp)
{
	memset(record->header, 0, sizeof(record->header));
	record->header_len = (uint8_t)tlp_encode(tlp, record->header);
}

static uint16_t tag_of(const struct tlp_burst_walk *walk)
{
	if (walk->tlp.type == TLP_MWR)
		return walk->tlp.tag;
	return (walk->tlp.tag + walk->number) % walk->burst.tags;
}

static void request(struct tlp_burst_walk *walk, struct tlp_record *record, struct tlp *tlp)
{
	*record = walk->record;
	*tlp = walk->tlp;
	tlp_set_range(tlp, walk->addr + walk->at, this_request(walk));
	tlp->tag = tag_of(walk);
	if (record->route == PCIE_ROUTE_FUNCTION)
		record->offset += walk->at;
	put_header(record, tlp);
	if (walk->burst.each && walk->burst.completions)
		walk->completing = true;
	else
		advance(walk);
}

size_t tlp_completion_piece(struct tlp *tlp, uint64_t addr, size_t n, size_t done, size_t max)
{
	size_t piece = tlp_split(addr + done, n - done, max);

	tlp->byte_count = n - done;
	tlp->lower_addr = (addr + done) & 0x7f;
	tlp->length = ((addr + done) % 4 + piece + 3) / 4;
	return piece;
}

static void completion(struct tlp_burst_walk *walk, struct tlp_record *record, struct tlp *tlp)
{
	size_t n = this_request(walk);

	*record = walk->record;
	record->bar = 0;
	record->offset = 0;
	record->target = 0;
	if (record->route == PCIE_ROUTE_FUNCTION) {
		record->source = walk->record.target;
		record->target = walk->record.source;
	}
	*tlp = (struct tlp){
		.type = TLP_CPLD,
		.requester = walk->tlp.requester,
		.tag = tag_of(walk),
		.completer = walk->burst.completer,
		.status = TLP_SC,
	};
	walk->answered += tlp_completion_piece(tlp, walk->addr + walk->at, n, walk->answered,
					       walk->burst.completion_max);
	put_header(record, tlp);
	if (walk->answered < n)
		return;
	walk->answered = 0;
	advance(walk);
	if (walk->burst.each)
		walk->completing = !walk->burst.requests;
}

bool tlp_burst_next(struct tlp_burst_walk *walk, struct tlp_record *record, struct tlp *tlp)
{
	bool grouped = walk->burst.completions && !walk->burst.each;

	if (walk->at == walk->burst.len && !walk->completing && grouped) {
		walk->completing = true;
		walk->at = 0;
		walk->number = 0;
	}
	if (walk->at == walk->burst.len)
		return false;
	if (walk->completing)
		completion(walk, record, tlp);
	else
		request(walk, record, tlp);
	return true;
}

bool tlp_burst_allows(size_t max)
{
	return max >= 128 && max <= 4096 && !(max & (max - 1));
}

unsigned int tlp_burst_requests(uint64_t addr, size_t len, size_t max)
{
	size_t first = tlp_split(addr, len, max);

	return 1 + (unsigned int)((len - first + max - 1) / max);
}

/* --- pieces ---------------------------------------------------------------------------------- */

#define PAGE_BITS 12
static_assert(1u << PAGE_BITS == TLP_BOUNDARY, "pages");
/* Those in the header, 4 bytes each; the others are in the offset. */
#define IN_HEADER (TLP_TRACE_NAME / 4u)
static_assert(IN_HEADER + 2 == TLP_PIECES, "as many as there is room for");

uint32_t tlp_burst_len(const struct tlp_record *record)
{
	return get_le16(record->header + LENGTH_AT) + 1u;
}

bool tlp_pieces_allow(uint64_t addr, size_t len)
{
	return addr % TLP_BOUNDARY == 0 && addr >> PAGE_BITS <= UINT32_MAX &&
	       len <= TLP_PIECE_MAX && tlp_split(addr, len, TLP_BURST_MAX) == len;
}

void tlp_pieces_put(struct tlp_record *record, const struct tlp_record *burst, const uint64_t *addr,
		    unsigned int count)
{
	*record = (struct tlp_record){
		.time_ns = burst->time_ns,
		.kind = TLP_RECORD_PIECES,
		.header_len = (uint8_t)count,
		.source = burst->source,
	};
	for (unsigned int i = 0; i < count; i++) {
		uint32_t page = (uint32_t)(addr[i] >> PAGE_BITS);

		if (i >= IN_HEADER) {
			record->offset |= (uint64_t)page << 32 * (i - IN_HEADER);
			continue;
		}
		put_le16(record->header + 4 * i, (uint16_t)page);
		put_le16(record->header + 4 * i + 2, page >> 16);
	}
}

const char *tlp_pieces_fault(const struct tlp_record *record)
{
	return record->header_len && record->header_len <= TLP_PIECES && !record->shape &&
			       !record->route
		       ? NULL
		       : "bad number of pieces";
}

static uint64_t address_of(const struct tlp_record *record, unsigned int i)
{
	const uint8_t *p = record->header + 4 * i;
	uint64_t page = i < IN_HEADER ? get_le16(p) | (uint32_t)get_le16(p + 2) << 16
				      : (uint32_t)(record->offset >> 32 * (i - IN_HEADER));

	return page << PAGE_BITS;
}

void tlp_pieces_next(const struct tlp_record *record, unsigned int i, struct tlp_record *burst)
{
	struct tlp_burst shape = get(burst);
	uint64_t addr = address_of(record, i);
	uint8_t header[TLP_MAX_HEADER] = { 0 };
	struct tlp tlp;
	int len;

	tlp_decode(burst->header, burst->header_len, &tlp);
	if (tlp.type == TLP_MRD)
		tlp.tag = (tlp.tag + tlp_burst_requests(tlp.addr, shape.len, shape.max) + 1) %
			  shape.tags;
	len = tlp_set_range(&tlp, addr, tlp_split(addr, shape.len, shape.max));
	if (!len)
		len = tlp_encode(&tlp, header);
	burst->time_ns = record->time_ns;
	burst->header_len = len < 0 ? 0 : (uint8_t)len;
	memcpy(burst->header, header, sizeof(header));
}
