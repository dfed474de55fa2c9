/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of the HCA model: its objects and the calls between its files. Offsets and bit positions
 * are those of include/linux/mlx5/mlx5_ifc.h. Everything here runs on the engine thread unless a
 * comment says otherwise; only struct hca_mmio is shared with the transport's thread.
 */
#ifndef HCA_MODEL_H
#define HCA_MODEL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bits.h"
#include "base/clock.h"
#include "base/unmodelled.h"
#include "hca/hca.h"
#include "hca/inject.h"
#include "hca/list.h"
#include "hca/xlt.h"
#include "pcie/function.h"
#include "subnet/subnet.h"

#define HCA_UAR_PAGE  4096u
#define HCA_UAR_PAGES 4096u /* BAR0 is 16 MiB */
/*
 * UAR pages are one area from HCA_UAR_FIRST on that the guest writes as plain memory: there uar.c
 * and eq.c look for doorbells. In front of them is the initialization segment, which is trapped,
 * and there are pages for doorbells of virtio queues, which there are none of: programs get them
 * from the driver, write what they like, and read zero.
 */
#define HCA_UAR_FIRST	  32u
#define HCA_VAR_OFFSET	  (16ull * HCA_UAR_PAGE)
#define HCA_VAR_LOG_PAGES 4u
#define HCA_BAR_SIZE	  ((uint64_t)HCA_UAR_PAGES * HCA_UAR_PAGE)
/* Of BAR0: it is memory in between, of UAR pages and at the end of MEMIC. */
#define HCA_SHARED_OFFSET ((uint64_t)HCA_UAR_FIRST * HCA_UAR_PAGE)
#define HCA_SHARED_SIZE	  (HCA_MEMIC_OFFSET + HCA_MEMIC_SIZE - HCA_SHARED_OFFSET)

#define HCA_MTU 4096u

/*
 * Device memory, see memic.h: a window of BAR0; 256 pages are all that the driver keeps account of.
 * It is given in units. Behind it, to the end of BAR0, there is a window of the same size for each
 * operation on it, whose accesses are trapped.
 */
#define HCA_MEMIC_SIZE	 (1u << 20)
#define HCA_MEMIC_UNIT	 64u
#define HCA_MEMIC_OPS	 2u /* operations: increment, test and set */
#define HCA_MEMIC_OFFSET (HCA_BAR_SIZE - (HCA_MEMIC_OPS + 1) * HCA_MEMIC_SIZE)

/* --- objects (object.c): number -> object, numbers from 1 upwards ------------------------- */

struct hca_table {
	void **slot;
	uint64_t *taken; /* a bit for each slot, so that a free number is found quickly */
	uint32_t size;	 /* slots allocated */
	uint32_t limit;	 /* highest number + 1 */
	uint32_t base;	 /* lowest number to give, 0: 1 */
	uint32_t next;	 /* no number from base to here is free */
	uint32_t count;	 /* for other threads: hca_table_count() */
};

/* Objects in @table. Safe from any thread. */
static inline uint32_t hca_table_count(const struct hca_table *table)
{
	return __atomic_load_n(&table->count, __ATOMIC_RELAXED);
}

/* Object of @number, or NULL. */
void *hca_table_get(const struct hca_table *table, uint32_t number);
/*
 * Gives @object the lowest free number >= @first. Returns it, or 0 with errno: ENOSPC all numbers
 * are taken, ENOMEM the table cannot grow, see hca_alloc(). Nothing has changed then.
 */
uint32_t hca_table_add(struct hca *hca, struct hca_table *table, uint32_t first, void *object);
/* Takes @number out and returns its object, or NULL. The last one takes the table's memory along.
 */
void *hca_table_remove(struct hca *hca, struct hca_table *table, uint32_t number);
/* The lowest number >= @first that is taken, or 0. */
uint32_t hca_table_next(const struct hca_table *table, uint32_t first);

/* A queue buffer: page list of a CREATE command. */
struct hca_pages {
	uint8_t *list; /* DMA address of each page, be64; the low 12 bits are not part of it */
	uint32_t count;
	uint8_t log_page_size; /* of the page in bytes: the context's field + 12 */
	uint64_t offset;       /* bytes into the first page: page_offset 64ths of the page */
	uint32_t *users;       /* of the umem whose list this is, or NULL: it is the buffer's own */
};

/* A doorbell record. */
struct hca_record {
	uint64_t addr;	 /* DMA address */
	uint32_t *users; /* of the umem that it is in, or NULL */
};

/*
 * @byte is an offset into the buffer, after hca_pages.offset. An access may span pages.
 * Return 0 or what pcie_read()/pcie_write() said, -EFAULT past the end, -EACCES for a page of a
 * umem that may not be accessed so.
 */
