/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of the control plane: commands, registers and capabilities. */
#ifndef HCA_CMD_H
#define HCA_CMD_H

#include "hca/layout.h"
#include "hca/model.h"

/* First input byte after the generic header and the fixed part: contexts and page lists. */
#define HCA_CMD_CONTEXT	   0x10u
#define HCA_CMD_PAGES	   0x110u
#define HCA_CMD_UMEM_PAGES 0x30u /* of CREATE_UMEM */

#define HCA_QPN_FIRST 0x40u

#define HCA_FW_MAJOR	28u
#define HCA_FW_MINOR	1u
#define HCA_FW_SUBMINOR 1000u
#define HCA_PSID	"TPH0000000001" /* of the board */

/*
 * hca_cmd_poll() - go on with the commands that the driver has rung for: one after the other, each
 * in as many turns as its mailboxes take, for at most half of the work of a turn. Deliver output
 * and event. What goes wrong is reported to the driver as delivery status; a slot that the driver
 * does not own is left alone (a doorbell too many). Returns whether anything was done.
 */
bool hca_cmd_poll(struct hca *hca);
/* What is under way ends here, without output: reset. Its memory is given back. */
void hca_cmd_abandon(struct hca *hca);

/* A failed check: sets the syndrome and returns @status. Syndromes are of our own making. */
static inline enum hca_cmd_status hca_cmd_fail(struct hca_cmd *cmd, enum hca_cmd_status status,
					       uint32_t syndrome)
{
	cmd->syndrome = syndrome;
	return status;
}

/* Number in dw2[23:0], where most commands have it. */
static inline uint32_t hca_cmd_number(const struct hca_cmd *cmd)
{
	return field_get(cmd->in, CMD_NUMBER);
}

/*
 * hca_cmd_add() - hca_table_add() for a command: HCA_CMD_LIMIT when all numbers are taken,
 * HCA_CMD_NO_RESOURCES when the table cannot grow. *@number is 0 then.
 */
enum hca_cmd_status hca_cmd_add(struct hca *hca, struct hca_cmd *cmd, struct hca_table *table,
				uint32_t first, void *object, uint32_t *number); /* object.c */
/* Forget all numbers of @table; the objects are the caller's. */
void hca_table_clear(struct hca *hca, struct hca_table *table);
/*
 * hca_cmd_take_list() - the first @len bytes of the list (there are as many) become the caller's,
 * to be released by hca_release(). The command has none any more.
 */
uint8_t *hca_cmd_take_list(struct hca *hca, struct hca_cmd *cmd, uint32_t len);

/* What the driver calls its own resources that user contexts share: it is no context. */
#define HCA_UID_SHARED 0xffffu

/* User context of the command, 0: the driver. */
static inline uint16_t hca_cmd_uid(const struct hca_cmd *cmd)
{
	uint16_t uid = be16_at(cmd->in, CMD_UID);

	return uid == HCA_UID_SHARED ? 0 : uid;
}

/* The driver may name everything, a user context what it made itself. */
static inline bool hca_cmd_owns(const struct hca_cmd *cmd, uint16_t owner)
{
	return !hca_cmd_uid(cmd) || hca_cmd_uid(cmd) == owner;
}

/* uctx.cap: the context may have tables of the RDMA transport, of its own function, of others. */
#define HCA_UCTX_RDMA_CTRL	 (1u << 3)
#define HCA_UCTX_RDMA_CTRL_OTHER (1u << 4)

/* An object that is no more than a number: UAR, PD, XRCD, user context, range of QP numbers. */
struct hca_plain {
	uint16_t uid;	/* user context that made it, 0: the driver */
	uint32_t users; /* objects that name it: it cannot go before them */
	uint32_t cap;	/* of a user context: HCA_UCTX_* */
};

/* plain.c: the object @number of @table if the command may name it, or NULL. */
struct hca_plain *hca_plain_find(const struct hca_cmd *cmd, const struct hca_table *table,
				 uint32_t number);
/* A new one in @table; its number also goes to dw2 of the output. */
enum hca_cmd_status hca_plain_alloc(struct hca *hca, struct hca_cmd *cmd, struct hca_table *table,
				    uint32_t first, uint32_t *number);
/* HCA_CMD_BAD_RESOURCE, HCA_CMD_BAD_RES_STATE while it is in use. */
enum hca_cmd_status hca_plain_dealloc(struct hca *hca, struct hca_cmd *cmd, struct hca_table *table,
				      uint32_t number);
/* One user more (@change 1) or less (-1) of plain object @number; nothing when there is none. */
void hca_plain_hold(const struct hca_table *table, uint32_t number, int change);

/* Give @qp's memory back; what it names is not told, see the hold functions below. */
void hca_qp_free(struct hca *hca, struct hca_qp *qp);
/* Count @qp (@change 1), or do so no more (-1), in all that it names: they cannot go before it. */
void hca_qp_hold(const struct hca_qp *qp, int change);
/* The same for one CQ; nothing when there is none of that number. */
void hca_cq_hold(struct hca *hca, uint32_t cqn, int change);
/* The CQ @cqn if the command may name it: its own, or also the driver's when @shared. Or NULL. */
struct hca_cq *hca_cq_find(struct hca *hca, const struct hca_cmd *cmd, uint32_t cqn, bool shared);

/* ud_recv.c: deliver what waits, as far as the turn goes. Returns whether anything was done. */
bool hca_ud_poll(struct hca *hca);

/* mmio.c: BAR0, on the transport's thread. */
extern const struct pcie_function_ops hca_function_ops;
/* An 8-byte doorbell in a UAR page, as hca_poll() hands it out. */
#define HCA_UAR_CQ_ARM	  0x20u
#define HCA_UAR_EQ_ARM	  0x40u /* EQ number in [31:24], consumer index in [23:0] */
#define HCA_UAR_EQ_UPDATE 0x48u /* the same, but does not arm */
#define HCA_UAR_SQ	  0x800u

/* caps.c: back to what a device has after reset. */
void hca_caps_reset(struct hca *hca);
/* port.c: back to the port's state after reset. */
void hca_port_reset(struct hca *hca);

#endif
