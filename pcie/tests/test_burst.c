/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bursts and copies: what a trace of them expands to is what recording TLP by TLP gives, byte for
 * byte, and completers, hosts and requesters see no difference.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/pci_regs.h>

#include "pcie/burst.h"
#include "pcie/fabric.h"
#include "pcie/reader.h"

#define RAM_SIZE  0x80000u
#define BAR_BASE  0x4000000000ull
#define BAR_SIZE  0x80000ull
#define MSG_BASE  0x80000000ull
#define TRANSFERS 400u
#define LEN_MAX	  200000u

/* Two of everything: [0] records TLP by TLP, [1] bursts. */
struct bench {
	struct pcie_fabric *fabric;
	struct tlp_trace *trace;
	struct pcie_function hca, gpu, other; /* @other: a requester, too */
	char path[32];
	uint8_t *ram, *bar;
	unsigned int requests, bursts, open; /* what came to the BAR */
	uint64_t bytes;
	uint64_t hinted;
	unsigned int held, holds;
	bool read_only, gone, beside;
};

static struct bench bench[2];
static uint64_t seed;

static uint64_t draw(uint64_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 33) % below;
}

/* Maps: memory up to RAM_SIZE with an odd end in the middle, the BAR; messages at MSG_BASE. */
static const struct {
	uint64_t base, size;
	bool direct;
} maps[] = {
	{ 0, 0x20003, true },
	{ 0x20003, RAM_SIZE - 0x20003, true },
	{ BAR_BASE, BAR_SIZE, false },
};

static bool host_resolve(void *host, uint64_t addr, uint64_t *base, uint64_t *size, bool *direct)
{
	(void)host;
	for (unsigned int i = 0; i < 3; i++) {
		if (addr - maps[i].base >= maps[i].size)
			continue;
		*base = maps[i].base;
		*size = maps[i].size;
		*direct = maps[i].direct;
		return true;
	}
	*size = 0;
	return false;
}

static uint8_t *host_at(struct bench *b, uint64_t addr, size_t len)
{
	if (addr >= MSG_BASE)
		addr -= MSG_BASE;
	assert_true(addr + len <= RAM_SIZE);
	return b->ram + addr;
}

/* Some of what goes by message is not supported, some breaks the connection. */
static int failure(uint64_t addr)
{
	if (addr < MSG_BASE || addr % 5)
		return 0;
	return addr % 2 ? -ENODEV : -EIO;
}

static int host_read(void *host, uint64_t addr, void *buf, size_t len)
{
	if (((struct bench *)host)->gone)
		return -EFAULT;
	if (!failure(addr))
		memcpy(buf, host_at(host, addr, len), len);
	return failure(addr);
}

static int host_write(void *host, uint64_t addr, const void *buf, size_t len)
{
	if (!failure(addr))
		memcpy(host_at(host, addr, len), buf, len);
	return failure(addr);
}

static bool host_hold(void *host, uint64_t addr, size_t len, bool write, struct pcie_held *held)
{
	struct bench *b = host;

	/* The second map may not be written by who holds it. */
	for (unsigned int i = 0; i < 2; i++)
		if (addr >= maps[i].base && addr + len <= maps[i].base + maps[i].size) {
			held->memory = host_at(b, addr, len);
			if (b->beside) {
				held->before = addr - maps[i].base;
				held->behind = maps[i].base + maps[i].size - (addr + len);
			}
			b->held++;
			b->holds++;
			return !(write && b->read_only && i) || (b->held--, false);
		}
	return false;
}

static void host_release(void *host, const struct pcie_held *held)
{
	struct bench *b = host;

	assert_true(held->memory >= b->ram && held->memory < b->ram + RAM_SIZE);
	assert_true(b->held > 0);
	b->held--;
}

static unsigned int copies_left; /* then the memory is gone */

static bool host_copy(void *to, const void *from, size_t len)
{
	if (!copies_left)
		return false;
	copies_left--;
	memmove(to, from, len);
	return true;
}

