/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions of two machines in one fabric: buses of their own, on which the same IDs and addresses
 * are somebody else's, and one trace.
 */
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

#define BAR_BASE 0x4000000000ull
#define BAR_SIZE 0x1000ull
#define MACHINES 2u

/* An HCA and a GPU with the same places and addresses as those of the other machine. */
static struct machine {
	struct pcie_function hca, gpu;
	uint8_t memory[BAR_SIZE];
	unsigned int requests; /* that came to the GPU */
	unsigned int messages; /* that came to the host */
} machine[MACHINES];

static struct pcie_fabric *fabric;
static struct tlp_trace *trace;
static char path[64];

static int host_read(void *host, uint64_t addr, void *buf, size_t len)
{
	struct machine *m = host;

	(void)addr;
	m->messages++;
	memset(buf, 0, len);
	return 0;
}

static int host_write(void *host, uint64_t addr, const void *buf, size_t len)
{
	struct machine *m = host;

	(void)addr;
	(void)buf;
	(void)len;
	m->messages++;
	return 0;
}

/* Both hosts have the BAR of a GPU there. */
static bool host_resolve(void *host, uint64_t addr, uint64_t *base, uint64_t *size, bool *direct)
{
	(void)host;
	*base = BAR_BASE;
	*size = BAR_SIZE;
	*direct = false;
	return addr >= BAR_BASE && addr - BAR_BASE < BAR_SIZE;
}

static const struct pcie_host_ops host_ops = {
	.read = host_read,
	.write = host_write,
	.resolve = host_resolve,
};

static void gpu_request(struct pcie_function *fn, unsigned int bar, uint64_t offset,
			const struct tlp *tlp, void *data, size_t len)
{
	struct machine *m = fn->model;

	(void)bar;
	assert_true(offset + len <= BAR_SIZE);
	m->requests++;
	if (tlp->type == TLP_MWR)
		memcpy(m->memory + offset, data, len);
	else
		memcpy(data, m->memory + offset, len);
}

static const struct pcie_function_ops hca_ops, gpu_ops = { .memory_request = gpu_request };

static void build(struct pcie_function *fn, uint16_t command)
{
	static const struct pcie_identity id;
	uint8_t bytes[2] = { (uint8_t)command, (uint8_t)(command >> 8) };
	uint8_t bar[8] = { 0, 0, 0, 0, BAR_BASE >> 32 };

	pcie_config_init(fn, &id);
	pcie_config_add_express(fn, PCIE_TPH_COMPLETER_EXTENDED, true);
	pcie_config_seal(fn);
	if (fn->ops->memory_request)
		pcie_config_write(fn, PCI_BASE_ADDRESS_0, bar, 8);
	pcie_config_write(fn, PCI_COMMAND, bytes, 2);
}

/* @separate: the second machine has a number of its own. */
static void build_machine(unsigned int i, uint8_t number)
{
	static const char *const names[MACHINES][2] = { { "hca0", "gpu0" }, { "hca1", "gpu1" } };
	struct machine *m = &machine[i];

	m->hca = (struct pcie_function){
		.name = names[i][0], .id = 0x20, .ops = &hca_ops, .model = m, .machine = number
	};
	m->gpu = (struct pcie_function){
		.name = names[i][1], .id = 0x80, .ops = &gpu_ops, .model = m, .machine = number
	};
	m->gpu.bar[0] = (struct pcie_bar){ .size = BAR_SIZE, .is_64bit = true };
	build(&m->hca, PCI_COMMAND_MASTER);
	build(&m->gpu, PCI_COMMAND_MEMORY);
	pcie_function_connect(&m->hca, &host_ops, m);
}

