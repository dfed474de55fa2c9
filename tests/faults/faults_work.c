// SPDX-License-Identifier: GPL-2.0-only
/* See faults_work.h. */
#include "faults_work.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/tests/driver.h"

#define BAR_LENGTH (1u << 20)
#define TAG	   42u
#define PH	   2u

static void open_all(struct work *work)
{
	struct mr_request request;
	struct mr_tph_caps caps;
	int fd;

	ktap_must(mr_hca_open(work->names[0], &work->from), work->names[0]);
	ktap_must(mr_hca_open(work->names[1], &work->to), work->names[1]);
	ktap_must(mr_tph_caps(&work->to, &caps), "what the responder can send");
	work->hint = (struct wire_hint){ .th = true, .ph = PH, .width = caps.st_width, .st = TAG };
	ktap_must(mr_bar_open(work->bdf, 0, BAR_LENGTH, &work->bar), work->bdf);
	ktap_must(mr_link_open(&work->link, &work->from, &work->to), "connection");
	fd = mr_bar_export_hinted(&work->bar, 0, WORK_BYTES, hint_of(caps.st_width, TAG, PH));
	ktap_must(fd < 0 ? fd : 0, "dma-buf");
	request = mr_request(fd, WORK_BYTES, IB_UVERBS_MR_TPH_REQUIRE);
	ktap_must(mr_reg_dmabuf(&work->to, &request, &work->mr), "memory region of the BAR");
	close(fd);
	work->memory = aligned_alloc(WORK_BYTES, WORK_BYTES);
	work->memory_mr = ibv_reg_mr(work->to.pd, work->memory, WORK_BYTES, MR_ACCESS);
	ktap_must(work->memory_mr ? 0 : -errno, "memory region");
}

static bool is_translated(const char *name)
{
	char path[128], type[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/infiniband/%s/device/iommu_group/type", name);
	file = fopen(path, "re");
	if (file) {
		if (!fgets(type, sizeof(type), file))
			type[0] = '\0';
		fclose(file);
	}
	return !strncmp(type, "DMA", 3);
}

void work_open(struct work *work, int argc, char **argv)
{
	static char ends[2][16];
	const char *seed = getenv("TPH_SEED");

	memset(work, 0, sizeof(*work));
	if (argc != 5 || strncmp(argv[1], "mlx5_", 5) || strncmp(argv[2], "mlx5_", 5))
		ktap_bail("usage: %s REQUESTER RESPONDER BDF ENDPOINT", argv[0]);
	for (unsigned int i = 0; i < 2; i++) {
		work->names[i] = argv[1 + i];
		snprintf(ends[i], sizeof(ends[i]), "hca%s", argv[1 + i] + 5);
		work->ends[i] = ends[i];
	}
	work->bdf = argv[3];
	work->endpoint = argv[4];
	work->translated = is_translated(work->names[1]);
	work->seed = seed ? strtoull(seed, NULL, 0) : 1;
	ktap_note("TPH_SEED=%llu", (unsigned long long)work->seed);
	open_all(work);
}

void work_close(struct work *work)
{
	mr_dereg(&work->to, &work->mr);
	if (work->memory_mr)
		ibv_dereg_mr(work->memory_mr);
	free(work->memory);
	mr_link_close(&work->link);
	mr_bar_close(&work->bar);
	mr_hca_close(&work->to);
	mr_hca_close(&work->from);
}

void work_fill_bar(struct work *work, uint8_t byte)
{
	uint8_t bytes[WORK_BYTES];

	memset(bytes, byte, sizeof(bytes));
	vfiobar_copy_to(vfiobar_window_addr(work->bar.window), bytes, sizeof(bytes));
}

void work_read_bar(struct work *work, uint8_t bytes[WORK_BYTES])
{
	vfiobar_copy_from(bytes, vfiobar_window_addr(work->bar.window), WORK_BYTES);
}

/* What the responder's function put on the TLPs of a write. */
static void check_sent(struct work *work)
{
	struct control_mkey mkey = { 0 };

	CHECK_EQUAL(0, control_clear_mkey(work->ends[1]));
	CHECK_EQUAL(IBV_WC_SUCCESS, mr_link_write(&work->link, &work->mr, 0, WORK_BYTES));
	CHECK_EQUAL(0, control_mkey(work->ends[1], &mkey));
	CHECK(mkey.valid && mkey.th);
	CHECK_EQUAL(work->hint.ph, mkey.ph);
	CHECK_EQUAL(work->hint.st, mkey.st);
	CHECK_EQUAL(work->hint.width, mkey.width);
}

void work_check(struct work *work)
{
	uint8_t vram[WORK_BYTES];

	work_fill_bar(work, 0xa5);
	CHECK_EQUAL(0, mr_link_reconnect(&work->link));
	for (unsigned int i = 0; i < WORK_BYTES; i++)
		work->link.buffer[i] = (uint8_t)(i * 7 + (i >> 8) + work->seed);
	if (work->translated)
		check_sent(work);
	else
		check_write(&work->link, &work->mr, work->endpoint, work->hint);
	work_read_bar(work, vram);
	CHECK(!memcmp(vram, work->link.buffer, WORK_BYTES));
	memset(work->link.buffer, 0, WORK_BYTES);
	CHECK_EQUAL(IBV_WC_SUCCESS, mr_link_read(&work->link, &work->mr, 0, WORK_BYTES));
	CHECK(!memcmp(vram, work->link.buffer, WORK_BYTES));
}

void work_check_anew(struct work *work)
{
	work_close(work);
	open_all(work);
	work_check(work);
}

unsigned int work_draw(struct work *work, unsigned int end)
{
	work->seed = work->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned int)(work->seed >> 33) % end;
}

