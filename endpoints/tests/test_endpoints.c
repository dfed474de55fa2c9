/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/pci_regs.h>

#include "endpoints/endpoint.h"
#include "pcie/fabric.h"

#define MIB	 (1ull << 20)
#define BAR_BASE 0x4000000000ull

static struct endpoint *make(const char *kind, uint64_t size, enum pcie_tph_completer completer)
{
	struct endpoint_params params = { .name = "ep0",
					  .id = 0x0208,
					  .kind = kind,
					  .memory_size = size,
					  .completer = completer };
	struct endpoint *ep = endpoint_new(&params);

	assert_non_null(ep);
	return ep;
}

static uint32_t config(struct endpoint *ep, unsigned int offset, unsigned int size)
{
	uint8_t b[4] = { 0 };

	pcie_config_read(endpoint_function(ep), offset, b, size);
	return b[0] | b[1] << 8 | b[2] << 16 | (uint32_t)b[3] << 24;
}

static uint64_t rd(struct endpoint *ep, uint64_t offset, unsigned int size)
{
	struct pcie_function *fn = endpoint_function(ep);

	return fn->ops->bar_read(fn, 0, offset, size);
}

static void wr(struct endpoint *ep, uint64_t offset, unsigned int size, uint64_t value)
{
	struct pcie_function *fn = endpoint_function(ep);

	fn->ops->bar_write(fn, 0, offset, size, value);
}

static void test_params(void **state)
{
	static const struct {
		const char *name;
		const char *kind;
		uint64_t size;
		unsigned int completer, prefix;
	} wrong[] = {
		{ "ep", "gpu", 0, PCIE_TPH_COMPLETER_TPH, 0 },
		{ "ep", "gpu", MIB / 2, PCIE_TPH_COMPLETER_TPH, 0 },
		{ "ep", "gpu", 3 * MIB, PCIE_TPH_COMPLETER_TPH, 0 },
		{ "ep", "gpu ", MIB, PCIE_TPH_COMPLETER_TPH, 0 },
		{ "ep", "gpu", MIB, 4, 0 },
		{ "ep", "gpu", MIB, PCIE_TPH_COMPLETER_TPH, ENDPOINT_PREFIX_OFF + 1 },
		{ NULL, "gpu", MIB, PCIE_TPH_COMPLETER_TPH, 0 },
	};
	struct endpoint_params params = {
		.name = "ep", .id = 1, .kind = "gpu", .memory_size = 1ull << 63
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct endpoint_params bad = { .name = wrong[i].name,
					       .id = 1,
					       .kind = wrong[i].kind,
					       .memory_size = wrong[i].size,
					       .completer = wrong[i].completer,
					       .prefix = wrong[i].prefix };

		errno = 0;
		assert_null(endpoint_new(&bad));
		assert_int_equal(errno, EINVAL);
	}
	errno = 0;
	assert_null(endpoint_new(&params));
	assert_true(errno == EINVAL || errno == EFBIG || errno == ENOMEM);
	endpoint_free(NULL);
}

/* What the emulator makes options of. */
static void test_kinds(void **state)
{
	const struct endpoint_kind *kind;
	unsigned int kinds = 0;

	(void)state;
	for (; (kind = endpoint_kind(kinds)); kinds++) {
		struct endpoint_params params = { .name = "ep0",
						  .kind = endpoint_kind_name(kind),
						  .memory_size = MIB };
		struct endpoint *ep = endpoint_new(&params);

		assert_ptr_equal(endpoint_kind_named(params.kind), kind);
		assert_int_equal(strspn(params.kind, "abcdefghijklmnopqrstuvwxyz0123456789-"),
				 strlen(params.kind));
		assert_true(strlen(endpoint_kind_about(kind)) > 0);
		assert_non_null(ep);
		assert_true(endpoint_function(ep)->bar[endpoint_memory_bar(ep)].size == MIB);
		endpoint_free(ep);
	}
	assert_true(kinds >= 2);
	assert_null(endpoint_kind(kinds));
	assert_null(endpoint_kind_named("hca"));
	assert_null(endpoint_kind_named(""));
}

