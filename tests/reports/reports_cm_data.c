// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private data of a connection by address: as much as a request, an answer and a refusal carry.
 *
 * Usage: reports_cm_data ADDRESS, of this host
 */
#include <errno.h>
#include <string.h>
#include <rdma/rdma_cma.h>

#include "ktap.h"

/* InfiniBand Architecture, 12.6: REQ 92 bytes, of which the IP addresses take 36; REP, REJ. */
#define REQUEST 56u
#define ANSWER	196u
#define REFUSAL 148u

static struct rdma_event_channel *channel;
static struct rdma_addrinfo *to;
static uint8_t data[256];

/* The next event; the others of a connection within one process are for the other side. */
static struct rdma_cm_event *next(enum rdma_cm_event_type type)
{
	struct rdma_cm_event *event;

	ktap_must(rdma_get_cm_event(channel, &event) ? -errno : 0, "rdma_get_cm_event");
	if (!CHECK_EQUAL(type, event->event))
		ktap_bail("%s, status %d", rdma_event_str(event->event), event->status);
	return event;
}

static void wait_for(enum rdma_cm_event_type type)
{
	rdma_ack_cm_event(next(type));
}

/* @length bytes from @first on, at the front of what came. */
static void came(const struct rdma_cm_event *event, unsigned int first, unsigned int length)
{
	const uint8_t *got = event->param.conn.private_data;

	if (CHECK(event->param.conn.private_data_len >= length && (got || !length)))
		CHECK(!memcmp(got, data + first, length));
}

static struct rdma_cm_id *resolved(void)
{
	struct ibv_qp_init_attr init = {
		.qp_type = IBV_QPT_RC,
		.cap = { .max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 }
	};
	struct rdma_cm_id *id;

	ktap_must(rdma_create_id(channel, &id, NULL, RDMA_PS_TCP) ? -errno : 0, "rdma_create_id");
	ktap_must(rdma_resolve_addr(id, NULL, to->ai_dst_addr, 5000) ? -errno : 0, "resolve_addr");
	wait_for(RDMA_CM_EVENT_ADDR_RESOLVED);
	ktap_must(rdma_resolve_route(id, 5000) ? -errno : 0, "rdma_resolve_route");
	wait_for(RDMA_CM_EVENT_ROUTE_RESOLVED);
	ktap_must(rdma_create_qp(id, NULL, &init) ? -errno : 0, "rdma_create_qp");
	return id;
}

static struct rdma_conn_param with(unsigned int first, unsigned int length)
{
	return (struct rdma_conn_param){ .private_data = data + first,
					 .private_data_len = (uint8_t)length,
					 .responder_resources = 1,
					 .initiator_depth = 1,
					 .rnr_retry_count = 7,
					 .retry_count = 7 };
}

static struct rdma_cm_id *requested(struct rdma_cm_id *id, unsigned int length)
{
	struct rdma_conn_param param = with(1, length);
	struct rdma_cm_event *event;
	struct rdma_cm_id *served;

	ktap_must(rdma_connect(id, &param) ? -errno : 0, "rdma_connect");
	event = next(RDMA_CM_EVENT_CONNECT_REQUEST);
	came(event, 1, length);
	served = event->id;
	rdma_ack_cm_event(event);
	return served;
}

static void done(struct rdma_cm_id *id)
{
	if (id->qp)
		rdma_destroy_qp(id);
	CHECK_EQUAL(0, rdma_destroy_id(id));
}

static void accepted(unsigned int request, unsigned int answer)
{
	struct rdma_conn_param param = with(2, answer);
	struct ibv_qp_init_attr init = {
		.qp_type = IBV_QPT_RC,
		.cap = { .max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 }
	};
	struct rdma_cm_id *id = resolved(), *served = requested(id, request);
	struct rdma_cm_event *event;

	ktap_must(rdma_create_qp(served, NULL, &init) ? -errno : 0, "rdma_create_qp");
	ktap_must(rdma_accept(served, &param) ? -errno : 0, "rdma_accept");
	/* Each side's, in either order. */
	for (unsigned int i = 0; i < 2; i++) {
		event = next(RDMA_CM_EVENT_ESTABLISHED);
		if (event->id == id)
			came(event, 2, answer);
		rdma_ack_cm_event(event);
	}
	CHECK_EQUAL(0, rdma_disconnect(id));
	wait_for(RDMA_CM_EVENT_DISCONNECTED);
	CHECK_EQUAL(0, rdma_disconnect(served));
	wait_for(RDMA_CM_EVENT_DISCONNECTED);
	done(id);
	done(served);
}

static void refused(unsigned int length)
{
	struct rdma_cm_id *id = resolved(), *served = requested(id, 0);
	struct rdma_cm_event *event;

	ktap_must(rdma_reject(served, data + 3, (uint8_t)length) ? -errno : 0, "rdma_reject");
	event = next(RDMA_CM_EVENT_REJECTED);
	CHECK(event->id == id);
	CHECK_EQUAL(28, event->status); /* consumer defined */
	came(event, 3, length);
	rdma_ack_cm_event(event);
	done(id);
	done(served);
}

static void too_much(void)
{
	struct rdma_conn_param param = with(0, REQUEST + 1);
	struct rdma_cm_id *id = resolved(), *served;

	CHECK(rdma_connect(id, &param));
	CHECK_EQUAL(EINVAL, errno);
	served = requested(id, 0);
	CHECK(rdma_reject(served, data, REFUSAL + 1));
	CHECK_EQUAL(EINVAL, errno);
	ktap_must(rdma_reject(served, NULL, 0) ? -errno : 0, "rdma_reject");
	wait_for(RDMA_CM_EVENT_REJECTED);
	done(id);
	done(served);
}

int main(int argc, char **argv)
{
	struct rdma_addrinfo hints = { .ai_port_space = RDMA_PS_TCP };
	struct rdma_cm_id *listener;

	if (argc != 2)
		ktap_bail("usage: reports_cm_data ADDRESS");
	for (unsigned int i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + 1);
	ktap_plan(4);
	channel = rdma_create_event_channel();
	ktap_must(channel ? 0 : -errno, "rdma_create_event_channel");
	ktap_must(rdma_getaddrinfo(argv[1], "7476", &hints, &to) ? -errno : 0, argv[1]);
	ktap_must(rdma_create_id(channel, &listener, NULL, RDMA_PS_TCP) ? -errno : 0, "create_id");
	ktap_must(rdma_bind_addr(listener, to->ai_dst_addr) ? -errno : 0, "rdma_bind_addr");
	ktap_must(rdma_listen(listener, 4) ? -errno : 0, "rdma_listen");

	ktap_case("none");
	accepted(0, 0);
	ktap_done();
	ktap_case("a request with %u bytes, an answer with %u", REQUEST, ANSWER);
	accepted(REQUEST, ANSWER);
	ktap_done();
	ktap_case("a refusal with %u bytes", REFUSAL);
	refused(REFUSAL);
	refused(1);
	ktap_done();
	ktap_case("more");
	too_much();
	ktap_done();
	CHECK_EQUAL(0, rdma_destroy_id(listener));
	rdma_freeaddrinfo(to);
	rdma_destroy_event_channel(channel);
	return ktap_exit();
}
