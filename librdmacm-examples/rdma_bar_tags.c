// SPDX-License-Identifier: GPL-2.0-only OR Linux-OpenIB
/*
 * Offers memory to many clients at once: a slice with a tag of its own for each. All of them wait
 * until the last one has come, so that all tags are in use at the same time. rdma_bar_tags(1) has
 * the options.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rdma/rdma_verbs.h>

#include "bar_memory.h"

/* Each client takes the next slice. */
static struct client {
	struct rdma_cm_id *id; /* NULL: gone */
	struct ibv_mr *mr;
	struct bar_job job;
	struct bar_offer offer;
	char name[80];
} clients[BAR_SLICES];

static struct bar_memory mem = BAR_MEMORY_INIT;
static const char *server;
static const char *port = BAR_PORT;
static uint64_t wanted = 4;
static unsigned int arrived, ended, failed;
static struct rdma_event_channel *channel;

/* Releases what the client has; no event of it is left to be acknowledged. */
static void release(struct client *client)
{
	if (client->id->qp)
		rdma_destroy_qp(client->id);
	if (client->mr)
		rdma_dereg_mr(client->mr);
	rdma_destroy_id(client->id);
	client->id = NULL;
}

static void end(struct client *client, int ret)
{
	release(client);
	ended++;
	if (ret)
		failed++;
}

/* QP, region and receive of a client. *@refusal: why there are none, for the client. */
static int set_up(struct client *client, unsigned int slice, struct bar_refusal *refusal)
{
	struct ibv_qp_init_attr attr = {
		.qp_type = IBV_QPT_RC,
		.cap = { .max_send_wr = 1, .max_recv_wr = 1, .max_recv_sge = 1 }
	};

	if (rdma_create_qp(client->id, NULL, &attr)) {
		snprintf(refusal->text, sizeof(refusal->text), "no QP: %s", strerror(errno));
		warnx("client %s: %s", client->name, refusal->text);
		return -1;
	}
	client->mr = bar_memory_register(&mem, slice, client->id->pd, client->name, &client->offer,
					 refusal);
	if (!client->mr)
		return -1;
	if (rdma_post_recvv(client->id, NULL, NULL, 0)) {
		snprintf(refusal->text, sizeof(refusal->text), "no receive: %s", strerror(errno));
		warnx("client %s: %s", client->name, refusal->text);
		return -1;
	}
	return 0;
}

static void accept_all(void)
{
	for (unsigned int i = 0; i < arrived; i++) {
		struct rdma_conn_param param = { .private_data = &clients[i].offer,
						 .private_data_len = sizeof(clients[i].offer),
						 .responder_resources = 1,
						 .rnr_retry_count = 7 };

		if (!clients[i].id || !rdma_accept(clients[i].id, &param))
			continue;
		warn("client %s: rdma_accept", clients[i].name);
		end(&clients[i], -1);
	}
}

/* Takes the identifier of a request. One that is not of this service is turned away. */
static void request(const struct rdma_cm_event *event)
{
	struct client *client = &clients[arrived];
	struct bar_refusal refusal;
	bool late = arrived == wanted;
	char peer[64];

	bar_peer(rdma_get_peer_addr(event->id), peer);
	if (late || !bar_memory_request(&mem, event, peer, &client->job, &refusal)) {
		if (late)
			warnx("client %s: turned away: all have come", peer);
		rdma_reject(event->id, late ? NULL : &refusal, late ? 0 : sizeof(refusal));
		rdma_destroy_id(event->id);
		return;
	}
	client->id = event->id;
	client->id->context = client;
	snprintf(client->name, sizeof(client->name), "%u at %s", arrived, peer);
	if (set_up(client, arrived++, &refusal)) {
		rdma_reject(client->id, &refusal, sizeof(refusal));
		end(client, -1);
	}
	if (arrived == wanted)
		accept_all();
}

/* The client has disconnected: was it done before? */
static int judge(const struct client *client)
{
	struct ibv_wc wc;

	if (ibv_poll_cq(client->id->recv_cq, 1, &wc) != 1 || wc.status != IBV_WC_SUCCESS) {
		warnx("client %s: it left before all was done", client->name);
		return -1;
	}
	printf("client %s: done, by %s\n", client->name,
	       wc.opcode == IBV_WC_RECV_RDMA_WITH_IMM ? "immediate" : "message");
	return bar_memory_verify(&mem, (unsigned int)(client - clients), &client->job,
				 client->name);
}

