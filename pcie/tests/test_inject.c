/* SPDX-License-Identifier: GPL-2.0-only */
/* Faults of the link: what the requester is told, what is left undone, noted and traced. */
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

#define RAM_BASE 0x100000ull
#define BAR_BASE 0x4000000000ull
#define SIZE	 0x10000ull
#define PAYLOAD	 128u /* bytes of a write TLP after reset; a read asks for 512 */
#define READ	 512u

static uint8_t ram[SIZE], vram[SIZE], data[SIZE];
static unsigned int interrupts;
static uint64_t last_write; /* address of the host's */
static struct pcie_fabric *fabric;
static struct tlp_trace *trace;
static struct pcie_function hca, gpu;
static char path[64];

static int host_read(void *host, uint64_t addr, void *buf, size_t len)
{
	(void)host;
	if (addr < RAM_BASE || addr - RAM_BASE > SIZE - len)
		return -ENODEV;
	memcpy(buf, ram + (addr - RAM_BASE), len);
	return 0;
}

static int host_write(void *host, uint64_t addr, const void *buf, size_t len)
{
	(void)host;
	last_write = addr;
	if (addr < RAM_BASE || addr - RAM_BASE > SIZE - len)
		return -ENODEV;
	memcpy(ram + (addr - RAM_BASE), buf, len);
	return 0;
}

static bool host_resolve(void *host, uint64_t addr, uint64_t *base, uint64_t *size, bool *direct)
{
	(void)host;
	*direct = addr >= RAM_BASE && addr - RAM_BASE < SIZE;
	*base = *direct ? RAM_BASE : BAR_BASE;
	*size = SIZE;
	return *direct || (addr >= BAR_BASE && addr - BAR_BASE < SIZE);
}

static void host_interrupt(void *host, unsigned int vector)
{
	(void)host;
	interrupts += 1u << (8 * vector);
}

static const struct pcie_host_ops host_ops = {
	.read = host_read,
	.write = host_write,
	.resolve = host_resolve,
	.interrupt = host_interrupt,
};

static void gpu_request(struct pcie_function *fn, unsigned int bar, uint64_t offset,
			const struct tlp *tlp, void *buf, size_t len)
{
	(void)fn;
	assert_int_equal(bar, 0);
	assert_true(offset <= SIZE - len);
	assert_false(tlp->poisoned);
	if (tlp->type == TLP_MWR)
		memcpy(vram + offset, buf, len);
	else
		memcpy(buf, vram + offset, len);
}

static const struct pcie_function_ops hca_ops;
static const struct pcie_function_ops gpu_ops = { .memory_request = gpu_request };

static void config_write16(struct pcie_function *fn, unsigned int at, uint16_t value)
{
	uint8_t bytes[2] = { value & 0xff, value >> 8 };

	pcie_config_write(fn, at, bytes, 2);
}

