// SPDX-License-Identifier: GPL-2.0-only
/* See matrix_cell.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "matrix_cell.h"
#include "pattern.h"

/* Between any two messages, and around them: what is written there by mistake is seen. */
#define GAP 64u

static const char *const counters[CELL_TARGETS] = { [CELL_GPU] = "gpu0", [CELL_NVME] = "nvme0" };

static uint64_t slot_offset(const struct cell *cell, unsigned int slot)
{
	return GAP + (uint64_t)slot * (cell->size + GAP);
}

/* How many QPs move their messages at once: as many as the memory has room for. */
static unsigned int wave(const struct cell *cell)
{
	uint64_t fit = CELL_PAYLOAD / ((uint64_t)cell->size * cell->messages);

	return fit < cell->qps ? (unsigned int)fit : cell->qps;
}

/* Bytes of a memory that a cell uses. */
static uint64_t extent(const struct cell *cell)
{
	return slot_offset(cell, wave(cell) * cell->messages);
}

static uint64_t mr_length(const struct cell *cell)
{
	return (extent(cell) + MR_PAGE - 1) & ~(uint64_t)(MR_PAGE - 1);
}

static struct ibv_mr *register_target(const struct cell *cell, const struct mr_hca *hca, void *addr,
				      int fd, bool require)
{
	struct ibv_mr_init_attr attr = {
		.length = mr_length(cell),
		.access = MR_ACCESS,
	};

	if (fd < 0) {
		attr.comp_mask = IBV_REG_MR_MASK_ADDR;
		attr.addr = addr;
	} else {
		attr.comp_mask =
			IBV_REG_MR_MASK_FD | IBV_REG_MR_MASK_FD_OFFSET | IBV_REG_MR_MASK_IOVA;
		attr.fd = fd;
	}
	if (require) {
		attr.comp_mask |= IBV_REG_MR_MASK_DMABUF_TPH;
		attr.dmabuf_tph_policy = IBV_DMABUF_TPH_REQUIRE;
	}
	return ibv_reg_mr_ex(hca->pd, &attr);
}

static bool has_hint(const struct cell *cell)
{
	return cell->hint.has_st || cell->hint.has_st_ext;
}

/* The descriptor of a dma-buf with the cell's hint, or -errno: -ECANCELED after a refusal. */
static int export_target(const struct cell *cell, struct cell_memory *memory,
			 struct cell_result *result)
{
	struct mr_bar *bar = &memory->bar[cell->target];
	int fd = mr_bar_export(bar, 0, mr_length(cell)), ret;

	if (fd < 0)
		return fd;
	ret = has_hint(cell) ? mr_bar_hint(bar, fd, cell->hint) : 0;
	if (!ret)
		return fd;
	result->refused = CELL_ATTACH;
	result->error = -ret;
	close(fd);
	return -ECANCELED;
}

/*
 * With a hint, REQUIRE first. When that is refused, a BAR is registered anew without insisting, so
 * that what a refused hint leaves on the wire is seen, too. NULL with errno, ECANCELED after a
 * refusal.
 */
static struct ibv_mr *open_target(const struct cell *cell, struct cell_memory *memory,
				  const struct mr_hca *hca, struct cell_result *result)
{
	void *addr = (void *)memory->at[cell->target];
	struct ibv_mr *mr;
	int fd = -1;

	if (cell->target != CELL_HOST) {
		fd = export_target(cell, memory, result);
		if (fd < 0) {
			errno = -fd;
			return NULL;
		}
	}
	mr = register_target(cell, hca, addr, fd, has_hint(cell));
	if (!mr && has_hint(cell)) {
		result->refused = CELL_REGISTER;
		result->error = errno;
		if (fd >= 0)
			mr = register_target(cell, hca, addr, fd, false);
		else
			errno = ECANCELED;
	}
	if (fd >= 0)
		close(fd);
	return mr;
}

