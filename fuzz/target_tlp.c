/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TLP headers: what encodes decodes to the same, and the other way. Then the fabric: requests of
 * any place and length between a requester, a completer and a host whose maps have odd ends, with
 * BARs that move, and faults of its links. Each request goes where its address says and no further,
 * and the trace of it all reads back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "endpoints/endpoint.h"
#include "fuzz/target.h"
#include "pcie/fabric.h"
#include "pcie/reader.h"

#define MEMORY	 65536u
#define MAPS	 6u
#define OPS	 48u
#define TRANSFER 20000u
#define VRAM	 ((uint64_t)1 << 20)

struct map {
	uint64_t base, size; /* size 0: none */
	bool direct;
};

struct host {
	struct map map[MAPS];
	bool peeks;		/* a look may span maps */
	uint8_t memory[MEMORY]; /* of all direct maps: address modulo its size */
};

static void wrong(const char *what, uint64_t addr, uint64_t len)
{
	finding("%s: 0x%lx + %lu", what, addr, len);
}

/* --- headers ---------------------------------------------------------------------------------- */

static bool same(const struct tlp *a, const struct tlp *b)
{
	bool completion = a->type == TLP_CPL || a->type == TLP_CPLD;
	bool hint = a->hint.th == b->hint.th &&
		    (!a->hint.th || (a->hint.extended == b->hint.extended &&
				     a->hint.ph == b->hint.ph && a->hint.st == b->hint.st));

	if (a->type != b->type || !hint || a->tc != b->tc ||
	    a->relaxed_ordering != b->relaxed_ordering || a->no_snoop != b->no_snoop ||
	    a->ido != b->ido || a->poisoned != b->poisoned || a->requester != b->requester ||
	    a->length != b->length)
		return false;
	/* The tag of a posted write with TH is where its hint is. */
	if (!(a->type == TLP_MWR && a->hint.th) && a->tag != b->tag)
		return false;
	if (completion)
		return a->completer == b->completer && a->status == b->status &&
		       a->byte_count == b->byte_count && a->lower_addr == b->lower_addr;
	return a->addr == b->addr &&
	       (a->hint.th || (a->first_be == b->first_be && a->last_be == b->last_be));
}

static void from_fields(struct input *in)
{
	uint8_t flags = input_u8(in), raw[TLP_MAX_HEADER];
	struct tlp tlp = {
		.type = (enum tlp_type)(input_u8(in) % 8),
		.hint = { flags & 1, flags & 2, input_u8(in) & 7, input_u16(in) },
		.tc = flags & 0x40 ? input_u8(in) : 0,
		.relaxed_ordering = flags & 4,
		.no_snoop = flags & 8,
		.ido = flags & 0x10,
		.poisoned = flags & 0x20,
		.requester = input_u16(in),
		.tag = input_u16(in) & (flags & 0x80 ? 0xffff : 0x3ff),
		.length = (uint16_t)input_number(in),
		.first_be = input_u8(in) & 0x1f,
		.last_be = input_u8(in) & 0xf,
		.addr = input_number(in),
		.completer = input_u16(in),
		.status = input_u8(in) & 7,
		.byte_count = (uint16_t)input_number(in),
		.lower_addr = input_u8(in),
	};
	struct tlp back;
	int len = tlp_encode(&tlp, raw);

	if (len < 0)
		return;
	if (tlp_decode(raw, (size_t)len, &back) != len)
		wrong("what was encoded does not decode", (uint64_t)tlp.type, (uint64_t)len);
	if (!same(&tlp, &back))
		wrong("a header says something else when decoded", (uint64_t)tlp.type,
		      (uint64_t)len);
	tlp_name(&back);
}