static const struct pcie_host_ops host_ops = {
	.read = host_read,
	.write = host_write,
	.resolve = host_resolve,
	.hold = host_hold,
	.release = host_release,
	.copy = host_copy,
};

static void request(struct pcie_function *fn, unsigned int bar, uint64_t offset,
		    const struct tlp *tlp, void *data, size_t len)
{
	struct bench *b = fn->model;

	assert_int_equal(bar, 0);
	assert_true(offset + len <= BAR_SIZE);
	if (tlp->type == TLP_MWR)
		memcpy(b->bar + offset, data, len);
	else
		memcpy(data, b->bar + offset, len);
	b->requests++;
	b->bytes += len;
	b->hinted += tlp->hint.th ? tlp->hint.st + 1u : 0;
}

/* Takes bursts but where they begin in the last part of the BAR. */
static void *burst_begin(struct pcie_function *fn, unsigned int bar, uint64_t offset,
			 const struct tlp *tlp, unsigned int tlps, size_t len)
{
	struct bench *b = fn->model;

	assert_int_equal(bar, 0);
	assert_true(offset + len <= BAR_SIZE);
	assert_int_equal(b->open, 0);
	if (offset >= 3 * BAR_SIZE / 4)
		return NULL;
	b->open++;
	b->bursts++;
	b->requests += tlps;
	b->bytes += len;
	b->hinted += tlp->hint.th ? tlps * (tlp->hint.st + 1ull) : 0;
	return b->bar + offset;
}

static void burst_end(struct pcie_function *fn)
{
	struct bench *b = fn->model;

	assert_int_equal(b->open, 1);
	b->open--;
}

static const struct pcie_function_ops hca_ops;
static const struct pcie_function_ops gpu_ops = { .memory_request = request,
						  .burst_begin = burst_begin,
						  .burst_end = burst_end };

static void build(struct pcie_function *fn, const char *name, uint16_t id,
		  const struct pcie_function_ops *ops, struct bench *b)
{
	static const struct pcie_identity identity;
	uint8_t command[2] = { PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0 };
	uint8_t bar[8] = { 0, 0, 0, 0, BAR_BASE >> 32 };

	*fn = (struct pcie_function){ .name = name, .id = id, .ops = ops, .model = b };
	if (ops->memory_request)
		fn->bar[0] = (struct pcie_bar){ .size = BAR_SIZE, .is_64bit = true };
	pcie_config_init(fn, &identity);
	pcie_config_add_express(fn, PCIE_TPH_COMPLETER_EXTENDED, true);
	pcie_config_seal(fn);
	if (ops->memory_request)
		pcie_config_write(fn, PCI_BASE_ADDRESS_0, bar, 8);
	pcie_config_write(fn, PCI_COMMAND, command, 2);
}

static int setup(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct bench *b = &bench[i];
		int fd;

		*b = (struct bench){ .ram = malloc(RAM_SIZE), .bar = malloc(BAR_SIZE) };
		strcpy(b->path, "/tmp/test_burst.XXXXXX");
		fd = mkstemp(b->path);
		assert_true(fd >= 0 && b->ram && b->bar);
		close(fd);
		for (unsigned int at = 0; at < RAM_SIZE; at++)
			b->ram[at] = (uint8_t)(at * 7 + (at >> 9));
		memset(b->bar, 0x5a, BAR_SIZE);
		b->trace = tlp_trace_open(b->path);
		assert_non_null(b->trace);
		b->fabric = pcie_fabric_new(b->trace);
		assert_non_null(b->fabric);
		build(&b->hca, "hca0", 0x0100, &hca_ops, b);
		build(&b->gpu, "gpu0", 0x0208, &gpu_ops, b);
		assert_int_equal(pcie_fabric_add(b->fabric, &b->hca), 0);
		assert_int_equal(pcie_fabric_add(b->fabric, &b->gpu), 0);
		build(&b->other, "hca1", 0x0110, &hca_ops, b);
		assert_int_equal(pcie_fabric_add(b->fabric, &b->other), 0);
		pcie_function_connect(&b->other, &host_ops, b);
		pcie_function_connect(&b->hca, &host_ops, b);
		pcie_fabric_trace_each(b->fabric, !i);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		pcie_fabric_free(bench[i].fabric);
		tlp_trace_close(bench[i].trace);
		unlink(bench[i].path);
		free(bench[i].ram);
		free(bench[i].bar);
	}
	return 0;
}