static void test_identity(void **state)
{
	struct endpoint *gpu = make("gpu", 64 * MIB, PCIE_TPH_COMPLETER_TPH);
	struct endpoint *nvme = make("nvme", MIB, PCIE_TPH_COMPLETER_NONE);

	(void)state;
	assert_int_equal(config(gpu, PCI_CLASS_REVISION, 4) >> 8, 0x030200);
	assert_int_equal(config(nvme, PCI_CLASS_REVISION, 4) >> 8, 0x010802);
	assert_int_not_equal(config(gpu, PCI_VENDOR_ID, 4), config(nvme, PCI_VENDOR_ID, 4));
	assert_int_equal(endpoint_memory_bar(gpu), 0);
	assert_int_equal(endpoint_memory_bar(nvme), 2);
	assert_int_equal(config(gpu, 0x10, 4), 0xc);  /* 64-bit prefetchable */
	assert_int_equal(config(gpu, 0x20, 4), 0);    /* 32-bit: MSI-X */
	assert_int_equal(config(nvme, 0x10, 4), 0x4); /* registers: 64-bit */
	assert_int_equal(config(nvme, 0x18, 4), 0xc);
	assert_int_equal(endpoint_function(nvme)->bar[0].size, 16384);
	assert_int_equal(endpoint_function(nvme)->bar[0].mmap_size, 0);
	assert_int_equal(pcie_msix_vectors(endpoint_function(gpu)), 1);
	assert_int_equal(pcie_msix_vectors(endpoint_function(nvme)), 1);
	assert_string_equal(endpoint_function(gpu)->name, "ep0");
	assert_int_equal(endpoint_function(gpu)->id, 0x0208);
	assert_int_not_equal(endpoint_function(gpu)->config.pm, 0);
	endpoint_free(gpu);
	endpoint_free(nvme);
}

static void test_completer(void **state)
{
	(void)state;
	for (unsigned int c = 0; c < 4; c++) {
		struct endpoint *ep = make(c & 1 ? "nvme" : "gpu", MIB, c);
		unsigned int devcap2 =
			config(ep, endpoint_function(ep)->config.express + PCI_EXP_DEVCAP2, 4);

		assert_int_equal(devcap2 >> 12 & 3, c);
		assert_int_equal(devcap2 >> 21 & 1, c == PCIE_TPH_COMPLETER_EXTENDED);
		endpoint_free(ep);
	}
}

/* Prefixes are a matter of their own. */
static void test_prefix(void **state)
{
	(void)state;
	for (unsigned int c = 0; c < 4; c++) {
		for (int on = 0; on < 2; on++) {
			struct endpoint_params params = {
				.name = "ep0",
				.memory_size = MIB,
				.kind = "gpu",
				.completer = c,
				.prefix = on ? ENDPOINT_PREFIX_ON : ENDPOINT_PREFIX_OFF,
			};
			struct endpoint *ep = endpoint_new(&params);
			struct pcie_function *fn;
			unsigned int devcap2;

			assert_non_null(ep);
			fn = endpoint_function(ep);
			devcap2 = config(ep, fn->config.express + PCI_EXP_DEVCAP2, 4);
			assert_int_equal(devcap2 >> 12 & 3, c);
			assert_int_equal(devcap2 >> 21 & 1, on);
			assert_int_equal(pcie_end_end_prefix(fn), on);
			endpoint_free(ep);
		}
	}
}

static void test_acs(void **state)
{
	struct endpoint_params params = { .name = "ep0", .memory_size = MIB, .kind = "gpu" };
	struct endpoint *ep = make("gpu", MIB, PCIE_TPH_COMPLETER_TPH);
	uint8_t ones[2] = { 0xff, 0xff };

	(void)state;
	assert_int_equal(config(ep, 0x100, 4), 0);
	endpoint_free(ep);
	params.acs = true;
	ep = endpoint_new(&params);
	assert_non_null(ep);
	assert_int_equal(config(ep, 0x100, 4), 0x0001000d);
	assert_int_equal(config(ep, 0x104, 4), PCI_ACS_RR | PCI_ACS_CR);
	pcie_config_write(endpoint_function(ep), 0x106, ones, 2);
	assert_int_equal(config(ep, 0x106, 2), PCI_ACS_RR | PCI_ACS_CR);
	endpoint_free(ep);
}

