/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The InfiniBand subnet between the HCA functions: one switch, whose port 0 is the subnet manager
 * and the subnet administrator. It forwards by its linear and its multicast forwarding table,
 * answers SA queries (IBA 1.5, chapter 15) on QP1 of its own LID, and SMPs (chapter 14) for itself
 * and for each port, as the firmware of an adapter does. It knows nothing of HCAs: a port is a LID,
 * a GUID and a function that takes what arrives.
 *
 * Another subnet manager may run on a port: as soon as one says so (IsSM), that of the switch
 * stands by, and ports and tables are as the other one sets them; when no port says so any more, or
 * none that does can be reached for three seconds, the subnet becomes again what it was.
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
#define SUBNET_QP0	    0u
#define SUBNET_QP1	    1u
#define SUBNET_QP1_Q_KEY    0x80010000u
#define SUBNET_QP_MULTICAST 0xffffffu
#define SUBNET_GRH_LEN	    40u
#define SUBNET_MTU	    4096u
#define SUBNET_TIMEOUT	    18u	 /* 4.096 us << 18: about a second */
#define SUBNET_MAD	    256u /* bytes of a MAD */
#define SUBNET_GUIDS	    8u	 /* of a port */
#define SUBNET_P_KEYS	    128u /* of a port */
#define SUBNET_DESCRIPTION  64u	 /* bytes */

/*
 * The share of each port, which no other can take from it. Beyond it a join is refused
 * (ERR_NO_RESOURCES), and a MAD is lost and counted as SUBNET_BUSY: its sender asks again.
 */
#define SUBNET_PORT_GROUPS   64u   /* multicast groups of which it is a member */
#define SUBNET_PORT_ANSWERS  8u	   /* tables that it has not acknowledged yet */
#define SUBNET_PORT_WORK     4096u /* records looked at for it between two calls of subnet_poll() */
#define SUBNET_PORT_BURST    32u   /* segments of its tables sent in one call of anything here */
#define SUBNET_PORT_SERVICES 16u   /* ServiceRecords */

/* A datagram under way. */
struct subnet_packet {
	uint16_t slid, dlid;
	uint8_t sl;
	uint16_t p_key;
	uint32_t src_qpn, dest_qpn, q_key;
	uint32_t psn; /* 24 bits */
	bool solicited, has_imm, grh;
	uint32_t imm;
	const uint8_t *data; /* SUBNET_GRH_LEN bytes, the GRH if there is one, then the payload */
	size_t len;	     /* of the payload, 0..SUBNET_MTU */
};

struct subnet;
struct subnet_port;

/* Octets and packets that an adapter has sent ([0]) and received ([1]). */
struct subnet_traffic {
	uint64_t octets[2], unicast[2], multicast[2];
};

struct subnet_port_attr {
	uint16_t lid;	  /* 1..SUBNET_LID_MAX, unique; what the switch's manager assigns */
	uint64_t guid;	  /* of port and node, not 0, unique */
	const char *name; /* in the first node description; outlives the port */
	uint16_t device_id;
	void *owner;
	/* @packet is the caller's. It may answer by subnet_send(). */
	void (*deliver)(void *owner, const struct subnet_packet *packet);
	/* What leaves by the port's link, before anybody gets it; NULL if nobody asks. */
	void (*leaves)(void *owner, const struct subnet_packet *packet);
	/* What the port has counted; NULL if it counts nothing. */
	void (*traffic)(void *owner, struct subnet_traffic *traffic);
};

/* NULL: out of memory. */
struct subnet *subnet_new(void);
/*
 * The MTU of the IPoIB broadcast group, as an interface shows it: 2044 (as created) or 4092 bytes.
 * Before anybody joins. -EINVAL: another value.
 */
int subnet_set_ipoib_mtu(struct subnet *subnet, unsigned int mtu);
/* All ports have been removed. NULL is fine. */
void subnet_free(struct subnet *subnet);

/*
 * The new port's cable is plugged in. NULL with errno: EEXIST the LID or GUID is taken, EINVAL it
 * is none, ENOSPC no port of the switch is free.
 */
