/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Ethernet side of a function (hca_params.bridge): its port, the objects that mlx5e makes, and
 * frames. A send queue and a receive queue are QPs that have only one of the two (enum
 * hca_qp_type). Layouts: tisc, tirc, rqtc, sqc, rqc, wq, nic_vport_context of mlx5_ifc.h.
 */
#ifndef HCA_ETH_H
#define HCA_ETH_H

#include "hca/data.h"
#include "hca/eth_frame.h"
#include "hca/eth_layout.h"
#include "hca/model.h"
#include "packet/packet.h"
#include "switch/bridge.h"

/* What the driver adds to the MTU of its netdev: header, a tag, FCS. */
#define HCA_ETH_OVERHEAD  22u
#define HCA_ETH_FCS	  4u
#define HCA_ETH_MTU_MAX	  10000u /* of the port, with the overhead */
#define HCA_ETH_FRAME_MAX (HCA_ETH_MTU_MAX - HCA_ETH_FCS)
/* Bytes of a message that is sent as segments (max_lso_cap), besides its headers. */
#define HCA_ETH_LSO_LOG 16u

/* Bytes of sqc and rqc that are kept for queries: up to the page list. */
#define HCA_ETH_QUEUE_CONTEXT 0xe8u

#define HCA_RQT_LOG 9u /* entries of a table of receive queues */

#define HCA_LAG_PORTS 2u /* of a bond, that queues may be told to send by */

/* Frames that wait for a turn of this function. */
#define HCA_ETH_INBOX_FRAMES 4096u
#define HCA_ETH_INBOX_BYTES  (8u << 20)

struct hca_tis {
	uint32_t number;
	uint16_t uid;	/* user context that made it, 0: the driver */
	uint32_t users; /* send queues */
	uint32_t td;
	uint8_t prio;
	uint8_t lag_port; /* of a bond, 0: any; there is none, and it has no effect */
	bool strict_lag;
};

struct hca_rqt {
	uint32_t number;
	uint16_t uid;	/* as above */
	uint32_t users; /* TIRs */
	uint32_t max;	/* entries that there is room for */
	uint32_t actual;
	uint32_t *rqn; /* @max; of those from @actual on 0 */
};

struct hca_tir {
	uint32_t number;
	uint16_t uid;	/* as above */
	uint32_t users; /* flow table entries */
	uint32_t td;	/* 0: of no transport domain, so that no sender is of its own */
	bool indirect;
	uint32_t rqn, rqtn; /* by @indirect */
	uint8_t context[0xf0];
};

/* Frames and bytes by kind of their destination. */
enum hca_eth_cast { HCA_ETH_UNICAST, HCA_ETH_MULTICAST, HCA_ETH_BROADCAST, HCA_ETH_CASTS };

/* Sizes that RFC 2819 counts: to 64, 127, 255, 511, 1023, 1518, 2047, 4095, 8191, 10239 octets. */
#define HCA_ETH_SIZES 10u

/* Packets of connected QPs that came in frames and wait for turns of them. */
#define HCA_ROCE_PACKETS 4096u

/* Places in the table of RoCE addresses (roce_address_table_size). */
#define HCA_ROCE_ADDRESSES 128u

struct hca_roce_address {
	uint8_t gid[16]; /* all zero: none */
	uint8_t mac[6];
	bool tagged;
	uint16_t vlan;
};

/* What congested switches have said, see congestion.h. */
struct hca_congestion {
	uint64_t marked;   /* RoCE packets that came with CE */
	uint64_t cnp_sent; /* and the CNPs that answered them */
	/* CNPs that came: for a QP whose peer says so, and others. */
	uint64_t cnp_handled, cnp_ignored;
};

struct hca_eth_waiting;

struct hca_eth_inbox {
	struct hca_eth_waiting *head, *tail; /* @tail is valid while there is a head */
	uint32_t frames;
	uint64_t bytes;
	/* Of the first one: the queue that takes it, and what of it was checked, and moved. */
	uint32_t rqn;
	uint64_t checked, moved;
};

struct hca_eth {
	struct bridge_port *port;
	bool admin_up;				      /* PAOS */
	bool up;				      /* as the driver was told */
	uint16_t mtu;				      /* PMTU, with the overhead */
	uint8_t vport[0x100];			      /* nic_vport_context */
	struct hca_traffic traffic[2][HCA_ETH_CASTS]; /* by HCA_RX, HCA_TX */
	uint64_t sizes[HCA_ETH_SIZES];		      /* of received frames */
	uint64_t rx_lost, rx_long;    /* no room in the inbox; longer than the MTU */
	uint64_t rx_stray;	      /* no table took them */
	struct hca_traffic tx_errors; /* not sent: too short or long, by a flow table */
	struct hca_eth_inbox inbox;
	struct hca_roce_address address[HCA_ROCE_ADDRESSES];
	uint32_t roce_packets; /* at most HCA_ROCE_PACKETS */
	struct hca_congestion congestion;
};

/* --- the port (eth_port.c) --------------------------------------------------------------- */

/* Puts the port onto params.bridge. Returns 0 or -errno (ENOMEM, ENOSPC). */
int hca_eth_connect(struct hca *hca);
/* All objects are gone. NULL eth is fine. */
void hca_eth_free(struct hca *hca);
/* Back to the port's state after reset. */
void hca_eth_reset(struct hca *hca);
/* Whether frames pass: cable and administrator say so. */
static inline bool hca_eth_is_up(const struct hca *hca)
{
	return hca->eth->admin_up && bridge_link(hca->eth->port);
}

/* @cable as hca_set_link() left it: the driver is told what has changed. Returns whether anything.
 */