/* Payload and request sizes, and tags, of both functions. */
static void set_sizes(void)
{
	uint16_t devctl[3];

	for (unsigned int f = 0; f < 3; f++)
		devctl[f] = (uint16_t)(draw(6) << 5 | draw(6) << 12 |
				       (draw(2) ? PCI_EXP_DEVCTL_EXT_TAG : 0));
	for (unsigned int i = 0; i < 2; i++) {
		for (unsigned int f = 0; f < 3; f++) {
			struct pcie_function *fn = f == 2 ? &bench[i].other
						   : f	  ? &bench[i].gpu
							  : &bench[i].hca;
			uint8_t bytes[2] = { (uint8_t)devctl[f], devctl[f] >> 8 };

			pcie_config_write(fn, fn->config.express + PCI_EXP_DEVCTL, bytes, 2);
		}
	}
}

static void transfer(void)
{
	static const uint64_t bases[] = { 0, BAR_BASE, MSG_BASE };
	static uint8_t data[2][LEN_MAX];
	struct tlp_hint hint = { draw(2), draw(2), (uint8_t)draw(4), (uint16_t)draw(0x10000) };
	uint64_t addr = bases[draw(3)];
	size_t len = draw(3) ? draw(9000) : draw(LEN_MAX);
	bool write = draw(2), aligned = draw(2);
	int rc[2];

	if (!hint.extended)
		hint.st &= 0xff;
	addr += draw(RAM_SIZE - len);
	if (aligned) {
		addr &= ~3ull;
		len &= ~(size_t)3;
	}
	for (size_t at = 0; at < len; at++)
		data[0][at] = data[1][at] = (uint8_t)(at ^ seed);
	for (unsigned int i = 0; i < 2; i++)
		rc[i] = write ? pcie_write(&bench[i].hca, addr, data[i], len, &hint)
			      : pcie_read(&bench[i].hca, addr, data[i], len, &hint);
	assert_int_equal(rc[0], rc[1]);
	if (!rc[0])
		assert_memory_equal(data[0], data[1], len);
	assert_int_equal(bench[0].requests, bench[1].requests);
	assert_int_equal(bench[0].bytes, bench[1].bytes);
	assert_int_equal(bench[0].hinted, bench[1].hinted);
	assert_int_equal(bench[1].open, 0);
}

static void compare_traces(void)
{
	struct tlp_reader *reader[2];
	struct tlp_entry entry[2];
	int rc[2];

	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(tlp_trace_status(bench[i].trace).refused, 0);
		assert_int_equal(tlp_trace_close(bench[i].trace), 0);
		bench[i].trace = NULL;
		reader[i] = tlp_reader_open(bench[i].path);
		assert_non_null(reader[i]);
	}
	for (;;) {
		for (unsigned int i = 0; i < 2; i++) {
			rc[i] = tlp_reader_next(reader[i], &entry[i]);
			entry[i].record.time_ns = 0;
		}
		assert_int_equal(rc[0], rc[1]);
		if (rc[0] != 1)
			break;
		assert_memory_equal(&entry[0].record, &entry[1].record, sizeof(entry[0].record));
		assert_string_equal(entry[0].source, entry[1].source);
		assert_int_equal(!entry[0].target, !entry[1].target);
		if (entry[0].target)
			assert_string_equal(entry[0].target, entry[1].target);
		assert_int_equal(tlp_hint_index(&entry[0].tlp.hint),
				 tlp_hint_index(&entry[1].tlp.hint));
		assert_int_equal(entry[0].tlp.addr, entry[1].tlp.addr);
		assert_int_equal(entry[0].tlp.length, entry[1].tlp.length);
	}
	assert_int_equal(rc[0], 0);
	for (unsigned int i = 0; i < 2; i++)
		tlp_reader_close(reader[i]);
}

