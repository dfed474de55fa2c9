/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers of objects, and the buffers of queues. */
#include "hca/budget.h"
#include "hca/cmd.h"

#include <errno.h>

#define TABLE_MIN 64u
#define WORD_BITS 64u
/* page_offset counts in 64ths of a page: mlx5_umem_find_best_quantized_pgoff(). */
#define PAGE_OFFSET_QUANTA 64u
#define LOG_PAGE_MAX	   43u /* five bits + 12 */

/* --- tables ------------------------------------------------------------------------------ */

void *hca_table_get(const struct hca_table *table, uint32_t number)
{
	return number < table->size ? table->slot[number] : NULL;
}

/* Bits of word @word that are @taken, or free. */
static uint64_t bits(const struct hca_table *table, uint32_t word, bool taken)
{
	return taken ? table->taken[word] : ~table->taken[word];
}

/* The lowest number from @number on that is @taken, or free; past the slots: the next. */
static uint32_t search(const struct hca_table *table, uint32_t number, bool taken)
{
	uint32_t word = number / WORD_BITS, words = table->size / WORD_BITS;
	uint64_t left;

	if (word >= words)
		return number;
	left = bits(table, word, taken) & UINT64_MAX << number % WORD_BITS;
	while (!left) {
		if (++word == words)
			return table->size;
		left = bits(table, word, taken);
	}
	return word * WORD_BITS + (uint32_t)__builtin_ctzll(left);
}

uint32_t hca_table_next(const struct hca_table *table, uint32_t first)
{
	uint32_t number = search(table, first, true);

	return number < table->size ? number : 0;
}

static bool table_grow(struct hca *hca, struct hca_table *table, uint32_t number)
{
	uint32_t size = table->size ? table->size : TABLE_MIN;
	uint64_t *taken;
	void **slot;

	while (size <= number)
		size *= 2;
	taken = hca_alloc(hca, size / 8);
	slot = taken ? hca_resize(hca, table->slot, size * sizeof(*slot)) : NULL;
	if (!slot) {
		hca_release(hca, taken);
		return false;
	}
	if (table->size)
		memcpy(taken, table->taken, table->size / 8);
	hca_release(hca, table->taken);
	table->taken = taken;
	table->slot = slot;
	table->size = size;
	return true;
}

/* Another thread may look. */
static void set_count(struct hca_table *table, uint32_t objects)
{
	__atomic_store_n(&table->count, objects, __ATOMIC_RELAXED);
}

uint32_t hca_table_add(struct hca *hca, struct hca_table *table, uint32_t first, void *object)
{
	uint32_t base = table->base ? table->base : 1, number;
	uint32_t lowest = table->next < base ? base : table->next + 1;

	number = search(table, first > lowest ? first : lowest, false);
	errno = ENOSPC;
	if (number >= table->limit)
		return 0;
	errno = ENOMEM;
	if (number >= table->size && !table_grow(hca, table, number))
		return 0;
	table->slot[number] = object;
	table->taken[number / WORD_BITS] |= (uint64_t)1 << number % WORD_BITS;
	set_count(table, table->count + 1);
	if (first <= lowest)
		table->next = number;
	return number;
}

void *hca_table_remove(struct hca *hca, struct hca_table *table, uint32_t number)
{
	void *object = hca_table_get(table, number);

	if (!object)
		return NULL;
	table->slot[number] = NULL;
	table->taken[number / WORD_BITS] &= ~((uint64_t)1 << number % WORD_BITS);
	if (number <= table->next)
		table->next = number - 1;
	set_count(table, table->count - 1);
	if (!table->count)
		hca_table_clear(hca, table);
	return object;
}

void hca_table_clear(struct hca *hca, struct hca_table *table)
{
	hca_release(hca, table->slot);
	hca_release(hca, table->taken);
	table->slot = NULL;
	table->taken = NULL;
	table->size = 0;
	table->next = 0;
	set_count(table, 0);
}

enum hca_cmd_status hca_cmd_add(struct hca *hca, struct hca_cmd *cmd, struct hca_table *table,
				uint32_t first, void *object, uint32_t *number)
{
	*number = hca_table_add(hca, table, first, object);
	if (*number)
		return HCA_CMD_OK;
	return errno == ENOSPC ? hca_cmd_fail(cmd, HCA_CMD_LIMIT, 0x0b0004)
			       : hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x0b0005);
}

/* --- buffers of queues ------------------------------------------------------------------- */

void hca_pages_free(struct hca *hca, struct hca_pages *pages)
{
	if (pages->users)
		--*pages->users;
	else
		hca_release(hca, pages->list);
	*pages = (struct hca_pages){ 0 };
}

uint64_t hca_pages_addr(const struct hca_pages *pages, uint64_t byte)
{
	uint64_t at = byte + pages->offset;
	uint64_t page = at >> pages->log_page_size;

	if (at < byte || page >= pages->count)
		return 0;
	return (be64_at(pages->list, 8 * page) & ~(uint64_t)0xfff) +
	       (at & (((uint64_t)1 << pages->log_page_size) - 1));
}

bool hca_pages_allow(const struct hca_pages *pages, uint64_t byte, bool write)
{
	uint64_t at = byte + pages->offset, page = at >> pages->log_page_size;

	if (at < byte || page >= pages->count)
		return false;
	return !pages->users || be64_at(pages->list, 8 * page) & (write ? 2 : 1);
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
		int err;

		if (!hca_pages_allow(pages, byte + done, !in))
			return -EACCES;
		err = in ? pcie_read(&hca->fn, addr, in + done, n, NULL)
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

uint8_t *hca_cmd_take_list(struct hca *hca, struct hca_cmd *cmd, uint32_t len)
{
	uint8_t *list = cmd->list, *shorter = hca_resize(hca, list, len);

	cmd->list = NULL;
	return shorter ? shorter : list;
}

enum hca_cmd_status hca_cmd_pages(struct hca *hca, struct hca_cmd *cmd, uint64_t bytes,
				  uint8_t log_page_size, uint32_t page_offset,
				  struct hca_pages *pages)
{
	uint64_t page, count, offset;

	if (log_page_size > LOG_PAGE_MAX || page_offset >= PAGE_OFFSET_QUANTA)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x0b0001);
	page = (uint64_t)1 << log_page_size;
	offset = page_offset * (page / PAGE_OFFSET_QUANTA);
	count = (bytes + offset + page - 1) >> log_page_size;
	if (count > cmd->list_len / 8)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INPUT_LEN, 0x0b0002);
	*pages = (struct hca_pages){
		.list = hca_cmd_take_list(hca, cmd, (uint32_t)(8 * count)),
		.count = (uint32_t)count,
		.log_page_size = log_page_size,
		.offset = offset,
	};
	return HCA_CMD_OK;
}
