/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User contexts and the memory that their queues live in (umem): objects that a program creates by
 * commands of its own name pages that the driver registered for it. Layouts: umem, create_umem_in,
 * create_uctx_in of mlx5_ifc.h.
 */
#include "hca/umem.h"

#include <stdlib.h>

#include "hca/cmd.h"
#include "hca/flow_table.h"

#define LOG_PAGE_MIN 12u
#define LOG_PAGE_MAX 43u
#define IN_MTT	     0x30u

struct umem {
	uint16_t uid;
	uint32_t users; /* queues and doorbell records in it */
	struct hca_pages pages;
};

void hca_umem_free(struct umem *umem)
{
	hca_pages_free(&umem->pages);
	free(umem);
}

enum hca_cmd_status hca_cmd_create_uctx(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t uid = hca_table_add(&hca->uctxs, 1, &hca_object_plain);

	if (!uid)
		return hca_cmd_fail(cmd, HCA_CMD_LIMIT, 0x100001);
	field_put(cmd->out, 2, 15, 0, uid);
	return HCA_CMD_OK;
}

/* Objects of the context are the driver's to destroy first; umems and flow tables show whether it
 * did. */
enum hca_cmd_status hca_cmd_destroy_uctx(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t uid = field_get(cmd->in, 2, 15, 0), i;

	for (i = 0; i < hca->umems.size; i++) {
		const struct umem *umem = hca->umems.slot[i];

		if (umem && umem->uid == uid)
			return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x100002);
	}
	if (uid && hca_flow_any(hca, uid))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x10000e);
	if (!hca_table_remove(&hca->uctxs, uid))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x100003);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_create_umem(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t log_page = field_get(cmd->in, 8, 4, 0) + LOG_PAGE_MIN, uid = be16_at(cmd->in, 2);
	uint32_t offset = be32_at(cmd->in, 0x24), number, i;
	uint64_t count = be64_at(cmd->in, 0x28);
	struct umem *umem;

	if (log_page > LOG_PAGE_MAX || offset >> log_page || !count)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x100004);
	if (!hca_table_get(&hca->uctxs, uid))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x100005);
	if (count > (cmd->ilen - IN_MTT) / 8)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INPUT_LEN, 0x100006);
	umem = calloc(1, sizeof(*umem));
	if (!umem)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x100007);
	umem->uid = (uint16_t)uid;
	umem->pages.addr = calloc(count, sizeof(*umem->pages.addr));
	umem->pages.count = (uint32_t)count;
	umem->pages.log_page_size = (uint8_t)log_page;
	umem->pages.offset = offset;
	number = umem->pages.addr ? hca_table_add(&hca->umems, 1, umem) : 0;
	if (!number) {
		hca_umem_free(umem);
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x100008);
	}
	for (i = 0; i < count; i++)
		umem->pages.addr[i] = be64_at(cmd->in, IN_MTT + 8 * (size_t)i) & ~(uint64_t)0xfff;
	field_put(cmd->out, 2, 23, 0, number);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_destroy_umem(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t number = hca_cmd_number(cmd);
	struct umem *umem = hca_table_get(&hca->umems, number);

	if (!umem || umem->uid != be16_at(cmd->in, 2))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x100009);
	if (umem->users)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x10000a);
	hca_table_remove(&hca->umems, number);
	hca_umem_free(umem);
	return HCA_CMD_OK;
}

/* The umem @number if it is the caller's and has [@offset, @offset + @len). */
static struct umem *find(struct hca *hca, const struct hca_cmd *cmd, uint32_t number,
			 uint64_t offset, uint64_t len)
{
	struct umem *umem = hca_table_get(&hca->umems, number);
	uint64_t size;

	if (!umem || umem->uid != be16_at(cmd->in, 2))
		return NULL;
	size = ((uint64_t)umem->pages.count << umem->pages.log_page_size) - umem->pages.offset;
	return offset <= size && len <= size - offset ? umem : NULL;
}

enum hca_cmd_status hca_umem_pages(struct hca *hca, struct hca_cmd *cmd, uint32_t number,
				   uint64_t offset, uint64_t bytes, struct hca_pages *pages)
{
	struct umem *umem = find(hca, cmd, number, offset, bytes);
	uint64_t *addr;

	/* An offset has 32 bits in struct hca_pages: no umem of the tests' size needs more. */
	if (!umem || offset + umem->pages.offset > UINT32_MAX)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x10000b);
	addr = malloc(umem->pages.count * sizeof(*addr));
	if (!addr)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x10000c);
	memcpy(addr, umem->pages.addr, umem->pages.count * sizeof(*addr));
	*pages = umem->pages;
	pages->addr = addr;
	pages->offset += (uint32_t)offset;
	pages->users = &umem->users;
	umem->users++;
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_umem_record(struct hca *hca, struct hca_cmd *cmd, uint32_t number,
				    struct hca_record *record)
{
	struct umem *umem = find(hca, cmd, number, record->addr, 8);

	if (!umem || record->addr % 8)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x10000d);
	record->addr = hca_pages_addr(&umem->pages, record->addr);
	record->users = &umem->users;
	umem->users++;
	return HCA_CMD_OK;
}

void hca_record_free(struct hca_record *record)
{
	if (record->users)
		--*record->users;
	record->users = NULL;
}
