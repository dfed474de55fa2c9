/* SPDX-License-Identifier: GPL-2.0-only */
/* The fabric between two functions and a fake host, seen through the trace it leaves. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/pci_regs.h>

#include "pcie/fabric.h"
#include "pcie/reader.h"

#define RAM_BASE   0x100000ull
#define RAM_SIZE   0x40000ull
#define RAM2_BASE  (RAM_BASE + RAM_SIZE) /* a second map, right behind */
#define RAM2_SIZE  0x2000ull
#define MSG_BASE   0x80000000ull /* a map without memory that is no BAR of ours */
#define BAR_BASE   0x4000000000ull
#define BAR_SIZE   0x100000ull
#define HOLE_BASE  0x9000000000ull /* no map, but the host takes it */
#define HOLE_SIZE  0x10000ull
#define DEAD_BASE  0xa000000000ull /* no map, nothing there */
#define MAX_TRACED 4096

struct map {
	uint64_t base, size;
	bool direct, hidden; /* hidden: not announced */
	uint8_t *mem;
};

static struct map maps[] = {
	{ .base = RAM_BASE, .size = RAM_SIZE, .direct = true },
	{ .base = RAM2_BASE, .size = RAM2_SIZE, .direct = true },
	{ .base = MSG_BASE, .size = 0x4000 },
	{ .base = BAR_BASE, .size = BAR_SIZE },
	{ .base = HOLE_BASE, .size = HOLE_SIZE, .hidden = true },
};

#define MAPS (sizeof(maps) / sizeof(maps[0]))

static struct {
	unsigned int reads, writes, resolves, interrupts, vector;
	int fail; /* what read and write return, if not 0 */
} host;

static struct {
	unsigned int count, bar;
	uint64_t offset[MAX_TRACED];
	struct tlp tlp[MAX_TRACED];
	size_t len[MAX_TRACED];
	uint8_t mem[BAR_SIZE];
} gpu_seen;

static struct pcie_fabric *fabric;
static struct tlp_trace *trace;
static struct pcie_function hca, gpu;
static char path[64];

static struct map *find_map(uint64_t addr)
{
	for (unsigned int i = 0; i < MAPS; i++)
		if (addr >= maps[i].base && addr - maps[i].base < maps[i].size)
			return &maps[i];
	return NULL;
}

static int access_host(uint64_t addr, uint8_t *buf, size_t len, bool write)
{
	if (host.fail)
		return host.fail;
	for (size_t i = 0; i < len; i++) {
		struct map *map = find_map(addr + i);

		if (!map)
			return -ENODEV;
		if (write)
			map->mem[addr + i - map->base] = buf[i];
		else
			buf[i] = map->mem[addr + i - map->base];
	}
	return 0;
}

static int host_read(void *arg, uint64_t addr, void *buf, size_t len)
{
	assert_ptr_equal(arg, &host);
	host.reads++;
	return access_host(addr, buf, len, false);
}

static int host_write(void *arg, uint64_t addr, const void *buf, size_t len)
{
	assert_ptr_equal(arg, &host);
	host.writes++;
	return access_host(addr, (uint8_t *)buf, len, true);
}

static bool host_resolve(void *arg, uint64_t addr, uint64_t *base, uint64_t *size, bool *direct)
{
	struct map *map = find_map(addr);

	assert_ptr_equal(arg, &host);
	host.resolves++;
	if (!map || map->hidden) {
		*size = 0;
		for (unsigned int i = 0; i < MAPS; i++)
			if (!maps[i].hidden && maps[i].base > addr &&
			    (!*size || maps[i].base - addr < *size))
				*size = maps[i].base - addr;
		return false;
	}
	*base = map->base;
	*size = map->size;
	*direct = map->direct;
	return true;
}

static void host_interrupt(void *arg, unsigned int vector)
{
	assert_ptr_equal(arg, &host);
	host.interrupts++;
	host.vector = vector;
}

static const struct pcie_host_ops host_ops = {
	.read = host_read,
	.write = host_write,
	.resolve = host_resolve,
	.interrupt = host_interrupt,
};

