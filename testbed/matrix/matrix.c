// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks the cells of ./tph matrix: RDMA operations between the peer's host memory and BARs or host
 * memory of other HCA functions, with every byte verified. Says what was seen; whether that is what
 * should have been is judged on the host.
 *
 * Usage: matrix PEER GPU-BDF NVME-BDF QEMU-NVME-BDF <CELLS >RESULTS
 *
 * PEER is the name of the HCA function that posts; the BDFs are those of endpoints that vfio-pci
 * owns. A line of CELLS is ID TARGET OPERATION HCA ST ST_EXT PH SIZE QPS MESSAGES with TARGET gpu,
 * nvme, qemu-nvme or host, OPERATION write, read or send, HCA the number of mlx5_N, - for no ST or
 * Extended ST, SIZE in bytes and MESSAGES those of each QP. A line of RESULTS is JSON.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "matrix_cell.h"

#define PROGRESS_S 5

static const char *const targets[] = { "gpu", "nvme", "qemu-nvme", "host" };
static const char *const operations[] = { "write", "read", "send" };
static const unsigned int bar_number[] = { 0, 2, 2 };

static struct {
	struct mr_hca peer, hca;
	unsigned int number; /* of hca; 0: not open */
	struct links links;
	struct cell_memory memory;
	unsigned int cells;
	uint64_t bytes, mismatches;
	time_t said;
} s;

static int index_of(const char *word, const char *const *words, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		if (!strcmp(word, words[i]))
			return (int)i;
	}
	return -1;
}

static void take_hint(struct vfiobar_hint *hint, const char *st, const char *st_ext,
		      unsigned int ph)
{
	*hint = (struct vfiobar_hint){ .has_st = strcmp(st, "-"),
				       .has_st_ext = strcmp(st_ext, "-") };
	if (hint->has_st)
		hint->st = (uint8_t)atoi(st);
	if (hint->has_st_ext)
		hint->st_ext = (uint16_t)atoi(st_ext);
	if (hint->has_st || hint->has_st_ext)
		hint->ph = (uint8_t)ph;
}

/* Whether @line is a cell. */
static bool parse(const char *line, struct cell *cell)
{
	char target[16], operation[16], st[16], st_ext[16];
	int of_target, of_operation;
	unsigned int ph;

	if (sscanf(line, "%u %15s %15s %u %15s %15s %u %u %u %u", &cell->id, target, operation,
		   &cell->hca, st, st_ext, &ph, &cell->size, &cell->qps, &cell->messages) != 10)
		return false;
	of_target = index_of(target, targets, CELL_TARGETS);
	of_operation = index_of(operation, operations, 3);
	if (of_target < 0 || of_operation < 0 || !cell->hca || ph > 3)
		return false;
	cell->target = (enum cell_target)of_target;
	cell->op = (enum links_op)of_operation;
	take_hint(&cell->hint, st, st_ext, ph);
	return true;
}

static void close_hca(void)
{
	links_close(&s.links);
	mr_hca_close(&s.hca);
	s.number = 0;
}

static int open_hca(unsigned int number)
{
	char name[16];
	int ret;

	if (number == s.number)
		return 0;
	close_hca();
	snprintf(name, sizeof(name), "mlx5_%u", number);
	ret = mr_hca_open(name, &s.hca);
	if (!ret)
		ret = links_open(&s.links, &s.hca, &s.peer);
	if (ret)
		fprintf(stderr, "matrix: %s: %s\n", name, strerror(-ret));
	else
		s.number = number;
	return ret;
}