/* No software is told by default, and no reset or write changes what is told. */
static void test_ready(void **state)
{
	struct endpoint_params params = { .name = "ep0", .memory_size = MIB, .kind = "gpu" };
	uint8_t ones[2] = { 0xff, 0xff };

	(void)state;
	for (unsigned int ready = 0; ready < 2; ready++) {
		struct endpoint *ep;
		struct pcie_function *fn;
		unsigned int pmc;

		params.ready = ready;
		ep = endpoint_new(&params);
		assert_non_null(ep);
		fn = endpoint_function(ep);
		pmc = fn->config.pm + PCI_PM_PMC;
		assert_int_equal(config(ep, PCI_STATUS, 2) & PCI_STATUS_IMM_READY, ready);
		assert_int_equal(config(ep, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST,
				 PCI_STATUS_CAP_LIST);
		assert_int_equal(config(ep, pmc, 2), 3 | ready << 4);
		pcie_config_write(fn, PCI_STATUS, ones, 2);
		pcie_function_reset(fn, PCIE_RESET_CONVENTIONAL);
		assert_int_equal(config(ep, PCI_STATUS, 2) & PCI_STATUS_IMM_READY, ready);
		endpoint_free(ep);
	}
}

static void test_memory_is_the_file(void **state)
{
	struct endpoint *ep = make("nvme", 2 * MIB, PCIE_TPH_COMPLETER_TPH);
	struct pcie_bar *bar = &endpoint_function(ep)->bar[2];
	struct stat st;
	uint8_t *map;

	(void)state;
	assert_int_equal(bar->size, 2 * MIB);
	assert_int_equal(bar->mmap_offset, 0);
	assert_int_equal(bar->mmap_size, 2 * MIB);
	assert_int_equal(fstat(bar->mmap_fd, &st), 0);
	assert_int_equal(st.st_size, 2 * MIB);
	map = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, bar->mmap_fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	map[12345] = 0x5a;
	assert_int_equal(((uint8_t *)bar->mmap_mem)[12345], 0x5a);
	munmap(map, st.st_size);
	endpoint_free(ep);
}

/* A client that has the file cannot take the memory away from under an access of ours. */
static void test_memory_stays(void **state)
{
	static const char *const kind[] = { "gpu", "nvme" };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct endpoint *ep = make(kind[i], 2 * MIB, PCIE_TPH_COMPLETER_TPH);
		struct pcie_function *fn = endpoint_function(ep);
		struct pcie_bar *bar = &fn->bar[i ? 2 : 0];

		errno = 0;
		assert_int_equal(ftruncate(bar->mmap_fd, 0), -1);
		assert_int_equal(errno, EPERM);
		((uint8_t *)bar->mmap_mem)[2 * MIB - 1] = 0x5a;
		endpoint_free(ep);
	}
}

/* Accesses that were not mapped: any size, little-endian, and none past the end. */
static void test_trapped_memory(void **state)
{
	struct endpoint *ep = make("gpu", MIB, PCIE_TPH_COMPLETER_TPH);
	struct endpoint_count count;

	(void)state;
	wr(ep, 0x100, 8, 0x1122334455667788);
	assert_int_equal(rd(ep, 0x100, 8), 0x1122334455667788);
	assert_int_equal(rd(ep, 0x101, 1), 0x77);
	assert_int_equal(rd(ep, 0x102, 2), 0x5566);
	assert_int_equal(rd(ep, 0x104, 4), 0x11223344);
	wr(ep, 0x100, 1, 0xff00);
	assert_int_equal(rd(ep, 0x100, 4), 0x55667700);
	wr(ep, MIB - 4, 8, ~0ull);
	wr(ep, ~0ull, 8, ~0ull);
	assert_int_equal(rd(ep, MIB - 4, 4), 0);
	assert_int_equal(rd(ep, MIB - 4, 8), 0);
	assert_int_equal(endpoint_counts(ep, &count, 1), 0);
	endpoint_free(ep);
}