static void from_bytes(struct input *in)
{
	uint8_t raw[TLP_MAX_HEADER], again[TLP_MAX_HEADER];
	struct tlp tlp, back;
	uint64_t addr;
	int len;

	input_bytes(in, raw, sizeof(raw));
	len = tlp_decode(raw, sizeof(raw), &tlp);
	if (len < 0)
		return;
	tlp_range(&tlp, &addr);
	/* What cannot be sent may be received: reserved places and byte enables that make no sense.
	 */
	if (tlp_encode(&tlp, again) < 0)
		return;
	if (tlp_decode(again, sizeof(again), &back) < 0 || !same(&tlp, &back))
		wrong("a header that was decoded does not encode to the same", raw[0],
		      (uint64_t)len);
}

/* --- the fabric ------------------------------------------------------------------------------- */

static const struct map *find(const struct host *host, uint64_t addr)
{
	for (unsigned int i = 0; i < MAPS; i++)
		if (host->map[i].size && addr - host->map[i].base < host->map[i].size)
			return &host->map[i];
	return NULL;
}

/* Bytes from @addr to the next map, 0 when none is above. */
static uint64_t above(const struct host *host, uint64_t addr)
{
	uint64_t least = 0;

	for (unsigned int i = 0; i < MAPS; i++) {
		const struct map *map = &host->map[i];

		if (map->size && map->base > addr && (!least || map->base - addr < least))
			least = map->base - addr;
	}
	return least;
}

/* Transports serve what one map has and what none has, not a request across an end. */
static int host_access(struct host *host, uint64_t addr, uint8_t *in, const uint8_t *out,
		       size_t len)
{
	const struct map *map = find(host, addr);

	if (!len || addr + (len - 1) < addr)
		wrong("a request that wraps, or has no bytes, came to the host", addr, len);
	if (map && len > map->size - (addr - map->base) && !host->peeks)
		wrong("a request goes past the end of its map", addr, len);
	if (!map || !map->direct)
		return addr & 0x100000 ? -EIO : -ENODEV;
	for (size_t i = 0; i < len; i++) {
		if (in)
			in[i] = host->memory[(addr + i) % MEMORY];
		else
			host->memory[(addr + i) % MEMORY] = out[i];
	}
	return 0;
}

static int host_read(void *host, uint64_t addr, void *buf, size_t len)
{
	return host_access(host, addr, buf, NULL, len);
}

static int host_write(void *host, uint64_t addr, const void *buf, size_t len)
{
	return host_access(host, addr, NULL, buf, len);
}

static bool host_resolve(void *host, uint64_t addr, uint64_t *base, uint64_t *size, bool *direct)
{
	const struct map *map = find(host, addr);

	if (!map) {
		*size = above(host, addr);
		return false;
	}
	*base = map->base;
	*size = map->size;
	*direct = map->direct;
	return true;
}

static void raised(void *host, unsigned int vector)
{
	(void)host;
	if (vector > 3)
		wrong("an interrupt that nobody raised", vector, 0);
}

static const struct pcie_host_ops host_ops = {
	.read = host_read, .write = host_write, .resolve = host_resolve, .interrupt = raised
};

static void set_map(struct host *host, struct input *in, const struct pcie_function *gpu)
{
	struct map *map = &host->map[input_below(in, MAPS)], old = *map;
	uint8_t flags = input_u8(in);

	*map = (struct map){ 0 };
	if (flags & 2) { /* the BAR, as a host announces it */
		struct map bar = { pcie_bar_address(gpu, 0), VRAM, false };

		if (bar.base && !find(host, bar.base) && !find(host, bar.base + VRAM - 1))
			*map = bar;
		return;
	}
	map->base = flags & 4 ? input_number(in) : 0x10000ull * (flags >> 4) + input_u8(in);
	map->size = 1 + input_u16(in);
	map->direct = flags & 1;
	/* Maps do not overlap nor wrap; transports see to that. */
	if (map->base + (map->size - 1) < map->base)
		*map = old;
	for (unsigned int i = 0; i < MAPS; i++) {
		const struct map *other = &host->map[i];

		if (other != map && other->size && map->base <= other->base + (other->size - 1) &&
		    other->base <= map->base + (map->size - 1))
			map->size = 0;
	}
}