int hca_pages_read(struct hca *hca, const struct hca_pages *pages, uint64_t byte, void *buf,
		   size_t len);
int hca_pages_write(struct hca *hca, const struct hca_pages *pages, uint64_t byte, const void *buf,
		    size_t len);
/* DMA address of a byte, 0 past the end. */
uint64_t hca_pages_addr(const struct hca_pages *pages, uint64_t byte);
/*
 * Whether @byte may be written, or read. Entries of a umem say so (bits 0, read, and 1, write:
 * devx_umem_reg_cmd_alloc() of mlx5_ib), since a program may register what it may only read; those
 * of the driver's own lists do not, and everything may be done. Past the end nothing may.
 */
bool hca_pages_allow(const struct hca_pages *pages, uint64_t byte, bool write);
void hca_pages_free(struct hca *hca, struct hca_pages *pages);

/* --- event and completion queues (eq.c, cq.c) ---------------------------------------------- */

struct hca_eq_event {
	uint8_t type, subtype;
	uint8_t data[28]; /* at EQE offset 0x20 */
};

/*
 * Events other than completions that an EQ holds back: twice the commands that there can be, so
 * that none of those is lost while the consumer index is hidden.
 */
#define HCA_EQ_HELD 64u

struct hca_eq {
	uint32_t number;
	uint32_t cqs; /* that send their events here */
	struct hca_pages pages;
	uint8_t log_size;
	uint32_t uar;
	uint16_t vector;
	uint64_t mask; /* event_bitmask, low 64 bits */
	uint32_t pi;
	uint32_t ci;			       /* as doorbells said, 24 bits */
	bool armed;			       /* for one interrupt */
	bool rung;			       /* by a doorbell of its own, since the last look */
	uint32_t raised;		       /* @pi at the last interrupt */
	bool always_armed;		       /* eqc.st says so: an interrupt for each event */
	bool overrun_ignored;		       /* eqc.oi */
	bool overrun;			       /* in error: no more events */
	bool holds_back;		       /* completion events wait for room, in their CQs */
	struct hca_eq_event held[HCA_EQ_HELD]; /* others, oldest first */
	uint32_t held_count;
	/* The EQ of the same vector whose doorbell was seen last, how often, and @pi at first. */
	uint32_t witness, seen, seen_pi;
	bool is_late;	     /* at the last reminder: events wait */
	uint32_t late_ci;    /* the consumer index then */
	uint8_t context[64]; /* eqc as created, for QUERY_EQ */
};

enum hca_event {
	HCA_EVENT_COMPLETION = 0x00,
	HCA_EVENT_PATH_MIGRATED = 0x01,
	HCA_EVENT_COMM_EST = 0x02,
	HCA_EVENT_SQ_DRAINED = 0x03,
	HCA_EVENT_CQ_ERROR = 0x04,
	HCA_EVENT_WQ_CATAS = 0x05,
	HCA_EVENT_PORT_CHANGE = 0x09,
	HCA_EVENT_CMD = 0x0a,
	HCA_EVENT_PAGE_FAULT = 0x0c,
	HCA_EVENT_WQ_INVALID = 0x10,
	HCA_EVENT_WQ_ACCESS = 0x11,
	HCA_EVENT_SRQ_CATAS = 0x12,
	HCA_EVENT_SRQ_LAST_WQE = 0x13,
	HCA_EVENT_SRQ_LIMIT = 0x14,
	HCA_EVENT_DCT_DRAINED = 0x1c,
};

/*
 * hca_eq_post() - an EQE, and the EQ's vector when it is armed, which that ends (eq.c).
 * @data: the 28 bytes at EQE offset 0x20. Returns false when the EQ is full and a completion event
 * has to wait: hca_eq_look() has the CQs looked at again once there is room. Of other events
 * HCA_EQ_HELD wait in the EQ; with one more it overruns.
 */
bool hca_eq_post(struct hca *hca, struct hca_eq *eq, uint8_t type, uint8_t subtype,
		 const uint8_t data[28]);
/*
 * hca_eq_look() - looks for doorbells of EQs, and does what they say. Returns whether there were
 * any.
 */
bool hca_eq_look(struct hca *hca);
/*
 * hca_eq_remind() - raises the vectors of EQs again whose events software has left alone for
 * HCA_EQ_REMIND_NS, twice that at most: the interrupt may have been lost. Whether adapters do so is
 * not known here; one too many does no harm.
 */
void hca_eq_remind(struct hca *hca);
#define HCA_EQ_REMIND_NS 5000000000u
/* Post to the EQ whose event mask has @type (the async EQ); dropped when there is none. */
void hca_event(struct hca *hca, enum hca_event type, uint8_t subtype, const uint8_t data[28]);
/* An affiliated event of a QP or SRQ: type byte and number where the driver looks for them. */
void hca_event_number(struct hca *hca, enum hca_event type, uint32_t number);
/* The same of @qp, with the kind of queue that it is. */
struct hca_qp;
void hca_event_qp(struct hca_qp *qp, enum hca_event type);

