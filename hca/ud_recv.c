/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Datagrams that wait in the function's inbox (inbox.h) are delivered in its own turns: a group of
 * thousands of QPs is served over as many of them as that takes. Who takes one,
 * transport/datagram.h says.
 */
#include <errno.h>

#include "hca/budget.h"
#include "hca/data.h"
#include "hca/inbox.h"
#include "hca/q_counter.h"
#include "hca/qp.h"
#include "hca/refusal.h"
#include "transport/datagram.h"

/* Of a turn's work, what is left for the queue pairs. */
#define WORK_RESERVED (HCA_TURN_WORK / 4)

/* --- one QP ---------------------------------------------------------------------------------- */

/* The sender is told nothing. */
static void refuse(struct hca_qp *qp, struct hca_progress *progress, enum transport_refusal why)
{
	const struct hca_refusal_row *row = hca_refusal(why);

	if (row->receive)
		hca_recv_fail(qp, progress, row->receive);
	hca_qp_error(qp, row->event);
}

static struct hca_cqe build_cqe(const struct hca_qp *qp, const struct subnet_packet *carried,
				const struct datagram *datagram)
{
	return (struct hca_cqe){
		.opcode = datagram->has_immediate ? HCA_CQE_RESP_SEND_IMM : HCA_CQE_RESP_SEND,
		.solicited = datagram->solicited,
		.byte_cnt = (uint32_t)(DATAGRAM_GRH + datagram->length),
		/* QP1 has no immediate data; there the place is the P_Key's. */
		.immediate = qp->type == HCA_QP_GSI ? datagram->p_key : datagram->immediate,
		.slid = carried->slid,
		.flags_rqpn = (uint32_t)carried->grh << 28 | (uint32_t)carried->sl << 24 |
			      datagram->src_qpn,
	};
}

/* The payload into the receive that was taken, as far as the turn goes. */
static enum hca_denial scatter(struct hca_qp *qp, struct hca_progress *progress,
			       const struct subnet_packet *packet)
{
	uint64_t skip = packet->grh ? 0 : SUBNET_GRH_LEN, len = SUBNET_GRH_LEN + packet->len;
	struct hca_inbox *inbox = &qp->hca->inbox;
	struct hca_sgl sgl = hca_recv_sgl(qp, progress);
	struct hca_denied denied;
	enum hca_denial denial;

	denial = hca_sgl_check(&sgl, len, HCA_LOCAL_WRITE, &inbox->checked, &denied);
	/* Without a GRH its area in the buffer stays as it is. */
	if (inbox->moved < skip)
		inbox->moved = skip;
	while (denial == HCA_OK && inbox->moved < len) {
		uint64_t moved = len - inbox->moved;

		if (hca_turn_over(qp->hca))
			return HCA_DENIED_TURN;
		denial = hca_sgl_scatter(&sgl, inbox->moved, packet->data + inbox->moved, &moved,
					 &denied);
		if (denial == HCA_OK)
			inbox->moved += moved;
	}
	return denial;
}

/* False: the turn is over before @qp has all of it. The receive stays taken for the next. */
static bool receive(struct hca_qp *qp, const struct subnet_packet *carried,
		    const struct datagram *datagram)
{
	struct hca_cqe cqe = build_cqe(qp, carried, datagram);
	struct hca_inbox *inbox = &qp->hca->inbox;
	struct hca_progress *progress = hca_progress(qp);
	enum hca_denial denial;
	int err;

	hca_work(qp->hca, HCA_WORK_WQE);
	if (!hca_qp_can_receive(qp) || !progress)
		return true;
	if (inbox->qpn != qp->number || !progress->recv.busy) {
		inbox->qpn = qp->number;
		inbox->checked = inbox->moved = 0;
	}
	err = hca_recv_take(qp, progress, 0);
	if (err == -EAGAIN) {
		hca_count(qp, HCA_Q_OUT_OF_BUFFER, 1);
		return true;
	}
	if (err) {
		refuse(qp, progress, TRANSPORT_REFUSE_RECV_QUEUE);
		return true;
	}
	if (!datagram_fits(datagram, progress->recv.length)) {
		refuse(qp, progress, TRANSPORT_REFUSE_RECV_LENGTH);
		return true;
	}
	denial = scatter(qp, progress, carried);
	if (denial == HCA_DENIED_TURN)
		return false;
	if (denial == HCA_OK)
		hca_recv_complete(qp, progress, &cqe);
	else
		refuse(qp, progress, TRANSPORT_REFUSE_RECV_LOCAL);
	return true;
}

/* --- who takes it ---------------------------------------------------------------------------- */

/*
 * The QP that @qpn names on the wire, or NULL. QP0 and QP1 have other numbers here: the driver's,
 * which knows them by their types.
 */
static struct hca_qp *find_receiver(struct hca *hca, uint32_t qpn)
{
	enum hca_qp_type type = HCA_QP_UD;
	struct hca_qp *qp;

	if (qpn == SUBNET_QP0) {
		type = HCA_QP_SMI;
		qpn = hca->smi_qpn;
	} else if (qpn == SUBNET_QP1) {
		type = HCA_QP_GSI;
		qpn = hca->gsi_qpn;
	}
	qp = hca_table_get(&hca->qps, qpn);
	return qp && qp->type == type && hca_qp_can_receive(qp) ? qp : NULL;
}