static void gpu_request(struct pcie_function *fn, unsigned int bar, uint64_t offset,
			const struct tlp *tlp, void *data, size_t len)
{
	assert_ptr_equal(fn, &gpu);
	assert_true(offset + len <= BAR_SIZE);
	assert_true(gpu_seen.count < MAX_TRACED);
	gpu_seen.bar = bar;
	gpu_seen.offset[gpu_seen.count] = offset;
	gpu_seen.tlp[gpu_seen.count] = *tlp;
	gpu_seen.len[gpu_seen.count++] = len;
	if (tlp->type == TLP_MWR)
		memcpy(gpu_seen.mem + offset, data, len);
	else
		memcpy(data, gpu_seen.mem + offset, len);
}

static const struct pcie_function_ops hca_ops;
static const struct pcie_function_ops gpu_ops = { .memory_request = gpu_request };

static void command(struct pcie_function *fn, uint16_t value)
{
	uint8_t bytes[2] = { value, value >> 8 };

	pcie_config_write(fn, PCI_COMMAND, bytes, 2);
}

static void build_gpu_with(enum pcie_tph_completer completer, bool prefix)
{
	static const struct pcie_identity id;
	uint8_t bar[8] = { 0, 0, 0, 0, BAR_BASE >> 32 };

	gpu.bar[0] = (struct pcie_bar){ .size = BAR_SIZE, .is_64bit = true };
	pcie_config_init(&gpu, &id);
	pcie_config_add_express(&gpu, completer, prefix);
	pcie_config_seal(&gpu);
	pcie_config_write(&gpu, PCI_BASE_ADDRESS_0, bar, 8);
	command(&gpu, PCI_COMMAND_MEMORY);
}

static void build_gpu(enum pcie_tph_completer completer)
{
	build_gpu_with(completer, completer == PCIE_TPH_COMPLETER_EXTENDED);
}