static void test_same_as_each(void **state)
{
	uint64_t records[2];

	(void)state;
	for (seed = 1; seed < 4; seed++) {
		uint64_t start = seed;

		if (seed > 1) {
			teardown(NULL);
			setup(NULL);
		}
		for (unsigned int i = 0; i < TRANSFERS; i++) {
			if (i % 20 == 0)
				set_sizes();
			transfer();
		}
		assert_memory_equal(bench[0].ram, bench[1].ram, RAM_SIZE);
		assert_memory_equal(bench[0].bar, bench[1].bar, BAR_SIZE);
		assert_true(bench[1].bursts > TRANSFERS / 20);
		for (unsigned int i = 0; i < 2; i++)
			records[i] = tlp_trace_status(bench[i].trace).records;
		assert_true(records[1] < records[0] / 10);
		compare_traces();
		seed = start;
	}
}

/* A rule on either side, and each request is asked about: those that are hit are those it names. */
static void test_faults(void **state)
{
	static const enum pcie_fault kinds[] = { PCIE_FAULT_UR, PCIE_FAULT_CA,
						 PCIE_FAULT_POISONED };
	static uint8_t data[2][20000];

	(void)state;
	seed = 7;
	for (unsigned int n = 0; n < 60; n++) {
		struct pcie_fault_rule rule = { .kind = kinds[draw(3)],
						.reads = true,
						.writes = true,
						.to = UINT64_MAX,
						.after = draw(60),
						.count = 1 + draw(3),
						.permille = 1000 };
		enum pcie_fault_side side = draw(2) ? PCIE_FAULT_REQUESTS : PCIE_FAULT_INTO;
		uint64_t addr = (draw(2) ? BAR_BASE : 0) + draw(10000);
		bool write = draw(2);
		int rc[2];

		for (unsigned int i = 0; i < 2; i++) {
			struct pcie_function *fn =
				side == PCIE_FAULT_INTO ? &bench[i].gpu : &bench[i].hca;

			assert_int_equal(pcie_inject_arm(fn, side, &rule), 0);
			rc[i] = write ? pcie_write(&bench[i].hca, addr, data[i], 20000, NULL)
				      : pcie_read(&bench[i].hca, addr, data[i], 20000, NULL);
			pcie_inject_disarm(fn, side);
		}
		assert_int_equal(rc[0], rc[1]);
		assert_int_equal(pcie_inject_count(&bench[0].hca, side).hit,
				 pcie_inject_count(&bench[1].hca, side).hit);
		assert_int_equal(pcie_inject_count(&bench[0].gpu, side).hit,
				 pcie_inject_count(&bench[1].gpu, side).hit);
		assert_int_equal(bench[0].requests, bench[1].requests);
	}
	assert_memory_equal(bench[0].ram, bench[1].ram, RAM_SIZE);
	assert_memory_equal(bench[0].bar, bench[1].bar, BAR_SIZE);
	compare_traces();
}

/* --- copies ---------------------------------------------------------------------------------- */

/* Pieces of @len bytes together, in memory or (@bars) also in the BAR. */
static unsigned int draw_pieces(struct pcie_piece *piece, size_t len, bool bars)
{
	unsigned int n = 0;

	while (len) {
		bool bar = bars && draw(2);
		size_t part = n == PCIE_PIECES - 1 || draw(4) == 0 ? len : 1 + draw(len);
		struct tlp_hint hint = { draw(2), true, (uint8_t)draw(4), (uint16_t)draw(0x10000) };
		uint64_t addr = draw((bar ? BAR_SIZE : RAM_SIZE) - part);

		if (draw(2) && part > 4) {
			addr &= ~3ull;
			part &= ~(size_t)3;
		}
		/* Each piece is in one map. */
		if (!bar && addr < maps[1].base && addr + part > maps[1].base)
			addr = maps[1].base;
		piece[n++] = (struct pcie_piece){ addr + (bar ? BAR_BASE : 0), part, hint };
		len -= part;
	}
	return n;
}