struct subnet_port *subnet_add(struct subnet *subnet, const struct subnet_port_attr *attr);
/* The port's multicast memberships end with it. NULL is fine. */
void subnet_remove(struct subnet_port *port);
/* Plug the cable in, or pull it. A link that is down carries nothing, its memberships are gone. */
void subnet_set_link(struct subnet_port *port, bool up);
/* Whether @port's cable is plugged in. */
bool subnet_plugged(const struct subnet_port *port);
/*
 * Whoever was behind @port is gone: so are its memberships, services, what managers have set and
 * what it said of itself, and tables on the way to it. The link trains anew.
 */
void subnet_forget(struct subnet_port *port);

/* The port's state: PortInfo of IBA 1.5, 14.2.5.6, with its encodings. */
struct subnet_port_state {
	uint64_t prefix;       /* of GIDs */
	uint32_t capabilities; /* CapabilityMask */
	uint16_t lid, sm_lid;
	uint8_t lmc, sm_sl, timeout;
	uint8_t state;	   /* 1 down, 2 init, 3 armed, 4 active */
	uint8_t phys;	   /* 2 polling, 3 disabled, 5 link up */
	uint8_t width;	   /* 1 1X, 2 4X */
	uint8_t speed;	   /* LinkSpeedActive: 1, 2, 4 */
	uint8_t ext_speed; /* LinkSpeedExtActive: 0 none, 1 FDR ... 8 NDR */
};
void subnet_port_state(const struct subnet_port *port, struct subnet_port_state *state);
/* Entry @index of the port's tables; 0 where there is none. */
uint64_t subnet_guid(const struct subnet_port *port, unsigned int index);
uint16_t subnet_p_key(const struct subnet_port *port, unsigned int index);

/* What has changed at the port since the last call: bits. */
enum subnet_event {
	SUBNET_DOWN = 1,
	SUBNET_INIT = 2,   /* after SUBNET_DOWN, if both are set */
	SUBNET_ACTIVE = 4, /* the last of these */
	SUBNET_LID = 8,	   /* the port's, or that of its manager */
	SUBNET_P_KEY_TABLE = 16,
	SUBNET_GUID_TABLE = 32,
	SUBNET_REREGISTER = 64,
};
unsigned int subnet_take_events(struct subnet_port *port);

/* What the port says of itself: bits of CapabilityMask beside those that each port has. */
void subnet_set_capabilities(struct subnet_port *port, uint32_t mask);
/* The node description: @text, SUBNET_DESCRIPTION bytes. */
void subnet_describe(struct subnet_port *port, const char *text);
/*
 * Let the port's management agent answer the SMP @request (SUBNET_MAD bytes), which its own host
 * has: @answer gets what comes back. False: nothing does (TrapRepress).
 */
bool subnet_execute(struct subnet_port *port, const uint8_t *request, uint8_t *answer);

/*
 * Owner of the port with @guid, or of that to which the switch forwards @lid when @guid is 0, if
 * its link is active; or NULL.
 */
void *subnet_find(struct subnet *subnet, uint16_t lid, uint64_t guid);
/* Whether @port's link is active: data goes over it. */
bool subnet_link(const struct subnet_port *port);

/*
 * Carry @packet from @from. What nobody takes is lost, as on a wire. Multicast goes to the ports in
 * the switch's table, but not back to @from: an adapter loops back by itself. What is for QP0 is an
 * SMP; it is carried by any link that is up.
 */
void subnet_send(struct subnet_port *from, const struct subnet_packet *packet);

/*
 * Send the rest of tables, and again what was not acknowledged; the ports may ask for new work.
 * @now_ns: CLOCK_MONOTONIC. Returns whether it sent.
 */
bool subnet_poll(struct subnet *subnet, uint64_t now_ns);

/* What QP1 of the switch has seen: MADs that it answered, and those dropped, by cause. */
enum subnet_counter {
	SUBNET_QUERIES, /* answered, with whatever status */
	SUBNET_LENGTH,	/* not 256 bytes */
	SUBNET_VERSION, /* base, class or RMPP version */
	SUBNET_CLASS,	/* nothing that the switch has */
	SUBNET_METHOD,	/* a response, or nothing that has one */
	SUBNET_RMPP,	/* out of place: a request in segments, an unknown type */
	SUBNET_KEY,	/* Q_Key or SM_Key of another */
	SUBNET_BUSY,	/* more than the port's share */
	SUBNET_STANDBY, /* another manager is there */
	SUBNET_SMP,	/* an SMP that leads nowhere, or is none */
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
