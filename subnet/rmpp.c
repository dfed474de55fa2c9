/* SPDX-License-Identifier: GPL-2.0-only */
/* Reliable multi-packet transactions, the sender's side: IBA 1.5, 13.6. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "subnet/internal.h"

#define SEGMENT_LEN (MAD_DATA + 20u) /* the payload length counts the SA header, too */
#define RESEND_NS   1000000000ull
#define TRIES	    4u

struct answer {
	struct answer *next;
	struct subnet_port *to;
	struct subnet_packet request; /* its addresses; the data is gone but for the GRH */
	uint8_t grh[SUBNET_GRH_LEN];
	struct sa_mad header;
	uint8_t *data;
	size_t len;
	uint32_t segments, acked, window; /* numbers of segments: all, acknowledged, may be sent */
	uint32_t sent;
	unsigned int tries;
	uint64_t resend_ns;
};

static void drop(struct answer **link)
{
	struct answer *answer = *link;

	*link = answer->next;
	free(answer->data);
	free(answer);
}

static void send_segment(struct answer *answer, uint32_t number)
{
	size_t at = (size_t)(number - 1) * MAD_DATA, left = answer->len - at;
	struct sa_mad mad = answer->header;
	uint8_t raw[MAD_LEN];

	mad.rmpp_type = MAD_RMPP_DATA;
	mad.rmpp_flags = MAD_RMPP_ACTIVE;
	mad.segment = number;
	if (number == answer->segments) {
		mad.rmpp_flags |= MAD_RMPP_LAST;
		mad.payload = (uint32_t)(left + SEGMENT_LEN - MAD_DATA);
	}
	if (number == 1) {
		mad.rmpp_flags |= MAD_RMPP_FIRST;
		mad.payload = (uint32_t)(answer->len +
					 answer->segments * (size_t)(SEGMENT_LEN - MAD_DATA));
	}
	memset(mad.data, 0, MAD_DATA);
	if (left)
		memcpy(mad.data, answer->data + at, left < MAD_DATA ? left : MAD_DATA);
	sa_mad_encode(&mad, raw);
	subnet_reply(answer->to, &answer->request, raw);
}

static bool has_more(const struct answer *answer)
{
	return answer->sent < answer->window && answer->sent < answer->segments;
}

/* What the window allows and was not sent yet, of it at most *@burst. */
static void send_window(struct answer *answer, unsigned int *burst)
{
	for (; has_more(answer) && *burst; --*burst)
		send_segment(answer, ++answer->sent);
	answer->resend_ns = clock_now_ns() + RESEND_NS;
}

/* The link to the answer with @tid to @qpn, or to the end of the list. @count: those before. */
static struct answer **find(struct subnet_port *port, uint32_t qpn, uint64_t tid,
			    unsigned int *count)
{
	struct answer **link = &port->answers;

	for (*count = 0; *link; link = &(*link)->next, ++*count) {
		if ((*link)->request.src_qpn == qpn && (*link)->header.tid == tid)
			break;
	}
	return link;
}

void rmpp_answer(struct subnet_port *to, const struct subnet_packet *request,
		 const struct sa_mad *mad, struct records *records)
{
	unsigned int count, burst = SUBNET_PORT_BURST;
	struct answer **link = find(to, request->src_qpn, mad->tid, &count), *answer;

	/* Who asks once more gives up the answer that is on the way. */
	if (*link) {
		drop(link);
		link = find(to, request->src_qpn, mad->tid, &count);
	}
	/* Who asks and never acknowledges has to wait; the requester's own retry asks again. */
	answer = count < SUBNET_PORT_ANSWERS ? calloc(1, sizeof(*answer)) : NULL;
	if (!answer) {
		sa_count(to->subnet, SUBNET_BUSY);
		free(records->data);
		return;
	}
	answer->to = to;
	answer->request = *request;
	memcpy(answer->grh, request->data, SUBNET_GRH_LEN);
	answer->request.data = answer->grh;
	answer->header = *mad;
	answer->data = records->data;
	answer->len = records->count * record_stride(records->kind);
	answer->segments = (uint32_t)((answer->len + MAD_DATA - 1) / MAD_DATA);
	if (!answer->segments)
		answer->segments = 1;
	answer->window = 1;
	*link = answer;
	send_window(answer, &burst);
}

void rmpp_receive(struct subnet_port *from, const struct subnet_packet *packet,
		  const struct sa_mad *mad)
{
	unsigned int count, burst = SUBNET_PORT_BURST;
	struct answer **link = find(from, packet->src_qpn, mad->tid, &count);
	struct answer *answer = *link;
	uint32_t window;

	if (!answer)
		return; /* the last acknowledgment came twice, or the answer was given up */
	if (mad->rmpp_type != MAD_RMPP_ACK || mad->segment >= answer->segments) {
		drop(link);
		return;
	}
	if (mad->segment < answer->acked || mad->segment > answer->sent ||
	    mad->payload < mad->segment)
		return;
	/* Who says nothing new does not keep the answer alive. */
	window = mad->payload < answer->segments ? mad->payload : answer->segments;
	if (mad->segment == answer->acked && window <= answer->window)
		return;
	answer->acked = mad->segment;
	if (window > answer->window)
		answer->window = window;
	answer->tries = 0;
	send_window(answer, &burst);
}

void rmpp_forget(struct subnet_port *port)
{
	while (port->answers)
		drop(&port->answers);
}

bool rmpp_poll(struct subnet_port *port, uint64_t now_ns)
{
	unsigned int burst = SUBNET_PORT_BURST;
	struct answer **link = &port->answers;

	while (*link && burst) {
		struct answer *answer = *link;

		if (!has_more(answer) && now_ns >= answer->resend_ns) {
			if (++answer->tries > TRIES) {
				drop(link);
				continue;
			}
			answer->sent = answer->acked;
		}
		if (has_more(answer))
			send_window(answer, &burst);
		link = &answer->next;
	}
	return burst < SUBNET_PORT_BURST;
}
