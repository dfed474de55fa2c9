/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames that come to this function. The sender's turn only puts them into a queue of their
 * receiver, whose own turns find their way through the flow tables and deliver them, so that no
 * function touches the objects of another.
 */
#include <errno.h>

#include "hca/budget.h"
#include "hca/data.h"
#include "hca/eth.h"
#include "hca/eth_inbox.h"
#include "hca/flow_table.h"
#include "hca/q_counter.h"

/* Of a turn's work, what is left for the queue pairs. */
#define WORK_RESERVED (HCA_TURN_WORK / 4)

/* CQE: hds_ip_ext, l4_l3_hdr_type. */
#define L2_OK	      0x01u
#define L3_OK	      0x02u
#define L4_OK	      0x04u
#define VLAN_STRIPPED 0x01u
#define L3_SHIFT      2u
#define L3_IPV6	      1u
#define L3_IPV4	      2u
#define L4_SHIFT      4u
#define L4_TCP	      1u /* without ACK; with ACK, and then with data, 3 and 4 */
#define L4_UDP	      2u
#define L4_TCP_ACK    3u
#define L4_TCP_DATA   4u
#define TCP_ACK	      0x010u

/* tirc.self_lb_block */
#define LB_UNICAST   1u
#define LB_MULTICAST 2u

/* --- where it goes ----------------------------------------------------------------------- */

/*
 * Whether @tir takes the frame: of what comes back from a send queue of its own transport domain it
 * has to say so (self_lb_block, whose bits the driver sets to enable it).
 */
static bool takes(const struct hca_tir *tir, const struct hca_eth_waiting *waiting)
{
	uint32_t allowed = field_get(tir->context, TIR_SELF_LB);

	return !waiting->td || tir->td != waiting->td ||
	       allowed & (waiting->bytes[0] & 1 ? LB_MULTICAST : LB_UNICAST);
}

/* The frame as flow tables have left it: never longer, as nothing is put into a tunnel here. */
static void take_over(struct hca *hca, struct hca_eth_waiting *waiting, const struct hca_edit *edit)
{
	waiting->frame = edit->frame;
	if (edit->bytes == waiting->bytes)
		return;
	hca->eth->inbox.bytes -= waiting->len - edit->len;
	waiting->len = edit->len;
	memcpy(waiting->bytes, edit->bytes, edit->len);
}

static void route(struct hca *hca, struct hca_eth_waiting *waiting)
{
	struct hca_edit edit = { .bytes = waiting->bytes, .len = waiting->len };
	struct hca_flow_route way;
	uint8_t room[HCA_EDIT_MAX];

	waiting->routed = true;
	hca_work(hca, HCA_WORK_WQE);
	/* What comes back has not come by the port. */
	if (!waiting->td)
		hca_eth_count(hca, HCA_RX, waiting->bytes, waiting->len);
	if (hca_roce_take(hca, waiting->bytes, waiting->len, 0))
		return;
	hca_frame_parse(edit.bytes, edit.len, &edit.frame);
	edit.room = room;
	hca_flow_route(hca, HCA_NIC_RX, &edit, &way);
	take_over(hca, waiting, &edit);
	if (way.dropped && !waiting->td)
		hca->eth->rx_stray++;
	waiting->tag = way.tag;
	for (unsigned int i = 0; i < way.tirs; i++) {
		struct hca_eth_target *queue = &waiting->queue[waiting->queues];

		if (!takes(way.tir[i], waiting))
			continue;
		queue->rqn = hca_tir_queue(hca, way.tir[i], waiting->bytes, &waiting->frame,
					   &queue->hash, &queue->hash_type);
		waiting->queues += queue->rqn != 0;
	}
}

/* --- one queue --------------------------------------------------------------------------- */

static uint8_t l4_type(const struct hca_eth_waiting *waiting)
{
	const struct hca_frame *frame = &waiting->frame;

	if (!frame->l4_at)
		return 0;
	if (frame->protocol == HCA_ETH_UDP)
		return L4_UDP;
	if (!(frame->tcp_flags & TCP_ACK))
		return L4_TCP;
	return frame->l4_at + frame->l4_len < frame->ip_end ? L4_TCP_DATA : L4_TCP_ACK;
}

/* Bytes in front of the tag that is taken out, and of it: 0 when none is. */
static size_t tag_taken(const struct hca_qp *rq, const struct hca_eth_waiting *waiting)
{
	return rq->strip_vlan && waiting->frame.ctag ? HCA_ETH_TAG : 0;
}

static struct hca_cqe build_cqe(const struct hca_qp *rq, const struct hca_eth_waiting *waiting)
{
	const struct hca_eth_target *queue = &waiting->queue[waiting->queues - 1];
	const struct hca_frame *frame = &waiting->frame;
	size_t tag = tag_taken(rq, waiting), from = HCA_ETH_HEADER + tag;
	uint8_t l3 = frame->ip == 4 ? L3_IPV4 : frame->ip == 6 ? L3_IPV6 : 0;
	struct hca_cqe cqe = {
		.opcode = HCA_CQE_RESP_SEND,
		.byte_cnt = (uint32_t)(waiting->len - tag),
		.srqn = hca_cqe_index(rq->hca, rq->user_index, 0),
		.qpn = waiting->tag,
		.wqe_counter = ((struct hca_progress *)rq->progress)->recv.counter,
		.hash = queue->hash,
		.hash_type = queue->hash_type,
		.headers = (uint8_t)(l3 << L3_SHIFT | l4_type(waiting) << L4_SHIFT),
		.checked = L2_OK,
	};