static int setup(void **state)
{
	static const struct pcie_identity id;
	int fd;

	(void)state;
	memset(&host, 0, sizeof(host));
	memset(&gpu_seen, 0, sizeof(gpu_seen));
	for (unsigned int i = 0; i < MAPS; i++)
		maps[i].mem = calloc(1, maps[i].size);
	strcpy(path, "/tmp/test_fabric.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	trace = tlp_trace_open(path);
	assert_non_null(trace);
	fabric = pcie_fabric_new(trace);
	assert_non_null(fabric);

	memset(&hca, 0, sizeof(hca));
	memset(&gpu, 0, sizeof(gpu));
	hca.name = "hca0";
	hca.id = 0x0100;
	hca.ops = &hca_ops;
	pcie_config_init(&hca, &id);
	pcie_config_add_express(&hca, PCIE_TPH_COMPLETER_NONE, false);
	pcie_config_seal(&hca);
	command(&hca, PCI_COMMAND_MASTER);
	gpu.name = "gpu0";
	gpu.id = 0x0208;
	gpu.ops = &gpu_ops;
	build_gpu(PCIE_TPH_COMPLETER_EXTENDED);
	assert_int_equal(pcie_fabric_add(fabric, &hca), 0);
	assert_int_equal(pcie_fabric_add(fabric, &gpu), 0);
	pcie_function_connect(&hca, &host_ops, &host);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pcie_fabric_free(fabric);
	tlp_trace_close(trace);
	trace = NULL;
	unlink(path);
	for (unsigned int i = 0; i < MAPS; i++)
		free(maps[i].mem);
	return 0;
}

/* Closes the trace and reads it back. */
static struct tlp_entry traced[MAX_TRACED];

static unsigned int read_trace(void)
{
	struct tlp_reader *reader;
	unsigned int n = 0;
	int rc;

	assert_int_equal(tlp_trace_close(trace), 0);
	trace = NULL;
	reader = tlp_reader_open(path);
	assert_non_null(reader);
	while ((rc = tlp_reader_next(reader, &traced[n])) > 0)
		n++;
	assert_int_equal(rc, 0);
	tlp_reader_close(reader);
	return n;
}

static uint8_t *pattern(size_t len)
{
	uint8_t *data = malloc(len);

	assert_non_null(data);
	for (size_t i = 0; i < len; i++)
		data[i] = i * 7 + (i >> 8) + 1;
	return data;
}

static void test_write_memory(void **state)
{
	uint8_t *data = pattern(1000);
	uint64_t addr = RAM_BASE + 0x1f3, next = addr;
	unsigned int n;

	(void)state;
	assert_int_equal(pcie_write(&hca, addr, data, 1000, NULL), 0);
	assert_memory_equal(maps[0].mem + 0x1f3, data, 1000);
	assert_int_equal(maps[0].mem[0x1f2], 0);
	assert_int_equal(maps[0].mem[0x1f3 + 1000], 0);
	assert_int_equal(host.writes, 1); /* one copy for all TLPs */
	n = read_trace();
	assert_int_equal(n, 9); /* 13 bytes to a boundary of 128, 7 * 128, 91 */
	for (unsigned int i = 0; i < n; i++) {
		uint64_t at;
		size_t len = tlp_range(&traced[i].tlp, &at);

		assert_int_equal(traced[i].tlp.type, TLP_MWR);
		assert_int_equal(traced[i].tlp.requester, 0x0100);
		assert_false(traced[i].tlp.hint.th);
		assert_int_equal(traced[i].record.source, 0);
		assert_int_equal(traced[i].record.route, PCIE_ROUTE_MEMORY);
		assert_true(traced[i].tlp.length * 4 <= 128);
		assert_int_equal(at, next);
		next += len;
	}
	assert_int_equal(next, addr + 1000);
	free(data);
}

static void test_write_function(void **state)
{
	struct tlp_hint hint = { true, true, 3, 0x0042 };
	uint8_t *data = pattern(65536);
	unsigned int n;

	(void)state;
	assert_int_equal(pcie_write(&hca, BAR_BASE + 0x2001, data, 65536, &hint), 0);
	assert_memory_equal(gpu_seen.mem + 0x2001, data, 65536);
	assert_int_equal(host.writes, 0);
	assert_int_equal(host.resolves, 1); /* once for 513 TLPs */
	assert_int_equal(gpu_seen.count, 513);
	assert_int_equal(gpu_seen.bar, 0);
	assert_int_equal(gpu_seen.offset[0], 0x2001); /* byte enables honoured */
	assert_int_equal(gpu_seen.len[0], 127);
	assert_int_equal(gpu_seen.tlp[0].first_be, 0xe);
	assert_int_equal(gpu_seen.len[512], 1);
	for (unsigned int i = 0; i < 513; i++) {
		assert_int_equal(gpu_seen.tlp[i].type, TLP_MWR);
		assert_true(gpu_seen.tlp[i].hint.th);
		assert_true(gpu_seen.tlp[i].hint.extended);
		assert_int_equal(gpu_seen.tlp[i].hint.ph, 3);
		assert_int_equal(gpu_seen.tlp[i].hint.st, 0x0042);
	}
	n = read_trace();
	assert_int_equal(n, 513);
	for (unsigned int i = 0; i < n; i++) {
		assert_int_equal(traced[i].record.route, PCIE_ROUTE_FUNCTION);
		assert_int_equal(traced[i].record.target, 1);
		assert_int_equal(traced[i].record.bar, 0);
		assert_int_equal(traced[i].record.offset, gpu_seen.offset[i]);
		assert_int_equal(traced[i].record.header_len, 20);
		assert_int_equal(traced[i].record.header[0], 0x90);
		assert_int_equal(traced[i].tlp.hint.st, 0x0042);
	}
	free(data);
}

static void test_payload_size(void **state)
{
	uint8_t devctl[2] = { PCI_EXP_DEVCTL_PAYLOAD_512B }, data[4096] = { 1 };

	(void)state;
	pcie_config_write(&hca, hca.config.express + PCI_EXP_DEVCTL, devctl, 2);
	assert_int_equal(pcie_write(&hca, BAR_BASE, data, 4096, NULL), 0);
	assert_int_equal(gpu_seen.count, 8);
	assert_int_equal(gpu_seen.len[7], 512);
	assert_false(gpu_seen.tlp[7].hint.th);
}

/* TLPs of a read: requests of 512 bytes, completions of 128 each. */
static void test_read_function(void **state)
{
	struct tlp_hint hint = { true, false, 1, 0xff };
	uint8_t *data = pattern(2048), *buf = calloc(1, 1100);
	unsigned int requests = 0, bytes = 0, n;
	uint16_t tag = 0;

	(void)state;
	memcpy(gpu_seen.mem + 0x300, data, 2048);
	assert_int_equal(pcie_read(&hca, BAR_BASE + 0x304, buf, 1100, &hint), 0);
	assert_memory_equal(buf, data + 4, 1100);
	assert_int_equal(gpu_seen.count, 3); /* up to 0x400, up to 0x600, the rest */
	assert_int_equal(gpu_seen.len[0], 0xfc);
	assert_int_equal(gpu_seen.len[1], 512);
	assert_int_equal(gpu_seen.tlp[1].hint.st, 0xff);
	n = read_trace();
	for (unsigned int i = 0; i < n; i++) {
		const struct tlp *tlp = &traced[i].tlp;

		assert_int_equal(traced[i].record.route, PCIE_ROUTE_FUNCTION);
		if (tlp->type == TLP_MRD) {
			assert_int_equal(bytes, requests ? gpu_seen.len[requests - 1] : 0);
			bytes = 0;
			assert_true(tlp->hint.th);
			assert_int_equal(traced[i].record.source, 0);
			assert_int_equal(traced[i].record.target, 1);
			assert_true(!requests || tlp->tag != tag);
			tag = tlp->tag;
			requests++;
			continue;
		}
		assert_int_equal(tlp->type, TLP_CPLD);
		assert_int_equal(traced[i].record.source, 1);
		assert_int_equal(traced[i].record.target, 0);
		assert_int_equal(tlp->completer, 0x0208);
		assert_int_equal(tlp->requester, 0x0100);
		assert_int_equal(tlp->tag, tag);
		assert_int_equal(tlp->byte_count, gpu_seen.len[requests - 1] - bytes);
		assert_int_equal(tlp->lower_addr, (gpu_seen.offset[requests - 1] + bytes) & 0x7f);
		assert_true(tlp->length <= 32);
		bytes += tlp->length * 4;
	}
	assert_int_equal(requests, 3);
	assert_int_equal(n, 3 + 2 + 4 + 3);
	free(data);
	free(buf);
}

static void test_read_memory(void **state)
{
	uint8_t *data = pattern(600), buf[600];
	unsigned int n;

	(void)state;
	memcpy(maps[0].mem + 0x1001, data, 600);
	assert_int_equal(pcie_read(&hca, RAM_BASE + 0x1001, buf, 600, NULL), 0);
	assert_memory_equal(buf, data, 600);
	assert_int_equal(host.reads, 1);
	n = read_trace();
	assert_int_equal(n, 2 + 4 + 1); /* both requests, then their completions */
	assert_int_equal(traced[1].tlp.type, TLP_MRD);
	assert_int_equal(traced[2].tlp.type, TLP_CPLD);
	assert_int_equal(traced[2].tlp.completer, 0);
	assert_int_equal(traced[2].tlp.byte_count, 511);
	assert_int_equal(traced[2].tlp.lower_addr, 1);
	assert_int_equal(traced[2].tlp.length, 32);
	assert_int_equal(traced[2].record.source, 0);
	assert_int_equal(traced[2].record.route, PCIE_ROUTE_MEMORY);
	assert_int_equal(traced[2].tlp.tag, traced[0].tlp.tag);
	assert_int_equal(traced[6].tlp.tag, traced[1].tlp.tag);
	assert_int_equal(traced[6].tlp.byte_count, 89);
	free(data);
}

/* No more requests are out than there are tags: 5-bit ones here. */
static void test_read_tags(void **state)
{
	uint8_t devctl[2] = { 0, 0 }, *buf = malloc(20000);
	unsigned int n, open = 0, most = 0;
	bool used[256] = { false };

	(void)state;
	pcie_config_write(&hca, hca.config.express + PCI_EXP_DEVCTL, devctl, 2);
	assert_int_equal(pcie_read(&hca, RAM_BASE + 64, buf, 20000, NULL), 0);
	n = read_trace();
	for (unsigned int i = 0; i < n; i++) {
		const struct tlp *tlp = &traced[i].tlp;

		assert_in_range(tlp->tag, 0, 31);
		if (tlp->type == TLP_MRD) {
			assert_false(used[tlp->tag]);
			used[tlp->tag] = true;
			open++;
			most = open > most ? open : most;
		} else if (tlp->byte_count <= 128) {
			assert_true(used[tlp->tag]);
			used[tlp->tag] = false;
			open--;
		}
	}
	assert_int_equal(open, 0);
	assert_int_equal(most, 32);
	free(buf);
}

/* TH on a read needs full byte enables; without them it is left out, and the read works. */
static void test_read_unaligned_hint(void **state)
{
	static const struct {
		unsigned int off, len;
		bool th;
	} cases[] = {
		{ 0, 8, true }, { 4, 4, true }, { 1, 4, false }, { 0, 7, false }, { 2, 2, false }
	};
	struct tlp_hint hint = { true, false, 2, 7 };
	uint8_t buf[8];

	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		assert_int_equal(pcie_read(&hca, BAR_BASE + cases[i].off, buf, cases[i].len, &hint),
				 0);
		assert_int_equal(gpu_seen.tlp[i].hint.th, cases[i].th);
		assert_int_equal(gpu_seen.len[i], cases[i].len);
	}
}