/* What became of a client, after its event was acknowledged: it can be destroyed then. */
static void handle(struct client *client, const struct rdma_cm_event *event)
{
	int ret = -1;

	if (event->event == RDMA_CM_EVENT_ESTABLISHED)
		return;
	if (event->event == RDMA_CM_EVENT_DISCONNECTED) {
		ret = judge(client);
		rdma_disconnect(client->id);
	} else {
		warnx("client %s: %s (%d)", client->name, rdma_event_str(event->event),
		      event->status);
	}
	end(client, ret);
}

static void next_event(void)
{
	struct rdma_cm_event *event, copy;

	if (rdma_get_cm_event(channel, &event))
		return;
	copy = *event;
	if (copy.event == RDMA_CM_EVENT_CONNECT_REQUEST)
		request(event);
	rdma_ack_cm_event(event);
	/* The listening one has no context. */
	if (copy.event != RDMA_CM_EVENT_CONNECT_REQUEST && copy.id->context)
		handle(copy.id->context, &copy);
}

static int run(void)
{
	struct rdma_addrinfo hints = { .ai_flags = RAI_PASSIVE, .ai_port_space = RDMA_PS_TCP },
			     *res;
	struct rdma_cm_id *listen_id;
	int ret;

	ret = rdma_getaddrinfo(server, port, &hints, &res);
	if (ret) {
		warnx("-s %s -p %s: %s", server ? server : "(any)", port, gai_strerror(ret));
		return ret;
	}
	channel = rdma_create_event_channel();
	if (!channel) {
		warn("rdma_create_event_channel");
		ret = -1;
		goto out_free_addrinfo;
	}
	ret = rdma_create_id(channel, &listen_id, NULL, RDMA_PS_TCP);
	if (ret) {
		warn("rdma_create_id");
		goto out_destroy_channel;
	}
	ret = rdma_bind_addr(listen_id, res->ai_src_addr);
	if (!ret)
		ret = rdma_listen(listen_id, (int)wanted);
	if (ret) {
		bar_cannot_listen(server, port, errno);
		goto out_destroy_id;
	}
	printf("listening on port %s for %u clients\n", port, (unsigned int)wanted);
	while (ended < wanted && !bar_stop)
		next_event();
	printf("%u of %u clients were served\n", ended - failed, (unsigned int)wanted);
	ret = ended < wanted || failed;
	for (unsigned int i = 0; i < arrived; i++)
		if (clients[i].id)
			release(&clients[i]);
out_destroy_id:
	rdma_destroy_id(listen_id);
out_destroy_channel:
	rdma_destroy_event_channel(channel);
out_free_addrinfo:
	rdma_freeaddrinfo(res);
	return ret;
}

static void usage(void)
{
	fprintf(stderr,
		"usage: %s -d BDF | -m [option]... | --version\n" BAR_MEMORY_USAGE
		"\t[-n clients] 1..%u (default 4)\n"
		"\t[-s address] to listen at (default any)\n"
		"\t[-p port] (default " BAR_PORT ")\n",
		program_invocation_short_name, BAR_SLICES);
	exit(2);
}

int main(int argc, char **argv)
{
	uint64_t number;
	int op, ret;

	if (bar_version(argc, argv))
		return 0;
	while ((op = getopt(argc, argv, BAR_MEMORY_OPTIONS "n:s:p:")) != -1) {
		switch (op) {
		case 'n':
			if (!bar_number(op, optarg, 1, BAR_SLICES, &wanted))
				return 2;
			break;
		case 's':
			server = optarg;
			break;
		case 'p':
			if (!bar_number(op, optarg, 1, 65535, &number))
				return 2;
			port = optarg;
			break;
		case '?':
			usage();
			break;
		default:
			if (!bar_memory_option(&mem, op, optarg))
				return 2;
		}
	}
	if (optind < argc)
		usage();
	if (!bar_memory_options_done(&mem, (unsigned int)wanted))
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	bar_catch_signals();
	ret = bar_memory_open(&mem);
	if (!ret) {
		ret = run();
		bar_memory_close(&mem);
	}
	return bar_status(ret);
}
