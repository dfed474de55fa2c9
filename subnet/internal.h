/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of the subnet. */
#ifndef SUBNET_INTERNAL_H
#define SUBNET_INTERNAL_H

#include <pthread.h>

#include "subnet/mad.h"
#include "subnet/record.h"
#include "subnet/smp.h"
#include "subnet/subnet.h"

#define SM_GUID (0x0200740068000000u | SUBNET_SM_LID)
/* What makes a requester one that sees all: the key that infiniband-diags and OpenSM have in
 * common. */
#define SM_KEY 1u

/* Each port's share and the broadcast group: a group lives by its members. */
#define GROUPS (SUBNET_PORTS * SUBNET_PORT_GROUPS + 1u)

/* Forwarding tables: LIDs, and groups in blocks of 32; ports in masks of 16. */
#define LFT_SIZE      SUBNET_MLID_FIRST
#define LFT_BLOCK     64u
#define LFT_NONE      255u
#define MFT_BLOCK     32u
#define MFT_SIZE      ((GROUPS + MFT_BLOCK - 1) / MFT_BLOCK * MFT_BLOCK)
#define MFT_POSITIONS (SUBNET_PORTS / 16 + 1)

#define P_KEY_BLOCK 32u

struct answer;	/* rmpp.c */
struct service; /* service.c */

/* One end of a link: what its PortInfo says. */
struct end {
	uint8_t state, phys;
	uint8_t wanted;	      /* physical state: PHYS_POLLING, or one that keeps the link down */
	uint8_t down_default; /* PHYS_POLLING, PHYS_SLEEP */
	uint16_t lid, sm_lid;
	uint8_t lmc, sm_sl, timeout;
	uint64_t prefix;
	uint8_t width_enabled, speed_enabled, ext_enabled;
	uint8_t width, speed, ext; /* active */
	uint8_t neighbor_mtu, high_limit;
};