/*
 * @len bytes in pages of one size with one hint, anywhere in the half of the memory from @base on,
 * in one map each; but that sometimes one of them is another. Returns how many.
 */
static unsigned int draw_pages(struct pcie_piece *piece, size_t len, size_t size, uint64_t base)
{
	struct tlp_hint hint = { draw(2), true, (uint8_t)draw(4), (uint16_t)draw(0x10000) };
	unsigned int n = 0;

	while (len) {
		size_t part = len < size ? len : size;
		uint64_t page = draw(RAM_SIZE / 2 / TLP_BOUNDARY - 2);

		piece[n] = (struct pcie_piece){ base + page * TLP_BOUNDARY, part, hint };
		if (draw(16) == 0)
			piece[n].hint = (struct tlp_hint){ 0 };
		if (draw(16) == 0)
			piece[n].addr += draw(1000);
		if (piece[n].addr < maps[1].base && piece[n].addr + part > maps[1].base)
			piece[n].addr = base;
		len -= piece[n++].len;
	}
	return n;
}

/* What a copy stands for. */
static void copy_by_buffer(struct bench *b, const struct pcie_piece *from, unsigned int from_count,
			   const struct pcie_piece *to, unsigned int to_count)
{
	static uint8_t data[LEN_MAX];
	size_t done = 0;

	for (unsigned int i = 0; i < from_count; done += from[i++].len)
		assert_int_equal(
			pcie_read(&b->hca, from[i].addr, data + done, from[i].len, &from[i].hint),
			0);
	done = 0;
	for (unsigned int i = 0; i < to_count; done += to[i++].len)
		assert_int_equal(
			pcie_write(&b->other, to[i].addr, data + done, to[i].len, &to[i].hint), 0);
}

static bool overlap(const struct pcie_piece *from, unsigned int from_count,
		    const struct pcie_piece *to, unsigned int to_count)
{
	for (unsigned int i = 0; i < from_count; i++)
		for (unsigned int j = 0; j < to_count; j++)
			if (from[i].addr < to[j].addr + to[j].len &&
			    to[j].addr < from[i].addr + from[i].len)
				return true;
	return false;
}

static void test_copy(void **state)
{
	struct pcie_piece from[PCIE_PIECES], to[PCIE_PIECES];
	unsigned int copied = 0, fewer = 0;

	(void)state;
	seed = 11;
	copies_left = UINT32_MAX;
	while (copied < TRANSFERS) {
		static const size_t sizes[] = { 4096, 8192, 2048, 8196, 100 };
		size_t len = 1 + (draw(3) ? draw(5000) : draw(150000)), size = sizes[draw(5)];
		unsigned int from_count, to_count;

		if (draw(2)) {
			from_count = draw_pieces(from, len, false);
			to_count = draw_pieces(to, len, true);
		} else {
			len = (1 + draw(PCIE_PIECES)) * size;
			if (len > LEN_MAX)
				len = LEN_MAX;
			from_count = draw_pages(from, len, size, 0);
			to_count = draw_pages(to, len, size, RAM_SIZE / 2);
		}
		if (overlap(from, from_count, to, to_count))
			continue;
		if (copied % 20 == 0)
			set_sizes();
		bench[1].beside = draw(2);
		bench[1].holds = 0;
		copy_by_buffer(&bench[0], from, from_count, to, to_count);
		assert_int_equal(
			pcie_copy(&bench[0].hca, from, from_count, &bench[0].other, to, to_count),
			-EAGAIN);
		assert_int_equal(
			pcie_copy(&bench[1].hca, from, from_count, &bench[1].other, to, to_count),
			0);
		assert_int_equal(bench[1].held, 0);
		assert_int_equal(bench[1].open, 0);
		fewer += bench[1].holds < from_count;
		copied++;
	}
	/* Pieces of one map are held together where the host lets them be. */
	assert_true(fewer > TRANSFERS / 8);
	assert_memory_equal(bench[0].ram, bench[1].ram, RAM_SIZE);
	assert_memory_equal(bench[0].bar, bench[1].bar, BAR_SIZE);
	assert_int_equal(bench[0].requests, bench[1].requests);
	assert_int_equal(bench[0].bytes, bench[1].bytes);
	assert_int_equal(bench[0].hinted, bench[1].hinted);
	compare_traces();
}