struct hca_cq {
	uint32_t number;
	uint16_t uid;	/* user context that made it, 0: the driver */
	uint32_t users; /* queues that complete here */
	struct hca_pages pages;
	uint8_t log_size;
	uint8_t cqe_sz;	     /* encoding: 0 64 B, 1 and 2 128 B */
	bool overrun_ignore; /* oi */
	bool overrun;
	uint32_t eqn;
	uint32_t uar;
	struct hca_record dbr;
	uint32_t pi; /* producer index, counts for ever */
	/* Arming: see cq.c. */
	bool event_sent; /* an event was sent for arm serial number event_sn */
	uint8_t event_sn;
	uint32_t solicited_pi;	     /* pi after the newest solicited or error CQE */
	bool any_new, any_solicited; /* since the last event: what was announced is not again */
	/* Moderation: see cq.c. */
	uint64_t event_ns, cqe_ns; /* CLOCK_MONOTONIC of the last event, of the last CQE */
	uint32_t event_pi;	   /* pi when the last event was sent */
	bool urgent;		   /* a solicited or error CQE since then */
	bool delayed;		   /* an event is due, but not yet */
	struct hca_place in_page;  /* see struct hca_uar_page */
	struct hca_place due;	   /* in hca.due_cqs or hca.watched_cqs */
	uint8_t context[64];	   /* cqc as created, for QUERY_CQ */
};

/* A CQE to post. Fields that do not apply are 0. */
struct hca_cqe {
	/* of a frame: rss_hash_result, rss_hash_type, check_sum, hds_ip_ext, l4_l3_hdr_type,
	 * vlan_info */
	uint32_t hash;
	uint8_t hash_type;
	uint16_t check_sum;
	uint8_t checked, headers;
	uint16_t vlan;
	uint8_t opcode; /* 0x0 requester ok .. 0xe responder error */
	bool solicited;
	uint8_t send_opcode; /* byte at 0x38 */
	uint32_t qpn;	     /* local */
	uint16_t wqe_counter;
	uint32_t byte_cnt;
	uint32_t immediate; /* as sent, host order of the be32 at 0x24 */
	uint32_t srqn;	    /* at 0x20 */
	uint16_t slid;
	uint32_t flags_rqpn; /* at 0x18 */
	uint8_t ml_path;     /* at 0x11 */
	uint8_t syndrome;    /* error CQEs: at 0x37 */
};

/* Post @cqe and send a completion event when armed for it. @cqn of no CQ: nothing happens. */
void hca_cq_post(struct hca *hca, uint32_t cqn, const struct hca_cqe *cqe);
/* Look at the arm record of @cq and send the event that is due. Called by hca_poll(). */
bool hca_cq_poll_arm(struct hca *hca, struct hca_cq *cq);

/* --- memory keys (mkey.c) -------------------------------------------------------------------- */

/* Keys that QUERY_SPECIAL_CONTEXTS names are below the first that CREATE_MKEY gives. */
#define HCA_KEY_END	0x100u /* ends the list of a receive WQE */
#define HCA_KEY_DUMP	0x200u /* local: what is written is gone, what is read is zero */
#define HCA_KEY_NULL	0x300u /* in a list of keys: an entry without pages, for a page fault */
#define HCA_KEY_STRIDED 0x400u /* in the place of a list's first key: the list is strided */
#define HCA_MKEY_FIRST	16u

struct hca_mkey {
	uint32_t index;	       /* key >> 8 */
	uint16_t uid;	       /* user context that made it, 0: the driver */
	uint16_t memic;	       /* device memory that it is a key of, 0: none */
	uint8_t mkc[64];       /* context, as the driver sees it; fields are read from here */
	struct hca_xlt xlt;    /* translation entries */
	struct hca_pages umem; /* instead of them: bytes of a umem, count 0: none */
	bool pg_access;	       /* CREATE_MKEY pg_access */
	bool umr_loaded;       /* entries came by UMR: permission bits and zero entries count */
	uint64_t remote_write_bytes, remote_read_bytes;
	uint64_t dma_low, dma_high; /* what remote accesses touched, see hca_mkey_report */
};

enum hca_access {
	HCA_LOCAL_READ,
	HCA_LOCAL_WRITE,
	HCA_REMOTE_READ,
	HCA_REMOTE_WRITE,
	HCA_REMOTE_ATOMIC,
};