struct subnet_port {
	struct subnet *subnet;
	struct subnet_port_attr attr;
	bool plugged;
	struct end end; /* the adapter's */
	uint64_t guid[SUBNET_GUIDS];
	uint16_t p_key[SUBNET_P_KEYS];
	uint32_t capabilities;
	char description[SUBNET_DESCRIPTION];
	unsigned int events;	/* enum subnet_event */
	unsigned int number;	/* of the switch's port that it is connected to, from 1 */
	unsigned int groups;	/* of which it is a member */
	unsigned int work;	/* records that may be looked at for it */
	struct answer *answers; /* on the way to it */
	struct service *services;
	struct subnet_traffic base; /* from which the switch counts */
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

/* What SMPs set of the switch. */
struct fabric_switch {
	struct end end[SUBNET_PORTS + 1]; /* by port, 0 its own */
	uint16_t p_key[SUBNET_P_KEYS];	  /* of port 0 */
	uint16_t lft_top, mft_top;
	uint8_t lifetime;
	bool changed; /* a port's state has, see SwitchInfo.PortStateChange */
	uint8_t lft[LFT_SIZE];
	uint16_t mft[MFT_SIZE][MFT_POSITIONS];
	uint32_t traps; /* sent */
};

struct subnet {
	struct subnet_port *port[SUBNET_PORTS]; /* number - 1 */
	struct fabric_switch sw;
	uint8_t sm_state;
	uint64_t poll_ns;	     /* of the last poll */
	uint64_t reached_ns;	     /* when another manager was in reach */
	struct group *group[GROUPS]; /* MLID - SUBNET_MLID_FIRST */
	unsigned int groups_end;     /* none from here on */
	bool replying;		     /* attr.deliver() has what the administrator sent */
	/* What subnet_count() and subnet_groups() read: written under it only. */
	pthread_mutex_t lock;
	uint64_t counter[SUBNET_COUNTERS];
};

/* link.c */
/* As it is after power-on: down, nothing assigned. */
void end_init(struct end *end);
/* The port's tables and what it said of itself, as after power-on. */
void port_init(struct subnet_port *port);
/* Bring the link of switch port @number up or down, as both ends want it. */
void link_update(struct subnet *subnet, unsigned int number);
/* Take it down, if it is up; link_update() may bring it up again. */
void link_drop(struct subnet *subnet, unsigned int number);
/* Move both ends' state; tells the port. */
void end_set_state(struct subnet *subnet, unsigned int number, bool adapter, uint8_t state);
/* Rate of the link as records encode it. */
uint8_t end_rate(const struct end *end);

/* node.c: attributes of the switch (@port NULL) or of an adapter's port. */
#define NODE_INFO_LEN	40u
#define SWITCH_INFO_LEN 20u
void node_info(const struct subnet_port *port, uint8_t local_port, uint8_t info[NODE_INFO_LEN]);
void node_description(const struct subnet_port *port, uint8_t text[SUBNET_DESCRIPTION]);
void port_info(const struct subnet *subnet, const struct subnet_port *port, uint8_t number,
	       uint8_t info[SMP_DATA_LEN]);
void switch_info(const struct subnet *subnet, uint8_t info[SWITCH_INFO_LEN]);
/* Blocks; false: there is none of that number. */
bool guid_block(const struct subnet_port *port, uint32_t block, uint8_t data[SMP_DATA_LEN]);
bool p_key_block(const struct subnet *subnet, const struct subnet_port *port, uint32_t block,
		 uint8_t data[SMP_DATA_LEN]);
bool lft_block(const struct subnet *subnet, uint32_t block, uint8_t data[SMP_DATA_LEN]);
bool mft_block(const struct subnet *subnet, uint32_t block, uint32_t position,
	       uint8_t data[SMP_DATA_LEN]);

/*
 * sma.c: execute the Get or Set in @smp in place, on the switch (@port NULL) or an adapter's port,
 * where it came in by @local_port. Returns its status; the data is what the answer carries.
 */
uint16_t sma_execute(struct subnet *subnet, struct subnet_port *port, uint8_t local_port,
		     uint8_t smp[MAD_LEN]);

/* smi.c: @packet is for QP0. */
void smi_receive(struct subnet_port *from, const struct subnet_packet *packet);
/* Send the SMP from the switch to the LID that manages it. */
void smi_trap(struct subnet *subnet, uint8_t smp[MAD_LEN]);

/* sm.c: the switch's manager. */
/* The LFT, the switch's port 0 and all links, as this manager has them. */
void sm_init(struct subnet *subnet);
/* A link has come up or gone down, or a port's capabilities have changed. */
void sm_update(struct subnet *subnet);
/* At each subnet_poll(). */
void sm_poll(struct subnet *subnet);
void sm_link_changed(struct subnet *subnet, unsigned int number);
/* The SMInfo of the manager. */
void sm_info(const struct subnet *subnet, uint8_t info[SMP_DATA_LEN]);

/* switch.c: tables. */
/* Port to which @lid goes, or LFT_NONE. */
uint8_t switch_route(const struct subnet *subnet, uint16_t lid);
bool mft_has(const struct subnet *subnet, uint16_t mlid, unsigned int number);
void mft_set(struct subnet *subnet, uint16_t mlid, unsigned int number, bool member);
/* The port to which the switch forwards @lid, if it is its LID; or NULL. Whatever the state. */
struct subnet_port *switch_find(const struct subnet *subnet, uint16_t lid);

/* pma.c: @packet has a MAD of performance management or of a vendor's class for the switch. */
void pma_receive(struct subnet_port *from, const struct subnet_packet *packet);

/* service.c: ServiceRecords. Return a status. */
uint16_t service_set(struct subnet_port *from, const struct sa_mad *mad, uint8_t *record);
uint16_t service_delete(struct subnet_port *from, const struct sa_mad *mad, uint8_t *record);
void service_records(struct subnet *subnet, struct records *records);
void service_forget(struct subnet_port *port);
/* Those whose lease is over end. */
void service_poll(struct subnet_port *port, uint64_t now_ns);

/* reply.c: a MAD from QP1 of the switch to whom @request came from. */
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