/* One at a time, each thing that keeps a copy from being made. Nothing is issued, held or written.
 */
static void test_no_copy(void **state)
{
	struct bench *b = &bench[1];
	const struct pcie_piece memory = { .addr = 0x1000, .len = 256 },
				bar = { .addr = BAR_BASE, .len = 256 },
				second = { .addr = 0x30000, .len = 256 },
				spans = { .addr = 0x20000, .len = 256 },
				message = { .addr = MSG_BASE, .len = 256 },
				beyond[2] = { { .addr = 0x1000, .len = 252 },
					      { .addr = 0x20000, .len = 4 } };
	const struct pcie_fault_rule rule = { .kind = PCIE_FAULT_UR,
					      .reads = true,
					      .writes = true,
					      .to = UINT64_MAX,
					      .count = 1,
					      .permille = 1000 };
	struct pcie_function *armed[] = { &b->hca, &b->other, &b->gpu };
	struct pcie_piece wrong = memory;
	uint64_t records;

	(void)state;
	copies_left = UINT32_MAX;
	records = tlp_trace_status(b->trace).records;
	assert_int_equal(pcie_copy(&b->hca, &bar, 1, &b->other, &memory, 1), -EAGAIN);
	assert_int_equal(pcie_copy(&b->hca, &spans, 1, &b->other, &memory, 1), -EAGAIN);
	assert_int_equal(pcie_copy(&b->hca, &memory, 1, &b->other, &spans, 1), -EAGAIN);
	assert_int_equal(pcie_copy(&b->hca, &message, 1, &b->other, &memory, 1), -EAGAIN);
	assert_int_equal(pcie_copy(&b->hca, &memory, 1, &b->other, &message, 1), -EAGAIN);
	/* A byte behind what is held for the first one. */
	b->beside = true;
	assert_int_equal(pcie_copy(&b->hca, beyond, 2, &b->other, &second, 1), -EAGAIN);
	assert_int_equal(pcie_copy(&b->hca, &second, 1, &b->other, beyond, 2), -EAGAIN);
	b->beside = false;
	b->read_only = true;
	assert_int_equal(pcie_copy(&b->hca, &memory, 1, &b->other, &second, 1), -EAGAIN);
	b->read_only = false;
	wrong.hint = (struct tlp_hint){ true, false, 0, 0x100 };
	assert_int_equal(pcie_copy(&b->hca, &memory, 1, &b->other, &wrong, 1), -EAGAIN);
	for (unsigned int i = 0; i < 3; i++) {
		enum pcie_fault_side side = i < 2 ? PCIE_FAULT_REQUESTS : PCIE_FAULT_INTO;

		assert_int_equal(pcie_inject_arm(armed[i], side, &rule), 0);
		assert_int_equal(pcie_copy(&b->hca, &memory, 1, &b->other, &bar, 1), -EAGAIN);
		assert_int_equal(pcie_inject_count(armed[i], side).seen, 0);
		pcie_inject_disarm(armed[i], side);
	}
	atomic_store(&b->other.bus_master, false);
	assert_false(pcie_may_copy(&b->hca, &b->other));
	assert_int_equal(pcie_copy(&b->hca, &memory, 1, &b->other, &bar, 1), -EAGAIN);
	atomic_store(&b->other.bus_master, true);
	atomic_store(&b->hca.silent, true);
	assert_int_equal(pcie_copy(&b->hca, &memory, 1, &b->other, &bar, 1), -EAGAIN);
	atomic_store(&b->hca.silent, false);
	pcie_inject_remove(&b->gpu);
	assert_int_equal(pcie_copy(&b->hca, &memory, 1, &b->other, &bar, 1), -EAGAIN);
	pcie_inject_put_back(&b->gpu);
	assert_true(pcie_inject_answers(&b->gpu));
	assert_int_equal(tlp_trace_status(b->trace).records, records);
	assert_int_equal(b->requests, 0);
	assert_int_equal(b->held, 0);
	assert_memory_equal(b->ram, bench[0].ram, RAM_SIZE);
	assert_memory_equal(b->bar, bench[0].bar, BAR_SIZE);
}