static void test_no_bus_master(void **state)
{
	uint8_t data[4] = { 1, 2, 3, 4 }, buf[4] = { 9, 9, 9, 9 };

	(void)state;
	command(&hca, 0);
	assert_int_equal(pcie_write(&hca, BAR_BASE, data, 4, NULL), -EACCES);
	assert_int_equal(pcie_write(&hca, RAM_BASE, data, 4, NULL), -EACCES);
	assert_int_equal(pcie_read(&hca, RAM_BASE, buf, 4, NULL), -EACCES);
	assert_int_equal(pcie_peek(&hca, RAM_BASE, buf, 4), -EACCES);
	pcie_interrupt(&hca, 0);
	assert_int_equal(host.interrupts, 0);
	assert_int_equal(host.resolves + host.reads + host.writes, 0);
	assert_int_equal(gpu_seen.count, 0);
	assert_int_equal(maps[0].mem[0], 0);
	assert_int_equal(buf[0], 9);
	assert_int_equal(read_trace(), 0);
}

/* Completer support: none and reserved ignore TH; a prefix needs the extended one. */
static void test_completers(void **state)
{
	static const struct tlp_hint narrow = { true, false, 2, 0x2a };
	static const struct tlp_hint wide = { true, true, 2, 0x2a };
	uint8_t data[64] = { 1 };

	(void)state;
	for (unsigned int c = 0; c < 4; c++) {
		bool tph = c == PCIE_TPH_COMPLETER_TPH || c == PCIE_TPH_COMPLETER_EXTENDED;
		bool extended = c == PCIE_TPH_COMPLETER_EXTENDED;
		unsigned int before = gpu_seen.count;

		build_gpu(c);
		assert_int_equal(pcie_write(&hca, BAR_BASE, data, 64, &narrow), 0);
		assert_int_equal(gpu_seen.count, before + 1);
		assert_int_equal(gpu_seen.tlp[before].hint.th, tph);
		assert_int_equal(gpu_seen.tlp[before].hint.st, tph ? 0x2a : 0);
		assert_int_equal(pcie_write(&hca, BAR_BASE, data, 64, &wide),
				 extended ? 0 : -ENODEV);
		assert_int_equal(gpu_seen.count, before + 1 + extended);
	}
	assert_int_equal(read_trace(), 8);
	for (unsigned int i = 0; i < 8; i++) {
		/* The wire carried the hint all the same. */
		assert_true(traced[i].tlp.hint.th);
		assert_int_equal(traced[i].record.route,
				 i & 1 && i < 7 ? PCIE_ROUTE_NONE : PCIE_ROUTE_FUNCTION);
	}
}