/* Why an access is refused. */
enum hca_denial {
	HCA_OK = 0,
	HCA_DENIED_KEY,	 /* no such key, wrong low byte, free, PD, range, permission, QPN */
	HCA_DENIED_PAGE, /* entry not present (zapped): a page fault could mend it */
	HCA_DENIED_BUS,	 /* the fabric refused the request */
	HCA_DENIED_TURN, /* none: the turn is over before anything was done, try in the next */
};

/* Who accesses: what a key is checked against, and whose turn pays (hca/budget.h). */
struct hca_accessor {
	uint32_t pd;
	uint32_t qpn;
	struct hca *turn;  /* NULL: nobody's, the access is done as a whole */
	int64_t work_kept; /* of the turn's work: left for what comes after this access */
};

/*
 * hca_mkey_check() - all checks of an access of [@va, @va + @len) under @key, and presence of all
 * its translation entries. Nothing is accessed. A zero-length access is HCA_OK.
 */
enum hca_denial hca_mkey_check(struct hca *hca, const struct hca_accessor *who, uint32_t key,
			       uint64_t va, uint64_t len, enum hca_access access);
/*
 * hca_mkey_check_on() - the same, as far as the turn of @who goes: *@done bytes were found right
 * before, more are now. HCA_DENIED_TURN when some are left.
 */
enum hca_denial hca_mkey_check_on(struct hca *hca, const struct hca_accessor *who, uint32_t key,
				  uint64_t va, uint64_t len, enum hca_access access,
				  uint64_t *done);
/*
 * Check, translate and transfer, as far as the turn of @who goes: *@len becomes the bytes moved, at
 * least 8 when so many were asked for. The TLPs carry the hint of the key whose translation they
 * come from. Nothing is transferred when a check of these bytes fails, or with HCA_DENIED_TURN.
 */
enum hca_denial hca_mkey_read(struct hca *hca, const struct hca_accessor *who, uint32_t key,
			      uint64_t va, void *buf, uint64_t *len, enum hca_access access);
enum hca_denial hca_mkey_write(struct hca *hca, const struct hca_accessor *who, uint32_t key,
			       uint64_t va, const void *buf, uint64_t *len, enum hca_access access);
/* The DMA addresses of an access, for pcie_copy(). */
struct hca_pieces {
	struct pcie_piece piece[PCIE_PIECES];
	unsigned int count;
	bool other; /* some of it is no DMA address: pcie_copy() is not for it */
	/* Of a remote access by one key, what hca_mkey_moved() has to know. */
	uint32_t key;
	struct hca_mkey *mkey;
};

/*
 * hca_mkey_collect() - check and translate, as hca_mkey_read() and hca_mkey_write() do, and as far
 * as the turn and the room in @pieces go, instead of the transfer, which the turn pays for:
 * @pieces gets more. *@len becomes the bytes. The pieces are valid until the turn ends.
 */
enum hca_denial hca_mkey_collect(struct hca *hca, const struct hca_accessor *who, uint32_t key,
				 uint64_t va, uint64_t *len, enum hca_access access,
				 struct hca_pieces *pieces);
/* The pieces of a remote access by one key were transferred: @len bytes. */
void hca_mkey_moved(struct hca *hca, const struct hca_pieces *pieces, uint64_t len,
		    enum hca_access access);
/* Hint that the key puts on its TLPs now: by pcie_tph_en, mode, ST table and enabled width. */
struct tlp_hint hca_mkey_hint(struct hca *hca, const struct hca_mkey *mkey);
/* Whether a key may have this context: what CREATE_MKEY and UMRs have to keep to. */
bool hca_mkey_valid(struct hca *hca, const uint8_t mkc[64]);
void hca_mkey_free(struct hca *hca, struct hca_mkey *mkey);
/*
 * hca_umr_apply() - a UMR (umr.c) as the kernel's QPs may send it.
 * @umr: 48-byte UMR control segment, @mkc: 64-byte context segment, @xlt: translation entries
 * (@xlt_len bytes). Returns 0, or a CQE syndrome and nothing is changed.
 */
uint8_t hca_umr_apply(struct hca *hca, const struct hca_accessor *who, uint32_t key,
		      const uint8_t umr[48], const uint8_t mkc[64], const uint8_t *xlt,
		      size_t xlt_len);

/* --- queue pairs (qp.c: commands; sq.c, rq.c, rc.c, ud.c: data path) ------------------------- */

enum hca_qp_state {
	HCA_QP_RST = 0,
	HCA_QP_INIT = 1,
	HCA_QP_RTR = 2,
	HCA_QP_RTS = 3,
	HCA_QP_SQER = 4,
	HCA_QP_SQD = 5,
	HCA_QP_ERR = 6,
};

