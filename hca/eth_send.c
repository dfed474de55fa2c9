/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Send queues of frames. What a WQE says is made a frame, or the segments of a long message, each
 * with its checksums, and handed to the switch. Whatever becomes of a frame there, or if it is one
 * that no port sends, its WQE succeeds; only one that cannot be understood stops the queue.
 */
#include "base/clock.h"
#include "hca/budget.h"
#include "hca/data.h"
#include "hca/eth.h"
#include "hca/flow_table.h"
#include "hca/qos.h"
#include "hca/wire.h"

static void lose(struct hca *hca, size_t len)
{
	hca->eth->tx_errors.packets++;
	hca->eth->tx_errors.octets += len;
}

void hca_eth_transmit(struct hca *hca, const uint8_t *bytes, size_t len)
{
	hca_work(hca, HCA_WORK_TRANSFER + len);
	if (len < HCA_ETH_HEADER || len + HCA_ETH_FCS > hca_eth_mtu(hca) || !hca_eth_is_up(hca)) {
		lose(hca, len);
		return;
	}
	hca_eth_count(hca, HCA_TX, bytes, len);
	if (hca->wire)
		hca_wire_frame(hca, bytes, len);
	else
		bridge_send(hca->eth->port, bytes, len, clock_now_ns());
}

/*
 * Whether the frame comes back to the port's own flow tables, unless the driver has turned it off:
 * those for groups do, and those for the port itself, which the switch would not send back.
 */
static bool comes_back(const struct hca *hca, const uint8_t *bytes, size_t len)
{
	const uint8_t *vport = hca->eth->vport;

	if (len < HCA_ETH_HEADER || !hca->flow_root[HCA_NIC_RX] || !hca_eth_is_up(hca))
		return false;
	if (bytes[0] & 1)
		return !field_get(vport, NIC_VPORT_MC_LB_OFF);
	return !field_get(vport, NIC_VPORT_UC_LB_OFF) && !memcmp(bytes, vport + NIC_VPORT_MAC, 6);
}

/* The same, if the flow tables say so, and as they have changed it. */
static void transmit(const struct hca_qp *sq, const uint8_t *bytes, size_t len,
		     const struct hca_frame *frame)
{
	struct hca *hca = sq->hca;
	const struct hca_tis *tis = hca_table_get(&hca->tises, sq->tisn);
	struct hca_flow_route route;
	uint8_t room[HCA_EDIT_MAX];

	if (hca->flow_root[HCA_NIC_TX]) {
		struct hca_edit edit = { bytes, len, *frame, room };

		hca_flow_route(hca, HCA_NIC_TX, &edit, &route);
		if (route.dropped) {
			lose(hca, len);
			return;
		}
		bytes = edit.bytes;
		len = edit.len;
	}
	hca_eth_transmit(hca, bytes, len);
	if (tis && comes_back(hca, bytes, len))
		hca_eth_loop(hca, bytes, len, tis->td);
}

static void send_frame(const struct hca_qp *sq, uint8_t *bytes, size_t len, uint8_t flags)
{
	struct hca_frame frame;

	hca_frame_parse(bytes, len, &frame);
	if (flags & HCA_WQE_L3_CSUM)
		hca_frame_fill_ip(bytes, &frame);
	if (flags & HCA_WQE_L4_CSUM)
		hca_frame_fill_l4(bytes, &frame);
	transmit(sq, bytes, len, &frame);
}

/* The next segment of the message at progress->staged. False: its headers are none. */
static bool send_segment(const struct hca_qp *sq, struct hca_progress *progress)
{
	const struct hca_wqe *wqe = &progress->wqe;
	size_t header = wqe->eth.inline_len, payload = wqe->length - header;
	size_t left = payload - progress->sent, len = left < wqe->eth.mss ? left : wqe->eth.mss;
	uint8_t bytes[HCA_ETH_FRAME_MAX];
	struct hca_frame frame;

	memcpy(bytes, progress->staged, header);
	memcpy(bytes + header, progress->staged + header + progress->sent, len);
	if (!hca_frame_segment(bytes, header + len, header,
			       (uint32_t)(progress->sent / wqe->eth.mss), (uint32_t)progress->sent,
			       len == left))
		return false;
	hca_frame_parse(bytes, header + len, &frame);
	transmit(sq, bytes, header + len, &frame);
	progress->sent += len;
	return true;
}

static enum hca_step send_segments(const struct hca_qp *sq, struct hca_progress *progress,
				   uint8_t *syndrome)
{
	struct hca *hca = sq->hca;
	uint64_t payload = progress->wqe.length - progress->wqe.eth.inline_len;

	do {
		if (!hca_wire_has_room(hca))
			return HCA_STEP_WAIT;
		if (!send_segment(sq, progress)) {
			*syndrome = HCA_SYND_LOCAL_QP_OP;
			return HCA_STEP_ERROR;
		}
		if (progress->sent < payload && hca_turn_over(hca))
			return HCA_STEP_TURN;
	} while (progress->sent < payload);
	return HCA_STEP_DONE;
}

static bool is_too_long(const struct hca_wqe *wqe)
{
	size_t header = wqe->eth.inline_len;

	if (wqe->opcode != HCA_OP_LSO)
		return wqe->length > HCA_ETH_FRAME_MAX;
	return wqe->length - header > 1u << HCA_ETH_LSO_LOG ||
	       header + wqe->eth.mss > HCA_ETH_FRAME_MAX;
}

enum hca_step hca_eth_step(struct hca_qp *sq, uint8_t *syndrome)
{
	struct hca_progress *progress = hca_progress(sq);
	const struct hca_wqe *wqe = &progress->wqe;
	enum hca_step step;

	if (is_too_long(wqe)) {
		*syndrome = HCA_SYND_LOCAL_LENGTH;
		return HCA_STEP_ERROR;
	}
	if (!hca_wire_has_room(sq->hca) || !(progress->sent || hca_rate_allows(sq)))
		return HCA_STEP_WAIT;
	step = hca_stage(sq, 0, syndrome);
	if (step != HCA_STEP_DONE)
		return step;
	if (wqe->opcode == HCA_OP_LSO)
		step = send_segments(sq, progress, syndrome);
	else
		send_frame(sq, progress->staged, wqe->length, wqe->eth.cs_flags);
	if (step == HCA_STEP_DONE)
		hca_rate_spend(sq, wqe->length);
	return step;
}
