/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of the subnet. */
#ifndef SUBNET_INTERNAL_H
#define SUBNET_INTERNAL_H

#include <pthread.h>

#include "subnet/mad.h"
#include "subnet/record.h"
#include "subnet/subnet.h"

#define SM_GUID (0x0200740068000000u | SUBNET_SM_LID)
/* What makes a requester one that sees all: the key that infiniband-diags and OpenSM have in
 * common. */
#define SM_KEY 1u

/* Each port's share and the broadcast group: a group lives by its members. */
#define GROUPS (SUBNET_PORTS * SUBNET_PORT_GROUPS + 1u)

struct answer; /* rmpp.c */

struct subnet_port {
	struct subnet *subnet;
	struct subnet_port_attr attr;
	bool up;
	unsigned int number;	/* of the switch's port that it is connected to, from 1 */
	unsigned int groups;	/* of which it is a member */
	unsigned int work;	/* records that may be looked at for it */
	struct answer *answers; /* on the way to it */
};

/* Join states, bits. */
enum join {
	JOIN_FULL = 1,
	JOIN_NON = 2,
	JOIN_SEND_ONLY_NON = 4,
	JOIN_SEND_ONLY_FULL = 8,
	JOIN_KEEPS = JOIN_FULL | JOIN_SEND_ONLY_FULL, /* the group lives as long as one is there */
	JOIN_RECEIVES = JOIN_FULL | JOIN_NON,
	JOIN_ALL = 15,
};

struct group {
	uint8_t record[MC_MEMBER_LEN]; /* without PortGID, JoinState */
	uint8_t member[SUBNET_PORTS];  /* by port number - 1: enum join */
	bool permanent;
};

struct subnet {
	struct subnet_port *port[SUBNET_PORTS]; /* number - 1 */
	struct group *group[GROUPS];		/* MLID - SUBNET_MLID_FIRST */
	unsigned int groups_end;		/* none from here on */
	bool replying;				/* attr.deliver() has what the administrator sent */
	/* What subnet_count() and subnet_groups() read: written under it only. */
	pthread_mutex_t lock;
	uint64_t counter[SUBNET_COUNTERS];
};

/* reply.c: a MAD from the administrator to whom @request came from. */
void subnet_reply(struct subnet_port *to, const struct subnet_packet *request,
		  const uint8_t mad[MAD_LEN]);

/* sa.c: @packet came for QP1 of the administrator. */
void sa_receive(struct subnet_port *from, const struct subnet_packet *packet);
void sa_count(struct subnet *subnet, enum subnet_counter counter);

/* group.c. */
/* The IPoIB broadcast group, which is always there. False: out of memory. */
bool group_init(struct subnet *subnet);
void group_fini(struct subnet *subnet);
void group_forget(struct subnet_port *port);
/* The group of @mlid, or NULL. */
struct group *group_find(struct subnet *subnet, uint16_t mlid);
/*
 * Join or leave as the record in @mad says, sent by @from; @record gets what the answer carries.
 * Return a status.
 */
uint16_t group_join(struct subnet_port *from, const struct sa_mad *mad,
		    uint8_t record[MC_MEMBER_LEN]);
uint16_t group_leave(struct subnet_port *from, const struct sa_mad *mad,
		     uint8_t record[MC_MEMBER_LEN]);
/* Offer groups, or with @members each member, to @records. */
void group_records(struct subnet *subnet, bool members, struct records *records);

/* rmpp.c: answers of more than one segment. */
/* Takes over @records.data, of @records.count records. @mad: the answer's header. */
void rmpp_answer(struct subnet_port *to, const struct subnet_packet *request,
		 const struct sa_mad *mad, struct records *records);
/* @mad is an ACK, STOP or ABORT. */
void rmpp_receive(struct subnet_port *from, const struct subnet_packet *packet,
		  const struct sa_mad *mad);
void rmpp_forget(struct subnet_port *port);
/* See subnet_poll(). */
bool rmpp_poll(struct subnet_port *port, uint64_t now_ns);

#endif
