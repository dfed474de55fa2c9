/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * User contexts and the memory that their queues live in (umem): objects that a program creates by
 * commands of its own name pages that the driver registered for it. Layouts: umem, create_umem_in,
 * create_uctx_in of mlx5_ifc.h.
 */
#include "hca/umem.h"

#include "hca/budget.h"
#include "hca/kinds.h"
#include "hca/layout.h"
#include "hca/opcodes.h"

#define LOG_PAGE_MIN 12u

struct umem {
	uint16_t uid;
	uint32_t users; /* queues and doorbell records in it */
	struct hca_pages pages;
};

static void free_umem(struct hca *hca, void *object)
{
	struct umem *umem = object;

	hca_pages_free(hca, &umem->pages);
	hca_release(hca, umem);
}

const struct hca_kind hca_kind_umem = {
	.limit = 1u << 18,
	.free = free_umem,
};

const struct hca_kind hca_kind_uctx = {
	.limit = HCA_UID_SHARED,
	.free = hca_release,
};

enum hca_cmd_status hca_cmd_create_uctx(struct hca *hca, struct hca_cmd *cmd)
{
	/* Old programs, and tests, leave it out. */
	uint32_t uid, cap = cmd->ilen < UCTX_CAP + 4 ? 0 : be32_at(cmd->in, UCTX_CAP);
	enum hca_cmd_status status;
	struct hca_plain *uctx;

	if (cap & ~(HCA_UCTX_RDMA_CTRL | HCA_UCTX_RDMA_CTRL_OTHER))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x100007);
	status = hca_plain_alloc(hca, cmd, &hca->uctxs, 1, &uid);
	if (status)
		return status;
	uctx = hca_table_get(&hca->uctxs, uid);
	uctx->cap = cap;
	return HCA_CMD_OK;
}

/* Objects of the context are the driver's to destroy first. */
enum hca_cmd_status hca_cmd_destroy_uctx(struct hca *hca, struct hca_cmd *cmd)
{
	return hca_plain_dealloc(hca, cmd, &hca->uctxs, field_get(cmd->in, UCTX_UID));
}

enum hca_cmd_status hca_cmd_create_umem(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t log_page = field_get(cmd->in, UMEM_LOG_PAGE_SIZE) + LOG_PAGE_MIN, number;
	uint64_t offset = be32_at(cmd->in, UMEM_PAGE_OFFSET),
		 count = be64_at(cmd->in, UMEM_NUM_OF_MTT);
	enum hca_cmd_status status;
	struct umem *umem;

	/* Sizes stay below 63 bits. */
	if (offset >> log_page || !count || count > (uint64_t)INT64_MAX >> log_page)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x100004);
	if (!hca_cmd_uid(cmd))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x100005);
	if (count > cmd->list_len / 8)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_INPUT_LEN, 0x100006);
	umem = hca_alloc(hca, sizeof(*umem));
	if (!umem)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x100007);
	status = hca_cmd_add(hca, cmd, &hca->umems, 1, umem, &number);
	if (status) {
		hca_release(hca, umem);
		return status;
	}
	umem->uid = hca_cmd_uid(cmd);
	umem->pages = (struct hca_pages){
		.list = hca_cmd_take_list(hca, cmd, (uint32_t)(8 * count)),
		.count = (uint32_t)count,
		.log_page_size = (uint8_t)log_page,
		.offset = offset,
	};
	hca_plain_hold(&hca->uctxs, umem->uid, 1);
	field_put(cmd->out, CMD_NUMBER, number);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_destroy_umem(struct hca *hca, struct hca_cmd *cmd)
{
	uint32_t number = hca_cmd_number(cmd);
	struct umem *umem = hca_table_get(&hca->umems, number);

	if (!umem || umem->uid != hca_cmd_uid(cmd))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x100009);
	if (umem->users)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x10000a);
	hca_table_remove(hca, &hca->umems, number);
	hca_plain_hold(&hca->uctxs, umem->uid, -1);
	free_umem(hca, umem);
	return HCA_CMD_OK;
}

/* The umem @number if it is the caller's and has [@offset, @offset + @len). */
static struct umem *find(struct hca *hca, const struct hca_cmd *cmd, uint32_t number,
			 uint64_t offset, uint64_t len)
{
	struct umem *umem = hca_table_get(&hca->umems, number);
	uint64_t size;

	if (!umem || umem->uid != hca_cmd_uid(cmd))
		return NULL;
	size = ((uint64_t)umem->pages.count << umem->pages.log_page_size) - umem->pages.offset;
	return offset <= size && len <= size - offset ? umem : NULL;
}

enum hca_cmd_status hca_umem_pages(struct hca *hca, struct hca_cmd *cmd, uint32_t number,
				   uint64_t offset, uint64_t bytes, struct hca_pages *pages)
{
	struct umem *umem = find(hca, cmd, number, offset, bytes);

	if (!umem)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x10000b);
	*pages = umem->pages;
	pages->offset += offset;
	pages->users = &umem->users;
	umem->users++;
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_umem_record(struct hca *hca, struct hca_cmd *cmd, uint32_t number,
				    struct hca_record *record)
{
	struct umem *umem = find(hca, cmd, number, record->addr, 8);

	/* In memory, not only in the umem: a record must not go on in the page behind. */
	if (!umem || (record->addr + umem->pages.offset) % 8 ||
	    !hca_pages_allow(&umem->pages, record->addr, false))
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