enum hca_qp_type {
	HCA_QP_RC = 0,
	HCA_QP_UC = 1,
	HCA_QP_UD = 2,
	HCA_QP_XRC = 3,
	HCA_QP_DCI = 5,
	HCA_QP_DCT = 6, /* not by CREATE_QP, see dct.c */
	HCA_QP_SMI = 7,
	HCA_QP_GSI = 8,
	HCA_QP_REG_UMR = 0xc,
	/* Not by CREATE_QP either: queues of frames, see eth.h */
	HCA_QP_ETH_SQ = 0x10,
	HCA_QP_ETH_RQ = 0x11,
};

#define HCA_FAILED_STREAMS 16u /* 1 << log_max_dci_errored_streams */

struct hca_qp {
	struct hca *hca;
	uint32_t number;
	uint16_t uid; /* user context that made it, 0: the driver */
	enum hca_qp_type type;
	enum hca_qp_state state;
	uint8_t qpc[232]; /* context as merged from the commands; QUERY_QP starts from it */

	uint32_t pd;
	uint32_t cqn_snd, cqn_rcv;
	struct hca_pages pages; /* RQ first, then SQ */
	struct hca_record dbr;
	uint32_t uar;
	bool no_sq;
	uint32_t sq_offset; /* bytes into pages */
	uint32_t sq_wqebbs; /* 64-byte blocks, power of two; 0: none */
	uint8_t rq_type;    /* 0 RQ, 1 SRQ, 3 none */
	uint32_t rq_wqes;   /* power of two; 0: none */
	uint32_t rq_stride; /* bytes */
	uint32_t srqn;
	uint32_t user_index;
	unsigned int changes;		 /* how often hca_qp_decode() has looked at qpc */
	struct hca_q_counter *q_counter; /* what it counts in (q_counter.h), NULL: nothing */

	/* queues of frames */
	uint32_t users;	 /* receive queue: TIRs and tables of queues that name it */
	uint32_t tisn;	 /* send queue; 0: none */
	bool strip_vlan; /* receive queue */
	/* send queue: the rate that it keeps to, see qos.h, and when the next frame may leave */
	uint16_t rate;
	uint64_t next_frame_ns; /* CLOCK_MONOTONIC */

	uint32_t sched[2]; /* scheduling elements, by enum hca_sched_side; 0: none */

	/* connection */
	uint16_t rlid;
	bool grh;
	bool loopback; /* "force loopback": the peer is at this port, whatever the address says */
	uint8_t rgid[16];
	uint32_t remote_qpn;
	uint32_t q_key;
	uint64_t dc_key; /* DCT: what initiators have to know */
	/* DCI with streams: those that failed, and how many of them are too many (0: no streams) */
	uint16_t failed_stream[HCA_FAILED_STREAMS];
	unsigned int failed_streams, failed_streams_max;
	uint8_t retry_count, rnr_retry, ack_timeout, min_rnr_nak;
	bool rre, rwe, rae; /* rae: with an atomic_mode */

	/* engine: requester */
	uint16_t sq_ci;		  /* hardware consumer, in 64-byte blocks */
	uint16_t sq_pi;		  /* last send doorbell record seen */
	bool sq_kick;		  /* its doorbell was rung, or may have been */
	bool out_of_reach;	  /* the send doorbell record could not be read when it was rung */
	struct hca_place in_page; /* see struct hca_uar_page */
	struct hca_place due;	  /* in hca.due_qps or hca.watched_qps */
	bool arrivals;		  /* packets have arrived for its connection, see wire.h */
	bool retrying;
	bool frames;	      /* requests came in frames, or their answers wait to leave */
	uint64_t retry_at_ns; /* CLOCK_MONOTONIC; nothing is sent before */
	/* engine: responder */
	uint16_t rq_ci;
	uint64_t last_flush_ns; /* ERR: when the receive record was looked at last */
	void *progress;		/* data path's own: message in flight. Freed by hca_qp_stop() */
};

/* @state is that of @qp, and of its qpc: what is under way stops, or is flushed, accordingly. */
void hca_qp_set_state(struct hca_qp *qp, enum hca_qp_state state);
/* Move to ERR, unless it is there already, and raise @event, when not HCA_NO_EVENT. */
void hca_qp_error(struct hca_qp *qp, int event);
/*
 * Before DESTROY_QP, 2RST and 2ERR: what was rung before the command leaves, as far as the turn
 * goes. An adapter fetches at once, and programs rely on it that do not wait for their completions.
 */
void hca_qp_finish(struct hca_qp *qp);
/* No more CQEs, no progress kept: before DESTROY_QP, 2RST and resets. */
void hca_qp_stop(struct hca_qp *qp);
/* One bounded turn of a QP: doorbell record, send queue, retries, flush. True when it did work. */
bool hca_qp_poll(struct hca_qp *qp);

/* By which command it was made: others do not know it. */
enum hca_srq_kind { HCA_SRQ_PLAIN, HCA_SRQ_XRC, HCA_SRQ_RMP };