static void request(struct endpoint *ep, enum tlp_type type, uint64_t offset, void *data,
		    size_t len, struct tlp_hint hint)
{
	struct pcie_function *fn = endpoint_function(ep);
	struct tlp tlp = { .type = type, .hint = hint };

	fn->ops->memory_request(fn, endpoint_memory_bar(ep), offset, &tlp, data, len);
}

static void test_counts(void **state)
{
	static const struct tlp_hint none, narrow = { true, false, 2, 0x42 };
	static const struct tlp_hint wide = { true, true, 2, 0x42 },
				     top = { true, true, 3, 0xffff };
	static const struct tlp_hint narrow_top = { true, false, 3, 0xff }, zero = { .th = true };
	/* Fields of a hint that is none say nothing. */
	static const struct tlp_hint ignored = { false, true, 3, 77 };
	struct endpoint *ep = make("gpu", MIB, PCIE_TPH_COMPLETER_EXTENDED);
	struct endpoint_count c[8];
	uint8_t data[64] = { 1, 2, 3 }, buf[64];

	(void)state;
	request(ep, TLP_MWR, 0, data, 64, wide);
	request(ep, TLP_MWR, 64, data, 32, narrow);
	request(ep, TLP_MWR, 128, data, 16, wide);
	request(ep, TLP_MRD, 0, buf, 8, wide);
	request(ep, TLP_MRD, 0, buf, 3, ignored);
	request(ep, TLP_MWR, 0, data, 4, none);
	request(ep, TLP_MWR, 0, data, 4, top);
	request(ep, TLP_MWR, 0, data, 4, narrow_top);
	request(ep, TLP_MWR, 0, data, 4, zero);
	assert_memory_equal(buf, data, 8);

	assert_int_equal(endpoint_counts(ep, c, 8), 6);
	assert_true(c[0].hint.th && c[0].hint.extended);
	assert_int_equal(c[0].hint.st, 0x42);
	assert_int_equal(c[0].hint.ph, 2);
	assert_int_equal(c[0].writes, 2);
	assert_int_equal(c[0].write_bytes, 80);
	assert_int_equal(c[0].reads, 1);
	assert_int_equal(c[0].read_bytes, 8);
	assert_true(c[1].hint.th && !c[1].hint.extended);
	assert_int_equal(c[1].writes, 1);
	assert_int_equal(c[1].write_bytes, 32);
	assert_false(c[2].hint.th);
	assert_int_equal(c[2].hint.st, 0);
	assert_int_equal(c[2].writes + c[2].reads, 2);
	assert_int_equal(c[3].hint.st, 0xffff);
	assert_int_equal(c[4].hint.st, 0xff);
	assert_true(c[5].hint.th);

	memset(c, 0, sizeof(c));
	assert_int_equal(endpoint_counts(ep, c, 1), 6);
	assert_int_equal(c[0].writes, 2);
	assert_int_equal(c[1].writes, 0);
	assert_int_equal(endpoint_counts(ep, NULL, 0), 6);

	endpoint_reset_counts(ep);
	assert_int_equal(endpoint_counts(ep, c, 8), 0);
	request(ep, TLP_MWR, 0, data, 4, narrow);
	assert_int_equal(endpoint_counts(ep, c, 8), 1);
	assert_int_equal(c[0].writes, 1);
	endpoint_free(ep);
}

