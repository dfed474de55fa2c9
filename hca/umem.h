/* SPDX-License-Identifier: GPL-2.0-only */
/* Queue buffers and doorbell records in memory that a program registered (umem). */
#ifndef HCA_UMEM_H
#define HCA_UMEM_H

#include "hca/model.h"

/*
 * hca_umem_pages() - the buffer of @bytes at byte @offset of umem @number, whose page list it
 * shares and which stays in use until hca_pages_free(). The umem must belong to the command's user
 * context. HCA_CMD_BAD_RESOURCE when it does not, or is too small; @pages is left alone then.
 */
enum hca_cmd_status hca_umem_pages(struct hca *hca, struct hca_cmd *cmd, uint32_t number,
				   uint64_t offset, uint64_t bytes, struct hca_pages *pages);
/*
 * hca_umem_record() - @record->addr is a byte of umem @number and becomes its DMA address. In use
 * until hca_record_free(). Errors as above.
 */
enum hca_cmd_status hca_umem_record(struct hca *hca, struct hca_cmd *cmd, uint32_t number,
				    struct hca_record *record);
void hca_record_free(struct hca_record *record);

#endif
