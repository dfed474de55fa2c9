/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TLP headers: what encodes decodes to the same, and the other way. Then the fabric: requests of
 * any place and length between a requester, a completer and a host whose maps have odd ends, with
 * BARs that move, and faults of its links. Each request goes where its address says and no further,
 * and the trace of it all reads back. Copies between two requesters leave the bytes that they
 * should, where they should.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "endpoints/endpoint.h"
#include "fuzz/host.h"
#include "fuzz/target.h"
#include "pcie/reader.h"

#define OPS	 48u
#define TRANSFER 20000u
#define VRAM	 ((uint64_t)1 << 20)
#define WINDOW	 65536u
#define PIECE	 12288u /* bytes at most */

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

/* What is in the slots: two requesters with a host each, the second one a completer, too. */
struct slots {
	struct pcie_function fn[2], *gpu;
	struct host *host[2];
	struct pcie_fabric *fabric;
	struct tlp_trace *trace;
};

/* The second requester's BAR. It takes bursts in its lower half, and single requests anywhere. */
static uint8_t window[WINDOW];

static void window_request(struct pcie_function *fn, unsigned int bar, uint64_t offset,
			   const struct tlp *tlp, void *data, size_t len)
{
	if (bar || offset > WINDOW || len > WINDOW - offset)
		wrong("a request outside of the BAR", offset, len);
	if (tlp->type == TLP_MWR)
		memcpy(window + offset, data, len);
	else
		memcpy(data, window + offset, len);
	(void)fn;
}

static void *window_begin(struct pcie_function *fn, unsigned int bar, uint64_t offset,
			  const struct tlp *tlp, unsigned int tlps, size_t len)
{
	(void)fn;
	(void)tlp;
	if (bar || !tlps || offset > WINDOW || len > WINDOW - offset)
		wrong("a burst outside of the BAR", offset, len);
	return offset < WINDOW / 2 ? window + offset : NULL;
}