/* Each hint there is has a counter of its own. */
static void test_all_hints(void **state)
{
	static struct endpoint_count counts[1 + 4 * 256 + 4 * 65536];
	struct endpoint *ep = make("nvme", MIB, PCIE_TPH_COMPLETER_EXTENDED);
	unsigned int n = 0, total = sizeof(counts) / sizeof(counts[0]);
	uint8_t data[4] = { 0 };

	(void)state;
	request(ep, TLP_MWR, 0, data, 4, (struct tlp_hint){ 0 });
	for (unsigned int extended = 0; extended < 2; extended++)
		for (unsigned int ph = 0; ph < 4; ph++)
			for (unsigned int st = 0; st <= (extended ? 0xffffu : 0xffu); st++)
				request(ep, TLP_MWR, 0, data, 4,
					(struct tlp_hint){ true, extended, ph, st });
	assert_int_equal(endpoint_counts(ep, counts, total), total);
	for (unsigned int i = 0; i < total; i++)
		n += counts[i].writes == 1;
	assert_int_equal(n, total);
	assert_int_equal(counts[total - 1].hint.st, 0xffff);
	endpoint_free(ep);
}

static void test_reset_keeps_memory(void **state)
{
	struct endpoint *ep = make("nvme", MIB, PCIE_TPH_COMPLETER_TPH);
	struct pcie_function *fn = endpoint_function(ep);
	unsigned int devctl = fn->config.express + PCI_EXP_DEVCTL + 1;
	uint8_t data[4] = { 1, 2, 3, 4 }, flr = 0x80, *mem = fn->bar[2].mmap_mem;
	struct endpoint_count count;

	(void)state;
	request(ep, TLP_MWR, 0x1000, data, 4, (struct tlp_hint){ 0 });
	wr(ep, 0x24, 4, 0x001f001f);
	wr(ep, 0x50, 8, 1);
	wr(ep, 0x14, 4, 1);
	assert_int_equal(rd(ep, 0x1c, 4), 1);
	pcie_config_write(fn, devctl, &flr, 1);
	assert_memory_equal(mem + 0x1000, data, 4);
	assert_int_equal(endpoint_counts(ep, &count, 1), 1);
	assert_int_equal(rd(ep, 0x14, 4), 0);
	assert_int_equal(rd(ep, 0x1c, 4), 0);
	assert_int_equal(rd(ep, 0x24, 4), 0);
	assert_int_equal(rd(ep, 0x50, 8), 0);
	endpoint_free(ep);
}

/* What one machine left in the memory, the next does not find; nor does a mapping of the first. */
static void test_power_clears_memory(void **state)
{
	static const char *const kinds[] = { "gpu", "nvme" };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct endpoint *ep = make(kinds[i], MIB, PCIE_TPH_COMPLETER_TPH);
		struct pcie_function *fn = endpoint_function(ep);
		uint8_t *mem = fn->bar[endpoint_memory_bar(ep)].mmap_mem;

		memset(mem, 0x5a, MIB);
		pcie_function_reset(fn, PCIE_RESET_FLR);
		assert_int_equal(mem[0] & mem[MIB - 1], 0x5a);
		pcie_function_reset(fn, PCIE_RESET_CONVENTIONAL);
		for (unsigned int at = 0; at < MIB; at++)
			assert_int_equal(mem[at], 0);
		mem[7] = 1;
		assert_int_equal(mem[7], 1);
		endpoint_free(ep);
	}
}

/* Every register, and what is none, with every size and all bits: nothing but what they may hold.
 */
static void test_nvme_any_access(void **state)
{
	struct endpoint *ep = make("nvme", MIB, PCIE_TPH_COMPLETER_TPH);
	struct pcie_function *fn = endpoint_function(ep);

	(void)state;
	for (unsigned int size = 1; size <= 8; size *= 2) {
		for (uint64_t at = 0; at < 16384 + 16; at += size) {
			wr(ep, at, size, UINT64_MAX);
			assert_true(size == 8 || rd(ep, at, size) >> 8 * size == 0);
		}
		wr(ep, UINT64_MAX - 7, size, UINT64_MAX);
		assert_int_equal(rd(ep, UINT64_MAX - 7, size), 0);
		assert_int_equal(rd(ep, 16384, size), 0);
		assert_int_equal(fn->ops->bar_read(fn, 4, 0, size), 0);
		assert_int_equal(fn->ops->bar_read(fn, 6, 0, size), 0);
		fn->ops->bar_write(fn, 6, 0, size, UINT64_MAX);
	}
	assert_int_equal(rd(ep, 0x14, 4), 0x00fffff1);
	assert_int_equal(rd(ep, 0x24, 4), 0x0fff0fff);
	assert_int_equal(rd(ep, 0x28, 8), UINT64_MAX - 0xfff);
	assert_int_equal(rd(ep, 0x1c, 4), 0x1 | 0x2 | 0x8); /* ready; who rang has an error */
	assert_int_equal(rd(ep, 0, 4), 0x0101003f);
	endpoint_free(ep);
}

