// SPDX-License-Identifier: GPL-2.0-only
/*
 * What hw_counters and counters say after known traffic from mlx5_0 to mlx5_1: each file by how
 * much, and that no other has moved.
 *
 * Usage: reports_counters		KTAP: each kind of traffic
 *        reports_counters serve	QP numbers, then as many WRITEs as each line of stdin says
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ktap.h"
#include "mr.h"

#define BYTES	 65536u
#define MTU	 4096u
#define RNR	 3
#define RETRIES	 2
#define FILES	 64
#define LIFESPAN 20000 /* us that the kernel may keep what it has read, and more */

enum side { FROM, TO };

static const char *const hcas[] = { "mlx5_0", "mlx5_1" };
static struct {
	struct mr_hca hca[2];
	struct ibv_cq *cq[2];
	struct ibv_qp *qp[2];
	struct ibv_mr *mr[2];
	uint8_t *memory[2];
} s;

/* --- counters -------------------------------------------------------------------------------- */

struct files {
	struct {
		char name[64];
		uint64_t value;
	} file[FILES];
	unsigned int count;
};

/* All of a directory of port 1. */
static void read_files(enum side side, const char *directory, struct files *files)
{
	char path[512];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/class/infiniband/%s/ports/1/%s", hcas[side], directory);
	files->count = 0;
	dir = opendir(path);
	ktap_must(dir ? 0 : -errno, path);
	while ((entry = readdir(dir)) && files->count < FILES) {
		char name[800];
		FILE *file;

		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "lifespan") == 0)
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		file = fopen(name, "r");
		if (file && fscanf(file, "%" SCNu64, &files->file[files->count].value) == 1)
			snprintf(files->file[files->count++].name, 64, "%.63s", entry->d_name);
		if (file)
			fclose(file);
	}
	closedir(dir);
}

static struct files before[2];

static void start(const char *directory)
{
	usleep(LIFESPAN);
	read_files(FROM, directory, &before[FROM]);
	read_files(TO, directory, &before[TO]);
}

struct moved {
	enum side side;
	const char *name;
	uint64_t by;
};

/* Since start(): the files of @moved, which ends without a name, and no other. */
static void check(const char *directory, const struct moved *moved)
{
	struct files now;
	unsigned int side, i, found = 0;
	const struct moved *m;

	usleep(LIFESPAN);
	for (side = FROM; side <= TO; side++) {
		read_files((enum side)side, directory, &now);
		CHECK_EQUAL(before[side].count, now.count);
		for (i = 0; i < now.count; i++) {
			uint64_t want = 0;

			for (m = moved; m->name; m++) {
				if (m->side == side && !strcmp(m->name, now.file[i].name)) {
					want = m->by;
					found++;
				}
			}
			if (!CHECK_EQUAL(want, now.file[i].value - before[side].file[i].value))
				ktap_note("%s %s", hcas[side], now.file[i].name);
		}
	}
	for (m = moved; m->name; m++)
		found--;
	CHECK_EQUAL(0, found);
}

/* --- traffic --------------------------------------------------------------------------------- */

static void make_side(enum side side)
{
	struct ibv_qp_init_attr init = { .qp_type = IBV_QPT_RC,
					 .cap = { 64, 16, 1, 1, 0 },
					 .sq_sig_all = 1 };

	ktap_must(mr_hca_open(hcas[side], &s.hca[side]), hcas[side]);
	s.memory[side] = aligned_alloc(BYTES, BYTES);
	ktap_must(s.memory[side] ? 0 : -ENOMEM, "memory");
	memset(s.memory[side], 0, BYTES);
	s.mr[side] = ibv_reg_mr(s.hca[side].pd, s.memory[side], BYTES,
				MR_ACCESS | IBV_ACCESS_REMOTE_ATOMIC);
	s.cq[side] = ibv_create_cq(s.hca[side].context, 128, NULL, NULL, 0);
	init.send_cq = init.recv_cq = s.cq[side];
	s.qp[side] = s.mr[side] && s.cq[side] ? ibv_create_qp(s.hca[side].pd, &init) : NULL;
	ktap_must(s.qp[side] ? 0 : -errno, "QP");
}

