/* SPDX-License-Identifier: GPL-2.0-only */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/pci_regs.h>

#include "pcie/function.h"

#define TPH 0x100

static struct {
	unsigned int writes, resets;
	unsigned int offset, len;
	enum pcie_reset kind;
	bool master_at_reset;
} seen;

static void config_written(struct pcie_function *fn, unsigned int offset, unsigned int len)
{
	(void)fn;
	seen.writes++;
	seen.offset = offset;
	seen.len = len;
}

static void reset(struct pcie_function *fn, enum pcie_reset kind)
{
	seen.resets++;
	seen.kind = kind;
	seen.master_at_reset = atomic_load(&fn->bus_master);
}

static const struct pcie_function_ops ops = { .config_written = config_written, .reset = reset };
static const struct pcie_function_ops no_ops;
static struct pcie_function fn;

static void build(bool extended, enum pcie_st_location location, unsigned int entries)
{
	static const struct pcie_identity id = {
		.vendor = 0x15b3,
		.device = 0x1021,
		.subsystem_vendor = 0x1111,
		.subsystem = 0x2222,
		.revision = 3,
		.class_code = 0x020700,
	};

	memset(&fn, 0, sizeof(fn));
	memset(&seen, 0, sizeof(seen));
	fn.name = "fn";
	fn.ops = &ops;
	fn.bar[0] = (struct pcie_bar){ .size = 64 << 20, .is_64bit = true, .prefetchable = true };
	fn.bar[2] = (struct pcie_bar){ .size = 8ull << 30, .is_64bit = true };
	fn.bar[4] = (struct pcie_bar){ .size = 4096 };
	pcie_config_init(&fn, &id);
	pcie_config_add_pm(&fn);
	pcie_config_add_express(&fn, PCIE_TPH_COMPLETER_EXTENDED, true);
	pcie_config_add_msix(&fn, 4, 8);
	pcie_config_add_tph(&fn, extended, location, entries);
	pcie_config_seal(&fn);
}

static int setup(void **state)
{
	(void)state;
	build(true, PCIE_ST_CAPABILITY, 64);
	return 0;
}

static uint32_t rd(unsigned int offset, unsigned int size)
{
	uint8_t b[4] = { 0 };

	pcie_config_read(&fn, offset, b, size);
	return b[0] | b[1] << 8 | b[2] << 16 | (uint32_t)b[3] << 24;
}

static void wr(unsigned int offset, unsigned int size, uint32_t value)
{
	uint8_t b[4] = { value, value >> 8, value >> 16, value >> 24 };

	pcie_config_write(&fn, offset, b, size);
}

static unsigned int find_cap(uint8_t id)
{
	unsigned int at = rd(PCI_CAPABILITY_LIST, 1);

	while (at && rd(at, 1) != id)
		at = rd(at + 1, 1);
	return at;
}

static void test_identity(void **state)
{
	(void)state;
	assert_int_equal(rd(PCI_VENDOR_ID, 4), 0x102115b3);
	assert_int_equal(rd(PCI_CLASS_REVISION, 4), 0x02070003);
	assert_int_equal(rd(PCI_SUBSYSTEM_VENDOR_ID, 4), 0x22221111);
	assert_int_equal(rd(PCI_HEADER_TYPE, 1), PCI_HEADER_TYPE_NORMAL);
	assert_int_equal(rd(PCI_COMMAND, 2), 0);
	assert_int_equal(rd(PCI_STATUS, 2), PCI_STATUS_CAP_LIST);
	assert_int_equal(rd(PCI_INTERRUPT_PIN, 1), 0);
}

static void test_bar_sizing(void **state)
{
	(void)state;
	assert_int_equal(rd(0x10, 4), 0xc);
	wr(0x10, 4, 0xffffffff);
	wr(0x14, 4, 0xffffffff);
	assert_int_equal(rd(0x10, 4), 0xfc00000c);
	assert_int_equal(rd(0x14, 4), 0xffffffff);
	wr(0x18, 4, 0xffffffff);
	wr(0x1c, 4, 0xffffffff);
	assert_int_equal(rd(0x18, 4), 0x4); /* 8 GiB: the upper half says it */
	assert_int_equal(rd(0x1c, 4), 0xfffffffe);
	wr(0x20, 4, 0xffffffff);
	assert_int_equal(rd(0x20, 4), 0xfffff000);
	wr(0x24, 4, 0xffffffff);
	wr(0x30, 4, 0xffffffff);
	assert_int_equal(rd(0x24, 4), 0); /* no BAR, no ROM */
	assert_int_equal(rd(0x30, 4), 0);
}