/* Who held on to the memory shares nothing with the next owner, who finds nothing. */
static void test_cold_reset(void **state)
{
	struct endpoint *ep = make("gpu", MIB, PCIE_TPH_COMPLETER_TPH);
	struct pcie_function *fn = endpoint_function(ep);
	uint8_t data[4] = { 1, 2, 3, 4 }, zero[4] = { 0 }, *mem = fn->bar[0].mmap_mem, *held;
	struct endpoint_count count;
	int fd = fn->bar[0].mmap_fd, kept = dup(fd);

	(void)state;
	held = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED, kept, 0);
	assert_ptr_not_equal(held, MAP_FAILED);
	request(ep, TLP_MWR, MIB - 4, data, 4, (struct tlp_hint){ 0 });
	pcie_function_reset(fn, PCIE_RESET_FLR);
	assert_memory_equal(mem + MIB - 4, data, 4);
	assert_memory_equal(held + MIB - 4, data, 4);
	assert_int_equal(endpoint_counts(ep, &count, 1), 1);
	pcie_function_reset(fn, PCIE_RESET_COLD);
	assert_ptr_equal(fn->bar[0].mmap_mem, mem);
	assert_int_equal(fn->bar[0].mmap_fd, fd);
	assert_int_equal(endpoint_counts(ep, &count, 1), 0);
	for (size_t i = 0; i < MIB; i += 4)
		assert_memory_equal(mem + i, zero, 4);
	memcpy(held, data, 4);
	assert_memory_equal(mem, zero, 4);
	request(ep, TLP_MWR, 0x1000, data, 4, (struct tlp_hint){ 0 });
	assert_memory_equal(held + 0x1000, zero, 4);
	assert_memory_equal(mem + 0x1000, data, 4);
	munmap(held, MIB);
	close(kept);
	endpoint_free(ep);
}

static void test_requests_outside(void **state)
{
	struct endpoint *ep = make("nvme", MIB, PCIE_TPH_COMPLETER_TPH);
	struct pcie_function *fn = endpoint_function(ep);
	struct tlp tlp = { .type = TLP_MWR };
	uint8_t data[8];

	(void)state;
	memset(data, 0x5a, sizeof(data));
	request(ep, TLP_MWR, MIB - 4, data, 8, tlp.hint);
	fn->ops->memory_request(fn, 0, 0, &tlp, data, 8); /* registers take no peer's writes */
	assert_int_equal(((uint8_t *)fn->bar[2].mmap_mem)[MIB - 4], 0);
	assert_int_equal(((uint8_t *)fn->bar[2].mmap_mem)[0], 0);
	request(ep, TLP_MRD, MIB - 4, data, 8, tlp.hint);
	assert_int_equal(data[0], 0);
	assert_int_equal(endpoint_counts(ep, NULL, 0), 0);
	endpoint_free(ep);
}

