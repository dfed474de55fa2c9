/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The trace where things end: maps of any size at any byte, the end of the address space, a BAR
 * that moves, numbers that no header holds. The trace is held against the table of maps, byte by
 * byte, and against the rules for completions (2.2.9.1, 2.3.1.1).
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/pci_regs.h>

#include "pcie/fabric.h"
#include "pcie/reader.h"

#define BASE	 0x7ffff000ull /* of the maps at random: around here */
#define BAR_BASE 0x4000000000ull
#define BAR_SIZE 0x1000ull
#define MAPS	 64
#define MOVES	 200000u

struct map {
	uint64_t first, last;
	bool direct;
};

static struct map maps[MAPS]; /* sorted */
static unsigned int map_count;
static unsigned int resolves, host_calls, arrived;
static struct pcie_fabric *fabric;
static struct tlp_trace *trace;
static struct pcie_function hca, gpu;
static char path[64];

static int host_read(void *host, uint64_t addr, void *buf, size_t len)
{
	(void)host;
	(void)addr;
	memset(buf, 0, len);
	host_calls++;
	return 0;
}

static int host_write(void *host, uint64_t addr, const void *buf, size_t len)
{
	(void)host;
	(void)addr;
	(void)buf;
	(void)len;
	host_calls++;
	return 0;
}

static bool host_resolve(void *host, uint64_t addr, uint64_t *base, uint64_t *size, bool *direct)
{
	(void)host;
	resolves++;
	*size = 0;
	for (unsigned int i = 0; i < map_count; i++) {
		if (maps[i].last < addr)
			continue;
		if (maps[i].first > addr) {
			*size = maps[i].first - addr;
			return false;
		}
		*base = maps[i].first;
		*size = maps[i].last - maps[i].first + 1;
		*direct = maps[i].direct;
		return true;
	}
	return false;
}

static const struct pcie_host_ops host_ops = {
	.read = host_read,
	.write = host_write,
	.resolve = host_resolve,
};

static void gpu_request(struct pcie_function *fn, unsigned int bar, uint64_t offset,
			const struct tlp *tlp, void *data, size_t len)
{
	(void)fn;
	assert_int_equal(bar, 0);
	assert_true(offset < BAR_SIZE && len <= BAR_SIZE - offset);
	if (tlp->type != TLP_MWR)
		memset(data, 0, len);
	arrived++;
}

static const struct pcie_function_ops hca_ops;
static const struct pcie_function_ops gpu_ops = { .memory_request = gpu_request };

static void command(struct pcie_function *fn, uint16_t value)
{
	pcie_config_write(fn, PCI_COMMAND, &value, 2);
}

static void build(struct pcie_function *fn, const char *name, uint16_t id,
		  const struct pcie_function_ops *ops)
{
	static const struct pcie_identity identity;

	memset(fn, 0, sizeof(*fn));
	fn->name = name;
	fn->id = id;
	fn->ops = ops;
	if (fn == &gpu)
		fn->bar[0] = (struct pcie_bar){ .size = BAR_SIZE, .is_64bit = true };
	pcie_config_init(fn, &identity);
	pcie_config_add_express(fn, PCIE_TPH_COMPLETER_EXTENDED, true);
	pcie_config_seal(fn);
	assert_int_equal(pcie_fabric_add(fabric, fn), 0);
}

static void move_bar(uint64_t address)
{
	pcie_config_write(&gpu, PCI_BASE_ADDRESS_0, &address, 8);
}

static int setup(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/test_edges.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	trace = tlp_trace_open(path);
	assert_non_null(trace);
	fabric = pcie_fabric_new(trace);
	assert_non_null(fabric);
	build(&hca, "hca0", 0x0100, &hca_ops);
	build(&gpu, "gpu0", 0x0208, &gpu_ops);
	command(&hca, PCI_COMMAND_MASTER);
	move_bar(BAR_BASE);
	command(&gpu, PCI_COMMAND_MEMORY);
	pcie_function_connect(&hca, &host_ops, NULL);
	map_count = resolves = host_calls = arrived = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pcie_fabric_free(fabric);
	tlp_trace_close(trace);
	trace = NULL;
	unlink(path);
	return 0;
}

static void add_map(uint64_t first, uint64_t last, bool direct)
{
	assert_true(map_count < MAPS);
	maps[map_count++] = (struct map){ first, last, direct };
}

static enum pcie_route route_of(uint64_t addr)
{
	uint64_t base, size;
	bool direct;

	if (!host_resolve(NULL, addr, &base, &size, &direct))
		return PCIE_ROUTE_MESSAGE;
	if (direct)
		return PCIE_ROUTE_MEMORY;
	return base == BAR_BASE && size == BAR_SIZE ? PCIE_ROUTE_FUNCTION : PCIE_ROUTE_MESSAGE;
}