/* The memory goes in the middle: whose it was is found out, and nothing stays held. */
static void test_copy_gone(void **state)
{
	struct bench *b = &bench[1];
	const struct pcie_piece from[2] = { { .addr = 0x1000, .len = 256 },
					    { .addr = 0x5000, .len = 256 } };
	const struct pcie_piece to = { .addr = 0x30000, .len = 512 },
				bar = { .addr = BAR_BASE, .len = 512 };

	(void)state;
	copies_left = 1;
	b->gone = true;
	assert_int_equal(pcie_copy(&b->hca, from, 2, &b->other, &to, 1), -EIO);
	assert_int_equal(b->held, 0);
	assert_memory_equal(b->ram + 0x30000, b->ram + 0x1000, 256);
	assert_memory_equal(b->ram + 0x30100, bench[0].ram + 0x30100, 256);
	b->gone = false;
	assert_int_equal(pcie_copy(&b->hca, from, 2, &b->other, &to, 1), -EFAULT);
	assert_int_equal(b->held, 0);
	copies_left = 1;
	assert_int_equal(pcie_copy(&b->hca, from, 2, &b->other, &bar, 1), -EIO);
	assert_int_equal(b->held, 0);
	assert_int_equal(b->open, 0);
}

/* What lies outside of the interval is not expanded into it. */
static void test_interval(void **state)
{
	static const struct pcie_piece page[] = {
		{ 0x5000, 4096, { 0 } },  { 0x8000, 4096, { 0 } },  { 0x6000, 4096, { 0 } },
		{ 0x30000, 4096, { 0 } }, { 0x38000, 4096, { 0 } }, { 0x40000, 4096, { 0 } }
	};
	struct tlp_reader *reader;
	struct tlp_entry entry;
	static uint8_t data[1024];
	unsigned int n = 0;

	(void)state;
	copies_left = UINT32_MAX;
	assert_int_equal(pcie_write(&bench[1].hca, 0x1000, data, 1024, NULL), 0);
	assert_int_equal(pcie_copy(&bench[1].hca, page, 3, &bench[1].other, page + 3, 3), 0);
	assert_int_equal(tlp_trace_mark(bench[1].trace, "from"), 0);
	assert_int_equal(pcie_write(&bench[1].hca, 0x2000, data, 512, NULL), 0);
	assert_int_equal(tlp_trace_mark(bench[1].trace, "to"), 0);
	assert_int_equal(pcie_write(&bench[1].hca, 0x3000, data, 1024, NULL), 0);
	assert_int_equal(tlp_trace_mark(bench[1].trace, "end"), 0);
	reader = tlp_reader_open(bench[1].path);
	assert_non_null(reader);
	tlp_reader_interval(reader, "from", "to");
	while (tlp_reader_next(reader, &entry) > 0)
		assert_int_equal(entry.tlp.addr, 0x2000 + 128 * n++);
	assert_int_equal(n, 4);
	tlp_reader_close(reader);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_same_as_each), TEST(test_faults),  TEST(test_interval),
		TEST(test_copy),	 TEST(test_no_copy), TEST(test_copy_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