static void test_nvme_capabilities(void **state)
{
	struct endpoint *ep = make("nvme", 64 * MIB, PCIE_TPH_COMPLETER_TPH);
	uint64_t cap = rd(ep, 0, 8);

	(void)state;
	assert_int_equal(rd(ep, 0, 4), cap & 0xffffffff);
	assert_int_equal(rd(ep, 4, 4), cap >> 32);
	assert_int_equal(cap & 0xffff, 63);
	assert_int_equal(cap >> 24 & 0xff, 1); /* TO */
	assert_int_equal(cap >> 32 & 0xf, 0);  /* DSTRD: doorbells fit the BAR */
	assert_int_equal(cap >> 37 & 1, 1);
	/* What makes Linux give up at once: pages of 64 KiB at least. */
	assert_int_equal(cap >> 48 & 0xf, 4);
	assert_int_equal(cap >> 52 & 0xf, 4);
	assert_int_equal(cap >> 57 & 1, 1);
	assert_int_equal(rd(ep, 8, 4), 0x00010400);
	wr(ep, 0, 8, ~0ull);
	wr(ep, 8, 4, ~0ull);
	wr(ep, 0x1c, 4, ~0ull);
	assert_int_equal(rd(ep, 0, 8), cap);
	assert_int_equal(rd(ep, 8, 4), 0x00010400);
	assert_int_equal(rd(ep, 0x1c, 4), 0);
	assert_int_equal(rd(ep, 9, 1), 0x04);
	assert_int_equal(rd(ep, 10, 2), 0x0001);
	endpoint_free(ep);
}

static void test_nvme_cmb(void **state)
{
	static const struct {
		uint64_t size;
		uint32_t cmbsz;
	} cases[] = {
		{ MIB, 0x00100018 },
		{ 64 * MIB, 0x04000018 },
		{ 2048 * MIB, 0x80000018 },
		{ 4096 * MIB, 0x10000118 }, /* the first in units of 64 KiB */
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct endpoint *ep = make("nvme", cases[i].size, PCIE_TPH_COMPLETER_TPH);
		uint32_t cmbsz;

		assert_int_equal(rd(ep, 0x38, 4), 0); /* not before CMBMSC.CRE */
		assert_int_equal(rd(ep, 0x3c, 4), 0);
		wr(ep, 0x54, 4, 0x40); /* as Linux writes: upper half first */
		wr(ep, 0x50, 4, 0xfe000003);
		assert_int_equal(rd(ep, 0x50, 8), 0x40fe000003);
		assert_int_equal(rd(ep, 0x38, 4), 2);
		cmbsz = rd(ep, 0x3c, 4);
		assert_int_equal(cmbsz, cases[i].cmbsz);
		assert_int_equal((uint64_t)(cmbsz >> 12) << (12 + 4 * (cmbsz >> 8 & 0xf)),
				 cases[i].size);
		endpoint_free(ep);
	}
}

static void test_nvme_ready(void **state)
{
	struct endpoint *ep = make("nvme", MIB, PCIE_TPH_COMPLETER_TPH);

	(void)state;
	wr(ep, 0x24, 4, 0xffffffff);
	assert_int_equal(rd(ep, 0x24, 4), 0x0fff0fff);
	wr(ep, 0x28, 8, 0x1234567887654321);
	wr(ep, 0x30, 4, 0xabcdefff);
	wr(ep, 0x34, 4, 0x11);
	assert_int_equal(rd(ep, 0x28, 8), 0x1234567887654000);
	assert_int_equal(rd(ep, 0x30, 8), 0x11abcde000);
	wr(ep, 0x0c, 4, 0xf0);
	wr(ep, 0x10, 4, 0x30);
	assert_int_equal(rd(ep, 0x0c, 4), 0xc0);

	wr(ep, 0x1000, 4, 1); /* a doorbell before CC.EN */
	assert_int_equal(rd(ep, 0x1c, 4), 0);
	wr(ep, 0x14, 2, 1); /* too narrow */
	assert_int_equal(rd(ep, 0x1c, 4), 0);
	wr(ep, 0x14, 4, 0x00460001);
	assert_int_equal(rd(ep, 0x14, 4), 0x00460001);
	assert_int_equal(rd(ep, 0x1c, 4), 1);
	wr(ep, 0x14, 4, 0x00464001); /* normal shutdown */
	assert_int_equal(rd(ep, 0x1c, 4), 0x9);
	wr(ep, 0x14, 4, 0);
	assert_int_equal(rd(ep, 0x1c, 4), 0);
	assert_int_equal(rd(ep, 0x0c, 4), 0);
	assert_int_equal(rd(ep, 0x24, 4), 0x0fff0fff); /* kept by a controller reset */

	wr(ep, 0x14, 4, 1);
	wr(ep, 0x1000, 4, 1); /* nobody serves the queue, and it says so */
	assert_int_equal(rd(ep, 0x1c, 4), 0x3);
	assert_int_equal(rd(ep, 0x1000, 4), 0);
	endpoint_free(ep);
}