static uint16_t config_read16(struct pcie_function *fn, unsigned int at)
{
	uint8_t bytes[2];

	pcie_config_read(fn, at, bytes, 2);
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

/* Status without the bit that there are capabilities. */
static uint16_t status(struct pcie_function *fn)
{
	return config_read16(fn, PCI_STATUS) & ~PCI_STATUS_CAP_LIST;
}

static uint16_t device_status(struct pcie_function *fn)
{
	return config_read16(fn, fn->config.express + PCI_EXP_DEVSTA);
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
		fn->bar[0] = (struct pcie_bar){ .size = SIZE, .is_64bit = true };
	pcie_config_init(fn, &identity);
	pcie_config_add_express(fn, PCIE_TPH_COMPLETER_EXTENDED, true);
	pcie_config_seal(fn);
	config_write16(fn, PCI_COMMAND, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
	assert_int_equal(pcie_fabric_add(fabric, fn), 0);
	pcie_function_connect(fn, &host_ops, NULL);
}

static int setup(void **state)
{
	uint8_t bar[8] = { [4] = BAR_BASE >> 32 };
	int fd;

	(void)state;
	strcpy(path, "/tmp/test_inject.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	trace = tlp_trace_open(path);
	fabric = pcie_fabric_new(trace);
	assert_true(trace && fabric);
	build(&hca, "hca0", 0x0100, &hca_ops);
	build(&gpu, "gpu0", 0x0208, &gpu_ops);
	pcie_config_write(&gpu, PCI_BASE_ADDRESS_0, bar, 8);
	interrupts = 0;
	for (unsigned int i = 0; i < SIZE; i++)
		data[i] = (uint8_t)(i % 251 + 1);
	memset(ram, 0, sizeof(ram));
	memset(vram, 0, sizeof(vram));
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

/* TLPs of the trace with this type, status and EP; ends the trace. */
static unsigned int traced(enum tlp_type type, enum tlp_status wanted, bool poisoned)
{
	struct tlp_reader *reader;
	struct tlp_entry entry;
	unsigned int n = 0;

	assert_int_equal(tlp_trace_close(trace), 0);
	trace = NULL;
	reader = tlp_reader_open(path);
	assert_non_null(reader);
	while (tlp_reader_next(reader, &entry) > 0)
		n += entry.record.kind == TLP_RECORD_TLP && entry.tlp.type == type &&
		     entry.tlp.status == wanted && entry.tlp.poisoned == poisoned;
	tlp_reader_close(reader);
	return n;
}

static struct pcie_fault_rule rule_of(enum pcie_fault kind, uint64_t after)
{
	return (struct pcie_fault_rule){ .kind = kind,
					 .reads = true,
					 .writes = kind != PCIE_FAULT_LOST,
					 .to = UINT64_MAX,
					 .after = after,
					 .count = 1,
					 .permille = 1000 };
}

static void arm(struct pcie_function *fn, enum pcie_fault_side side, struct pcie_fault_rule rule)
{
	assert_int_equal(pcie_inject_arm(fn, side, &rule), 0);
}

static const struct {
	enum pcie_fault kind;
	int error;
	uint16_t requester, requester_device, completer, completer_device; /* what a read notes */
	uint16_t dropped, dropped_device; /* what the completer of a write notes */
} faults[] = {
	{ PCIE_FAULT_UR, -ENODEV, PCI_STATUS_REC_MASTER_ABORT, 0, 0, 0xa, 0, 0xa },
	{ PCIE_FAULT_CA, -EIO, PCI_STATUS_REC_TARGET_ABORT, 0, PCI_STATUS_SIG_TARGET_ABORT, 2,
	  PCI_STATUS_SIG_TARGET_ABORT, 2 },
	{ PCIE_FAULT_POISONED, -EBADMSG, PCI_STATUS_DETECTED_PARITY, 2, 0, 0,
	  PCI_STATUS_DETECTED_PARITY, 2 },
	{ PCIE_FAULT_LOST, -ETIMEDOUT, 0, 2, 0, 0, 0, 0 },
};

/* The third request of four: the two before it were answered, the last is not asked any more. */
static void test_reads(void **state)
{
	static uint8_t got[4 * READ];

	(void)state;
	memcpy(ram, data, SIZE);
	memcpy(vram, data, SIZE);
	for (unsigned int i = 0; i < 4; i++) {
		for (unsigned int into = 0; into < 2; into++) {
			uint64_t base = into ? BAR_BASE : RAM_BASE;

			config_write16(&hca, PCI_STATUS, 0xffff);
			config_write16(&hca, hca.config.express + PCI_EXP_DEVSTA, 0xf);
			config_write16(&gpu, PCI_STATUS, 0xffff);
			config_write16(&gpu, gpu.config.express + PCI_EXP_DEVSTA, 0xf);
			arm(into ? &gpu : &hca, into ? PCIE_FAULT_INTO : PCIE_FAULT_REQUESTS,
			    rule_of(faults[i].kind, 2));
			memset(got, 0, sizeof(got));
			assert_int_equal(pcie_read(&hca, base, got, sizeof(got), NULL),
					 faults[i].error);
			assert_memory_equal(got, data, 2 * READ);
			assert_int_equal(got[2 * READ], 0);
			assert_int_equal(status(&hca), faults[i].requester);
			assert_int_equal(device_status(&hca), faults[i].requester_device);
			assert_int_equal(status(&gpu), into ? faults[i].completer : 0);
			assert_int_equal(device_status(&gpu),
					 into ? faults[i].completer_device : 0);
			/* One, and no more. */
			assert_int_equal(pcie_read(&hca, base, got, sizeof(got), NULL), 0);
			assert_memory_equal(got, data, sizeof(got));
			pcie_inject_disarm(into ? &gpu : &hca,
					   into ? PCIE_FAULT_INTO : PCIE_FAULT_REQUESTS);
		}
	}
}

/* A posted write: the requester knows nothing, the completer drops it and notes that. */
static void test_writes(void **state)
{
	static const uint8_t zero[PAYLOAD];

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		for (unsigned int into = 0; into < 2; into++) {
			uint8_t *memory = into ? vram : ram;

			memset(memory, 0, SIZE);
			config_write16(&gpu, PCI_STATUS, 0xffff);
			config_write16(&gpu, gpu.config.express + PCI_EXP_DEVSTA, 0xf);
			arm(into ? &gpu : &hca, into ? PCIE_FAULT_INTO : PCIE_FAULT_REQUESTS,
			    rule_of(faults[i].kind, 1));
			assert_int_equal(pcie_write(&hca, into ? BAR_BASE : RAM_BASE, data,
						    4 * PAYLOAD, NULL),
					 0);
			assert_memory_equal(memory, data, PAYLOAD);
			assert_memory_equal(memory + PAYLOAD, zero, PAYLOAD);
			assert_memory_equal(memory + 2 * PAYLOAD, data + 2 * PAYLOAD, 2 * PAYLOAD);
			assert_int_equal(status(&gpu), into ? faults[i].dropped : 0);
			assert_int_equal(device_status(&gpu), into ? faults[i].dropped_device : 0);
			assert_int_equal(status(&hca), 0);
			pcie_inject_disarm(into ? &gpu : &hca,
					   into ? PCIE_FAULT_INTO : PCIE_FAULT_REQUESTS);
		}
	}
}

static void read_one(enum pcie_fault kind)
{
	uint8_t byte;

	arm(&gpu, PCIE_FAULT_INTO, rule_of(kind, 0));
	assert_int_not_equal(pcie_read(&hca, BAR_BASE, &byte, 1, NULL), 0);
}

static void test_traced(void **state)
{
	(void)state;
	read_one(PCIE_FAULT_CA);
	read_one(PCIE_FAULT_LOST);
	read_one(PCIE_FAULT_POISONED);
	read_one(PCIE_FAULT_POISONED);
	assert_int_equal(traced(TLP_CPLD, TLP_SC, true), 2);
}

static void test_traced_abort(void **state)
{
	(void)state;
	read_one(PCIE_FAULT_CA);
	read_one(PCIE_FAULT_LOST);
	assert_int_equal(traced(TLP_CPL, TLP_CA, false), 1);
}

static void test_traced_write(void **state)
{
	(void)state;
	arm(&hca, PCIE_FAULT_REQUESTS, rule_of(PCIE_FAULT_POISONED, 2));
	assert_int_equal(pcie_write(&hca, BAR_BASE, data, 4 * PAYLOAD, NULL), 0);
	assert_int_equal(traced(TLP_MWR, TLP_SC, true), 1);
}

/* The range: its last byte, and one beyond. */
static void test_range(void **state)
{
	struct pcie_fault_rule rule = rule_of(PCIE_FAULT_UR, 0);
	uint8_t byte;

	(void)state;
	rule.from = RAM_BASE + 0x100;
	rule.to = RAM_BASE + 0x110;
	rule.count = 100;
	rule.writes = false;
	arm(&hca, PCIE_FAULT_REQUESTS, rule);
	assert_int_equal(pcie_read(&hca, RAM_BASE + 0xff, &byte, 1, NULL), 0);
	assert_int_equal(pcie_read(&hca, RAM_BASE + 0x110, &byte, 1, NULL), 0);
	assert_int_equal(pcie_write(&hca, RAM_BASE + 0x100, data, 1, NULL), 0);
	assert_int_equal(ram[0x100], data[0]);
	assert_int_equal(pcie_inject_count(&hca, PCIE_FAULT_REQUESTS).seen, 0);
	assert_int_equal(pcie_read(&hca, RAM_BASE + 0x100, &byte, 1, NULL), -ENODEV);
	assert_int_equal(pcie_read(&hca, RAM_BASE + 0x10f, &byte, 1, NULL), -ENODEV);
	assert_int_equal(pcie_read(&hca, RAM_BASE + 0xff, ram, 2, NULL), -ENODEV);
	assert_int_equal(pcie_inject_count(&hca, PCIE_FAULT_REQUESTS).hit, 3);
}

/* The same seed spoils the same ones, and about as many as it says. */
static void test_seed(void **state)
{
	struct pcie_fault_rule rule = rule_of(PCIE_FAULT_UR, 0);
	bool spoilt[2][1000];
	uint8_t byte;

	(void)state;
	rule.permille = 100;
	rule.count = UINT64_MAX;
	rule.seed = 42;
	for (unsigned int round = 0; round < 2; round++) {
		arm(&hca, PCIE_FAULT_REQUESTS, rule);
		for (unsigned int i = 0; i < 1000; i++)
			spoilt[round][i] = pcie_read(&hca, RAM_BASE, &byte, 1, NULL);
		assert_int_equal(pcie_inject_count(&hca, PCIE_FAULT_REQUESTS).seen, 1000);
		assert_in_range(pcie_inject_count(&hca, PCIE_FAULT_REQUESTS).hit, 60, 140);
	}
	assert_memory_equal(spoilt[0], spoilt[1], sizeof(spoilt[0]));
	rule.seed = 43;
	arm(&hca, PCIE_FAULT_REQUESTS, rule);
	for (unsigned int i = 0; i < 1000; i++)
		spoilt[1][i] = pcie_read(&hca, RAM_BASE, &byte, 1, NULL);
	assert_memory_not_equal(spoilt[0], spoilt[1], sizeof(spoilt[0]));
}

static void test_astray(void **state)
{
	(void)state;
	arm(&hca, PCIE_FAULT_REQUESTS, rule_of(PCIE_FAULT_ASTRAY, 1));
	assert_int_equal(pcie_write(&hca, RAM_BASE, data, 4, NULL), 0);
	assert_int_equal(pcie_write(&hca, RAM_BASE, data + 4, 4, NULL), -ENODEV);
	assert_int_equal(last_write, RAM_BASE | 1ull << 38);
	assert_memory_equal(ram, data, 4);
	assert_int_equal(pcie_write(&hca, RAM_BASE, data + 4, 4, NULL), 0);
	assert_memory_equal(ram, data + 4, 4);
}

/* As far as the last byte there is; what would wrap goes where it should. */
static void test_astray_end(void **state)
{
	const uint64_t end = UINT64_MAX & ~(1ull << 38);

	(void)state;
	arm(&hca, PCIE_FAULT_REQUESTS, rule_of(PCIE_FAULT_ASTRAY, 0));
	assert_int_equal(pcie_write(&hca, end - 3, data, 5, NULL), -ENODEV);
	assert_int_equal(last_write, end - 3);
	assert_int_equal(pcie_inject_count(&hca, PCIE_FAULT_REQUESTS).hit, 0);
	assert_int_equal(pcie_write(&hca, end - 3, data, 4, NULL), -ENODEV);
	assert_int_equal(last_write, UINT64_MAX - 3);
	assert_int_equal(pcie_inject_count(&hca, PCIE_FAULT_REQUESTS).hit, 1);
}

static void test_interrupts(void **state)
{
	struct pcie_fault_rule rule = {
		.kind = PCIE_FAULT_LOST, .from = 1, .to = 2, .count = 1, .permille = 1000
	};

	(void)state;
	arm(&hca, PCIE_FAULT_INTERRUPTS, rule);
	pcie_interrupt(&hca, 0);
	pcie_interrupt(&hca, 1);
	assert_int_equal(interrupts, 0x0001);
	pcie_interrupt(&hca, 1);
	assert_int_equal(interrupts, 0x0101);

	rule.kind = PCIE_FAULT_LATE;
	rule.count = UINT64_MAX;
	rule.delay_ns = UINT64_MAX / 2;
	arm(&hca, PCIE_FAULT_INTERRUPTS, rule);
	pcie_interrupt(&hca, 1);
	pcie_inject_poll(&hca, UINT64_MAX / 4);
	assert_int_equal(interrupts, 0x0101);
	pcie_inject_poll(&hca, UINT64_MAX);
	assert_int_equal(interrupts, 0x0201);
	pcie_inject_poll(&hca, UINT64_MAX);
	assert_int_equal(interrupts, 0x0201);

	/* As many as can be held, and one more, which comes at once. */
	for (unsigned int i = 0; i < PCIE_FAULT_HELD; i++)
		pcie_interrupt(&hca, 1);
	assert_int_equal(interrupts, 0x0201);
	pcie_interrupt(&hca, 1);
	assert_int_equal(interrupts, 0x0301);
	/* None is lost with the rule. */
	pcie_inject_disarm(&hca, PCIE_FAULT_INTERRUPTS);
	pcie_inject_poll(&hca, 0);
	assert_int_equal(interrupts, 0x0301 + (PCIE_FAULT_HELD << 8));
}

static void test_removal(void **state)
{
	uint8_t byte = 1;

	(void)state;
	pcie_inject_put_back(&hca); /* nothing happens to one that is there */
	assert_true(pcie_inject_answers(&hca));
	assert_int_equal(pcie_write(&hca, RAM_BASE, &byte, 1, NULL), 0);
	pcie_inject_remove(&hca);
	assert_true(pcie_inject_gone(&hca));
	assert_false(pcie_inject_answers(&hca));
	assert_int_equal(pcie_write(&hca, RAM_BASE + 1, &byte, 1, NULL), -EACCES);
	assert_int_equal(ram[1], 0);
	pcie_inject_put_back(&hca);
	assert_true(pcie_inject_answers(&hca));
	/* As after power-on: nothing goes before software set it up. */
	assert_int_equal(config_read16(&hca, PCI_COMMAND), 0);
	assert_int_equal(pcie_write(&hca, RAM_BASE + 1, &byte, 1, NULL), -EACCES);
	config_write16(&hca, PCI_COMMAND, PCI_COMMAND_MASTER);
	assert_int_equal(pcie_write(&hca, RAM_BASE + 1, &byte, 1, NULL), 0);

	pcie_inject_remove(&gpu);
	assert_int_equal(pcie_write(&hca, BAR_BASE, &byte, 1, NULL), -ENODEV);
	assert_int_equal(pcie_read(&hca, BAR_BASE, &byte, 1, NULL), -ENODEV);
	assert_int_equal(vram[0], 0);
}

static void test_refused(void **state)
{
	static const struct {
		enum pcie_fault_side side;
		struct pcie_fault_rule rule;
	} bad[] = {
		{ PCIE_FAULT_REQUESTS, { .kind = PCIE_FAULT_NONE, .to = 1, .count = 1 } },
		{ PCIE_FAULT_REQUESTS, { .kind = PCIE_FAULT_LATE, .to = 1, .count = 1 } },
		{ PCIE_FAULT_INTO, { .kind = PCIE_FAULT_ASTRAY, .to = 1, .count = 1 } },
		{ PCIE_FAULT_INTERRUPTS, { .kind = PCIE_FAULT_UR, .to = 1, .count = 1 } },
		{ PCIE_FAULT_INTERRUPTS, { .kind = PCIE_FAULT_LATE, .to = 1, .count = 1 } },
		{ PCIE_FAULT_REQUESTS, { .kind = PCIE_FAULT_UR, .from = 1, .to = 1, .count = 1 } },
		{ PCIE_FAULT_REQUESTS, { .kind = PCIE_FAULT_UR, .to = 1, .count = 0 } },
	};
	struct pcie_fault_rule rule;

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rule = bad[i].rule;
		rule.reads = rule.writes = true;
		rule.permille = 1000;
		assert_int_equal(pcie_inject_arm(&hca, bad[i].side, &rule), -EINVAL);
	}
	rule = rule_of(PCIE_FAULT_LOST, 0);
	rule.writes = true; /* there is no completion to lose */
	assert_int_equal(pcie_inject_arm(&hca, PCIE_FAULT_REQUESTS, &rule), -EINVAL);
	rule = rule_of(PCIE_FAULT_UR, 0);
	rule.permille = 1001;
	assert_int_equal(pcie_inject_arm(&hca, PCIE_FAULT_REQUESTS, &rule), -EINVAL);
	rule.permille = 0;
	assert_int_equal(pcie_inject_arm(&hca, PCIE_FAULT_REQUESTS, &rule), -EINVAL);
	assert_int_equal(atomic_load(&hca.inject.armed), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_traced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_traced_abort, setup, teardown),
		cmocka_unit_test_setup_teardown(test_traced_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_range, setup, teardown),
		cmocka_unit_test_setup_teardown(test_seed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_astray, setup, teardown),
		cmocka_unit_test_setup_teardown(test_astray_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interrupts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_removal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