uint64_t work_address(const void *data)
{
	uint64_t page = (uintptr_t)data / MR_PAGE, entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : pread(fd, &entry, sizeof(entry), (off_t)(page * sizeof(entry)));

	if (got != sizeof(entry) || !(entry >> 63))
		ktap_bail("no address of a page");
	close(fd);
	return (entry & ((1ull << 55) - 1)) * MR_PAGE;
}

void inject(const char *format, ...)
{
	char line[120], answer[1024];
	va_list args;
	int ret;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	ret = control_ask(answer, sizeof(answer), "inject %s", line);
	if (!CHECK_EQUAL(0, ret))
		ktap_note("inject %s: %s", line, answer);
}

uint64_t injected(const char *name, const char *side)
{
	char answer[1024], key[32];
	const char *at;

	if (!CHECK_EQUAL(0, control_ask(answer, sizeof(answer), "inject %s", name)))
		return 0;
	snprintf(key, sizeof(key), "\"%s\":", side);
	at = strstr(answer, key);
	at = at ? strstr(at, "\"hit\":") : NULL;
	return at ? strtoull(at + 6, NULL, 10) : 0;
}

static uint16_t read16(int fd, unsigned int at)
{
	uint8_t bytes[2] = { 0 };

	if (pread(fd, bytes, 2, at) != 2)
		CHECK(!"configuration space is read");
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

/* Writes back what is set, which clears it. */
static uint16_t take16(int fd, unsigned int at)
{
	uint16_t value = read16(fd, at);
	uint8_t bytes[2] = { value & 0xff, value >> 8 };

	if (pwrite(fd, bytes, 2, at) != 2)
		CHECK(!"configuration space is written");
	return value;
}

void take_errors(const char *bdf, uint16_t *status, uint16_t *device_status)
{
	char path[128];
	unsigned int at;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (!CHECK(fd >= 0))
		return;
	at = read16(fd, PCI_CAPABILITY_LIST) & 0xff;
	while (at && (read16(fd, at) & 0xff) != PCI_CAP_ID_EXP)
		at = read16(fd, at) >> 8;
	*status = take16(fd, PCI_STATUS) & ~PCI_STATUS_CAP_LIST;
	*device_status = take16(fd, at + PCI_EXP_DEVSTA) & ~PCI_EXP_DEVSTA_TRPND;
	close(fd);
}

void hca_address(const char *name, char bdf[VFIOBAR_BDF_LEN])
{
	ktap_must(driver_bdf(name, bdf, VFIOBAR_BDF_LEN), name);
}