static void request(struct host *host, struct input *in, struct pcie_function *fn,
		    const struct pcie_function *gpu)
{
	static uint8_t buf[TRANSFER];
	uint8_t flags = input_u8(in);
	const struct map *map = &host->map[input_below(in, MAPS)];
	struct tlp_hint hint = { flags & 1, flags & 2, flags >> 2 & 3, input_u16(in) };
	uint64_t addr = flags & 0x10 ? input_number(in) : map->base + map->size - 1 - input_u16(in);
	size_t len = input_u16(in) % TRANSFER;

	if (flags & 0x20)
		addr = pcie_bar_address(gpu, 0) + VRAM - input_u16(in);
	if (!hint.extended)
		hint.st &= 0xff;
	switch (flags >> 6) {
	case 0:
	case 1:
		pcie_write(fn, addr, buf, len, &hint);
		break;
	case 2:
		pcie_read(fn, addr, buf, len, &hint);
		break;
	default:
		host->peeks = true;
		pcie_peek(fn, addr, buf, len);
		host->peeks = false;
		break;
	}
}

static void configure(struct input *in, struct pcie_function *fn, struct pcie_function *gpu)
{
	uint8_t what = input_u8(in), bytes[8], command[2] = { 0x06, 0 };

	switch (what & 3) {
	case 0: /* where the BAR is */
		memset(bytes, 0, sizeof(bytes));
		bytes[2] = (uint8_t)(input_u8(in) << 4);
		bytes[3] = input_u8(in);
		bytes[4] = what >> 4;
		pcie_config_write(gpu, 0x10, bytes, 8);
		break;
	case 1:
		command[0] = input_u8(in) & 6;
		pcie_config_write(what & 4 ? fn : gpu, 4, command, 2);
		break;
	case 2: /* payload and request sizes, tags */
		input_bytes(in, bytes, 2);
		pcie_config_write(what & 4 ? fn : gpu, fn->config.express + 8u, bytes, 2);
		break;
	default:
		pcie_config_write(fn, 4, command, 2);
		pcie_config_write(gpu, 4, command, 2);
		break;
	}
}

/* Faults of the link, interrupts, a function that is taken out of its slot and put back. */
static void spoil(struct input *in, struct pcie_function *fn, struct pcie_function *gpu)
{
	static const uint64_t delays[] = { 0, 1, 1000000, UINT64_MAX / 2 };
	uint8_t what = input_u8(in), how = input_u8(in);
	struct pcie_function *which = what & 0x10 ? gpu : fn;
	enum pcie_fault_side side = (enum pcie_fault_side)(how >> 5) % PCIE_FAULT_SIDES;
	struct pcie_fault_rule rule = {
		.kind = (enum pcie_fault)(how & 7),
		.reads = how & 8,
		.writes = how & 0x10,
		.to = UINT64_MAX,
		.count = 4,
		.permille = 1000,
	};

	switch (what & 7) {
	case 0:
	case 1:
		if (what & 8) {
			rule.from = input_number(in);
			rule.to = rule.from + input_number(in);
			rule.after = input_below(in, 4);
			rule.count = input_number(in);
			rule.permille = input_u16(in) & 0x7ff;
			rule.seed = input_u8(in);
		}
		rule.delay_ns = delays[what >> 5 & 3];
		if (pcie_inject_arm(which, side, &rule) == 0 && rule.from >= rule.to)
			wrong("a rule that fits nothing", rule.from, rule.to);
		break;
	case 2:
		pcie_inject_disarm(which, side);
		break;
	case 3:
	case 4:
		for (unsigned int i = 0; i < (how & 0x7fu); i++)
			pcie_interrupt(fn, i & 3);
		break;
	case 5:
		pcie_inject_remove(which);
		break;
	case 6:
		pcie_inject_put_back(which);
		if (how & 1 && !pcie_inject_answers(which))
			wrong("a function that was put back does not answer", which->id, 0);
		break;
	default:
		pcie_inject_poll(fn, how & 1 ? UINT64_MAX : 0);
		break;
	}
	if (fn->inject.held_count > PCIE_FAULT_HELD)
		wrong("more interrupts are late than there is room for", fn->inject.held_count, 0);
	if (pcie_inject_count(which, side).hit > pcie_inject_count(which, side).seen)
		wrong("more was spoilt than was seen", which->id, side);
}