static void *host_memory(void)
{
	void *memory = mmap(NULL, CELL_MEMORY, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int open_bars(char **bdf)
{
	for (unsigned int i = 0; i < CELL_HOST; i++) {
		int ret = mr_bar_open(bdf[i], bar_number[i],
				      i == CELL_QEMU_NVME ? CELL_MEMORY / 4 : CELL_MEMORY,
				      &s.memory.bar[i]);

		if (!ret && !vfiobar_window_addr(s.memory.bar[i].window))
			ret = -ENXIO;
		if (ret) {
			fprintf(stderr, "matrix: %s: BAR %u: %s\n", bdf[i], bar_number[i],
				strerror(-ret));
			return ret;
		}
		s.memory.at[i] = vfiobar_window_addr(s.memory.bar[i].window);
	}
	return 0;
}

static int open_all(char **argv)
{
	void *peer = host_memory();
	int ret = mr_hca_open(argv[1], &s.peer);

	if (ret) {
		fprintf(stderr, "matrix: %s: %s\n", argv[1], strerror(-ret));
		return ret;
	}
	s.memory.at[CELL_HOST] = host_memory();
	if (!peer || !s.memory.at[CELL_HOST]) {
		fputs("matrix: no memory\n", stderr);
		return -ENOMEM;
	}
	s.memory.peer = ibv_reg_mr(s.peer.pd, peer, CELL_MEMORY, MR_ACCESS);
	if (!s.memory.peer) {
		fprintf(stderr, "matrix: %s: memory of the peer: %s\n", argv[1], strerror(errno));
		return -errno;
	}
	return open_bars(argv + 2);
}

static void print_counts(const struct cell_result *result)
{
	int n = result->counts < 8 ? result->counts : 8;

	for (int i = 0; i < n; i++) {
		const struct control_count *c = &result->count[i];

		printf("%s{\"hint\":", i ? "," : "");
		if (c->th)
			printf("{\"ph\":%u,\"st\":%u,\"st_width\":%u}", c->ph, c->st, c->width);
		else
			printf("null");
		printf(",\"writes\":%llu,\"reads\":%llu,\"write_bytes\":%llu,\"read_bytes\":%llu}",
		       (unsigned long long)c->writes, (unsigned long long)c->reads,
		       (unsigned long long)c->write_bytes, (unsigned long long)c->read_bytes);
	}
}

static void print_refused(const struct cell_result *result)
{
	if (result->refused)
		printf("{\"step\":\"%s\",\"errno\":\"%s\"}",
		       result->refused == CELL_ATTACH ? "attach" : "register",
		       vfiobar_errno_name(result->error));
	else
		printf("null");
}

static void print_tph(const struct cell_result *result)
{
	const struct ibv_mr_tph_attr *tph = &result->tph;

	if (result->moved && tph->flags & IBV_MR_TPH_APPLIED)
		printf("{\"st\":%u,\"st_width\":%u,\"ph\":%u}", tph->steering_tag, tph->st_width,
		       tph->ph);
	else
		printf("null");
}

static void print(const struct cell *cell, const struct cell_result *result)
{
	printf("{\"id\":%u,\"refused\":", cell->id);
	print_refused(result);
	printf(",\"applied\":");
	print_tph(result);
	printf(",\"moved\":%s,\"status\":\"%s\",\"bytes\":%llu,\"mismatches\":%llu,\"completer\":",
	       result->moved ? "true" : "false",
	       result->status > 0   ? ibv_wc_status_str((enum ibv_wc_status)result->status)
	       : result->status < 0 ? vfiobar_errno_name(-result->status)
				    : "success",
	       (unsigned long long)result->bytes, (unsigned long long)result->mismatches);
	if (result->counted) {
		putchar('[');
		print_counts(result);
		putchar(']');
	} else {
		printf("null");
	}
	puts("}");
}

static void progress(bool end)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!end && now.tv_sec < s.said + PROGRESS_S)
		return;
	s.said = now.tv_sec;
	fprintf(stderr, "%u cells, %llu MB, %llu bytes wrong\n", s.cells,
		(unsigned long long)(s.bytes / 1000000), (unsigned long long)s.mismatches);
}

static int run(const struct cell *cell)
{
	struct cell_result result;
	int ret = open_hca(cell->hca);

	if (!ret)
		ret = cell_run(cell, &s.memory, &s.hca, &s.links, &result);
	if (ret) {
		fprintf(stderr, "matrix: cell %u: %s\n", cell->id, strerror(-ret));
		return ret;
	}
	/* An error ends the connections. */
	if (result.status)
		close_hca();
	print(cell, &result);
	s.cells++;
	s.bytes += result.bytes;
	s.mismatches += result.mismatches;
	progress(false);
	return 0;
}

static int run_all(void)
{
	struct cell cell;
	char line[128];
	int ret = 0;

	while (!ret && fgets(line, sizeof(line), stdin)) {
		if (!parse(line, &cell)) {
			fprintf(stderr, "matrix: no cell: %s", line);
			return -EINVAL;
		}
		ret = run(&cell);
	}
	progress(true);
	return ret;
}

int main(int argc, char **argv)
{
	char answer[256];
	int ret;

	if (argc != 5) {
		fputs("usage: matrix PEER GPU-BDF NVME-BDF QEMU-NVME-BDF <CELLS >RESULTS\n",
		      stderr);
		return 2;
	}
	/* Small messages would come in the completion, and the CPU would put them into the BAR. */
	setenv("MLX5_SCATTER_TO_CQE", "0", 1);
	ret = open_all(argv);
	if (!ret)
		ret = run_all();
	if (!ret)
		ret = control_ask(answer, sizeof(answer), "mark end");
	close_hca();
	return ret || fflush(stdout) || ferror(stdout);
}
