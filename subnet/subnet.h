/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The InfiniBand subnet between the HCA functions: one switch, whose port 0 is the subnet manager
 * and the subnet administrator. It forwards datagrams by LID and by multicast group, and answers SA
 * queries (IBA 1.5, chapter 15) on QP1 of its own LID. It knows nothing of HCAs: a port is a LID, a
 * GUID and a function that takes what arrives.
 *
 * One thread calls everything here; only subnet_count() and subnet_groups() are safe from others.
 */
#ifndef SUBNET_SUBNET_H
#define SUBNET_SUBNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUBNET_PORTS	    64u
#define SUBNET_SM_LID	    0xbfffu /* the highest unicast LID: ports count from 1 */
#define SUBNET_LID_MAX	    (SUBNET_SM_LID - 1)
#define SUBNET_MLID_FIRST   0xc000u
#define SUBNET_GID_PREFIX   0xfe80000000000000u
#define SUBNET_P_KEY	    0xffffu /* the only partition */
#define SUBNET_QP1	    1u
#define SUBNET_QP1_Q_KEY    0x80010000u
#define SUBNET_QP_MULTICAST 0xffffffu
#define SUBNET_GRH_LEN	    40u
#define SUBNET_MTU	    4096u
#define SUBNET_TIMEOUT	    18u /* 4.096 us << 18: about a second */

/*
 * The share of each port, which no other can take from it. Beyond it a join is refused
 * (ERR_NO_RESOURCES), and a MAD is lost and counted as SUBNET_BUSY: its sender asks again.
 */
#define SUBNET_PORT_GROUPS  64u	  /* multicast groups of which it is a member */
#define SUBNET_PORT_ANSWERS 8u	  /* tables that it has not acknowledged yet */
#define SUBNET_PORT_WORK    4096u /* records looked at for it between two calls of subnet_poll() */
#define SUBNET_PORT_BURST   32u	  /* segments of its tables sent in one call of anything here */

/* A datagram under way. */
struct subnet_packet {
	uint16_t slid, dlid;
	uint8_t sl;
	uint16_t p_key;
	uint32_t src_qpn, dest_qpn, q_key;
	bool solicited, has_imm, grh;
	uint32_t imm;
	const uint8_t *data; /* SUBNET_GRH_LEN bytes, the GRH if there is one, then the payload */
	size_t len;	     /* of the payload, 0..SUBNET_MTU */
};

struct subnet;
struct subnet_port;

struct subnet_port_attr {
	uint16_t lid;	  /* 1..SUBNET_LID_MAX, unique */
	uint64_t guid;	  /* of port and node, not 0, unique */
	const char *name; /* node description, at most 63 characters; outlives the port */
	uint16_t device_id;
	void *owner;
	/* @packet is the caller's. It may answer by subnet_send(). */
	void (*deliver)(void *owner, const struct subnet_packet *packet);
};

/* NULL: out of memory. */
struct subnet *subnet_new(void);
/* All ports have been removed. NULL is fine. */
void subnet_free(struct subnet *subnet);

/*
 * The new port's link is up. NULL with errno: EEXIST the LID or GUID is taken, EINVAL it is none,
 * ENOSPC no port of the switch is free.
 */
struct subnet_port *subnet_add(struct subnet *subnet, const struct subnet_port_attr *attr);
/* The port's multicast memberships end with it. NULL is fine. */
void subnet_remove(struct subnet_port *port);
/* A link that is down carries nothing, and its memberships are gone. */
void subnet_set_link(struct subnet_port *port, bool up);
/* Whoever was behind @port is gone: so are its memberships, and tables on the way to it. */
void subnet_forget(struct subnet_port *port);

/* Owner of the port with @guid, or of that with @lid when @guid is 0, if its link is up; or NULL.
 */
void *subnet_find(struct subnet *subnet, uint16_t lid, uint64_t guid);
/* Whether @port's link is up. */
bool subnet_link(const struct subnet_port *port);

/*
 * Carry @packet from @from. What nobody takes is lost, as on a wire. Multicast goes to the members
 * of the group that have joined, but not back to @from: an adapter loops back by itself.
 */
void subnet_send(struct subnet_port *from, const struct subnet_packet *packet);

/*
 * Send the rest of tables, and again what was not acknowledged; the ports may ask for new work.
 * @now_ns: CLOCK_MONOTONIC. Returns whether it sent.
 */
bool subnet_poll(struct subnet *subnet, uint64_t now_ns);

/* What the administrator has seen: MADs that it answered, and those dropped, by cause. */
enum subnet_counter {
	SUBNET_QUERIES, /* answered, with whatever status */
	SUBNET_LENGTH,	/* not 256 bytes */
	SUBNET_VERSION, /* base, class or RMPP version */
	SUBNET_CLASS,	/* not SubnAdm */
	SUBNET_METHOD,	/* a response, or nothing that has one */
	SUBNET_RMPP,	/* out of place: a request in segments, an unknown type */
	SUBNET_KEY,	/* Q_Key or SM_Key of another */
	SUBNET_BUSY,	/* more than the port's share */
	SUBNET_COUNTERS,
};
extern const char *const subnet_counter_names[SUBNET_COUNTERS];
uint64_t subnet_count(struct subnet *subnet, enum subnet_counter counter);

struct subnet_group {
	uint8_t mgid[16];
	uint16_t mlid;
	unsigned int members; /* ports */
};
/* Up to @size groups into @group; returns how many there are. */
unsigned int subnet_groups(struct subnet *subnet, struct subnet_group *group, unsigned int size);

#endif