static void test_bar_address(void **state)
{
	(void)state;
	wr(0x10, 4, 0x04000000);
	wr(0x14, 4, 0x40);
	wr(0x20, 4, 0xfe001000);
	assert_int_equal(pcie_bar_address(&fn, 0), 0); /* not decoded */
	wr(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(pcie_bar_address(&fn, 0), 0x4004000000);
	assert_int_equal(pcie_bar_address(&fn, 1), 0); /* upper half of BAR0 */
	assert_int_equal(pcie_bar_address(&fn, 4), 0xfe001000);
	assert_int_equal(pcie_bar_address(&fn, 5), 0);
	assert_int_equal(pcie_bar_address(&fn, 6), 0);
	wr(PCI_COMMAND, 2, 0);
	assert_int_equal(pcie_bar_address(&fn, 0), 0);
}

static void test_command(void **state)
{
	(void)state;
	assert_false(atomic_load(&fn.bus_master));
	wr(PCI_COMMAND, 1, PCI_COMMAND_MASTER);
	assert_true(atomic_load(&fn.bus_master));
	wr(PCI_COMMAND, 2, 0xffff);
	/* No I/O decoding, special cycles, VGA snoop, wait states or fast back-to-back. */
	assert_int_equal(rd(PCI_COMMAND, 2), 0x0546);
	wr(PCI_COMMAND, 2, 0);
	assert_false(atomic_load(&fn.bus_master));
}

static void test_capability_chain(void **state)
{
	unsigned int at = rd(PCI_CAPABILITY_LIST, 1), caps = 0;

	(void)state;
	for (; at; at = rd(at + 1, 1), caps++) {
		assert_int_equal(at % 4, 0);
		assert_in_range(at, 0x40, 0xff);
	}
	assert_int_equal(caps, 3);
	assert_int_equal(find_cap(PCI_CAP_ID_PM), fn.config.pm);
	assert_int_equal(find_cap(PCI_CAP_ID_EXP), fn.config.express);
	assert_int_equal(find_cap(PCI_CAP_ID_MSIX), fn.config.msix);
}

static void test_express(void **state)
{
	unsigned int exp = fn.config.express;

	(void)state;
	assert_int_equal(rd(exp + PCI_EXP_FLAGS, 2), 0x0002); /* version 2, endpoint */
	assert_int_equal(rd(exp + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR, PCI_EXP_DEVCAP_FLR);
	assert_int_equal(rd(exp + PCI_EXP_DEVCAP, 4) & 7, 2);
	assert_int_equal(rd(exp + PCI_EXP_LNKCAP, 4) & 0x3ff, 16 << 4 | 5);
	assert_int_equal(rd(exp + PCI_EXP_LNKSTA, 2) & 0x3ff, 16 << 4 | 5);
	/* Extended completer, prefixes supported, one at most. */
	assert_int_equal(rd(exp + PCI_EXP_DEVCAP2, 4) & 0xf03000, 0x703000);
	assert_int_equal(pcie_completer(&fn), PCIE_TPH_COMPLETER_EXTENDED);
	wr(exp + PCI_EXP_DEVCAP2, 4, 0);
	assert_int_equal(rd(exp + PCI_EXP_DEVCAP2, 4) & 0xf03000, 0x703000);
}

static void test_completer_field(void **state)
{
	(void)state;
	for (unsigned int c = 0; c < 4; c++) {
		static const struct pcie_identity id;

		pcie_config_init(&fn, &id);
		assert_int_equal(pcie_completer(&fn), PCIE_TPH_COMPLETER_NONE);
		pcie_config_add_express(&fn, c, false);
		pcie_config_seal(&fn);
		assert_int_equal(pcie_completer(&fn), c);
		assert_int_equal(rd(fn.config.express + PCI_EXP_DEVCAP2, 4) >> 12 & 3, c);
		assert_int_equal(rd(fn.config.express + PCI_EXP_DEVCAP2, 4) >> 20, 0);
	}
}

static void test_payload_sizes(void **state)
{
	unsigned int devctl = fn.config.express + PCI_EXP_DEVCTL;

	(void)state;
	assert_int_equal(pcie_max_payload(&fn), 128);
	assert_int_equal(pcie_max_read_request(&fn), 512);
	assert_int_equal(pcie_tags(&fn), 256);
	wr(devctl, 2, PCI_EXP_DEVCTL_PAYLOAD_256B | PCI_EXP_DEVCTL_READRQ_4096B);
	assert_int_equal(pcie_max_payload(&fn), 256);
	assert_int_equal(pcie_max_read_request(&fn), 4096);
	assert_int_equal(pcie_tags(&fn), 32);
	wr(devctl, 2, PCI_EXP_DEVCTL_PAYLOAD_512B | PCI_EXP_DEVCTL_READRQ_128B);
	assert_int_equal(pcie_max_payload(&fn), 512);
	assert_int_equal(pcie_max_read_request(&fn), 128);
	/* More than is supported, and reserved values. */
	wr(devctl, 2, 0x70e0);
	assert_int_equal(pcie_max_payload(&fn), 512);
	assert_int_equal(pcie_max_read_request(&fn), 4096);
}

static void test_msix(void **state)
{
	unsigned int msix = fn.config.msix;

	(void)state;
	assert_int_equal(pcie_msix_vectors(&fn), 8);
	assert_int_equal(rd(msix + PCI_MSIX_FLAGS, 2), 7);
	assert_int_equal(rd(msix + PCI_MSIX_TABLE, 4), 4);
	assert_int_equal(rd(msix + PCI_MSIX_PBA, 4), 0x804);
	wr(msix + PCI_MSIX_FLAGS, 2, 0xffff);
	assert_int_equal(rd(msix + PCI_MSIX_FLAGS, 2), 0xc007);
}

static void test_power(void **state)
{
	unsigned int control = fn.config.pm + PCI_PM_CTRL;

	(void)state;
	assert_int_equal(rd(control, 2), PCI_PM_CTRL_NO_SOFT_RESET);
	wr(0x20, 4, 0xfe001000);
	wr(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	wr(control, 2, 3);
	assert_int_equal(rd(control, 2), PCI_PM_CTRL_NO_SOFT_RESET | 3);
	assert_int_equal(pcie_bar_address(&fn, 4), 0);
	assert_false(atomic_load(&fn.bus_master));
	wr(control, 2, 1); /* D1 and D2 are not there */
	assert_int_equal(rd(control, 2) & 3, 3);
	wr(control, 2, 0);
	assert_int_equal(rd(control, 2) & 3, 0);
	assert_int_equal(pcie_bar_address(&fn, 4), 0xfe001000);
	assert_true(atomic_load(&fn.bus_master));
	wr(control, 2, 2);
	assert_int_equal(rd(control, 2) & 3, 0);
	assert_int_equal(seen.resets, 0);
}

static void test_tph_capability(void **state)
{
	(void)state;
	assert_int_equal(rd(TPH, 4), 0x00010017);
	/* No-ST and device-specific modes, extended, table here, 64 entries. */
	assert_int_equal(rd(TPH + 4, 4), 63 << 16 | 1 << 9 | 1 << 8 | 4 | 1);
	build(false, PCIE_ST_NONE, 0);
	assert_int_equal(rd(TPH + 4, 4), 4 | 1);
	build(false, PCIE_ST_MSIX, 0);
	assert_int_equal(rd(TPH + 4, 4), 2 << 9 | 4 | 1);
}

static void test_st_claim(void **state)
{
	(void)state;
	pcie_config_claim_st_entries(&fn, 4);
	assert_int_equal(rd(TPH + 4, 4), 3 << 16 | 1 << 9 | 1 << 8 | 4 | 1);
	assert_int_equal(rd(TPH + 4, 2), 1 << 9 | 1 << 8 | 4 | 1);
	assert_int_equal(rd(TPH + 6, 1), 3);
	assert_int_equal(rd(TPH + 7, 1), 0);
	wr(TPH + 12 + 2 * 10, 2, 0x1234); /* the entries are there as before */
	assert_int_equal(pcie_st_entry(&fn, 10), 0x1234);
	pcie_function_reset(&fn, PCIE_RESET_FLR);
	assert_int_equal(rd(TPH + 6, 2), 3);
	pcie_config_claim_st_entries(&fn, 0);
	assert_int_equal(rd(TPH + 4, 4), 63 << 16 | 1 << 9 | 1 << 8 | 4 | 1);
	build(true, PCIE_ST_NONE, 0);
	pcie_config_claim_st_entries(&fn, 4);
	assert_int_equal(rd(TPH + 4, 4), 1 << 8 | 4 | 1);
}

static void test_tph_control(void **state)
{
	(void)state;
	assert_int_equal(pcie_tph_width(&fn), 0);
	wr(TPH + 8, 4, 0x102);
	assert_int_equal(rd(TPH + 8, 4), 0x102);
	assert_int_equal(pcie_tph_width(&fn), 8);
	assert_int_equal(seen.writes, 1);
	assert_int_equal(seen.offset, TPH + 8);
	assert_int_equal(seen.len, 4);
	wr(TPH + 8, 4, 0x302);
	assert_int_equal(pcie_tph_width(&fn), 16);
	wr(TPH + 8, 4, 0x202); /* reserved */
	assert_int_equal(pcie_tph_width(&fn), 0);
	wr(TPH + 8, 4, 0xffffffff);
	assert_int_equal(rd(TPH + 8, 4), 0x307);

	build(false, PCIE_ST_CAPABILITY, 2);
	wr(TPH + 8, 4, 0x302);
	assert_int_equal(rd(TPH + 8, 4), 0x102); /* cannot send Extended STs */
	assert_int_equal(pcie_tph_width(&fn), 8);
}

static void test_st_table(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 64; i++) {
		assert_int_equal(pcie_st_entry(&fn, i), 0);
		wr(TPH + 12 + 2 * i, 2, 0xbe00 + i);
	}
	for (unsigned int i = 0; i < 64; i++) {
		assert_int_equal(pcie_st_entry(&fn, i), 0xbe00 + i);
		assert_int_equal(rd(TPH + 12 + 2 * i, 2), 0xbe00 + i);
	}
	assert_int_equal(pcie_st_entry(&fn, 64), 0);

	build(true, PCIE_ST_CAPABILITY, 3);
	for (unsigned int i = 0; i < 4; i++)
		wr(TPH + 12 + 2 * i, 2, 0xffff);
	assert_int_equal(pcie_st_entry(&fn, 2), 0xffff);
	assert_int_equal(pcie_st_entry(&fn, 3), 0);
	assert_int_equal(rd(TPH + 12 + 6, 2), 0);

	build(true, PCIE_ST_NONE, 0);
	wr(TPH + 12, 2, 0xffff);
	assert_int_equal(rd(TPH + 12, 2), 0);
	assert_int_equal(pcie_st_entry(&fn, 0), 0);
}

static void test_flr(void **state)
{
	unsigned int devctl = fn.config.express + PCI_EXP_DEVCTL;
	uint8_t before[PCIE_CONFIG_SIZE], after[PCIE_CONFIG_SIZE];

	(void)state;
	wr(0x20, 4, 0xfe001000);
	pcie_config_read(&fn, 0, before, sizeof(before));
	wr(TPH + 8, 4, 0x302);
	wr(TPH + 12, 2, 42);
	wr(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	seen.writes = 0;
	wr(devctl, 2, rd(devctl, 2) | PCI_EXP_DEVCTL_BCR_FLR);
	assert_int_equal(seen.resets, 1);
	assert_int_equal(seen.kind, PCIE_RESET_FLR);
	assert_false(seen.master_at_reset);
	assert_int_equal(seen.writes, 0);
	pcie_config_read(&fn, 0, after, sizeof(after));
	assert_memory_equal(after, before, sizeof(after));
	assert_int_equal(pcie_bar_address(&fn, 4), 0);
	assert_int_equal(pcie_tph_width(&fn), 0);
	assert_int_equal(pcie_st_entry(&fn, 0), 0);
	/* The host does not write BARs again that it reads as they were. */
	wr(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(pcie_bar_address(&fn, 4), 0xfe001000);

	wr(devctl + 1, 1, 0x80); /* as a byte */
	assert_int_equal(seen.resets, 2);
	wr(devctl, 1, 0xff);	   /* the other byte */
	wr(devctl + 2, 2, 0xffff); /* Device Status */
	assert_int_equal(seen.resets, 2);
	assert_int_equal(rd(devctl, 2) & PCI_EXP_DEVCTL_BCR_FLR, 0);
}

static void test_conventional_reset(void **state)
{
	(void)state;
	wr(0x20, 4, 0xfe001000);
	wr(PCI_COMMAND, 2, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
	assert_int_equal(pcie_bar_address(&fn, 4), 0xfe001000);
	pcie_function_reset(&fn, PCIE_RESET_CONVENTIONAL);
	assert_int_equal(seen.resets, 1);
	assert_int_equal(seen.kind, PCIE_RESET_CONVENTIONAL);
	assert_int_equal(rd(PCI_COMMAND, 2), 0);
	assert_false(atomic_load(&fn.bus_master));
	wr(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(pcie_bar_address(&fn, 4), 0);
}

/* All ones and all zeroes everywhere change no read-only bit. */
static void test_read_only(void **state)
{
	uint8_t initial[PCIE_CONFIG_SIZE], now[PCIE_CONFIG_SIZE];

	(void)state;
	fn.ops = &no_ops;
	pcie_config_read(&fn, 0, initial, sizeof(initial));
	for (unsigned int pattern = 0; pattern < 2; pattern++) {
		for (unsigned int i = 0; i < PCIE_CONFIG_SIZE; i++)
			if (i != fn.config.express + PCI_EXP_DEVCTL + 1u)
				wr(i, 1, pattern ? 0 : 0xff);
		pcie_config_read(&fn, 0, now, sizeof(now));
		for (unsigned int i = 0; i < PCIE_CONFIG_SIZE; i++)
			assert_int_equal((now[i] ^ initial[i]) & ~fn.config.wmask[i], 0);
	}
	/* The same in one write, FLR bit and all. */
	memset(now, 0xff, sizeof(now));
	pcie_config_write(&fn, 0, now, sizeof(now));
	pcie_config_read(&fn, 0, now, sizeof(now));
	assert_memory_equal(now, initial, sizeof(now));
}

static void test_access_shapes(void **state)
{
	uint8_t buf[8], block[12] = { 0 }, ones[8];

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	pcie_config_read(&fn, 1, buf, 3); /* unaligned */
	assert_int_equal(buf[0], 0x15);
	assert_int_equal(buf[2], 0x10);
	block[0] = 7;
	block[10] = 9;
	pcie_config_write(&fn, TPH + 12 + 1, block, 11); /* across entries */
	assert_int_equal(pcie_st_entry(&fn, 0), 0x0700);
	assert_int_equal(pcie_st_entry(&fn, 5), 0x0900);

	/* Past the end: zeroes, and nothing happens. */
	seen.writes = 0;
	memset(buf, 0xa5, sizeof(buf));
	pcie_config_read(&fn, PCIE_CONFIG_SIZE - 4, buf, 8);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(buf[i], 0);
	pcie_config_write(&fn, PCIE_CONFIG_SIZE - 4, ones, 8);
	pcie_config_write(&fn, PCIE_CONFIG_SIZE, ones, 1);
	pcie_config_write(&fn, ~0u, ones, 2);
	pcie_config_write(&fn, 0x10, ones, 0);
	assert_int_equal(seen.writes, 0);
	assert_int_equal(rd(0x10, 4), 0xc);
}

/* A reader thread sees the old or the new value, never a torn one. */
static void *read_entries(void *arg)
{
	atomic_bool *stop = arg;
	unsigned long torn = 0;

	while (!atomic_load(stop)) {
		uint16_t st = pcie_st_entry(&fn, 0);
		unsigned int width = pcie_tph_width(&fn);

		torn += (st != 0x0000 && st != 0xbeef) || (width != 0 && width != 16);
	}
	return (void *)torn;
}

static void test_concurrent_reader(void **state)
{
	atomic_bool stop = false;
	pthread_t thread;
	void *torn;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, read_entries, &stop), 0);
	for (unsigned int i = 0; i < 20000; i++) {
		wr(TPH + 12, 2, i & 1 ? 0xbeef : 0);
		wr(TPH + 8, 4, i & 1 ? 0x302 : 0);
	}
	atomic_store(&stop, true);
	pthread_join(thread, &torn);
	assert_null(torn);
}

/* What the fabric and models are told, at any time, whatever software wrote. */
static bool view_is_sound(void)
{
	size_t payload = pcie_max_payload(&fn), request = pcie_max_read_request(&fn);
	unsigned int tags = pcie_tags(&fn), width = pcie_tph_width(&fn);

	for (unsigned int i = 0; i < PCIE_BARS; i++) {
		uint64_t address = pcie_bar_address(&fn, i);

		if (address && (!fn.bar[i].size || address % fn.bar[i].size))
			return false;
	}
	return (payload == 128 || payload == 256 || payload == 512) && request >= 128 &&
	       request <= 4096 && !(request & (request - 1)) && (tags == 32 || tags == 256) &&
	       (width == 0 || width == 8 || width == 16) && !pcie_st_entry(&fn, 64) &&
	       !pcie_st_entry(&fn, ~0u) && !pcie_bar_address(&fn, PCIE_BARS) &&
	       !pcie_bar_address(&fn, ~0u);
}

static void *read_view(void *arg)
{
	atomic_bool *stop = arg;
	unsigned long unsound = 0;

	while (!atomic_load(stop))
		unsound += !view_is_sound();
	return (void *)unsound;
}

/*
 * Writes of any bytes, of any length, anywhere, also outside, while another thread looks. Only bits
 * that software may write change.
 */
static void test_any_write(void **state)
{
	static uint8_t before[PCIE_CONFIG_SIZE], data[PCIE_CONFIG_SIZE];
	unsigned int seed = 17;
	atomic_bool stop = false;
	pthread_t thread;
	void *unsound;

	(void)state;
	pcie_config_claim_st_entries(&fn, 5); /* what lies behind the table is not zero */
	assert_int_equal(pthread_create(&thread, NULL, read_view, &stop), 0);
	for (unsigned int i = 0; i < 20000; i++) {
		unsigned int kind = rand_r(&seed) % 8, offset = rand_r(&seed) % 0x1a0;
		size_t len = kind ? rand_r(&seed) % 16 : rand_r(&seed) % (PCIE_CONFIG_SIZE + 1);

		if (kind == 1)
			offset = rand_r(&seed);
		if (kind == 2)
			offset = PCIE_CONFIG_SIZE - rand_r(&seed) % 20;
		for (size_t j = 0; j < len; j++)
			data[j] = rand_r(&seed) >> 8;
		memcpy(before, fn.config.bytes, sizeof(before));
		pcie_config_write(&fn, offset, data, len);
		for (unsigned int j = 0; j < PCIE_CONFIG_SIZE; j++)
			assert_int_equal((fn.config.bytes[j] ^ before[j]) & ~fn.config.wmask[j], 0);
		if (offset >= PCIE_CONFIG_SIZE || len > PCIE_CONFIG_SIZE - offset)
			assert_memory_equal(fn.config.bytes, before, sizeof(before));
		assert_true(view_is_sound());
	}
	atomic_store(&stop, true);
	pthread_join(thread, &unsound);
	assert_null(unsound);
	assert_true(seen.resets > 0 && seen.writes > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_identity, setup),
		cmocka_unit_test_setup(test_bar_sizing, setup),
		cmocka_unit_test_setup(test_bar_address, setup),
		cmocka_unit_test_setup(test_command, setup),
		cmocka_unit_test_setup(test_capability_chain, setup),
		cmocka_unit_test_setup(test_express, setup),
		cmocka_unit_test_setup(test_completer_field, setup),
		cmocka_unit_test_setup(test_payload_sizes, setup),
		cmocka_unit_test_setup(test_msix, setup),
		cmocka_unit_test_setup(test_power, setup),
		cmocka_unit_test_setup(test_tph_capability, setup),
		cmocka_unit_test_setup(test_st_claim, setup),
		cmocka_unit_test_setup(test_tph_control, setup),
		cmocka_unit_test_setup(test_st_table, setup),
		cmocka_unit_test_setup(test_flr, setup),
		cmocka_unit_test_setup(test_conventional_reset, setup),
		cmocka_unit_test_setup(test_read_only, setup),
		cmocka_unit_test_setup(test_access_shapes, setup),
		cmocka_unit_test_setup(test_concurrent_reader, setup),
		cmocka_unit_test_setup(test_any_write, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
