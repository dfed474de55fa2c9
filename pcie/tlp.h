/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TLP headers as the PCI Express Base Specification 6.3 lays them out in Non-Flit Mode:
 * encode, decode and split. Section numbers in the comments are of that text.
 */
#ifndef PCIE_TLP_H
#define PCIE_TLP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest header handled here: one TPH TLP prefix DW and a 4 DW request header. */
#define TLP_MAX_HEADER 20

/* A request may not cross a naturally aligned 4 KiB boundary (2.2.7). */
#define TLP_BOUNDARY 4096

enum tlp_type {
	TLP_MRD,
	TLP_MWR,
	TLP_FETCH_ADD,
	TLP_SWAP,
	TLP_CAS,
	TLP_CPL,  /* completion without data */
	TLP_CPLD, /* completion with data */
};

/* Completion status (2.2.9.1). */
enum tlp_status { TLP_SC = 0, TLP_UR = 1, TLP_RRS = 2, TLP_CA = 4 };

/*
 * Processing hint of a memory request: TH, PH[1:0] and the steering tag.
 * @extended: the tag is an Extended ST (16 bits) and travels with a TPH TLP prefix, also when its
 * upper byte is zero, so that the completer can tell the two namespaces apart.
 */
struct tlp_hint {
	bool th;
	bool extended;
	uint8_t ph;  /* 0..3 */
	uint16_t st; /* 0..0xff unless extended */
};

static inline bool tlp_same_hint(const struct tlp_hint *a, const struct tlp_hint *b)
{
	return a->th == b->th &&
	       (!a->th || (a->extended == b->extended && a->ph == b->ph && a->st == b->st));
}

/* Hints there can be: none, 8-bit tags for each PH, Extended STs for each PH. */
#define TLP_HINTS (1u + (4u << 8) + (4u << 16))

struct tlp {
	enum tlp_type type;
	struct tlp_hint hint; /* memory requests only */
	uint8_t tc;	      /* traffic class, 0..7 */
	bool relaxed_ordering;
	bool no_snoop;
	bool ido;
	bool poisoned;
	uint16_t requester; /* requester ID: bus[15:8] devfn[7:0] */
	uint16_t tag;	    /* 10 bits; not on the wire in a posted write with TH */
	uint16_t length;    /* payload or request length in DW, 1..1024 */
	/* requests */
	uint8_t first_be; /* 4 bits */
	uint8_t last_be;  /* 4 bits */
	uint64_t addr;	  /* bytes, DW aligned */
	/* completions */
	uint16_t completer;
	uint8_t status;	     /* enum tlp_status */
	uint16_t byte_count; /* 1..4096 */
	uint8_t lower_addr;  /* 7 bits */
};

/*
 * tlp_encode() - header bytes of @tlp as they travel, prefix first.
 * @buf: at least TLP_MAX_HEADER bytes.
 * Returns the number of bytes (12, 16 or 20), or -EINVAL when a field does not fit its place, when
 * TH is set on a completion, or when a hinted read or AtomicOp has byte enables that TH implies
 * otherwise (2.2.7.1.1).
 */
int tlp_encode(const struct tlp *tlp, uint8_t buf[TLP_MAX_HEADER]);

/*
 * tlp_decode() - the inverse of tlp_encode().
 * @len: bytes available at @buf; more than the header is fine.
 * Returns the header length in bytes; -EMSGSIZE when @len is too short, -EPROTO for a type, prefix
 * or reserved encoding that is not handled here. @tlp is written on success only.
 */
int tlp_decode(const uint8_t *buf, size_t len, struct tlp *tlp);

/*
 * tlp_set_range() - set addr, length and byte enables of a request from a byte range.
 * @len: 1..4096 bytes, not crossing a 4 KiB boundary. Returns 0 or -EINVAL.
 */
int tlp_set_range(struct tlp *tlp, uint64_t addr, size_t len);

/*
 * tlp_range() - byte range of a request: the inverse of tlp_set_range() for contiguous byte
 * enables. Returns the number of bytes (0 for a zero-length request) and sets *@addr to the first.
 */
size_t tlp_range(const struct tlp *tlp, uint64_t *addr);

/*
 * tlp_split() - bytes of the first request of a transfer of @len bytes at @addr, when a request
 * carries or asks for at most @max bytes (Max_Payload_Size or Max_Read_Request_Size, 128..4096).
 */
size_t tlp_split(uint64_t addr, size_t len, size_t max);

/* A number below TLP_HINTS, the same for hints that are the same on the wire; 0 without TH. */
uint32_t tlp_hint_index(const struct tlp_hint *hint);

/* Name of a type for people: "MWr64", "MRd32", "CplD", ... */
const char *tlp_name(const struct tlp *tlp);

#endif