	/* Of what is delivered behind addresses and type (cqe_checksum_full). */
	if (waiting->len > from)
		cqe.check_sum = hca_frame_sum(waiting->bytes + from, waiting->len - from);
	if (hca_frame_ip_ok(waiting->bytes, frame))
		cqe.checked |= L3_OK;
	if (hca_frame_l4_ok(waiting->bytes, frame))
		cqe.checked |= L4_OK;
	if (tag) {
		cqe.headers |= VLAN_STRIPPED;
		cqe.vlan = frame->tci;
	}
	return cqe;
}

/* The queue cannot go on: its receive ends with @syndrome, and so do those behind it. */
static void fail(struct hca_qp *rq, struct hca_progress *progress, uint8_t syndrome)
{
	hca_recv_fail(rq, progress, syndrome);
	hca_qp_error(rq, HCA_NO_EVENT);
}

/* The bytes, without the tag, into the receive that was taken, as far as the turn goes. */
static enum hca_denial scatter(struct hca_qp *rq, struct hca_progress *progress,
			       struct hca_eth_waiting *waiting, size_t tag)
{
	struct hca_eth_inbox *inbox = &rq->hca->eth->inbox;
	struct hca_sgl sgl = hca_recv_sgl(rq, progress);
	size_t len = waiting->len - tag;
	struct hca_denied denied;
	enum hca_denial denial;

	denial = hca_sgl_check(&sgl, len, HCA_LOCAL_WRITE, &inbox->checked, &denied);
	while (denial == HCA_OK && inbox->moved < len) {
		size_t at = inbox->moved, addresses = HCA_ETH_HEADER - 2;
		/* Addresses are in front of the tag, the rest behind it. */
		uint64_t moved = tag && at < addresses ? addresses - at : len - at;

		if (hca_turn_over(rq->hca))
			return HCA_DENIED_TURN;
		denial = hca_sgl_scatter(&sgl, at, waiting->bytes + at + (at < addresses ? 0 : tag),
					 &moved, &denied);
		if (denial == HCA_OK)
			inbox->moved += moved;
	}
	return denial;
}

/* False: the turn is over before @rq has all of it. The receive stays taken for the next. */
static bool receive(struct hca_qp *rq, struct hca_eth_waiting *waiting)
{
	struct hca_eth_inbox *inbox = &rq->hca->eth->inbox;
	struct hca_progress *progress = hca_progress(rq);
	size_t tag = tag_taken(rq, waiting);
	enum hca_denial denial;
	struct hca_cqe cqe;
	int err;

	hca_work(rq->hca, HCA_WORK_WQE);
	if (rq->state != HCA_QP_RTS || !progress)
		return true;
	if (inbox->rqn != rq->number || !progress->recv.busy) {
		inbox->rqn = rq->number;
		inbox->checked = inbox->moved = 0;
	}
	err = hca_recv_take(rq, progress, 0);
	if (err == -EAGAIN) {
		hca_count(rq, HCA_Q_OUT_OF_BUFFER, 1);
		return true;
	}
	if (err) {
		hca_qp_error(rq, HCA_EVENT_WQ_CATAS);
		return true;
	}
	if (waiting->len - tag > progress->recv.length) {
		fail(rq, progress, HCA_SYND_LOCAL_LENGTH);
		return true;
	}
	denial = scatter(rq, progress, waiting, tag);
	if (denial == HCA_DENIED_TURN)
		return false;
	if (denial != HCA_OK) {
		fail(rq, progress, HCA_SYND_LOCAL_PROT);
		return true;
	}
	cqe = build_cqe(rq, waiting);
	progress->recv.busy = false;
	hca_cq_post(rq->hca, progress->recv.cqn, &cqe);
	return true;
}

/* True: nothing is left to do for it. */
static bool deliver(struct hca *hca, struct hca_eth_waiting *waiting)
{
	if (!waiting->routed)
		route(hca, waiting);
	for (; waiting->queues; waiting->queues--) {
		struct hca_qp *rq =
			hca_table_get(&hca->qps, waiting->queue[waiting->queues - 1].rqn);

		if (hca->work_left <= WORK_RESERVED)
			return false;
		if (rq && rq->type == HCA_QP_ETH_RQ && !receive(rq, waiting))
			return false;
	}
	return true;
}

bool hca_eth_poll(struct hca *hca)
{
	bool busy = false;

	while (hca->eth->inbox.head && hca->work_left > WORK_RESERVED) {
		busy = true;
		if (!deliver(hca, hca->eth->inbox.head))
			break;
		hca_eth_pop(hca);
	}
	return busy;
}
