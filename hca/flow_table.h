/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flow tables: what becomes of RDMA packets before they leave the function (RDMA TX) and after they
 * came to it (RDMA RX). A packet starts at the root table of its side. The first entry of a table
 * takes it, since every entry matches every packet: this model refuses match criteria. A packet
 * that no table takes or that there is no root for goes its way.
 *
 * An Ethernet port has tables for its frames, too (NIC TX, NIC RX): their groups have a mask over
 * the headers of a frame, and their entries what is to be there. Of the entries that match, the one
 * with the lowest index takes the frame. Received frames end at TIRs; what no table takes is
 * dropped.
 */
#ifndef HCA_FLOW_TABLE_H
#define HCA_FLOW_TABLE_H

#include "hca/eth_edit.h"
#include "hca/model.h"

#define HCA_FLOW_LOG_TABLES 10u
#define HCA_FLOW_LOG_SIZE   16u	  /* entries of a table */
#define HCA_FLOW_GROUPS	    1024u /* of a table; the driver makes a handful */
#define HCA_FLOW_LEVEL_MAX  255u  /* packets go from lower to higher levels only */

/* Of tables for frames: groups of a table; TIRs of an entry, and that a frame goes to in all. */
#define HCA_FLOW_MASKS 64u
#define HCA_FLOW_TIRS  8u
/* Groups and entries that a frame is compared with; one that has not arrived by then is dropped. */
#define HCA_FLOW_WALK 4096u
#define HCA_FLOW_HASH 64u /* lists of a group's entries */

/* Of reformats, and of modify headers: how many, and what is in one. */
#define HCA_FLOW_HEADERS_LOG 10u
#define HCA_FLOW_HEADER_MAX  128u /* bytes that come in front of a frame */
#define HCA_FLOW_ACTIONS     16u  /* fields that are set */
#define HCA_FLOW_CHANGES     8u	  /* entries that change one frame; behind more it is dropped */

/* reformat_type */
#define HCA_REFORMAT_L2_TO_L2_TUNNEL 2u
#define HCA_REFORMAT_L3_TUNNEL_TO_L2 3u
#define HCA_REFORMAT_L2_TO_L3_TUNNEL 4u

/* A packet reformat or a modify header of a program or the driver. */
struct hca_flow_header {
	uint32_t number;
	uint16_t uid;	/* user context that made it, 0: the driver */
	uint32_t users; /* entries */
	enum hca_side side;
	uint8_t type; /* HCA_REFORMAT_*; of modify headers 0 */
	uint32_t len;
	uint8_t data[]; /* a header, or set_action_in one after the other */
};

struct hca_flow_counter {
	uint16_t uid;	/* user context that owns it, 0: the driver */
	uint32_t users; /* entries that count with it */
	uint32_t bulk;	/* allocated together, of the first one; 0: of the others */
	uint64_t packets, octets;
};

struct hca_flow_entry {
	uint32_t index, group;
	uint16_t action;
	struct hca_flow_table *to; /* NULL unless the action is to forward */
	struct hca_flow_counter *counter;
	uint32_t counter_number;
	/* NIC RX and TX: */
	struct hca_flow_entry *next; /* in the list of its group */
	struct hca_tir *tir[HCA_FLOW_TIRS];
	unsigned int tirs;
	uint32_t tag;
	bool decap;			  /* RX: the frame in an L2 tunnel is left */
	struct hca_flow_header *reformat; /* what else becomes of the frame; NULL: nothing */
	struct hca_flow_header *modify;
	uint8_t value[HCA_FRAME_KEY];
};

struct hca_flow_group {
	uint32_t start, end; /* indices of its entries */
	uint32_t entries;
	struct hca_flow_entry **hash; /* NIC RX and TX: HCA_FLOW_HASH lists */
	uint8_t mask[HCA_FRAME_KEY];
};

/* Where a frame goes. */
struct hca_flow_route {
	bool dropped;
	uint32_t tag; /* of the entry that named the last TIR */
	unsigned int tirs;
	struct hca_tir *tir[HCA_FLOW_TIRS];
};

struct hca_flow_table {
	uint32_t number;
	uint16_t uid; /* as above */
	enum hca_side side;
	uint8_t level, log_size;
	uint32_t flags;		     /* reformat_en, decap_en, where they are */
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

/* Tables of @side are for the frames of an Ethernet port. */
static inline bool hca_flow_is_nic(enum hca_side side)
{
	return side == HCA_NIC_RX || side == HCA_NIC_TX;
}

/*
 * hca_flow_route() - send the frame of @edit through the tables of @side, which is one for frames;
 * entries may change it. What no table of NIC RX takes is dropped. Charges the turn's work by what
 * it looked at, at most HCA_FLOW_WALK, and what was changed.
 */
void hca_flow_route(struct hca *hca, enum hca_side side, struct hca_edit *edit,
		    struct hca_flow_route *route);
/* flow_header.c: @entry changes the frame as it says. False: it cannot, and the frame is lost. */
bool hca_flow_change(struct hca *hca, const struct hca_flow_entry *entry, struct hca_edit *edit);
/*
 * hca_flow_header_find() - number @number of @table, hca.reformats or hca.modify_headers, for an
 * entry of @side; HCA_CMD_BAD_RESOURCE when there is none that the command's context may name.
 */
enum hca_cmd_status hca_flow_header_find(struct hca_cmd *cmd, const struct hca_table *table,
					 uint32_t number, enum hca_side side,
					 struct hca_flow_header **header);
/* @entry is found by its value from now on, which becomes what the mask of @group leaves of it. */
void hca_flow_hash_add(struct hca_flow_group *group, struct hca_flow_entry *entry);
void hca_flow_hash_remove(struct hca_flow_group *group, struct hca_flow_entry *entry);

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