static void test_refused_prefix(void **state)
{
	struct tlp_hint wide = { true, true, 0, 0 };
	uint8_t data[512] = { 1 }, buf[512] = { 9 };

	(void)state;
	/* It would understand the tag. */
	build_gpu_with(PCIE_TPH_COMPLETER_EXTENDED, false);
	memset(gpu_seen.mem, 0x77, sizeof(gpu_seen.mem));
	assert_int_equal(pcie_write(&hca, BAR_BASE, data, 512, &wide), -ENODEV);
	assert_int_equal(gpu_seen.count, 0);
	/* Prefixes alone do not help. */
	build_gpu_with(PCIE_TPH_COMPLETER_TPH, true);
	assert_int_equal(pcie_write(&hca, BAR_BASE, data, 512, &wide), -ENODEV);
	assert_int_equal(pcie_read(&hca, BAR_BASE, buf, 512, &wide), -ENODEV);
	assert_int_equal(gpu_seen.count, 0);
	assert_int_equal(gpu_seen.mem[0], 0x77);
	assert_int_equal(buf[0], 9);
	assert_int_equal(host.reads + host.writes, 0);
	assert_int_equal(read_trace(), 4); /* two writes, one read and its completion */
	assert_int_equal(traced[0].tlp.type, TLP_MWR);
	assert_int_equal(traced[1].tlp.type, TLP_MWR);
	assert_int_equal(traced[2].record.route, PCIE_ROUTE_NONE);
	assert_int_equal(traced[3].tlp.type, TLP_CPL);
	assert_int_equal(traced[3].tlp.status, TLP_UR);
	assert_int_equal(traced[3].tlp.completer, 0x0208);
	assert_int_equal(traced[3].tlp.tag, traced[2].tlp.tag);
}

