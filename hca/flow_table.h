/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flow tables: what becomes of RDMA packets before they leave the function (RDMA TX) and after they
 * came to it (RDMA RX). A packet starts at the root table of its side. The first entry of a table
 * takes it, since every entry matches every packet: this model refuses match criteria. A packet
 * that no table takes or that there is no root for goes its way.
 */
#ifndef HCA_FLOW_TABLE_H
#define HCA_FLOW_TABLE_H

#include "hca/model.h"

#define HCA_FLOW_LOG_TABLES 10u
#define HCA_FLOW_LOG_SIZE   16u	  /* entries of a table */
#define HCA_FLOW_GROUPS	    1024u /* of a table; the driver makes a handful */
#define HCA_FLOW_LEVEL_MAX  255u  /* packets go from lower to higher levels only */

struct hca_flow_counter {
	uint16_t uid;	/* user context that owns it, 0: the driver */
	uint32_t users; /* entries that count with it */
	uint64_t packets, octets;
};

struct hca_flow_entry {
	uint32_t index, group;
	uint16_t action;
	struct hca_flow_table *to; /* NULL unless the action is to forward */
	struct hca_flow_counter *counter;
	uint32_t counter_number;
};

struct hca_flow_group {
	uint32_t start, end; /* indices of its entries */
	uint32_t entries;
};

struct hca_flow_table {
	uint32_t number;
	uint16_t uid; /* as above */
	enum hca_side side;
	uint8_t level, log_size;
	struct hca_flow_table *miss; /* takes what no entry takes; NULL: nobody does */
	uint32_t users;		     /* entries and tables that send packets here */
	struct hca_table groups;
	struct hca_table entries;     /* by index + 1 */
	struct hca_flow_entry *first; /* of the lowest index: it takes all packets */
};

/*
 * hca_steer() - send @packets with @octets of payload (headers are not modelled, so they do not
 * count) through the tables of @side. They all share one fate. False when they are dropped.
 */
bool hca_steer(struct hca *hca, enum hca_side side, uint64_t packets, uint64_t octets);

/*
 * hca_flow_find() - the table that the command's header names; HCA_CMD_BAD_PARAM for a type or
 * vport that is not modelled, HCA_CMD_BAD_RESOURCE when there is none that its context may name.
 */
enum hca_cmd_status hca_flow_find(struct hca *hca, struct hca_cmd *cmd,
				  struct hca_flow_table **table);
/* The same for table @number, to which @from shall send packets: side and level have to fit. */
enum hca_cmd_status hca_flow_find_next(struct hca *hca, struct hca_cmd *cmd,
				       const struct hca_flow_table *from, uint32_t number,
				       struct hca_flow_table **table);
/* Something that hardware may have and this model has not: named, and refused. */
enum hca_cmd_status hca_flow_unmodelled(struct hca *hca, struct hca_cmd *cmd, const char *what,
					uint32_t value);
/* All bytes of the command's input in [@from, @to) are 0; those past its end count as 0. */
bool hca_flow_zero(const struct hca_cmd *cmd, uint32_t from, uint32_t to);

#endif