/* What the trace has to say next. */
struct expected {
	uint64_t next; /* address of the next byte that is asked for or written */
	size_t left;
	struct tlp_hint hint;
	uint32_t requests, completions, bytes; /* bytes: still to be completed */
	bool reads;
};

static void check_request(struct expected *e, const struct tlp_entry *entry)
{
	const struct tlp *tlp = &entry->tlp;
	uint64_t addr;
	size_t len = tlp_range(tlp, &addr);

	assert_int_equal(tlp->type, e->reads ? TLP_MRD : TLP_MWR);
	assert_int_equal(addr, e->next);
	assert_true(len >= 1 && len <= e->left);
	/* Byte enables without holes. */
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t at = tlp->addr + i, last = tlp->addr + 4 * (tlp->length - 1) + i;

		assert_int_equal(tlp->first_be >> i & 1, at - addr < len);
		if (tlp->length > 1)
			assert_int_equal(tlp->last_be >> i & 1, last - addr < len);
	}
	for (size_t i = 0; i < len; i++)
		assert_int_equal(entry->record.route, route_of(addr + i));
	if (entry->record.route == PCIE_ROUTE_FUNCTION)
		assert_int_equal(entry->record.offset, addr - BAR_BASE);
	/* The hint is there wherever a header can carry it. */
	assert_int_equal(tlp->hint.th,
			 e->hint.th && (!e->reads || (addr % 4 == 0 && len % 4 == 0)));
	if (tlp->hint.th)
		assert_int_equal(tlp->hint.st, e->hint.st);
	e->next += len;
	e->left -= len;
	e->requests++;
	if (e->reads)
		e->bytes += len;
}