static void write_and_count(uint64_t addr, enum pcie_route route)
{
	unsigned int writes = host.writes, requests = gpu_seen.count;
	uint8_t byte = 0x5a;

	assert_int_equal(pcie_write(&hca, addr, &byte, 1, NULL), 0);
	assert_int_equal(host.writes, writes + (route != PCIE_ROUTE_FUNCTION));
	assert_int_equal(gpu_seen.count, requests + (route == PCIE_ROUTE_FUNCTION));
}

/* Only a map without memory, with base and size of the BAR or its mappable part, is the BAR. */
static void test_routing_rule(void **state)
{
	static struct pcie_function_ops no_completer;
	struct map saved = maps[3];

	(void)state;
	write_and_count(RAM_BASE, PCIE_ROUTE_MEMORY);
	write_and_count(MSG_BASE, PCIE_ROUTE_MESSAGE);
	write_and_count(BAR_BASE, PCIE_ROUTE_FUNCTION);

	maps[3].size = BAR_SIZE / 2; /* a piece, as behind translation */
	write_and_count(BAR_BASE, PCIE_ROUTE_MESSAGE);
	gpu.bar[0].mmap_size = BAR_SIZE / 2;
	write_and_count(BAR_BASE, PCIE_ROUTE_FUNCTION);
	gpu.bar[0].mmap_offset = BAR_SIZE / 2;
	write_and_count(BAR_BASE, PCIE_ROUTE_MESSAGE);
	maps[3].base += BAR_SIZE / 2;
	write_and_count(BAR_BASE + BAR_SIZE / 2 + 0x123, PCIE_ROUTE_FUNCTION);
	assert_int_equal(gpu_seen.offset[gpu_seen.count - 1], BAR_SIZE / 2 + 0x123);
	maps[3] = saved;

	maps[3].direct = true;
	write_and_count(BAR_BASE, PCIE_ROUTE_MEMORY);
	maps[3].direct = false;
	command(&gpu, 0); /* decoding off */
	write_and_count(BAR_BASE, PCIE_ROUTE_MESSAGE);
	command(&gpu, PCI_COMMAND_MEMORY);
	gpu.ops = &no_completer;
	write_and_count(BAR_BASE, PCIE_ROUTE_MESSAGE);
	gpu.ops = &gpu_ops;
	write_and_count(BAR_BASE, PCIE_ROUTE_FUNCTION);
	assert_int_equal(read_trace(), 11);
	assert_int_equal(traced[0].record.route, PCIE_ROUTE_MEMORY);
	assert_int_equal(traced[1].record.route, PCIE_ROUTE_MESSAGE);
	assert_int_equal(traced[2].record.route, PCIE_ROUTE_FUNCTION);
	assert_int_equal(traced[3].record.route, PCIE_ROUTE_MESSAGE);
	assert_int_equal(traced[7].record.route, PCIE_ROUTE_MEMORY);
}

static void test_unannounced(void **state)
{
	uint8_t *data = pattern(HOLE_SIZE), *buf = malloc(HOLE_SIZE);

	(void)state;
	assert_int_equal(pcie_write(&hca, HOLE_BASE, data, HOLE_SIZE, NULL), 0);
	assert_int_equal(host.writes, 1);
	assert_memory_equal(maps[4].mem, data, HOLE_SIZE);
	assert_int_equal(pcie_read(&hca, HOLE_BASE, buf, HOLE_SIZE, NULL), 0);
	assert_memory_equal(buf, data, HOLE_SIZE);
	assert_true(read_trace() > 512);
	assert_int_equal(traced[0].record.route, PCIE_ROUTE_MESSAGE);
	free(data);
	free(buf);
}