struct hca_srq {
	uint32_t number;
	enum hca_srq_kind kind;
	uint16_t uid;	/* user context that made it, 0: the driver */
	uint32_t users; /* QPs that receive from it */
	uint32_t pd, cqn, xrcd;
	struct hca_pages pages;
	uint32_t wqes;	 /* power of two */
	uint32_t stride; /* bytes */
	uint64_t dbr_addr;
	uint16_t lwm; /* 0: not armed */
	bool error;
	uint32_t user_index;
	uint16_t head;	       /* index of the next WQE to consume */
	uint16_t consumed;     /* counter against the doorbell record */
	uint8_t context[0xf0]; /* srqc, xrc_srqc or rmpc as created */
};

/* --- doorbells of queues (uar.c) ------------------------------------------------------------ */

/*
 * A page, in hca.used_uars while there is anything in it: QPs that have a send queue, and CQs with
 * CQEs that no event has announced, which lack nothing but to be armed.
 */
struct hca_uar_page {
	struct hca_place used;
	struct hca_list qps, cqs;
	uint32_t qps_left, cqs_left; /* to look at, since their doorbells may be hidden */
};

/* Doorbells of @qp, of @cq are looked for in its page from now on, or are not. */
void hca_uar_add_qp(struct hca_qp *qp);
void hca_uar_forget_qp(struct hca_qp *qp);
void hca_uar_add_cq(struct hca *hca, struct hca_cq *cq);
void hca_uar_forget_cq(struct hca *hca, struct hca_cq *cq);
/* Look into all pages that are used: queues that were rung for, or may have been, are due. */
void hca_uar_look(struct hca *hca);

/* --- commands (cmd.c) ---------------------------------------------------------------------- */

/* Command status (output dw0[31:24]). */
enum hca_cmd_status {
	HCA_CMD_OK = 0x00,
	HCA_CMD_INTERNAL = 0x01,
	HCA_CMD_BAD_OP = 0x02,
	HCA_CMD_BAD_PARAM = 0x03,
	HCA_CMD_BAD_SYS_STATE = 0x04,
	HCA_CMD_BAD_RESOURCE = 0x05,
	HCA_CMD_LIMIT = 0x08,
	HCA_CMD_BAD_RES_STATE = 0x09,
	HCA_CMD_BAD_INDEX = 0x0a,
	HCA_CMD_NO_RESOURCES = 0x0f,
	HCA_CMD_BAD_QP_STATE = 0x10,
	HCA_CMD_BAD_INPUT_LEN = 0x50,
	HCA_CMD_BAD_OUTPUT_LEN = 0x51,
	/* Not a status: the command goes on when it is called again. */
	HCA_CMD_MORE = 0x100,
};

/* A command being executed: whole input and output, zeroed output, lengths in bytes. */
struct hca_cmd {
	const uint8_t *in;
	uint32_t ilen; /* with the list */
	uint8_t *out;
	uint32_t olen;
	/* The list that ends the input of some commands, see hca_cmd_take_list(). Not in @in. */
	uint8_t *list;
	uint32_t list_len;
	/* CREATE_MKEY: the key that entries of the list are loaded into, and how many were. */
	struct hca_mkey *mkey;
	uint32_t octwords;
	uint32_t syndrome; /* set next to a status that is not OK */
};

/* What any command reads besides its list, and fills in: a capability block with its header. */
#define HCA_CMD_FIXED 0x1010u
/* Output blocks whose addresses need no memory of their own. */
#define HCA_CMD_FEW_BLOCKS 16u

/* The command under way, see cmd.c. What the driver may change meanwhile is read once. */
struct hca_cmd_job {
	bool active;
	enum { HCA_CMD_INPUT, HCA_CMD_OUTPUT_CHAIN, HCA_CMD_EXECUTE, HCA_CMD_OUTPUT } phase;
	unsigned int slot;
	unsigned int generation; /* of the queue that it came from */
	uint64_t entry_addr;
	uint8_t entry[64];
	uint32_t eqn; /* command EQ when it began, 0: the driver polls */
	struct hca_cmd cmd;
	enum hca_cmd_status status; /* once it was executed; else HCA_CMD_MORE */
	uint64_t read_ns;	    /* CLOCK_MONOTONIC, 0: it is not logged */
	uint32_t in_len;	    /* bytes of @in */
	uint32_t olen;		    /* of the driver's buffer */
	uint64_t *block;	    /* addresses of the output blocks */
	uint64_t next;		    /* the block of the chain to look at */
	uint32_t number;	    /* and its number */
	uint32_t done;		    /* bytes of input or output */
	uint64_t few_blocks[HCA_CMD_FEW_BLOCKS];
	uint8_t in[HCA_CMD_FIXED], out[HCA_CMD_FIXED];
};