/* Those of a wave, whose first QP is @first. */
static unsigned int list_messages(const struct cell *cell, unsigned int first, uint64_t near,
				  uint64_t far, struct links_message *message)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < cell->messages; i++) {
		for (unsigned int qp = 0; qp < wave(cell); qp++, n++) {
			message[n] =
				(struct links_message){ .qp = first + qp,
							.near_addr = near + slot_offset(cell, n),
							.far_addr = far + slot_offset(cell, n),
							.length = cell->size };
		}
	}
	return n;
}

/* Bytes at @at that are not @moved's in the messages or not @before's in the gaps. */
static uint64_t compare(const struct cell *cell, const volatile uint64_t *at, uint64_t moved,
			uint64_t before)
{
	size_t gap = GAP / PATTERN_WORD, words = cell->size / PATTERN_WORD;
	uint64_t wrong = 0;

	for (unsigned int i = 0; i < wave(cell) * cell->messages; i++) {
		uint64_t first = slot_offset(cell, i) / PATTERN_WORD;

		wrong += pattern_differ(at + first - gap, before, first - gap, gap);
		wrong += pattern_differ(at + first, moved, first, words);
	}
	return wrong + pattern_differ(at + extent(cell) / PATTERN_WORD - gap, before,
				      extent(cell) / PATTERN_WORD - gap, gap);
}

static void move_wave(const struct cell *cell, unsigned int first, struct cell_memory *memory,
		      struct links *links, const struct ibv_mr *mr, struct cell_result *result)
{
	static struct links_message message[LINKS_MAX * LINK_DEPTH];
	uint64_t number = 2ull * (cell->id * LINKS_MAX + first);
	uint64_t moved = pattern_seed(number), before = pattern_seed(number + 1);
	size_t words = extent(cell) / PATTERN_WORD;
	volatile uint64_t *near = memory->at[cell->target], *far = memory->peer->addr;
	volatile uint64_t *from = cell->op == LINKS_READ ? near : far;
	volatile uint64_t *to = cell->op == LINKS_READ ? far : near;
	unsigned int count;

	pattern_fill(from, moved, 0, words);
	pattern_fill(to, before, 0, words);
	count = list_messages(cell, first, cell->target == CELL_HOST ? (uintptr_t)near : 0,
			      (uintptr_t)far, message);
	result->status =
		links_run(links, cell->op, message, count,
			  cell->op == LINKS_SEND ? mr->lkey : mr->rkey, memory->peer->lkey);
	if (result->status)
		return;
	result->bytes += (uint64_t)cell->size * count;
	result->mismatches +=
		compare(cell, to, moved, before) + pattern_differ(from, moved, 0, words);
}

static int take_counts(const struct cell *cell, struct cell_result *result)
{
	result->counts = control_counts(counters[cell->target], result->count, 8);
	return result->counts < 0 ? result->counts : 0;
}

int cell_run(const struct cell *cell, struct cell_memory *memory, const struct mr_hca *hca,
	     struct links *links, struct cell_result *result)
{
	char answer[256];
	struct ibv_mr *mr;
	int ret;

	memset(result, 0, sizeof(*result));
	if (cell->qps > LINKS_MAX || cell->messages > LINK_DEPTH || extent(cell) > CELL_MEMORY ||
	    cell->size % PATTERN_WORD || !wave(cell) || cell->qps % wave(cell) ||
	    (cell->target != CELL_HOST && extent(cell) > memory->bar[cell->target].length))
		return -ERANGE;
	ret = control_ask(answer, sizeof(answer), "mark cell-%u", cell->id);
	result->counted = counters[cell->target];
	if (!ret && result->counted)
		ret = control_reset_counts(counters[cell->target]);
	if (ret)
		return ret;
	mr = open_target(cell, memory, hca, result);
	if (mr) {
		result->moved = true;
		ret = -ibv_query_mr_tph(mr, &result->tph);
		for (unsigned int qp = 0; !ret && !result->status && qp < cell->qps;
		     qp += wave(cell))
			move_wave(cell, qp, memory, links, mr, result);
		if (ibv_dereg_mr(mr) && !ret)
			ret = -EBUSY;
	} else if (errno != ECANCELED) {
		return -errno;
	}
	return !ret && result->counted ? take_counts(cell, result) : ret;
}