/* From RAM through a second map and the unmapped page behind it. */
static void test_spans_maps(void **state)
{
	uint8_t *data = pattern(0x5000), *buf = malloc(0x5000);

	(void)state;
	assert_int_equal(pcie_write(&hca, RAM2_BASE - 0x1800, data, 0x1800 + RAM2_SIZE, NULL), 0);
	assert_int_equal(host.writes, 2);
	assert_memory_equal(maps[0].mem + RAM_SIZE - 0x1800, data, 0x1800);
	assert_memory_equal(maps[1].mem, data + 0x1800, RAM2_SIZE);
	assert_int_equal(pcie_read(&hca, RAM2_BASE - 0x1800, buf, 0x1800 + RAM2_SIZE, NULL), 0);
	assert_memory_equal(buf, data, 0x1800 + RAM2_SIZE);
	assert_int_equal(pcie_peek(&hca, RAM2_BASE - 0x1800, buf + 1, 0x1800 + RAM2_SIZE), 0);
	assert_memory_equal(buf + 1, data, 0x1800 + RAM2_SIZE);

	memset(maps[1].mem, 0, RAM2_SIZE);
	assert_int_equal(pcie_write(&hca, RAM2_BASE, data, RAM2_SIZE + 1, NULL), -ENODEV);
	assert_memory_equal(maps[1].mem, data, RAM2_SIZE);
	assert_int_equal(pcie_peek(&hca, RAM2_BASE, buf, RAM2_SIZE + 1), -ENODEV);
	free(data);
	free(buf);
}

static void test_host_errors(void **state)
{
	static const int errors[][2] = {
		{ -ENODEV, -ENODEV }, { -EACCES, -ENODEV }, { -EIO, -EIO }, { -E2BIG, -EIO }
	};
	uint8_t buf[1024] = { 0 };

	(void)state;
	assert_int_equal(pcie_write(&hca, DEAD_BASE, buf, 4, NULL), -ENODEV);
	assert_int_equal(pcie_read(&hca, DEAD_BASE, buf, 4, NULL), -ENODEV);
	for (unsigned int i = 0; i < 4; i++) {
		host.fail = errors[i][0];
		assert_int_equal(pcie_write(&hca, RAM_BASE, buf, 4, NULL), errors[i][1]);
		assert_int_equal(pcie_read(&hca, RAM_BASE, buf, 1024, NULL), errors[i][1]);
	}
	/* Write; read and its UR. Then a write and two reads each, with URs unless the link broke.
	 */
	assert_int_equal(read_trace(), 1 + 2 + 2 * (1 + 4) + 2 * (1 + 2));
	assert_int_equal(traced[2].tlp.type, TLP_CPL);
	assert_int_equal(traced[2].tlp.status, TLP_UR);
	assert_int_equal(traced[2].tlp.byte_count, 4);
	assert_int_equal(traced[6].tlp.type, TLP_CPL);
	assert_int_equal(traced[6].tlp.byte_count, 512);
	assert_int_equal(traced[7].tlp.tag, traced[5].tlp.tag);
}

static void test_no_host(void **state)
{
	uint8_t buf[256] = { 0 };

	(void)state;
	pcie_function_connect(&hca, NULL, NULL);
	assert_int_equal(pcie_write(&hca, RAM_BASE, buf, 256, NULL), -ENODEV);
	assert_int_equal(pcie_read(&hca, RAM_BASE, buf, 256, NULL), -ENODEV);
	assert_int_equal(pcie_peek(&hca, RAM_BASE, buf, 4), -ENODEV);
	pcie_interrupt(&hca, 0);
	assert_int_equal(host.interrupts, 0);
	assert_int_equal(read_trace(), 3);
	assert_int_equal(traced[0].record.route, PCIE_ROUTE_NONE);
	assert_int_equal(traced[2].tlp.status, TLP_UR);
}

static void test_invalid_arguments(void **state)
{
	static const struct tlp_hint bad_st = { true, false, 0, 0x100 };
	static const struct tlp_hint bad_ph = { true, true, 4, 0 };
	static const struct tlp_hint off = { false, false, 9, 0x100 }; /* no hint at all */
	uint8_t buf[8] = { 1 };

	(void)state;
	assert_int_equal(pcie_write(&hca, RAM_BASE, buf, 4, &bad_st), -EINVAL);
	assert_int_equal(pcie_read(&hca, RAM_BASE, buf, 4, &bad_ph), -EINVAL);
	assert_int_equal(pcie_write(&hca, ~0ull - 3, buf, 8, NULL), -EINVAL);
	assert_int_equal(pcie_write(&hca, RAM_BASE, buf, 0, NULL), 0);
	assert_int_equal(host.reads + host.writes, 0);
	assert_int_equal(pcie_write(&hca, RAM_BASE, buf, 4, &off), 0);
	assert_int_equal(read_trace(), 1);
	assert_false(traced[0].tlp.hint.th);
}