/* QP1 is a member of each partition of its port. */
static uint16_t gsi_p_key(const struct hca *hca, uint16_t theirs)
{
	unsigned int i = 0;

	while (i < SUBNET_P_KEYS && !datagram_p_key_matches(hca_p_key(hca, i), theirs))
		i++;
	return hca_p_key(hca, i);
}

static struct datagram_receiver receiver_of(const struct hca_qp *qp)
{
	return (struct datagram_receiver){
		.qpn = qp->number,
		.q_key = qp->q_key,
		.p_key = hca_p_key(qp->hca, field_get(qp->qpc, QPC_PKEY_INDEX)),
	};
}

/* QP1 is there without a QP of the driver's, too: management of performance answers by itself. */
static enum datagram_fault take(struct hca *hca, const struct hca_qp *qp,
				const struct packet *packet, struct datagram *datagram)
{
	struct datagram_receiver receiver = { 0 };

	if (packet->dest_qpn == SUBNET_QP1)
		receiver = (struct datagram_receiver){ SUBNET_QP1, SUBNET_QP1_Q_KEY,
						       gsi_p_key(hca, packet->p_key) };
	else if (!qp)
		return DATAGRAM_QPN;
	else if (packet->dest_qpn != SUBNET_QP0)
		receiver = receiver_of(qp);
	return datagram_take(&receiver, packet, datagram);
}

static void count_up(uint16_t *count)
{
	*count += *count < UINT16_MAX;
}

static bool receive_unicast(struct hca *hca, const struct subnet_packet *carried,
			    const struct packet *packet)
{
	struct hca_qp *qp = find_receiver(hca, packet->dest_qpn);
	struct datagram datagram;

	switch (take(hca, qp, packet, &datagram)) {
	case DATAGRAM_OK:
		if (hca->port && packet->dest_qpn == SUBNET_QP1 && hca_pma_receive(hca, carried))
			return true;
		return !qp || receive(qp, carried, &datagram);
	case DATAGRAM_P_KEY:
		count_up(&hca->inbox.p_key_violations);
		return true;
	case DATAGRAM_Q_KEY:
		count_up(&hca->inbox.q_key_violations);
		return true;
	default:
		return true;
	}
}

/* --- all that one is for --------------------------------------------------------------------- */

/* In the GRH, or in the IPv4 header of RoCE, which has the end of its area: a mapped address. */
static void group_of(const struct hca *hca, const struct subnet_packet *packet, uint8_t mgid[16])
{
	memcpy(mgid, packet->data + 24, 16);
	if (!hca->eth || packet->data[0] >> 4 == 6)
		return;
	memset(mgid, 0, 12);
	mgid[10] = mgid[11] = 0xff;
}

static bool wants(const struct hca_qp *qp, const struct hca_mcg_entry *entry,
		  const struct hca_datagram *waiting)
{
	uint8_t mgid[16];

	group_of(qp->hca, &waiting->packet, mgid);
	if (memcmp(entry->mgid, mgid, sizeof(mgid)))
		return false;
	return qp->number != waiting->sender || !field_get(qp->qpc, QPC_BLOCK_LB_MC);
}

/* To the QPs of the group that have not had it, as far as the turn goes. True: to all of them. */
static bool receive_multicast(struct hca *hca, const struct hca_datagram *waiting,
			      const struct packet *packet)
{
	const struct subnet_packet *carried = &waiting->packet;
	struct hca_mcg *mcg = &hca->mcg;

	while (carried->grh && mcg->cursor < mcg->count) {
		const struct hca_mcg_entry *entry = &mcg->entry[mcg->cursor];
		struct datagram datagram;
		struct hca_qp *qp;

		if (hca->work_left <= WORK_RESERVED)
			return false;
		hca_work(hca, HCA_WORK_STEP);
		qp = hca_table_get(&hca->qps, entry->qpn);
		if (qp && wants(qp, entry, waiting)) {
			struct datagram_receiver receiver = receiver_of(qp);

			if (datagram_take(&receiver, packet, &datagram) == DATAGRAM_OK &&
			    !receive(qp, carried, &datagram))
				return false;
		}
		mcg->cursor++;
	}
	return true;
}

/* True: nothing is left to do for it. */
static bool deliver(struct hca *hca, struct hca_datagram *waiting)
{
	const struct subnet_packet *carried = &waiting->packet;
	struct packet packet = hca_ud_packet(carried);
	bool smp = packet.dest_qpn == SUBNET_QP0;
	bool multicast = !smp && carried->dlid >= SUBNET_MLID_FIRST;

	hca_work(hca, HCA_WORK_WQE);
	/* What comes back from an own QP was never on the link. */
	if (!smp && !waiting->passed && !waiting->sender &&
	    !hca_pass(hca, HCA_RX, multicast, 1, packet.length))
		return true;
	waiting->passed = true;
	return multicast ? receive_multicast(hca, waiting, &packet)
			 : receive_unicast(hca, carried, &packet);
}

bool hca_ud_poll(struct hca *hca)
{
	bool busy = false;

	while (hca->inbox.head && hca->work_left > WORK_RESERVED) {
		busy = true;
		if (!deliver(hca, hca->inbox.head))
			break;
		hca_ud_pop(hca);
	}
	return busy;
}