static void connect_side(enum side side)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_INIT,
		.port_num = 1,
		.qp_access_flags = MR_ACCESS | IBV_ACCESS_REMOTE_ATOMIC,
		.path_mtu = IBV_MTU_4096,
		.dest_qp_num = s.qp[!side]->qp_num,
		.max_dest_rd_atomic = 4,
		.max_rd_atomic = 4,
		.min_rnr_timer = 1,
		.ah_attr = { .dlid = s.hca[!side].lid, .port_num = 1 },
		.timeout = 8, /* 1 ms */
		.retry_cnt = RETRIES,
		.rnr_retry = RNR,
	};

	ktap_must(-ibv_modify_qp(s.qp[side], &attr,
				 IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT |
					 IBV_QP_ACCESS_FLAGS),
		  "INIT");
	attr.qp_state = IBV_QPS_RTR;
	ktap_must(-ibv_modify_qp(s.qp[side], &attr,
				 IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN |
					 IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC |
					 IBV_QP_MIN_RNR_TIMER),
		  "RTR");
	attr.qp_state = IBV_QPS_RTS;
	ktap_must(-ibv_modify_qp(s.qp[side], &attr,
				 IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT |
					 IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN |
					 IBV_QP_MAX_QP_RD_ATOMIC),
		  "RTS");
}

static void reset_side(enum side side)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_RESET };
	struct ibv_wc wc;

	ktap_must(-ibv_modify_qp(s.qp[side], &attr, IBV_QP_STATE), "RESET");
	while (ibv_poll_cq(s.cq[side], 1, &wc) > 0)
		;
}

/* Whatever state they were in. */
static void reconnect(void)
{
	reset_side(FROM);
	reset_side(TO);
	connect_side(FROM);
	connect_side(TO);
}

/* One after the other; each ends with @status. */
static void run(enum ibv_wr_opcode opcode, uint32_t length, uint32_t rkey, unsigned int count,
		enum ibv_wc_status status)
{
	struct ibv_sge piece = { (uintptr_t)s.memory[FROM], length, s.mr[FROM]->lkey };
	struct ibv_send_wr wr = { .opcode = opcode, .sg_list = &piece, .num_sge = 1 }, *bad;
	struct ibv_wc wc;

	if (opcode == IBV_WR_ATOMIC_FETCH_AND_ADD) {
		wr.wr.atomic.remote_addr = (uintptr_t)s.memory[TO];
		wr.wr.atomic.rkey = rkey;
		wr.wr.atomic.compare_add = 1;
	} else {
		wr.wr.rdma.remote_addr = (uintptr_t)s.memory[TO];
		wr.wr.rdma.rkey = rkey;
	}
	while (count--) {
		if (!CHECK_EQUAL(0, ibv_post_send(s.qp[FROM], &wr, &bad)) ||
		    !CHECK_EQUAL(0, mr_wait(s.cq[FROM], &wc)) || !CHECK_EQUAL(status, wc.status))
			break;
	}
}

static void receive(uint32_t length)
{
	struct ibv_sge piece = { (uintptr_t)s.memory[TO], length, s.mr[TO]->lkey };
	struct ibv_recv_wr wr = { .sg_list = &piece, .num_sge = 1 }, *bad;

	CHECK_EQUAL(0, ibv_post_recv(s.qp[TO], &wr, &bad));
}

/* --- cases ----------------------------------------------------------------------------------- */

#define END                   \
	{                     \
		FROM, NULL, 0 \
	}
#define MOVED(...)  ((const struct moved[]){ __VA_ARGS__, END })
#define HW	    "hw_counters"
#define run_ok(...) run(__VA_ARGS__, IBV_WC_SUCCESS)

static void requests(void)
{
	uint32_t rkey = s.mr[TO]->rkey;
	unsigned int i;

	ktap_case("requests");
	start(HW);
	run_ok(IBV_WR_RDMA_WRITE, BYTES, rkey, 7);
	run_ok(IBV_WR_RDMA_READ, 100, rkey, 5);
	run_ok(IBV_WR_ATOMIC_FETCH_AND_ADD, 8, rkey, 3);
	for (i = 0; i < 4; i++)
		receive(100);
	run_ok(IBV_WR_SEND, 100, 0, 4);
	check(HW, MOVED({ TO, "rx_write_requests", 7 }, { TO, "rx_read_requests", 5 },
			{ TO, "rx_atomic_requests", 3 }));
	ktap_done();
}

