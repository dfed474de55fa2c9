/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An emulated mlx5 host channel adapter: one PCI function with one InfiniBand or Ethernet port,
 * driven by mlx5_core, mlx5e, mlx5_ib and libmlx5 as they are. This header is what the rest of the
 * emulator sees.
 */
#ifndef HCA_HCA_H
#define HCA_HCA_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "capture/writer.h"
#include "impairment/line.h"
#include "pcie/function.h"
#include "subnet/subnet.h"
#include "switch/bridge.h"

enum hca_st_mode {
	HCA_ST_NONE,   /* no TPH Requester capability */
	HCA_ST_TABLE,  /* ST table in the capability; mkeys hold an index */
	HCA_ST_DIRECT, /* no ST table; mkeys hold the tag */
};

/* What the firmware leaves out of its capabilities, or refuses although they say that it can. */
enum hca_firmware {
	HCA_FIRMWARE_FULL,
	HCA_FIRMWARE_NO_TPH,	      /* mkey_pcie_tph */
	HCA_FIRMWARE_NO_ODP,	      /* pg: on-demand paging */
	HCA_FIRMWARE_REFUSE_TPH_KEY,  /* CREATE_MKEY of a key with TPH */
	HCA_FIRMWARE_REFUSE_TPH_LOAD, /* a UMR that loads or changes one */
};

/* Bytes that the objects of a function may take when hca_params.memory is 0. */
#define HCA_MEMORY_DEFAULT ((uint64_t)512 << 20)

struct hca_params {
	const char *name;
	uint16_t id;	    /* requester ID: bus[15:8] devfn[7:0] */
	uint16_t device_id; /* 0x1021 or 0x1023 */
	uint16_t lid;	    /* 1..SUBNET_LID_MAX, unique in the subnet; 0 of an Ethernet port */
	uint64_t guid;	    /* node and port GUID, not 0, unique */
	enum hca_st_mode st_mode;
	unsigned int st_width;	 /* 8 or 16 */
	unsigned int st_entries; /* table mode: 2..64 */
	unsigned int vectors;	 /* MSI-X, >= 1 */
	bool umr_limited;	 /* UMR cannot load translations: drivers write whole keys */
	enum hca_firmware firmware;
	unsigned int command_timeout; /* ms that drivers shall wait for a command, 0: unsaid */
	uint64_t memory;	 /* bytes that all its objects may take; 0: HCA_MEMORY_DEFAULT */
	struct capture *capture; /* of its port's packets; outlives the HCA. NULL: there is none */
	bool impaired;		 /* the cable begins with @impairment, see hca_impair() */
	struct impairment_spec impairment;
	/* The switch that its Ethernet port is on, which outlives it; NULL: the port is InfiniBand.
	 */
	struct bridge *bridge;
	uint8_t mac[6]; /* of the Ethernet port: not of a group, not 0 */
};

struct hca;

/* @subnet outlives the result. @wake(@wake_arg) is called, from any thread, when hca_poll() has new
 * work. NULL + errno. */
struct hca *hca_new(const struct hca_params *params, struct subnet *subnet, void (*wake)(void *arg),
		    void *wake_arg);
void hca_free(struct hca *hca);
struct pcie_function *hca_function(struct hca *hca);

/*
 * hca_poll() - one turn of the engine: resets, commands, doorbells, timers.
 * All HCAs of a subnet are polled by the same thread. Bounded work per call.
 * Returns whether anything was done.
 */
bool hca_poll(struct hca *hca);

/*
 * The cable of the port is pulled, or plugged in again: the driver gets its events, and what is
 * under way is lost. Safe from any thread, takes effect with the next hca_poll(). Survives resets.
 */
void hca_set_link(struct hca *hca, bool up);
/* Whether the link is up, or will be. Safe from any thread. */
bool hca_link(struct hca *hca);

/*
 * hca_impair() - what the port sends from now on is lost, late, doubled and so on as @spec says,
 * NULL: nothing is any more, and what was late comes at once. Packets that QPs of one port send
 * each other do not leave it, and SMPs have a lane of their own. A mark of congestion is one in the
 * IP header of a frame. Safe from any thread, takes effect
 * with the next hca_poll(). Survives resets.
 */
void hca_impair(struct hca *hca, const struct impairment_spec *spec);

enum hca_packet_kind {
	HCA_PACKET_REQUEST,
	HCA_PACKET_RESPONSE, /* with what a READ or an atomic asked for */
	HCA_PACKET_ACK,	     /* or a NAK */
	HCA_PACKET_DATAGRAM,
	HCA_PACKET_FRAME, /* of Ethernet, that is none of RoCE */
	HCA_PACKET_CNP,	  /* of RoCE: see congestion.h */
	HCA_PACKET_KINDS,
};
extern const char *const hca_packet_kinds[HCA_PACKET_KINDS]; /* "request" */

/*
 * What became of packets since hca_impair(). The flow of a label is the QP that the packet is for,
 * its sequence the packet sequence number; of other frames their Ethertype, and 0.
 */
struct hca_impairment {
	struct impairment_spec spec;
	struct impairment_counts counts[IMPAIRMENT_KINDS]; /* by enum hca_packet_kind */
	uint64_t all_events;
	unsigned int events; /* the last of them */
	struct impairment_event event[IMPAIRMENT_LOG];
};
/* Safe from any thread. False: the cable is perfect, and nothing is written. */
bool hca_impairment(struct hca *hca, struct hca_impairment *report);

/* The memory key that took the last remote write or read here, as it was at that time. */
struct hca_mkey_report {
	uint32_t key;
	bool tph; /* pcie_tph_en */
	uint8_t ph;
	uint8_t st_index;     /* as in the key */
	uint8_t context[64];  /* memory key context, big-endian */
	struct tlp_hint hint; /* as resolved by mode, table and enabled width */
	uint64_t remote_write_bytes, remote_read_bytes; /* since the key was enabled */
	uint64_t dma_low, dma_high; /* DMA addresses that remote accesses touched: [low, high) */
};
/* Safe from any thread. Returns false when there was none since hca_clear_mkey_report(). */
bool hca_mkey_report(struct hca *hca, struct hca_mkey_report *report);
void hca_clear_mkey_report(struct hca *hca);

#define HCA_OBJECT_KINDS 24u
/* What a function's driver and its programs hold there. */
struct hca_objects {
	uint64_t memory;		  /* bytes that they take, see hca_params.memory */
	uint32_t count[HCA_OBJECT_KINDS]; /* by kind, see hca_object_kind() */
};
/*
 * hca_objects() - as of now; what a command, a connection and datagrams under way take is in the
 * memory, too. While commands are carried out, the numbers need not be those of one moment. Safe
 * from any thread.
 */
void hca_objects(struct hca *hca, struct hca_objects *objects);
/* The name of a kind: "qp"; NULL: @kind is not below HCA_OBJECT_KINDS. */
const char *hca_object_kind(unsigned int kind);

/* Lines of the log of commands, each time that it is turned on. */
#define HCA_LOG_COMMANDS 100000u
/*
 * hca_log_commands() - a line to @out for each command that is read from now on, when it has been
 * answered: opcode and name, op_mod and user context unless they are 0, the object that it names or
 * has made, status or delivery status, syndrome, microseconds. NULL: no lines. After
 * HCA_LOG_COMMANDS there are no more. @out stays the caller's, and is flushed after each line; the
 * engine waits while it is written. Safe from any thread.
 */
void hca_log_commands(struct hca *hca, FILE *out);

/* Opcodes and registers the driver touched and the model does not have, by name, one per line. */
void hca_print_unmodelled(struct hca *hca, FILE *out);

#endif