/*
 * The list of @cmd's input is the buffer of @pages from now on, for a queue of @bytes;
 * @log_page_size of bytes, @page_offset in 64ths of a page, as the contexts have it. Frees nothing
 * of @pages; leaves it as it is unless HCA_CMD_OK. HCA_CMD_BAD_PARAM for a page that no context can
 * name, HCA_CMD_BAD_INPUT_LEN when the list ends too early.
 */
enum hca_cmd_status hca_cmd_pages(struct hca *hca, struct hca_cmd *cmd, uint64_t bytes,
				  uint8_t log_page_size, uint32_t page_offset,
				  struct hca_pages *pages); /* object.c */

/* --- flow tables (flow_table.h) ------------------------------------------------------------ */

struct hca_flow_table;
struct hca_tir;

/*
 * The first two are those of RDMA packets, the last two those of the RDMA transport, which only
 * privileged contexts have: between the others and the wire.
 */
enum hca_side { HCA_RX, HCA_TX, HCA_NIC_RX, HCA_NIC_TX, HCA_TRANSPORT_RX, HCA_TRANSPORT_TX };
#define HCA_SIDES 6u

/* --- the port (port.c, mcg.c) ---------------------------------------------------------------- */

#define HCA_MCG_LOG 13u
#define HCA_MCG_MAX (1u << HCA_MCG_LOG)

/* QPs that take multicast datagrams, one entry per QP and group. */
struct hca_mcg {
	struct hca_mcg_entry {
		uint32_t qpn;
		uint8_t mgid[16];
	} * entry;
	unsigned int count;
	unsigned int cursor; /* entries that the datagram under way has passed */
};

/* Forget all, or one QP's. */
void hca_mcg_drop(struct hca *hca);
void hca_mcg_forget(struct hca *hca, uint32_t qpn);

struct hca_traffic {
	uint64_t packets, octets;
};

/* Datagrams that wait for a turn of their receiver, and those that found no room. */
#define HCA_INBOX_PACKETS 4096u
#define HCA_INBOX_BYTES	  (8u << 20)

struct hca_inbox {
	struct hca_datagram *head, *tail; /* @tail is valid while there is a head */
	uint32_t packets;
	uint64_t bytes; /* GRH areas and payload */
	struct hca_traffic lost;
	/* Those whose key was another's, as the vport context has them: they stop at the end. */
	uint16_t p_key_violations, q_key_violations;
	/* The QP that takes the first one, and the bytes of it that were checked, and moved. */
	uint32_t qpn;
	uint64_t checked, moved;
};

/* Count and steer by the tables of HCA_RX or HCA_TX and of the transport, see hca_steer(). False
 * when the packets are dropped. */
bool hca_pass(struct hca *hca, enum hca_side side, bool multicast, uint64_t packets,
	      uint64_t octets);
/* Tell the driver what has changed at the port. Returns whether anything had. */
bool hca_port_poll(struct hca *hca);
/* Entry @index of its table of P_Keys. RoCE has one, which nobody manages. */
uint16_t hca_p_key(const struct hca *hca, unsigned int index);
/* Whether @lid is one of the port's LIDs. */
bool hca_has_lid(const struct hca *hca, uint16_t lid);
/* attr.traffic of the port. */
void hca_port_traffic(void *owner, struct subnet_traffic *traffic);

/* --- the function -------------------------------------------------------------------------- */

#define HCA_EQS 256

/* What hca/inject.h arms. */
struct hca_inject {
	uint8_t syndrome, severity; /* in the health buffer */
	bool frozen;		    /* the health counter */
	struct hca_command_rule rule;
	struct pcie_fault_count commands;
	/* Late commands, a bit per slot: held until due_ns, and then let through. */
	uint32_t held, passing;
	uint64_t due_ns[32];
};

/* What hca_impair() has said since the last turn. */
enum hca_cable { HCA_CABLE_AS_IT_IS, HCA_CABLE_SET, HCA_CABLE_OFF };

/* What the transport's thread leaves for the engine. */
struct hca_mmio {
	pthread_mutex_t lock;
	bool reset_pending;
	bool link; /* as hca_set_link() left it */
	enum hca_cable impair;
	struct impairment_spec impairment;
	uint64_t cmdq_addr;
	bool cmdq_valid;
	unsigned int cmdq_generation; /* counts queues: commands of an older one are void */
	uint8_t nic_state;
	uint32_t cmd_pending; /* bit per slot */
	struct hca_inject inject;
};

/* inject.c: what a reset ends. With the lock held. */
void hca_inject_reset(struct hca_mmio *mmio);
/* inject.c: late commands whose time has come, a bit per slot. With the lock held. */
uint32_t hca_inject_due(struct hca_mmio *mmio);
/* inject.c: whether the command in @slot is executed now. */
bool hca_inject_command(struct hca *hca, unsigned int slot, uint16_t opcode);

