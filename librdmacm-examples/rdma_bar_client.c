// SPDX-License-Identifier: GPL-2.0-only OR Linux-OpenIB
/*
 * Writes a pattern into the memory that rdma_bar_server or rdma_bar_tags offers, reads it back and
 * compares. It knows nothing of BARs and hints. rdma_bar_client(1) has the options.
 */
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rdma/rdma_verbs.h>

#include "bar_common.h"
#include "bar_wait.h"

static const char *server;
static const char *port = BAR_PORT;
static struct bar_job job = { .size = 4096, .count = 16 };
static bool with_imm;

static struct rdma_cm_id *id;
static uint64_t remote_addr;
static uint32_t remote_rkey, remote_len;
static uint8_t *buf; /* one message to write, one that was read */
static struct ibv_mr *mr;

/* Posts one operation of a message's size and waits for it. */
static int transfer(enum ibv_wr_opcode opcode, uint8_t *local, uint32_t size, uint64_t place)
{
	struct ibv_sge sge = { .addr = (uintptr_t)local, .length = size, .lkey = mr->lkey };
	struct ibv_send_wr wr = { .sg_list = &sge,
				  .num_sge = size ? 1 : 0,
				  .opcode = opcode,
				  .send_flags = IBV_SEND_SIGNALED,
				  .imm_data = htobe32(job.count),
				  .wr.rdma = { .remote_addr = remote_addr + place,
					       .rkey = remote_rkey } },
			   *bad;
	struct ibv_wc wc;
	int ret;

	ret = ibv_post_send(id->qp, &wr, &bad);
	if (ret) {
		warnx("ibv_post_send: %s", strerror(ret));
		return -1;
	}
	return bar_wait_completion(id, id->send_cq, id->send_cq_channel, "-s", server, &wc);
}

static int write_all(void)
{
	for (uint32_t i = 0; i < job.count; i++) {
		bool last = with_imm && i == job.count - 1;

		bar_fill(&job, i, buf);
		if (transfer(last ? IBV_WR_RDMA_WRITE_WITH_IMM : IBV_WR_RDMA_WRITE, buf, job.size,
			     bar_place(&job, remote_len, i)))
			return -1;
	}
	printf("wrote %u messages of %u bytes%s\n", job.count, job.size,
	       with_imm ? ", the last one with immediate" : "");
	return 0;
}

static int read_back(void)
{
	uint32_t slots = bar_slots(&job, remote_len);
	uint8_t *have = buf + job.size;

	for (uint32_t slot = 0; slot < slots; slot++) {
		uint32_t differs;

		bar_fill(&job, bar_last(&job, remote_len, slot), buf);
		if (transfer(IBV_WR_RDMA_READ, have, job.size, (uint64_t)slot * job.size))
			return -1;
		differs = bar_differs(buf, have, job.size);
		if (differs < job.size) {
			warnx("-s %s: byte %llu was read as 0x%02x, and written as 0x%02x", server,
			      (unsigned long long)slot * job.size + differs, have[differs],
			      buf[differs]);
			return -1;
		}
	}
	printf("read back %llu bytes: equal\n", (unsigned long long)slots * job.size);
	return 0;
}

static int transfers(void)
{
	int ret;

	ret = write_all();
	if (!ret)
		ret = read_back();
	if (!ret && !with_imm)
		ret = transfer(IBV_WR_SEND, NULL, 0, 0);
	return ret;
}

/* Why rdma_connect() failed with @err. */
static void explain(int err)
{
	const struct rdma_cm_event *event = id->event;
	char text[128];

	if (err != ECONNREFUSED || !event || event->event != RDMA_CM_EVENT_REJECTED)
		warnx("-s %s -p %s: no connection: %s", server, port, strerror(err));
	else if (bar_is(BAR_REFUSAL, event->param.conn.private_data,
			event->param.conn.private_data_len)) {
		bar_refusal_text(event->param.conn.private_data, text);
		warnx("-s %s -p %s: refused by the server: %s", server, port, text);
	} else if (event->status == 8) /* Invalid Service ID, InfiniBand specification 12.6.7.2 */
		warnx("-s %s -p %s: nobody listens on this port", server, port);
	else
		warnx("-s %s -p %s: rejected, and not by a server of this service (reason %d)",
		      server, port, event->status);
}