/* All together: a requester's hinted write through the fabric into the memory. */
static bool resolve(void *host, uint64_t addr, uint64_t *base, uint64_t *size, bool *direct)
{
	(void)host;
	(void)addr;
	*base = BAR_BASE;
	*size = MIB;
	*direct = false;
	return true;
}

static void test_through_fabric(void **state)
{
	static const struct pcie_host_ops host_ops = { .resolve = resolve };
	static const struct pcie_function_ops no_ops;
	static const struct pcie_identity id;
	static struct pcie_function hca = { .name = "hca0", .id = 0x0100, .ops = &no_ops };
	struct tlp_hint hint = { true, true, 1, 0xbeef }, narrow = { true, false, 1, 7 };
	struct endpoint *ep = make("nvme", MIB, PCIE_TPH_COMPLETER_EXTENDED);
	struct pcie_function *fn = endpoint_function(ep);
	struct pcie_fabric *fabric = pcie_fabric_new(NULL);
	uint8_t bar[8] = { 0, 0, 0, 0, BAR_BASE >> 32 }, command[2], data[1000], buf[1000];
	struct endpoint_count c[3];

	(void)state;
	assert_non_null(fabric);
	pcie_config_init(&hca, &id);
	pcie_config_add_express(&hca, PCIE_TPH_COMPLETER_NONE, false);
	pcie_config_seal(&hca);
	command[0] = PCI_COMMAND_MASTER;
	command[1] = 0;
	pcie_config_write(&hca, PCI_COMMAND, command, 2);
	pcie_config_write(fn, PCI_BASE_ADDRESS_2, bar, 8);
	command[0] = PCI_COMMAND_MEMORY;
	pcie_config_write(fn, PCI_COMMAND, command, 2);
	assert_int_equal(pcie_fabric_add(fabric, &hca), 0);
	assert_int_equal(pcie_fabric_add(fabric, fn), 0);
	pcie_function_connect(&hca, &host_ops, NULL);

	for (unsigned int i = 0; i < sizeof(data); i++)
		data[i] = i * 3;
	assert_int_equal(pcie_write(&hca, BAR_BASE + 0x801, data, 1000, &hint), 0);
	assert_int_equal(pcie_write(&hca, BAR_BASE + 0x801, data, 1, &narrow), 0);
	assert_int_equal(pcie_read(&hca, BAR_BASE + 0x801, buf, 1000, NULL), 0);
	assert_memory_equal(buf, data, 1000);
	assert_memory_equal((uint8_t *)fn->bar[2].mmap_mem + 0x801, data, 1000);
	assert_int_equal(endpoint_counts(ep, c, 3), 3);
	assert_int_equal(c[0].hint.st, 0xbeef);
	assert_int_equal(c[0].writes, 8);
	assert_int_equal(c[0].write_bytes, 1000);
	assert_int_equal(c[1].writes, 1);
	assert_int_equal(c[1].write_bytes, 1);
	assert_int_equal(c[2].reads, 2);
	assert_int_equal(c[2].read_bytes, 1000);
	pcie_fabric_free(fabric);
	endpoint_free(ep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_acs),
		cmocka_unit_test(test_ready),
		cmocka_unit_test(test_completer),
		cmocka_unit_test(test_memory_is_the_file),
		cmocka_unit_test(test_memory_stays),
		cmocka_unit_test(test_trapped_memory),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_all_hints),
		cmocka_unit_test(test_reset_keeps_memory),
		cmocka_unit_test(test_power_clears_memory),
		cmocka_unit_test(test_nvme_any_access),
		cmocka_unit_test(test_requests_outside),
		cmocka_unit_test(test_nvme_capabilities),
		cmocka_unit_test(test_nvme_cmb),
		cmocka_unit_test(test_nvme_ready),
		cmocka_unit_test(test_cold_reset),
		cmocka_unit_test(test_through_fabric),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