static void read_back(const char *path, bool whole)
{
	struct tlp_reader *reader = tlp_reader_open(path);
	struct tlp_entry entry;
	int rc = reader ? 1 : -1;

	while (rc > 0)
		rc = tlp_reader_next(reader, &entry);
	/* One that stopped at its limit says so. */
	if (whole ? rc : rc > 0)
		finding("the trace does not read back: %s",
			reader ? tlp_reader_error(reader) : "?");
	tlp_reader_close(reader);
}

static void fabric(struct input *in)
{
	static const struct pcie_function_ops no_ops = { 0 };
	static const struct pcie_identity id = { .vendor = 1 };
	uint8_t what = input_u8(in);
	struct endpoint_params params = {
		.name = "gpu0",
		.id = 0x18,
		.kind = ENDPOINT_GPU,
		.memory_size = VRAM,
		.completer = (enum pcie_tph_completer)(what & 3),
	};
	struct pcie_function fn = { .name = "hca0", .id = 0x10, .ops = &no_ops };
	struct host *host = calloc(1, sizeof(*host));
	static int fd = -1;
	static struct endpoint *gpus[4];
	struct pcie_function *gpu;
	struct pcie_fabric *fabric;
	struct tlp_trace *trace;
	char path[32];

	if (fd < 0)
		fd = memfd_create("trace", 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	trace = tlp_trace_open(path);
	if (what & 4)
		tlp_trace_limit(trace, 8 + 48 * (uint64_t)input_u8(in));
	fabric = pcie_fabric_new(trace);
	if (!gpus[params.completer])
		gpus[params.completer] = endpoint_new(&params);
	gpu = endpoint_function(gpus[params.completer]);
	pcie_function_reset(gpu, PCIE_RESET_CONVENTIONAL);
	pcie_config_init(&fn, &id);
	pcie_config_add_express(&fn, PCIE_TPH_COMPLETER_NONE, true);
	pcie_config_seal(&fn);
	if (!host || !trace || pcie_fabric_add(fabric, &fn) || pcie_fabric_add(fabric, gpu))
		abort();
	pcie_function_connect(&fn, &host_ops, host);
	pcie_config_write(&fn, 4, "\6", 2);
	for (unsigned int op = 0; op < OPS && !input_done(in); op++) {
		uint8_t op_code = input_u8(in);

		if (op_code >= 0xd8) {
			spoil(in, &fn, gpu);
			continue;
		}
		switch (op_code & 7) {
		case 0:
		case 1:
			set_map(host, in, gpu);
			break;
		case 2:
			configure(in, &fn, gpu);
			break;
		default:
			request(host, in, &fn, gpu);
			break;
		}
	}
	for (unsigned int side = 0; side < PCIE_FAULT_SIDES; side++)
		pcie_inject_disarm(gpu, (enum pcie_fault_side)side);
	pcie_inject_put_back(gpu);
	pcie_inject_answers(gpu);
	pcie_fabric_free(fabric);
	/* One with a limit may have stopped. */
	if (tlp_trace_close(trace) && !(what & 4))
		wrong("the trace was not written", 0, 0);
	read_back(path, !(what & 4));
	free(host);
}

void target_input(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);

	switch (input_u8(&in) & 3) {
	case 0:
		while (!input_done(&in))
			from_fields(&in);
		break;
	case 1:
		while (!input_done(&in))
			from_bytes(&in);
		break;
	default:
		fabric(&in);
		break;
	}
}