/* Takes the offer that came with the accept. */
static int take_offer(void)
{
	const struct rdma_conn_param *conn = &id->event->param.conn;
	const struct bar_offer *offer = conn->private_data;

	if (!bar_is(BAR_OFFER, offer, conn->private_data_len)) {
		warnx("-s %s -p %s: the peer accepts, but offers no memory: another service",
		      server, port);
		return -1;
	}
	remote_addr = be64toh(offer->addr);
	remote_rkey = be32toh(offer->rkey);
	remote_len = be32toh(offer->len);
	printf("offered: %u bytes", remote_len);
	if (offer->flags & BAR_OFFER_TPH)
		printf(", tag %u, PH %u, %u-bit\n", be16toh(offer->tag), offer->ph,
		       offer->flags & BAR_OFFER_TAG_16 ? 16 : 8);
	else
		printf(", no hint\n");
	if (job.size > remote_len) {
		warnx("-S %u: the server offers %u bytes", job.size, remote_len);
		return -1;
	}
	return 0;
}

static int connect_and_run(void)
{
	struct bar_request request = { .header = bar_header(BAR_REQUEST),
				       .size = htobe32(job.size),
				       .count = htobe32(job.count),
				       .seed = htobe32(job.seed) };
	struct rdma_conn_param param = { .private_data = &request,
					 .private_data_len = sizeof(request),
					 .initiator_depth = 1,
					 .retry_count = 7,
					 .rnr_retry_count = 7 };
	int ret;

	mr = rdma_reg_msgs(id, buf, 2 * (size_t)job.size);
	if (!mr) {
		warn("-S %u: no registration", job.size);
		return -1;
	}
	ret = rdma_connect(id, &param);
	if (ret) {
		if (!bar_stop)
			explain(errno);
		goto out_dereg_mr;
	}
	ret = take_offer();
	if (!ret)
		ret = transfers();
	/* Waits for the server's answer, which one that failed may not give: destroying does
	 * without. */
	if (!ret)
		rdma_disconnect(id);
out_dereg_mr:
	rdma_dereg_mr(mr);
	return ret;
}

static int run(void)
{
	struct rdma_addrinfo hints = { .ai_port_space = RDMA_PS_TCP }, *res;
	struct ibv_qp_init_attr attr = {
		.cap = { .max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 },
		.sq_sig_all = 1
	};
	int ret;

	ret = rdma_getaddrinfo(server, port, &hints, &res);
	if (ret) {
		warnx("-s %s -p %s: %s", server, port, gai_strerror(ret));
		return ret;
	}
	ret = rdma_create_ep(&id, res, NULL, &attr);
	if (ret) {
		if (!bar_stop)
			warn("-s %s: this address cannot be reached", server);
		goto out_free_addrinfo;
	}
	ret = connect_and_run();
	rdma_destroy_ep(id);
out_free_addrinfo:
	rdma_freeaddrinfo(res);
	return ret;
}

static void usage(void)
{
	fprintf(stderr,
		"usage: %s -s address [option]... | --version\n"
		"\t-s address: of the server\n"
		"\t[-p port] (default " BAR_PORT ")\n"
		"\t[-S size] of a message, bytes (default 4096)\n"
		"\t[-c count] of messages (default 16)\n"
		"\t[-i] the last write carries an immediate, instead of a message behind it\n",
		program_invocation_short_name);
	exit(2);
}

int main(int argc, char **argv)
{
	uint64_t number;
	int op, ret;

	if (bar_version(argc, argv))
		return 0;
	while ((op = getopt(argc, argv, "s:p:S:c:i")) != -1) {
		switch (op) {
		case 's':
			server = optarg;
			break;
		case 'p':
			if (!bar_number(op, optarg, 1, 65535, &number))
				return 2;
			port = optarg;
			break;
		case 'S':
			if (!bar_number(op, optarg, 1, 1 << 30, &number))
				return 2;
			job.size = (uint32_t)number;
			break;
		case 'c':
			if (!bar_number(op, optarg, 1, UINT32_MAX, &number))
				return 2;
			job.count = (uint32_t)number;
			break;
		case 'i':
			with_imm = true;
			break;
		default:
			usage();
		}
	}
	if (!server || optind < argc)
		usage();
	/* What an earlier client left must not pass for ours. */
	job.seed = (uint32_t)time(NULL) * 31 + (uint32_t)getpid();
	buf = malloc(2 * (size_t)job.size);
	if (!buf)
		err(1, "-S %u", job.size);
	setvbuf(stdout, NULL, _IOLBF, 0);
	bar_catch_signals();
	ret = run();
	free(buf);
	return bar_status(ret);
}