bool hca_eth_link(struct hca *hca, bool cable);
/* Counts one frame of @len bytes, and captures it: it leaves, or the function takes it. */
void hca_eth_count(struct hca *hca, enum hca_side side, const uint8_t *frame, size_t len);
/* The MTU of the vport, with the overhead: no frame is longer. */
static inline uint32_t hca_eth_mtu(const struct hca *hca)
{
	uint32_t mtu = field_get(hca->eth->vport, NIC_VPORT_MTU);

	return mtu && mtu < HCA_ETH_MTU_MAX ? mtu : HCA_ETH_MTU_MAX;
}

/* --- registers (eth_register.c) ---------------------------------------------------------- */

/*
 * ACCESS_REG of a register that an Ethernet port has in its own way: true, and *@status is set;
 * false when it is not one of them.
 */
bool hca_eth_access_reg(struct hca *hca, struct hca_cmd *cmd, enum hca_cmd_status *status);
/* query_vport_counter_out, from byte 0x10 on. */
void hca_eth_vport_counters(const struct hca *hca, uint8_t *out);

/* --- objects ----------------------------------------------------------------------------- */

/* eth_tir.c: the TIR @number if the command may name it, or NULL. */
struct hca_tir *hca_tir_find(struct hca *hca, const struct hca_cmd *cmd, uint32_t number);
/*
 * eth_tir.c: the number of the receive queue that @tir sends a frame to, 0: none. *@hash, *@type:
 * what a CQE says of the hash (rss_hash_result, rss_hash_type), 0 where none was made.
 */
uint32_t hca_tir_queue(struct hca *hca, const struct hca_tir *tir, const uint8_t *bytes,
		       const struct hca_frame *frame, uint32_t *hash, uint8_t *type);
/* eth_rqt.c: as hca_tir_find(). */
struct hca_rqt *hca_rqt_find(struct hca *hca, const struct hca_cmd *cmd, uint32_t number);
/* eth_tis.c: as hca_tir_find(). */
struct hca_tis *hca_tis_find(struct hca *hca, const struct hca_cmd *cmd, uint32_t number);
/* eth_queue.c: the queue @number of @type if the command may name it, or NULL. */
struct hca_qp *hca_eth_queue_find(struct hca *hca, const struct hca_cmd *cmd, uint32_t number,
				  enum hca_qp_type type);

/* --- frames ------------------------------------------------------------------------------ */

/* eth_send.c: one turn of the WQE of a send queue, as hca_rc_step(). */
enum hca_step hca_eth_step(struct hca_qp *sq, uint8_t *syndrome);
/* eth_inbox.c: the switch has a frame for @owner, an HCA: a copy waits for its turn, or is lost.
 */
void hca_eth_deliver(void *owner, const uint8_t *frame, size_t len);
/*
 * eth_inbox.c: the same of a frame that a send queue of transport domain @td, not 0, has sent: it
 * comes back to the function's own flow tables, see hca_eth_transmit() for where else it goes.
 */
void hca_eth_loop(struct hca *hca, const uint8_t *frame, size_t len, uint32_t td);
/* eth_receive.c: deliver what waits, as far as the turn goes. Returns whether anything was done. */
bool hca_eth_poll(struct hca *hca);
/* eth_inbox.c: forget what waits. */
void hca_eth_drop(struct hca *hca);

/* eth_send.c: a frame leaves the port, whatever flow tables say; counted as lost if it does not. */
void hca_eth_transmit(struct hca *hca, const uint8_t *bytes, size_t len);

/* --- RoCE (roce.c) ----------------------------------------------------------------------- */

/* @gid is an IPv4 address, ::ffff:a.b.c.d. */
static inline bool hca_roce_is_ipv4(const uint8_t gid[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(gid, mapped, sizeof(mapped));
}

/* @gid is an address of the port. */
bool hca_roce_has(const struct hca *hca, const uint8_t gid[16]);
/* The function of the switch that has @gid, if frames get there, or NULL. May be @hca. */
struct hca *hca_roce_find(struct hca *hca, const uint8_t gid[16]);
/* Whoever has @gid is not of this process, and there are links that lead out of it. */
bool hca_roce_is_outside(struct hca *hca, const uint8_t gid[16]);
/* @packet of a connected QP leaves, to the address in its context. What cannot is lost. */
void hca_roce_transmit(struct hca_qp *qp, const struct packet *packet);
/* roce_route.c: the headers of what @qp sends to @av from the port's address @from. */
struct packet_route hca_roce_route(const struct hca_qp *qp, const struct hca_av *av,
				   const struct hca_roce_address *from);
/* roce_route.c: the address path of a connected QP, as a datagram's vector would have it. */
struct hca_av hca_roce_path(const struct hca_qp *qp);
/*
 * roce_route.c: the address that what goes to @av is from: the one that it names; where there is
 * none, or one of the other version of IP, the first of the right version; NULL: there is none.
 */
const struct hca_roce_address *hca_roce_source(const struct hca *hca, const struct hca_av *av);
/* roce_route.c: the way back. */
void hca_roce_turn_round(struct packet_route *route);
struct hca_link;
struct hca_flight;
/*
 * roce_route.c: the headers that @flight of @link has between Ethernet ports; the peer is there.
 * Without an address to send from they are none that packet_encode() takes.
 */
struct packet_route hca_roce_route_of(const struct hca_link *link, const struct hca_flight *flight);
/* The datagram in @packet leaves, to @av. What cannot is lost, as datagrams are. */
void hca_roce_send(struct hca_qp *qp, const struct hca_av *av, const struct packet *packet);
/*
 * A frame has come: true when it is one of RoCE, which flow tables of frames do not get; it goes to
 * the QPs, or is lost. @sender: own QP that it comes back from, 0: none.
 */
bool hca_roce_take(struct hca *hca, const uint8_t *bytes, size_t len, uint32_t sender);

#endif