/* What hca_log_commands() has turned on. */
struct hca_cmd_log {
	FILE *out;     /* NULL: it is off */
	uint32_t left; /* lines that may come */
};

struct hca_wire;

/* What SET_PP_RATE_LIMIT has set. */
struct hca_rate {
	uint32_t kbps; /* 0: no limit */
	uint16_t uid;  /* user context that set it, 0: the driver */
};

struct hca {
	struct hca_params params;
	struct pcie_function fn;
	struct subnet *subnet;
	struct subnet_port *port;	     /* NULL: the port is an Ethernet one */
	struct hca_eth *eth;		     /* see eth.h; NULL: the port is an InfiniBand one */
	struct subnet_port_state port_state; /* as of the last turn */
	uint32_t port_caps;		     /* CapabilityMask bits that the driver has set */
	struct hca_mcg mcg;
	struct hca_traffic traffic[2][2]; /* by enum hca_side, multicast */
	struct hca_inbox inbox;
	struct hca_wire *wire; /* see wire.h; NULL: a perfect cable. Written with mmio.lock held */
	uint64_t connections;  /* ever made, for hca_connection.id */
	void (*wake)(void *arg);
	void *wake_arg;
	struct hca_mmio mmio;
	uint8_t cap[64][4096]; /* capability blocks by type, as SET_HCA_CAP left them */
	struct hca_table uars, pds, xrcds, eqs, cqs, srqs, qps, mkeys, memics, uctxs, umems,
		flow_tables, flow_counters, q_counters, reserved_qpns, tds, tises, tirs, rqts,
		scheds, av_mappings, rdma_ctrls, reformats, modify_headers;
	struct hca_rate rate[128];		     /* HCA_RATES of qos.h; the first is none */
	struct hca_flow_table *flow_root[HCA_SIDES]; /* by enum hca_side, NULL: none */
	uint32_t cmd_eqn;			     /* 0: polling mode */
	struct hca_cmd_job job;
	unsigned int cmd_next;				       /* slot that is looked at first */
	uint16_t memic_owner[HCA_MEMIC_SIZE / HCA_MEMIC_UNIT]; /* number of each unit, 0: free */
	/* Operations that there are on each unit, a bit each: read by other threads. */
	_Atomic uint8_t memic_ops[HCA_MEMIC_SIZE / HCA_MEMIC_UNIT];
	uint64_t eq_reminded_ns; /* when hca_eq_remind() last looked */
	uint8_t vport_context[512];
	char node_description[64];
	int uar_fd; /* memory of the UAR pages, and MEMIC */
	void *uar_memory;
	/* For each access to uar_memory: a cold reset, in another thread, maps another file. */
	pthread_mutex_t uar_lock;
	/* data path scratch and timers */
	uint32_t cq_next; /* CQ number where the next turn goes on with those of cq_lost */
	uint32_t cq_lost; /* slots of CQs to look at because an EQ has room again */
	/*
	 * What a turn looks at: those that are due, and a few of the watched ones, which no
	 * doorbell is sure to name: their records were out of reach, or are those of receive queues
	 * in error. QPs and CQs in no list cost nothing.
	 */
	struct hca_list due_qps, watched_qps, due_cqs, watched_cqs;
	struct hca_list used_uars;
	struct hca_uar_page uar_page[HCA_UAR_PAGES];
	uint32_t gsi_qpn;   /* the newest QP of type GSI */
	uint32_t smi_qpn;   /* and of type SMI */
	uint32_t drop_next; /* slot of the table that hca_kinds_drop() goes on with */
	/* budgets, see hca/budget.h */
	uint64_t memory_used; /* bytes; for other threads: hca_memory_used() */
	int64_t work_left;    /* of this turn */
	/*
	 * A turn is under way that has pointers to objects of this function, its own or that of a
	 * QP connected to one here. While it waits for its host, turns of other functions may run,
	 * and leave this one alone.
	 */
	bool held;
	/* mkey report and log of commands, under report_lock */
	pthread_mutex_t report_lock;
	bool report_valid;
	struct hca_mkey_report report;
	struct hca_cmd_log cmd_log;
	struct unmodelled unmodelled; /* for hca_print_unmodelled() */
};

/* Remember that what the arguments name was touched, and is not modelled. Any thread. */
#define hca_unmodelled(hca, ...) unmodelled_note(&(hca)->unmodelled, __VA_ARGS__)
/*
 * Drop every object and all state: reset, ENABLE_HCA, TEARDOWN_HCA. Returns false when the turn is
 * over before all are gone: to be called again in the next.
 */
bool hca_drop_objects(struct hca *hca);

/* The port's LID. */
static inline uint16_t hca_lid(const struct hca *hca)
{
	return hca->port_state.lid;
}

#endif