static void test_peek(void **state)
{
	uint8_t buf[4] = { 9, 9, 9, 9 };

	(void)state;
	maps[0].mem[0x10] = 0x42;
	assert_int_equal(pcie_peek(&hca, RAM_BASE + 0x10, buf, 4), 0);
	assert_int_equal(buf[0], 0x42);
	assert_int_equal(pcie_peek(&hca, RAM_BASE, buf, 0), 0);
	buf[0] = 9;
	assert_int_equal(pcie_peek(&hca, MSG_BASE, buf, 4), -ENODEV);
	assert_int_equal(pcie_peek(&hca, BAR_BASE, buf, 4), -ENODEV);
	assert_int_equal(pcie_peek(&hca, HOLE_BASE, buf, 4), -ENODEV);
	assert_int_equal(buf[0], 9);
	assert_int_equal(host.reads, 1);
	assert_int_equal(read_trace(), 0);
}

static void test_interrupt(void **state)
{
	(void)state;
	pcie_interrupt(&hca, 5);
	assert_int_equal(host.interrupts, 1);
	assert_int_equal(host.vector, 5);
}

static void test_add(void **state)
{
	static struct pcie_function more[PCIE_FABRIC_FUNCTIONS];
	static char names[PCIE_FABRIC_FUNCTIONS][8];

	(void)state;
	more[0] = (struct pcie_function){ .name = "gpu0", .id = 0x0300, .ops = &gpu_ops };
	assert_int_equal(pcie_fabric_add(fabric, &more[0]), -EEXIST);
	more[0] = (struct pcie_function){ .name = "gpu1", .id = 0x0208, .ops = &gpu_ops };
	assert_int_equal(pcie_fabric_add(fabric, &more[0]), -EEXIST);
	assert_null(more[0].fabric);
	assert_null(pcie_fabric_find(fabric, "gpu1"));
	for (unsigned int i = 2; i <= PCIE_FABRIC_FUNCTIONS; i++) {
		unsigned int k = i - 2;

		snprintf(names[k], sizeof(names[k]), "f%u", i);
		more[k] = (struct pcie_function){ .name = names[k], .id = 0x400 + i };
		assert_int_equal(pcie_fabric_add(fabric, &more[k]),
				 i < PCIE_FABRIC_FUNCTIONS ? 0 : -ENOSPC);
	}
	assert_ptr_equal(pcie_fabric_find(fabric, "gpu0"), &gpu);
	assert_ptr_equal(pcie_fabric_find(fabric, "f31"), &more[29]);
	assert_int_equal(more[29].index, 31);
	assert_null(pcie_fabric_find(fabric, "f32"));
}

/* Everything works without a trace, and towards the host without a fabric. */
static void test_without_trace(void **state)
{
	struct pcie_fabric *quiet = pcie_fabric_new(NULL);
	struct tlp_hint hint = { true, false, 2, 7 };
	uint8_t data[300] = { 3 }, buf[300];

	(void)state;
	assert_non_null(quiet);
	assert_int_equal(pcie_fabric_add(quiet, &hca), 0);
	assert_int_equal(pcie_fabric_add(quiet, &gpu), 0);
	assert_int_equal(pcie_write(&hca, BAR_BASE, data, 300, &hint), 0);
	assert_int_equal(gpu_seen.tlp[2].hint.st, 7);
	assert_int_equal(pcie_read(&hca, BAR_BASE, buf, 300, NULL), 0);
	assert_memory_equal(buf, data, 300);
	hca.fabric = NULL;
	assert_int_equal(pcie_write(&hca, RAM_BASE, data, 300, NULL), 0);
	assert_int_equal(pcie_read(&hca, RAM_BASE, buf, 300, NULL), 0);
	assert_memory_equal(buf, data, 300);
	assert_int_equal(read_trace(), 0);
	pcie_fabric_free(quiet);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_write_memory),
		TEST(test_write_function),
		TEST(test_payload_size),
		TEST(test_read_function),
		TEST(test_read_memory),
		TEST(test_read_tags),
		TEST(test_read_unaligned_hint),
		TEST(test_no_bus_master),
		TEST(test_completers),
		TEST(test_refused_prefix),
		TEST(test_routing_rule),
		TEST(test_unannounced),
		TEST(test_spans_maps),
		TEST(test_host_errors),
		TEST(test_no_host),
		TEST(test_invalid_arguments),
		TEST(test_peek),
		TEST(test_interrupt),
		TEST(test_add),
		TEST(test_without_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