static void window_end(struct pcie_function *fn)
{
	(void)fn;
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

static void power(struct slots *slots, struct input *in)
{
	static const uint8_t command[2] = { 0x06, 0 };
	static const uint8_t empty[64];
	uint8_t what = input_u8(in);

	pcie_function_reset(slots->gpu, what & 1 ? PCIE_RESET_COLD : PCIE_RESET_FLR);
	if (memcmp((uint8_t *)slots->gpu->bar[0].mmap_mem + 4096ull * (what >> 1), empty,
		   sizeof(empty)))
		wrong("memory of the last owner", what >> 1, sizeof(empty));
	pcie_config_write(slots->gpu, 4, command, 2);
}

/* A mark, of any name. */
static void mark(struct slots *slots, struct input *in)
{
	char name[32] = { 0 };

	input_bytes(in, name, input_u8(in) & 31);
	tlp_trace_mark(slots->trace, name);
	if (slots->trace && tlp_trace_status(slots->trace).refused)
		wrong("a record that no reader takes", 0, 0);
	if (pcie_fabric_find(slots->fabric, name) && strcmp(name, "hca0") && strcmp(name, "hca1") &&
	    strcmp(name, "gpu0"))
		wrong("a function that nobody added", 0, 0);
}

static void configure(struct slots *slots, struct input *in)
{
	struct pcie_function *fn = slots->fn, *gpu = slots->gpu;
	uint8_t what = input_u8(in), bytes[8], command[2] = { 0x06, 0 };

	switch (what & 3) {
	case 0: /* where the BAR is */
		memset(bytes, 0, sizeof(bytes));
		bytes[2] = (uint8_t)(input_u8(in) << 4);
		bytes[3] = input_u8(in);
		bytes[4] = what >> 4;
		pcie_config_write(what & 4 ? &fn[1] : gpu, 0x10, bytes, 8);
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
		if (what & 4) {
			mark(slots, in);
		} else if (what & 8) {
			power(slots, in);
		} else {
			pcie_config_write(fn, 4, command, 2);
			pcie_config_write(gpu, 4, command, 2);
		}
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

/* Pieces of @total bytes in all, or of any number when it is 0. Returns how many. */
static unsigned int take_pieces(const struct slots *slots, const struct host *host,
				struct input *in, struct pcie_piece *piece, size_t *total)
{
	uint8_t flags = input_u8(in);
	unsigned int count = flags & 0x80 ? input_u8(in) % (PCIE_PIECES + 2) : 1U + (flags & 3), n;
	size_t left = *total;

	for (n = 0; n < count || left; n++) {
		uint8_t where = input_u8(in);
		const struct map *map = &host->map[(where & 7) % MAPS];
		size_t len = 1 + input_u16(in) % PIECE;

		if (*total && (len > left || n + 1 >= count))
			len = left;
		piece[n] = (struct pcie_piece){ .len = len };
		if (flags & 0x40)
			piece[n].hint = (struct tlp_hint){ true, where & 0x80, where >> 5 & 3,
							   input_u8(in) };
		piece[n].addr = map->base + map->size - len - (where & 8 ? input_u8(in) : 0);
		if (where & 0x10)
			piece[n].addr =
				pcie_bar_address(where & 0x20 ? &slots->fn[1] : slots->gpu, 0) +
				input_u16(in);
		if (*total)
			left -= len;
		if (*total && !left)
			return n + 1;
	}
	for (unsigned int i = 0; i < n; i++)
		*total += piece[i].len;
	return n;
}

/* Where the bytes of a piece are, in the memory of a host or, with @host NULL, in a BAR; NULL:
 * nowhere. */
static uint8_t *bytes_at(const struct slots *slots, const struct pcie_piece *piece,
			 struct host *host)
{
	uint64_t gpu = piece->addr - pcie_bar_address(slots->gpu, 0),
		 in_window = piece->addr - pcie_bar_address(&slots->fn[1], 0);

	if (host)
		return host_reach(host, piece->addr, piece->len);
	if (gpu < VRAM && piece->len <= VRAM - gpu)
		return (uint8_t *)slots->gpu->bar[0].mmap_mem + gpu;
	return in_window < WINDOW && piece->len <= WINDOW - in_window ? window + in_window : NULL;
}

/*
 * A copy from the memory of one host to that of another, or into a BAR. When it says that nothing
 * was done, nothing is; else each byte has come, in the order of the pieces.
 */
static void copy(const struct slots *slots, struct input *in)
{
	static struct pcie_piece from[PCIE_PIECES + 2], to[PCIE_PIECES * 2];
	static uint8_t before[MEMORY], expected[PIECE * (PCIE_PIECES + 2)];
	uint8_t flags = input_u8(in);
	struct host *source = slots->host[flags & 1], *target = slots->host[flags >> 1 & 1];
	size_t total = 0, done = 0;
	unsigned int from_count = take_pieces(slots, source, in, from, &total);
	unsigned int to_count = total ? take_pieces(slots, target, in, to, &total) : 0;
	bool known = source != target;
	int rc;

	for (unsigned int i = 0; i < from_count; i++) {
		const uint8_t *bytes = bytes_at(slots, &from[i], source);

		known = known && bytes;
		if (known)
			memcpy(expected + done, bytes, from[i].len);
		done += from[i].len;
	}
	memcpy(before, target->memory, MEMORY);
	host_copies_fail(flags & 4 ? input_u8(in) : 0, flags >> 3 & 3);
	rc = pcie_copy((struct pcie_function *)&slots->fn[flags & 1], from, from_count,
		       (struct pcie_function *)&slots->fn[flags >> 1 & 1], to, to_count);
	host_copies_fail(0, 0);
	if (slots->host[0]->held || slots->host[1]->held)
		wrong("memory is still held", slots->host[0]->held, slots->host[1]->held);
	if (rc == -EAGAIN && memcmp(before, target->memory, MEMORY))
		wrong("a copy that was not done changed memory", 0, 0);
	if (rc || !known)
		return;
	done = 0;
	for (unsigned int i = 0; i < to_count; i++) {
		if (find_map(target, to[i].addr) && find_map(target, to[i].addr)->direct)
			memcpy(before + to[i].addr % MEMORY, expected + done, to[i].len);
		done += to[i].len;
	}
	if (memcmp(before, target->memory, MEMORY))
		wrong("a copy left other bytes", to[0].addr, total);
	if (!bytes_at(slots, &to[to_count - 1], target)) {
		const uint8_t *bar = bytes_at(slots, &to[to_count - 1], NULL);

		if (!bar ||
		    memcmp(bar, expected + total - to[to_count - 1].len, to[to_count - 1].len))
			wrong("a copy left other bytes in a BAR", to[to_count - 1].addr, total);
	}
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

/* The file has no room for more than some records, and a part of the next. */
static void fill_disk(int fd, uint8_t records)
{
	if (ftruncate(fd, 8 + 48 * (off_t)(records >> 1) + (records & 1) * 20) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW))
		abort();
}

static void set_up(struct slots *slots, struct pcie_function *gpu, uint8_t what)
{
	static const struct pcie_function_ops no_ops = { 0 },
					      window_ops = { .memory_request = window_request,
							     .burst_begin = window_begin,
							     .burst_end = window_end };
	static const struct pcie_identity id = { .vendor = 1 };
	static uint8_t pattern[MEMORY + 1];

	if (!pattern[0])
		for (unsigned int at = 0; at < sizeof(pattern); at++)
			pattern[at] = (uint8_t)(1 + at * 7 % 251);
	slots->gpu = gpu;
	pcie_function_reset(gpu, PCIE_RESET_CONVENTIONAL);
	slots->fn[0] = (struct pcie_function){ .name = "hca0", .id = 0x10, .ops = &no_ops };
	slots->fn[1] = (struct pcie_function){ .name = "hca1", .id = 0x11, .ops = &window_ops };
	slots->fn[1].bar[0] = (struct pcie_bar){ .size = WINDOW, .is_64bit = true };
	slots->fabric = pcie_fabric_new(slots->trace);
	pcie_fabric_trace_each(slots->fabric, what & 8);
	for (unsigned int i = 0; i < 2; i++) {
		struct pcie_function *fn = &slots->fn[i];

		slots->host[i] = calloc(1, sizeof(*slots->host[i]));
		pcie_config_init(fn, &id);
		pcie_config_add_express(fn, PCIE_TPH_COMPLETER_NONE, true);
		pcie_config_seal(fn);
		if (!slots->host[i] || pcie_fabric_add(slots->fabric, fn))
			abort();
		memcpy(slots->host[i]->memory, pattern + i, MEMORY);
		pcie_function_connect(fn, what & 16 ? &host_ops_no_hold : &host_ops,
				      slots->host[i]);
		pcie_config_write(fn, 4, "\6", 2);
	}
	if (pcie_fabric_add(slots->fabric, gpu))
		abort();
	if (pcie_fabric_add(slots->fabric, gpu) != -EEXIST)
		wrong("a name or an ID is there twice", gpu->id, 0);
}

static void fabric(struct input *in)
{
	uint8_t what = input_u8(in);
	struct endpoint_params params = {
		.name = "gpu0",
		.id = 0x18,
		.kind = "gpu",
		.memory_size = VRAM,
		.completer = (enum pcie_tph_completer)(what & 3),
	};
	static int fd = -1;
	static struct endpoint *gpus[4];
	bool limited = what & 0x44;
	struct slots slots = { 0 };
	char path[32];
	int rc;

	if (fd < 0)
		fd = memfd_create("trace", MFD_ALLOW_SEALING);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	slots.trace = what & 0x20 ? NULL : tlp_trace_open(path);
	if (!slots.trace && !(what & 0x20))
		abort();
	if (slots.trace && what & 4)
		tlp_trace_limit(slots.trace, 8 + 48 * (uint64_t)input_u8(in));
	if (slots.trace && what & 0x40)
		fill_disk(fd, input_u8(in));
	if (!gpus[params.completer])
		gpus[params.completer] = endpoint_new(&params);
	set_up(&slots, endpoint_function(gpus[params.completer]), what);
	for (unsigned int op = 0; op < OPS && !input_done(in); op++) {
		uint8_t op_code = input_u8(in);

		if (op_code >= 0xf4)
			copy(&slots, in);
		else if (op_code >= 0xf0)
			host_set_map(slots.host[1], in, slots.gpu, &slots.fn[1]);
		else if (op_code >= 0xd8)
			spoil(in, slots.fn, slots.gpu);
		else if ((op_code & 7) < 2)
			host_set_map(slots.host[0], in, slots.gpu, &slots.fn[1]);
		else if ((op_code & 7) == 2)
			configure(&slots, in);
		else
			request(slots.host[0], in, slots.fn, slots.gpu);
	}
	for (unsigned int side = 0; side < PCIE_FAULT_SIDES; side++)
		pcie_inject_disarm(slots.gpu, (enum pcie_fault_side)side);
	pcie_inject_put_back(slots.gpu);
	pcie_inject_answers(slots.gpu);
	pcie_fabric_free(slots.fabric);
	rc = tlp_trace_close(slots.trace);
	/* One with a limit may have stopped. */
	if (rc && !limited)
		wrong("the trace was not written", 0, 0);
	/* A file that was longer from the start, and was not filled, has zeroes at its end. */
	if (slots.trace && (rc || !(what & 0x40)))
		read_back(path, !limited);
	if (what & 0x40) {
		close(fd);
		fd = -1;
	}
	free(slots.host[0]);
	free(slots.host[1]);
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
