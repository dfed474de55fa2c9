// SPDX-License-Identifier: GPL-2.0-only
#include "account.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account_keys.h"
#include "ktap.h"

#define BUFINFO "/sys/kernel/debug/dma_buf/bufinfo"

/* More than any table has room for. */
#define TAGS_MAX 256
/* More than it takes to fill one: each may have a quarter. */
#define CONTEXTS_MAX 6

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int fds = -3; /* ".", "..", and the directory's own */

	if (!dir)
		return -errno;
	while (readdir(dir))
		fds++;
	closedir(dir);
	return fds;
}

static int count_dmabufs(int *dmabufs, int *attached)
{
	FILE *file = fopen(BUFINFO, "re");
	char line[256];
	int devices;

	*attached = 0;
	*dmabufs = -ENODATA;
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (strstr(line, " devices attached") && sscanf(line, "Total %d", &devices) == 1)
			*attached += devices;
		else if (strstr(line, " objects, "))
			sscanf(line, "Total %d", dmabufs);
	}
	fclose(file);
	return *dmabufs < 0 ? *dmabufs : 0;
}

struct account account(const struct mr_hca *hca)
{
	struct account now = { .fds = count_fds(), .mrs = mr_count(hca) };
	int ret = count_dmabufs(&now.dmabufs, &now.attached);

	now.keys = account_keys(ibv_get_device_name(hca->context->device));
	CHECK(now.fds >= 0);
	CHECK_EQUAL(0, ret);
	CHECK(now.mrs >= 0);
	CHECK(now.keys >= 0);
	return now;
}

bool account_same(const struct mr_hca *hca, const struct account *before)
{
	struct account now = account(hca);
	bool same = CHECK_EQUAL(before->fds, now.fds);

	/* each is to be said */
	same &= CHECK_EQUAL(before->dmabufs, now.dmabufs);
	same &= CHECK_EQUAL(before->attached, now.attached);
	same &= CHECK_EQUAL(before->mrs, now.mrs);
	same &= CHECK_EQUAL(before->keys, now.keys);
	return same;
}

/*
 * Tag @number. A dma-buf each, of another page: an MR maps all of its dma-buf, and to map a page
 * over and over is what DMA debugging takes for a mistake. The MR keeps the dma-buf.
 */
static int take_tag(const struct mr_hca *hca, struct mr_bar *bar, int number)
{
	int fd = mr_bar_export_hinted(bar, (uint64_t)number * MR_PAGE, MR_PAGE,
				      mr_st_both((uint8_t)number, (uint16_t)number, 1));
	struct mr_request request = mr_request(fd, MR_PAGE, IB_UVERBS_MR_TPH_REQUIRE);
	struct mr mr;
	int ret;

	if (fd < 0)
		return fd;
	ret = mr_reg(hca, MR_REG_DMABUF_MR, &request, &mr);
	close(fd);
	return ret;
}

unsigned int account_entries = 64;

unsigned int account_table_tags(void)
{
	return (account_entries - 1) * 3 / 4;
}

int account_tags(const struct mr_hca *hca, struct mr_bar *bar)
{
	struct mr_hca context[CONTEXTS_MAX];
	int tags = 0, before = -1, contexts = 0, ret = 0;

	while (contexts < CONTEXTS_MAX && tags < TAGS_MAX && tags != before) {
		const char *name = ibv_get_device_name(hca->context->device);

		ret = mr_hca_open(name, &context[contexts]);
		if (ret)
			break;
		before = tags;
		while (tags < TAGS_MAX && !ret) {
			ret = take_tag(&context[contexts], bar, tags);
			tags += !ret;
		}
		contexts++;
		if (ret && ret != -ENOSPC)
			break;
		ret = 0;
	}
	while (contexts)
		mr_hca_close(&context[--contexts]);
	return ret ? ret : tags;
}

bool account_table_empty(const struct mr_hca *hca, struct mr_bar *bar)
{
	struct mr_tph_caps caps;

	return CHECK_EQUAL(0, mr_tph_caps(hca, &caps)) &&
	       CHECK_EQUAL(caps.max_tags ? account_table_tags() : TAGS_MAX, account_tags(hca, bar));
}

static int64_t meminfo(const char *name)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	int64_t kib = -1;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			kib = strtoll(line + strlen(name) + 1, NULL, 10);
	if (file)
		fclose(file);
	return kib * 1024;
}

int account_memory(struct account_memory *memory)
{
	FILE *file = fopen("/proc/slabinfo", "re");
	char line[512];

	memory->caches = 0;
	memory->unreclaimable = meminfo("SUnreclaim");
	memory->available = meminfo("MemAvailable");
	if (!file)
		return -errno;
	while (memory->caches < ACCOUNT_CACHES && fgets(line, sizeof(line), file)) {
		unsigned int i = memory->caches;

		if (sscanf(line, "%47s %" SCNd64 " %*u %" SCNd64, memory->cache[i].name,
			   &memory->cache[i].objects, &memory->cache[i].size) == 3)
			memory->caches++;
	}
	fclose(file);
	return memory->caches ? 0 : -ENODATA;
}

int account_log_open(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (log < 0)
		return -errno;
	lseek(log, 0, SEEK_END);
	return log;
}

int account_log_complaints(int log, const char *explained)
{
	static const char *const bad[] = {
		"WARNING:", "BUG:",	"KASAN:",      "UBSAN:",    "Oops",
		"INFO: ",   "DMA-API:", "refcount_t:", "corruption"
	};
	char line[8192];
	int complaints = 0;
	ssize_t got;

	/* EPIPE: lines were lost, go on with the next */
	while ((got = read(log, line, sizeof(line) - 1)) > 0 || (got < 0 && errno == EPIPE)) {
		bool found = false;

		if (got < 0)
			continue;
		line[got] = '\0';
		for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
			found |= strstr(line, bad[i]) != NULL;
		if (!found || (explained && strstr(line, explained)))
			continue;
		line[strcspn(line, "\n")] = '\0';
		ktap_note("kernel: %s", line);
		complaints++;
	}
	close(log);
	return complaints;
}
