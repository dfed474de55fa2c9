// SPDX-License-Identifier: GPL-2.0-only OR Linux-OpenIB
/*
 * Offers a piece of a BAR, with a steering hint, or host memory to one client, which writes to it.
 * Clients of another kind are turned away. rdma_bar_server(1) has the options.
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
#include "bar_wait.h"

static struct bar_memory mem = BAR_MEMORY_INIT;
static const char *server;
static const char *port = BAR_PORT;
static struct rdma_cm_id *listen_id;

/* Waits for the empty message, or the last write's immediate. */
static int wait_done(struct rdma_cm_id *id, const char *client)
{
	struct ibv_wc wc;

	if (bar_wait_completion(id, id->recv_cq, id->recv_cq_channel, "client", client, &wc))
		return -1;
	printf("client %s: done, by %s\n", client,
	       wc.opcode == IBV_WC_RECV_RDMA_WITH_IMM ? "immediate" : "message");
	return 0;
}

/* An accepted client, until it disconnects. */
static int serve(struct rdma_cm_id *id, const struct bar_job *job, const char *client)
{
	int ret;

	ret = wait_done(id, client);
	if (!ret)
		ret = bar_memory_verify(&mem, 0, job, client);
	/* It may read what it wrote. */
	if (bar_wait_event(id->channel))
		return -1;
	/* Answers the client, and takes the event that says that it has disconnected. */
	rdma_disconnect(id);
	return ret;
}

/* One client. *@served: it was one of this service. */
static int take_client(bool *served)
{
	struct rdma_conn_param param = { .responder_resources = 1, .rnr_retry_count = 7 };
	struct bar_refusal refusal;
	struct bar_offer offer;
	struct rdma_cm_id *id;
	struct bar_job job;
	char client[64];
	struct ibv_mr *mr;
	int ret;

	if (bar_wait_event(listen_id->channel))
		return -1;
	ret = rdma_get_request(listen_id, &id);
	if (ret) {
		warn("rdma_get_request");
		return ret;
	}
	bar_peer(rdma_get_peer_addr(id), client);
	*served = bar_memory_request(&mem, id->event, client, &job, &refusal);
	mr = *served ? bar_memory_register(&mem, 0, id->pd, client, &offer, &refusal) : NULL;
	if (!mr) {
		ret = *served ? -1 : 0;
		rdma_reject(id, &refusal, sizeof(refusal));
		goto out_destroy_ep;
	}
	/* Neither an empty message nor a write with immediate needs a place for data. */
	ret = rdma_post_recvv(id, NULL, NULL, 0);
	if (ret) {
		warn("client %s: rdma_post_recvv", client);
		goto out_dereg_mr;
	}
	param.private_data = &offer;
	param.private_data_len = sizeof(offer);
	ret = rdma_accept(id, &param);
	if (ret)
		warn("client %s: rdma_accept", client);
	else
		ret = serve(id, &job, client);
out_dereg_mr:
	rdma_dereg_mr(mr);
out_destroy_ep:
	rdma_destroy_ep(id);
	return ret;
}

static int run(void)
{
	struct rdma_addrinfo hints = { .ai_flags = RAI_PASSIVE, .ai_port_space = RDMA_PS_TCP },
			     *res;
	struct ibv_qp_init_attr attr = {
		.cap = { .max_send_wr = 1, .max_recv_wr = 1, .max_recv_sge = 1 }, .sq_sig_all = 1
	};
	bool served = false;
	int ret;

	ret = rdma_getaddrinfo(server, port, &hints, &res);
	if (ret) {
		warnx("-s %s -p %s: %s", server ? server : "(any)", port, gai_strerror(ret));
		return ret;
	}
	ret = rdma_create_ep(&listen_id, res, NULL, &attr);
	if (ret) {
		bar_cannot_listen(server, port, errno);
		goto out_free_addrinfo;
	}
	ret = rdma_listen(listen_id, 0);
	if (ret) {
		bar_cannot_listen(server, port, errno);
		goto out_destroy_listen_ep;
	}
	printf("listening on port %s\n", port);
	while (!ret && !served)
		ret = take_client(&served);
out_destroy_listen_ep:
	rdma_destroy_ep(listen_id);
out_free_addrinfo:
	rdma_freeaddrinfo(res);
	return ret;
}

static void usage(void)
{
	fprintf(stderr,
		"usage: %s -d BDF | -m [option]... | --version\n" BAR_MEMORY_USAGE
		"\t[-s address] to listen at (default any)\n"
		"\t[-p port] (default " BAR_PORT ")\n",
		program_invocation_short_name);
	exit(2);
}

int main(int argc, char **argv)
{
	uint64_t number;
	int op, ret;

	if (bar_version(argc, argv))
		return 0;
	while ((op = getopt(argc, argv, BAR_MEMORY_OPTIONS "s:p:")) != -1) {
		switch (op) {
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
	if (!bar_memory_options_done(&mem, 1))
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
