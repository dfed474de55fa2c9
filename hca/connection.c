/* SPDX-License-Identifier: GPL-2.0-only */
#include "hca/connection.h"

#include "hca/budget.h"
#include "hca/q_counter.h"
#include "hca/qp.h"
#include "hca/wire.h"

#define ACK_TIMEOUT_UNIT_NS 4096u
/* ack_timeout 0 means "wait for ever": look again this often. */
#define RETRY_FOREVER_NS 10000000u
#define MTU_4096	 5u

struct hca_connection *hca_connection(struct hca_qp *qp)
{
	struct hca_progress *progress = hca_progress(qp);

	if (!progress)
		return NULL;
	if (!progress->connection) {
		progress->connection = hca_alloc(qp->hca, sizeof(struct hca_connection));
		if (progress->connection) {
			progress->connection->qp = qp;
			progress->connection->id = ++qp->hca->connections;
		}
	}
	return progress->connection;
}

uint32_t hca_path_mtu(const struct hca_qp *qp)
{
	unsigned int code = field_get(qp->qpc, QPC_MTU);

	return code && code < MTU_4096 ? 128u << code : HCA_MTU;
}

static enum packet_class service_of(const struct hca_qp *qp)
{
	switch (qp->type) {
	case HCA_QP_UC:
		return PACKET_UC;
	case HCA_QP_XRC:
		return PACKET_XRC;
	case HCA_QP_DCI:
		return PACKET_DC;
	default:
		return PACKET_RC;
	}
}

static struct transport_path path_of(struct hca_qp *qp)
{
	const struct hca_av *av = &hca_progress(qp)->wqe.av;
	struct transport_path path = {
		.service = service_of(qp),
		.mtu = hca_path_mtu(qp),
		.dest_qpn = qp->remote_qpn,
		.p_key = SUBNET_P_KEY,
	};

	if (qp->type == HCA_QP_DCI) {
		path.dest_qpn = av->qpn;
		path.dc_key = av->dc_key;
		path.src_qpn = qp->number;
	}
	return path;
}

/* A message is one train where the window lets it: the link loses nothing in its middle. */
void hca_connection_send(struct hca_connection *c, const struct requester_ops *ops)
{
	struct hca_qp *qp = c->qp;
	struct requester_attr attr;

	/* To whom a DC initiator sends each WQE says. */
	if (c->sends && !c->requester.failed && c->seen == qp->changes && qp->type != HCA_QP_DCI)
		return;
	c->seen = qp->changes;
	attr = (struct requester_attr){
		.path = path_of(qp),
		.psn = field_get(qp->qpc, QPC_NEXT_SEND_PSN),
		.window = REQUESTER_WINDOW_MAX,
		.retry_count = REQUESTER_RETRY_FOREVER,
		.rnr_retry = qp->rnr_retry,
		.timeout_ns = RETRY_FOREVER_NS,
		.max_rd_atomic = (uint8_t)(1u << field_get(qp->qpc, QPC_LOG_SRA_MAX)),
	};

	if (qp->ack_timeout) {
		attr.retry_count = qp->retry_count;
		attr.timeout_ns = (uint64_t)ACK_TIMEOUT_UNIT_NS << qp->ack_timeout;
	}
	if (c->sends && !c->requester.failed) {
		requester_modify(&c->requester, &attr);
		return;
	}
	/* SQERR2RTS, or the next stream of a DC initiator. */
	if (c->sends)
		attr.psn = c->requester.new_psn & PSN_MASK;
	requester_init(&c->requester, &attr, ops, c);
	c->sends = true;
}

void hca_connection_receive(const struct hca_link *link, const struct responder_ops *ops)
{
	struct hca_connection *c = link->to;
	struct hca_qp *qp = link->peer;
	struct responder_attr attr = { 0 };

	if (c->receives) {
		if (qp->type != HCA_QP_DCT)
			c->responder.attr.path.mtu = hca_path_mtu(qp);
		c->responder.attr.min_rnr_timer = qp->min_rnr_nak;
		return;
	}
	attr.min_rnr_timer = qp->min_rnr_nak;
	if (qp->type == HCA_QP_DCT) {
		attr.path = link->from->requester.attr.path;
		attr.path.dest_qpn = link->qp->number;
		attr.path.dc_key = qp->dc_key;
		/* Of the first packet, whichever comes first. */
		attr.psn = link->from->requester.unacked & PSN_MASK;
		attr.max_dest_rd_atomic = RESPONDER_RESOURCES;
	} else {
		attr.path = path_of(qp);
		attr.psn = field_get(qp->qpc, QPC_NEXT_RCV_PSN);
		attr.max_dest_rd_atomic = (uint8_t)(1u << field_get(qp->qpc, QPC_LOG_RRA_MAX));
	}
	responder_init(&c->responder, &attr, ops, c);
	c->receives = true;
}

void hca_connection_drop(struct hca_connection *c)
{
	c->posted = c->ended = c->unchecked = false;
	c->flight.busy = false;
	if (c->leaving[HCA_REQUESTS])
		c->leaving[HCA_REQUESTS]->fetched = 0;
	if (c->qp->type != HCA_QP_DCI)
		return;
	c->receives = false;
	/* Packets of a message that has ended are nobody's. */
	hca_packets_drop(c);
	c->id = ++c->qp->hca->connections;
}

/* What hca_connection_count() has something to say of. */
static bool is_quiet(const struct hca_link *link)
{
	const struct requester_counts *sent = &link->from->requester.counts;
	const struct responder_counts *received = link->to ? &link->to->responder.counts : NULL;

	return !(sent->timeouts | sent->sequence_naks | sent->implied_naks | sent->rnr_naks) &&
	       !(received &&
		 received->out_of_sequence | received->duplicates | received->not_ready);
}

void hca_connection_count(const struct hca_link *link)
{
	struct requester_counts *sent = &link->from->requester.counts;
	struct responder_counts *received;

	if (is_quiet(link))
		return;

	/* What never expires is not counted, however often the model looks again. */
	if (link->qp->ack_timeout)
		hca_count(link->qp, HCA_Q_LOCAL_ACK_TIMEOUT, (uint32_t)sent->timeouts);
	hca_count(link->qp, HCA_Q_PACKET_SEQ, (uint32_t)sent->sequence_naks);
	hca_count(link->qp, HCA_Q_IMPLIED_NAK_SEQ, (uint32_t)sent->implied_naks);
	hca_count(link->qp, HCA_Q_RNR_NAK_RETRY, (uint32_t)sent->rnr_naks);
	*sent = (struct requester_counts){ 0 };
	if (!link->to)
		return;
	received = &link->to->responder.counts;
	hca_count(link->peer, HCA_Q_OUT_OF_SEQUENCE, (uint32_t)received->out_of_sequence);
	hca_count(link->peer, HCA_Q_DUPLICATE_REQUEST, (uint32_t)received->duplicates);
	hca_count(link->peer, HCA_Q_OUT_OF_BUFFER, (uint32_t)received->not_ready);
	*received = (struct responder_counts){ 0 };
}