/* Closes the trace and holds it against @e. Each header says what its bytes say. */
static void check_trace(struct expected *e)
{
	struct tlp_reader *reader;
	struct tlp_entry entry;
	uint8_t header[TLP_MAX_HEADER];
	int rc;

	assert_int_equal(tlp_trace_status(trace).refused, 0);
	assert_int_equal(tlp_trace_close(trace), 0);
	trace = NULL;
	reader = tlp_reader_open(path);
	assert_non_null(reader);
	while ((rc = tlp_reader_next(reader, &entry)) > 0) {
		assert_int_equal(tlp_encode(&entry.tlp, header), entry.record.header_len);
		assert_memory_equal(header, entry.record.header, entry.record.header_len);
		if (entry.tlp.type != TLP_CPLD) {
			check_request(e, &entry);
			continue;
		}
		assert_true(entry.tlp.byte_count <= e->bytes);
		e->completions++;
		/* Bytes of this one: all, or up to a multiple of Read Completion Boundary. */
		e->bytes -= entry.tlp.length * 4u - entry.tlp.lower_addr % 4 > entry.tlp.byte_count
				    ? entry.tlp.byte_count
				    : entry.tlp.length * 4u - entry.tlp.lower_addr % 4;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(e->left, 0);
	assert_int_equal(e->bytes, 0);
	tlp_reader_close(reader);
}

static void transfer(uint64_t addr, size_t len, bool reads, const struct tlp_hint *hint)
{
	struct expected e = { .next = addr, .left = len, .reads = reads };
	uint8_t *buf = calloc(1, len);
	void *state = NULL;

	assert_non_null(buf);
	if (hint && !(reads && (addr % 4 || len % 4)))
		e.hint = *hint;
	assert_int_equal(reads ? pcie_read(&hca, addr, buf, len, hint)
			       : pcie_write(&hca, addr, buf, len, hint),
			 0);
	check_trace(&e);
	free(buf);
	/* A trace of its own for each transfer. */
	pcie_fabric_free(fabric);
	unlink(path);
	setup(&state);
}

/* Maps of 1 to 8 bytes and of more, holes as well; every alignment, with and without hints. */
static void test_odd_maps(void **state)
{
	static const struct tlp_hint hints[] = { { 0 },
						 { true, false, 2, 0x2a },
						 { true, true, 3, 0xbeef } };
	unsigned int seed = 17;

	(void)state;
	for (unsigned int round = 0; round < 40; round++) {
		uint64_t at = BASE - 200;
		struct map made[MAPS];

		for (unsigned int i = 0; i < MAPS; i++) {
			unsigned int kind = rand_r(&seed) % 8;

			at += kind < 2 ? rand_r(&seed) % 9 : 0;
			made[i].first = at;
			at += kind < 6 ? rand_r(&seed) % 8 : rand_r(&seed) % 700;
			made[i].last = at++;
			made[i].direct = rand_r(&seed) % 2;
		}
		for (unsigned int i = 0; i < 16; i++) {
			uint64_t addr = BASE - 300 + rand_r(&seed) % 600;
			size_t len = 1 + rand_r(&seed) % (i % 2 ? 40 : 9000);

			memcpy(maps, made, sizeof(made));
			map_count = MAPS;
			transfer(addr, len, i & 1, &hints[rand_r(&seed) % 3]);
			memcpy(maps, made, sizeof(made));
			map_count = MAPS;
			/* Aligned at both ends, so that only maps cut it. */
			transfer(addr & ~3ull, (len + 3) & ~(size_t)3, i & 1,
				 &hints[rand_r(&seed) % 3]);
		}
	}
}

/* A read that keeps its hint but for the DWs that a map's end cuts. */
static void test_hinted_read_over_odd_end(void **state)
{
	const struct tlp_hint hint = { true, false, 1, 7 };

	(void)state;
	add_map(BASE, BASE + 0x401, true);
	add_map(BASE + 0x402, BASE + 0x402, false);
	add_map(BASE + 0x403, BASE + 0xfff, true);
	transfer(BASE, 0x800, true, &hint);
}

/* Between memory and a BAR the end of the one may be odd, the BAR's is not. */
static void test_memory_then_bar(void **state)
{
	const struct tlp_hint hint = { true, true, 1, 7 };

	(void)state;
	for (unsigned int reads = 0; reads < 2; reads++) {
		for (unsigned int odd = 0; odd < 8; odd++) {
			add_map(BAR_BASE - 0x100 - odd, BAR_BASE - 1 - odd, true);
			add_map(BAR_BASE, BAR_BASE + BAR_SIZE - 1, false);
			add_map(BAR_BASE + BAR_SIZE, BAR_BASE + BAR_SIZE + odd, true);
			transfer(BAR_BASE - 0x100, BAR_SIZE + 0x200, reads, &hint);
		}
	}
}

/* The last bytes there are, with a map and without; one byte more is no range. */
static void test_end_of_addresses(void **state)
{
	uint8_t buf[64] = { 0 };

	(void)state;
	for (unsigned int reads = 0; reads < 2; reads++) {
		add_map(UINT64_MAX - 9, UINT64_MAX, true);
		transfer(UINT64_MAX - 20, 21, reads, NULL);
		add_map(UINT64_MAX - 9, UINT64_MAX - 3, true);
		transfer(UINT64_MAX - 20, 21, reads, NULL);
		add_map(0, UINT64_MAX - 1, true);
		transfer(UINT64_MAX - 20, 21, reads, NULL);
		transfer(UINT64_MAX, 1, reads, NULL);
	}
	assert_int_equal(pcie_write(&hca, UINT64_MAX - 20, buf, 22, NULL), -EINVAL);
	assert_int_equal(pcie_read(&hca, UINT64_MAX - 20, buf, 22, NULL), -EINVAL);
	assert_int_equal(pcie_write(&hca, UINT64_MAX, buf, 2, NULL), -EINVAL);
	add_map(0, 63, true);
	add_map(UINT64_MAX - 9, UINT64_MAX, true);
	assert_int_equal(pcie_peek(&hca, UINT64_MAX - 9, buf, 10), 0);
	assert_int_equal(pcie_peek(&hca, UINT64_MAX - 9, buf, 11), -ENODEV);
	assert_int_equal(tlp_trace_status(trace).records, 2); /* names only */
	assert_int_equal(host_calls, 1);
}

/* The work for what has no map is one lookup, however much it is. */
static void test_lookups(void **state)
{
	uint8_t *buf = calloc(1, 1 << 20);

	(void)state;
	assert_non_null(buf);
	assert_int_equal(pcie_write(&hca, 0x1001, buf, 1 << 20, NULL), 0);
	assert_int_equal(resolves, 1);
	assert_int_equal(host_calls, 1);
	/* It ends where a map begins. */
	add_map(0x1800, 0x1fff, true);
	resolves = host_calls = 0;
	assert_int_equal(pcie_write(&hca, 0x1001, buf, 0xfff, NULL), 0);
	assert_int_equal(resolves, 2);
	assert_int_equal(host_calls, 2);
	/* With maps of one byte it is one lookup and one access for each. */
	map_count = 0;
	for (unsigned int i = 0; i < MAPS; i++)
		add_map(BASE + i, BASE + i, true);
	resolves = host_calls = 0;
	assert_int_equal(pcie_write(&hca, BASE, buf, MAPS, NULL), 0);
	assert_int_equal(resolves, MAPS);
	assert_int_equal(host_calls, MAPS);
	free(buf);
}

/* A request of 4096 bytes: its length, and the byte count of its first completion, encode as 0. */
static void test_largest_read(void **state)
{
	static const uint8_t devctl[2] = { PCI_EXP_DEVCTL_PAYLOAD_512B,
					   PCI_EXP_DEVCTL_READRQ_4096B >> 8 };
	struct tlp_reader *reader;
	struct tlp_entry entry;
	uint8_t buf[4096];

	(void)state;
	add_map(0, 0xffffff, true);
	pcie_config_write(&hca, hca.config.express + PCI_EXP_DEVCTL, devctl, 2);
	assert_int_equal(pcie_read(&hca, 0x10000, buf, 4096, NULL), 0);
	assert_int_equal(pcie_read(&hca, 0x10001, buf, 4095, NULL), 0);
	assert_int_equal(tlp_trace_close(trace), 0);
	trace = NULL;
	reader = tlp_reader_open(path);
	assert_non_null(reader);
	assert_int_equal(tlp_reader_next(reader, &entry), 1);
	assert_int_equal(entry.tlp.length, 1024);
	assert_memory_equal(entry.record.header, "\0\0\0\0", 4);
	for (unsigned int i = 0; i < 8; i++) {
		unsigned int left = 4096 - 512 * i;

		assert_int_equal(tlp_reader_next(reader, &entry), 1);
		assert_int_equal(entry.tlp.byte_count, left);
		assert_int_equal(entry.tlp.length, 128);
		assert_int_equal(entry.tlp.lower_addr, 0);
		assert_int_equal(entry.record.header[6], left >> 8 & 0xf);
		assert_int_equal(entry.record.header[7], 0);
	}
	assert_int_equal(tlp_reader_next(reader, &entry), 1);
	assert_int_equal(entry.tlp.length, 1024);
	assert_int_equal(entry.tlp.first_be, 0xe);
	assert_int_equal(tlp_reader_next(reader, &entry), 1);
	assert_int_equal(entry.tlp.byte_count, 4095);
	assert_int_equal(entry.tlp.lower_addr, 1);
	assert_int_equal(entry.tlp.length, 128);
	assert_int_equal(tlp_reader_next(reader, &entry), 1);
	assert_int_equal(entry.tlp.byte_count, 4096 - 512);
	assert_int_equal(entry.tlp.lower_addr, 0);
	tlp_reader_close(reader);
}

/* What no header can say is an error that is counted; the file stays whole, and nothing arrives. */
static void test_no_header(void **state)
{
	struct tlp_reader *reader;
	struct tlp_entry entry;
	uint8_t buf[8192] = { 0 };

	(void)state;
	add_map(0, 0xffffff, true);
	add_map(BAR_BASE, BAR_BASE + BAR_SIZE - 1, false);
	/* No value of Device Control gives this. */
	atomic_store(&hca.config.view.max_payload, 8192);
	atomic_store(&hca.config.view.max_read_request, 8192);
	assert_int_equal(pcie_write(&hca, 0x2000, buf, 8192, NULL), -EINVAL);
	assert_int_equal(tlp_trace_status(trace).refused, 1);
	assert_int_equal(pcie_read(&hca, 0x2000, buf, 8192, NULL), -EINVAL);
	assert_int_equal(tlp_trace_status(trace).refused, 2);
	atomic_store(&hca.config.view.max_payload, 3);
	assert_int_equal(pcie_write(&hca, BAR_BASE, buf, 8, NULL), 0);
	assert_int_equal(tlp_trace_status(trace).refused, 2);
	assert_int_equal(arrived, 3);
	assert_int_equal(host_calls, 0);
	assert_int_equal(tlp_trace_close(trace), 0);
	trace = NULL;
	reader = tlp_reader_open(path);
	assert_non_null(reader);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(tlp_reader_next(reader, &entry), 1);
	assert_int_equal(tlp_reader_next(reader, &entry), 0);
	tlp_reader_close(reader);
}

static atomic_bool stop;

static void *move(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		move_bar(BAR_BASE + BAR_SIZE);
		move_bar(BAR_BASE);
	}
	return NULL;
}

/* The guest moves the BAR meanwhile: a request arrives inside of it, or not at all. */
static void test_moving_bar(void **state)
{
	uint8_t buf[16] = { 0 };
	pthread_t thread;

	(void)state;
	add_map(BAR_BASE, BAR_BASE + BAR_SIZE - 1, false);
	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&thread, NULL, move, NULL), 0);
	for (unsigned int i = 0; i < MOVES; i++)
		assert_int_equal(pcie_write(&hca, BAR_BASE + BAR_SIZE - 16, buf, 16, NULL), 0);
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(arrived + host_calls, MOVES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_odd_maps),	    TEST(test_hinted_read_over_odd_end),
		TEST(test_memory_then_bar), TEST(test_end_of_addresses),
		TEST(test_lookups),	    TEST(test_largest_read),
		TEST(test_no_header),	    TEST(test_moving_bar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