static int setup(void **state)
{
	int fd;

	(void)state;
	memset(machine, 0, sizeof(machine));
	strcpy(path, "/tmp/test_machines.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	trace = tlp_trace_open(path);
	fabric = pcie_fabric_new(trace);
	assert_non_null(trace);
	assert_non_null(fabric);
	build_machine(0, 1);
	build_machine(1, 2);
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

static void add(struct machine *m)
{
	assert_int_equal(pcie_fabric_add(fabric, &m->hca), 0);
	assert_int_equal(pcie_fabric_add(fabric, &m->gpu), 0);
}

/* Each writes into, and reads from, the BAR of its own machine, by the same address. */
static void test_own_bar(void **state)
{
	const struct tlp_hint hint = { .th = true, .st = 7, .ph = 2 };
	static const uint8_t said[MACHINES][4] = { "one", "two" };
	uint8_t got[4];

	(void)state;
	add(&machine[0]);
	add(&machine[1]);
	for (unsigned int i = 0; i < MACHINES; i++)
		assert_int_equal(pcie_write(&machine[i].hca, BAR_BASE, said[i], 4, &hint), 0);
	for (unsigned int i = 0; i < MACHINES; i++) {
		assert_int_equal(machine[i].requests, 1);
		assert_memory_equal(machine[i].memory, said[i], 4);
		assert_int_equal(pcie_read(&machine[i].hca, BAR_BASE, got, 4, NULL), 0);
		assert_memory_equal(got, said[i], 4);
		assert_int_equal(machine[i].requests, 2);
		assert_int_equal(machine[i].messages, 0);
	}
}

/* A BAR that only the other machine has is memory of its host, if at all. */
static void test_foreign_bar(void **state)
{
	static const uint8_t data[4] = "far";

	(void)state;
	assert_int_equal(pcie_fabric_add(fabric, &machine[0].hca), 0);
	assert_int_equal(pcie_fabric_add(fabric, &machine[1].gpu), 0);
	assert_int_equal(pcie_write(&machine[0].hca, BAR_BASE, data, 4, NULL), 0);
	assert_int_equal(machine[1].requests, 0);
	assert_int_equal(machine[0].messages, 1);
	assert_int_equal(machine[1].memory[0], 0);
}

/* The trace tells them apart by their names, whatever their IDs. */
static void test_trace(void **state)
{
	static const uint8_t data[4] = "one";
	struct tlp_reader *reader;
	struct tlp_entry entry;
	unsigned int seen = 0;

	(void)state;
	add(&machine[0]);
	add(&machine[1]);
	assert_int_equal(pcie_write(&machine[1].hca, BAR_BASE, data, 4, NULL), 0);
	assert_int_equal(tlp_trace_close(trace), 0);
	trace = NULL;
	reader = tlp_reader_open(path);
	assert_non_null(reader);
	while (tlp_reader_next(reader, &entry) > 0) {
		seen++;
		assert_int_equal(entry.record.source, machine[1].hca.index);
		assert_int_equal(entry.record.target, machine[1].gpu.index);
	}
	tlp_reader_close(reader);
	assert_int_equal(seen, 1);
}

/* A name is one of the fabric, an ID one of a machine. */
static void test_add(void **state)
{
	struct pcie_function *again = &machine[1].hca;

	(void)state;
	add(&machine[0]);
	again->name = "hca0";
	assert_int_equal(pcie_fabric_add(fabric, again), -EEXIST);
	again->name = "hca1";
	again->machine = 1;
	assert_int_equal(pcie_fabric_add(fabric, again), -EEXIST);
	assert_null(again->fabric);
	again->machine = 2;
	assert_int_equal(pcie_fabric_add(fabric, again), 0);
	assert_ptr_equal(pcie_fabric_find(fabric, "hca1"), again);
	again = &machine[1].gpu;
	again->id = machine[1].hca.id;
	assert_int_equal(pcie_fabric_add(fabric, again), -EEXIST);
	assert_null(pcie_fabric_find(fabric, "gpu1"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_own_bar),
		TEST(test_foreign_bar),
		TEST(test_trace),
		TEST(test_add),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