static void errors(void)
{
	uint32_t rkey = s.mr[TO]->rkey;

	ktap_case("no receive");
	reconnect();
	start(HW);
	run(IBV_WR_SEND, 100, 0, 1, IBV_WC_RNR_RETRY_EXC_ERR);
	check(HW, MOVED({ TO, "out_of_buffer", RNR + 1 }, { FROM, "rnr_nak_retry_err", RNR },
			{ FROM, "req_rnr_retries_exceeded", 1 }, { FROM, "req_cqe_error", 1 }));
	ktap_done();

	ktap_case("a wrong key");
	reconnect();
	start(HW);
	run(IBV_WR_RDMA_READ, 100, rkey ^ 1, 1, IBV_WC_REM_ACCESS_ERR);
	check(HW, MOVED({ TO, "rx_read_requests", 1 }, { TO, "resp_remote_access_errors", 1 },
			{ FROM, "req_remote_access_errors", 1 }, { FROM, "req_cqe_error", 1 }));
	ktap_done();

	ktap_case("a receive that is too small, and one behind it");
	reconnect();
	receive(99);
	receive(99);
	start(HW);
	run(IBV_WR_SEND, 100, 0, 1, IBV_WC_REM_INV_REQ_ERR);
	check(HW, MOVED({ TO, "resp_local_length_error", 1 }, { TO, "resp_cqe_error", 2 },
			{ TO, "resp_cqe_flush_error", 1 },
			{ FROM, "req_remote_invalid_request", 1 }, { FROM, "req_cqe_error", 1 }));
	start(HW);
	run(IBV_WR_SEND, 100, 0, 1, IBV_WC_WR_FLUSH_ERR);
	check(HW, MOVED({ FROM, "req_cqe_error", 1 }, { FROM, "req_cqe_flush_error", 1 }));
	ktap_done();

	ktap_case("nobody answers");
	reconnect();
	reset_side(TO);
	start(HW);
	run(IBV_WR_RDMA_WRITE, 100, rkey, 1, IBV_WC_RETRY_EXC_ERR);
	check(HW,
	      MOVED({ FROM, "local_ack_timeout_err", RETRIES },
		    { FROM, "req_transport_retries_exceeded", 1 }, { FROM, "req_cqe_error", 1 }));
	ktap_done();
	reconnect();
}

/* Data in words of four bytes, packets of the MTU, and an acknowledgement for each message. */
static void port(void)
{
	static const uint64_t words = 7 * BYTES / 4, packets = 7 * BYTES / MTU;

	ktap_case("port counters");
	reconnect();
	start("counters");
	run_ok(IBV_WR_RDMA_WRITE, BYTES, s.mr[TO]->rkey, 7);
	check("counters",
	      MOVED({ FROM, "port_xmit_data", words }, { FROM, "port_xmit_packets", packets },
		    { FROM, "unicast_xmit_packets", packets }, { FROM, "port_rcv_packets", 7 },
		    { FROM, "unicast_rcv_packets", 7 }, { TO, "port_rcv_data", words },
		    { TO, "port_rcv_packets", packets }, { TO, "unicast_rcv_packets", packets },
		    { TO, "port_xmit_packets", 7 }, { TO, "unicast_xmit_packets", 7 }));
	ktap_done();
}

static int serve(void)
{
	char line[32];

	printf("%u %u\n", s.qp[FROM]->qp_num, s.qp[TO]->qp_num);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		run_ok(IBV_WR_RDMA_WRITE, 100, s.mr[TO]->rkey, (unsigned int)atoi(line));
		printf("done\n");
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	make_side(FROM);
	make_side(TO);
	connect_side(FROM);
	connect_side(TO);
	if (argc == 2 && !strcmp(argv[1], "serve"))
		return serve();
	ktap_plan(6);
	requests();
	errors();
	port();
	return ktap_exit();
}
