/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers of objects, and the buffers of queues. */
#include "hca/cmd.h"

#include <errno.h>
#include <stdlib.h>

#define TABLE_MIN 64u
/* page_offset counts in 64ths of a page: mlx5_umem_find_best_quantized_pgoff(). */
#define PAGE_OFFSET_QUANTA 64u
#define LOG_PAGE_MAX	   43u /* five bits + 12 */

char hca_object_plain;

void *hca_table_get(const struct hca_table *table, uint32_t number)
{
	return number < table->size ? table->slot[number] : NULL;
}

static bool table_grow(struct hca_table *table, uint32_t number)
{
	uint32_t size = table->size ? table->size : TABLE_MIN;
	void **slot;

	while (size <= number)
		size *= 2;
	slot = realloc(table->slot, size * sizeof(*slot));
	if (!slot)
		return false;
	memset(slot + table->size, 0, (size - table->size) * sizeof(*slot));
	table->slot = slot;
	table->size = size;
	return true;
}

uint32_t hca_table_add(struct hca_table *table, uint32_t first, void *object)
{
	uint32_t base = table->base ? table->base : 1, number = first;
	bool from_start = first <= base;

	/* The lowest free number keeps the tables that are polled short. */
	if (from_start)
		number = table->next > base ? table->next : base;
	while (hca_table_get(table, number))
		number++;
	if (number >= table->limit)
		return 0;
	if (number >= table->size && !table_grow(table, number))
		return 0;
	table->slot[number] = object;
	table->count++;
	if (from_start)
		table->next = number + 1;
	return number;
}

void *hca_table_remove(struct hca_table *table, uint32_t number)
{
	void *object = hca_table_get(table, number);

	if (!object)
		return NULL;
	table->slot[number] = NULL;
	table->count--;
	if (number < table->next)
		table->next = number;
	return object;
}

void hca_pages_free(struct hca_pages *pages)
{
	if (pages->users)
		--*pages->users;
	free(pages->addr);
	*pages = (struct hca_pages){ 0 };
}

uint64_t hca_pages_addr(const struct hca_pages *pages, uint64_t byte)
{
	uint64_t at = byte + pages->offset;
	uint64_t page = at >> pages->log_page_size;

	if (at < byte || page >= pages->count)
		return 0;
	return pages->addr[page] + (at & (((uint64_t)1 << pages->log_page_size) - 1));
}

static int pages_transfer(struct hca *hca, const struct hca_pages *pages, uint64_t byte,
			  uint8_t *in, const uint8_t *out, size_t len)
{
	uint64_t page = (uint64_t)1 << pages->log_page_size;
	uint64_t size = pages->count * page - pages->offset;
	size_t done;

	if (!pages->count || byte > size || len > size - byte)
		return -EFAULT;
	for (done = 0; done < len;) {
		uint64_t addr = hca_pages_addr(pages, byte + done);
		uint64_t room = page - ((byte + done + pages->offset) & (page - 1));
		size_t n = len - done < room ? len - done : (size_t)room;
		int err = in ? pcie_read(&hca->fn, addr, in + done, n, NULL)
			     : pcie_write(&hca->fn, addr, out + done, n, NULL);

		if (err)
			return err;
		done += n;
	}
	return 0;
}

int hca_pages_read(struct hca *hca, const struct hca_pages *pages, uint64_t byte, void *buf,
		   size_t len)
{
	return pages_transfer(hca, pages, byte, buf, NULL, len);
}

int hca_pages_write(struct hca *hca, const struct hca_pages *pages, uint64_t byte, const void *buf,
		    size_t len)
{
	return pages_transfer(hca, pages, byte, NULL, buf, len);
}

enum hca_cmd_status hca_cmd_pages(struct hca_cmd *cmd, uint32_t list, uint64_t bytes,
				  uint8_t log_page_size, uint32_t page_offset,
				  struct hca_pages *pages)
{
	uint64_t page, count, *addr;
	uint32_t offset, i;

	if (log_page_size > LOG_PAGE_MAX || page_offset >= PAGE_OFFSET_QUANTA)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x0b0001);
	page = (uint64_t)1 << log_page_size;
	offset = (uint32_t)(page_offset * (page / PAGE_OFFSET_QUANTA));
	count = (bytes + offset + page - 1) >> log_page_size;
	if (list > cmd->ilen || count > (cmd->ilen - list) / 8)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INPUT_LEN, 0x0b0002);
	addr = calloc(count ? count : 1, sizeof(*addr));
	if (!addr)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x0b0003);
	for (i = 0; i < count; i++)
		addr[i] = be64_at(cmd->in, list + 8 * (size_t)i) & ~(uint64_t)0xfff;
	*pages = (struct hca_pages){
		.addr = addr,
		.count = (uint32_t)count,
		.log_page_size = log_page_size,
		.offset = offset,
	};
	return HCA_CMD_OK;
}
