/* SPDX-License-Identifier: GPL-2.0-only */
#include "fuzz/oracle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/rights.h"
#include "hca/budget.h"
#include "hca/data.h"
#include "hca/memic.h"

/* What the last piece of work may cost beyond a turn's share: 64 KiB, gathered and scattered page
 * by page. */
#define OVERDRAFT (2 * (int64_t)(65536 + 17 * HCA_WORK_TRANSFER) + HCA_WORK_WQE)
#define TURN_BYTES                                                                    \
	(4 * (uint64_t)HCA_TURN_WORK) /* moved by one turn, by the oracle's own count \
				       */

#define BLOCK	    576u
#define BLOCK_DATA  512u
#define BLOCK_TAIL  0x230u
#define SHARED_SIZE HCA_SHARED_SIZE
#define GUARD	    ((uint64_t)1 << 32) /* around device memory: bytes that nobody may touch */
#define CANARY	    (256u << 10) /* in front of the window: UAR pages that no target writes */

/* The command that a device works on. */
struct command {
	bool open, answered;
	unsigned int slot;
	uint32_t ilen, olen, got, blocks; /* blocks: of the output, seen */
	uint8_t *in;
	uint64_t next_in, next_out;
	uint8_t block[BLOCK]; /* the one that is being read */
	uint32_t fill;
	uint64_t *out_block;
	uint8_t out[16];
};

struct watched {
	uint64_t queue;
	struct command cmd;
	struct rights rights;
	uint64_t bytes;	   /* of this turn */
	uint64_t accesses; /* of this turn */
	struct {
		uint8_t *bytes;
		size_t len, room;
		bool on, more; /* more: the next step, or turn, of the same UMR reads on */
		uint32_t qpn;
	} list; /* what the device reads while a UMR is carried out */
	void *reserved;
};

struct oracle {
	struct watched port[WORLD_PORTS];
	struct {
		uint64_t addr, len;
		uint8_t port;
		bool write;
	} recent[8];
	unsigned int next;
};

static struct oracle *the_oracle; /* for the calls that are wrapped */

static struct watched *watched(const struct world_port *port)
{
	return &port->world->oracle->port[port->index];
}

void oracle_violation(const struct world_port *port, const char *format, ...)
{
	const struct oracle *o = port->world->oracle;
	va_list args;

	fprintf(stderr, "oracle: hca%u: ", port->index);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\nrecent accesses, the last one first:\n", stderr);
	for (unsigned int i = 1; i <= 8; i++) {
		unsigned int at = (o->next - i) % 8;

		fprintf(stderr, "  hca%u %s 0x%lx + %lu\n", o->recent[at].port,
			o->recent[at].write ? "writes" : "reads", o->recent[at].addr,
			o->recent[at].len);
	}
	abort();
}

/* --- device memory -----------------------------------------------------------------------------
 */

/* Moves the model's window between bytes that cannot be touched. */
static void guard(struct world_port *port, struct watched *seen)
{
	struct hca *hca = port->hca;
	uint8_t *at = mmap(NULL, SHARED_SIZE + 2 * GUARD, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED || mmap(at + GUARD, SHARED_SIZE, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_FIXED, hca->uar_fd, 0) == MAP_FAILED)
		world_broken("mmap");
	munmap(hca->uar_memory, SHARED_SIZE);
	hca->uar_memory = at + GUARD;
	hca->fn.bar[0].mmap_mem = hca->uar_memory;
	seen->reserved = at;
}

/* Bytes of the window outside of what the driver allocated, and those in front of it, are zero. */
static void check_canaries(struct world_port *port, const struct watched *seen, const char *what)
{
	struct hca *hca = port->hca;
	off_t at = (off_t)(HCA_MEMIC_OFFSET - CANARY - HCA_SHARED_OFFSET), end = SHARED_SIZE;

	while ((at = lseek(hca->uar_fd, at, SEEK_DATA)) >= 0 && at < end) {
		off_t stop = lseek(hca->uar_fd, at, SEEK_HOLE);

		for (; at < stop; at += 8) {
			uint64_t word;

			memcpy(&word, (uint8_t *)hca->uar_memory + at, 8);
			if (word &&
			    !rights_memic(&seen->rights, HCA_SHARED_OFFSET + (uint64_t)at, 8))
				oracle_violation(port, "byte 0x%lx of BAR0 is 0x%lx: %s",
						 HCA_SHARED_OFFSET + (uint64_t)at, word, what);
		}
	}
}

/* --- life --------------------------------------------------------------------------------------
 */

struct oracle *oracle_new(struct world *w)
{
	struct oracle *o = calloc(1, sizeof(*o));

	if (!o)
		world_broken("no memory");
	for (unsigned int i = 0; i < WORLD_PORTS; i++) {
		guard(&w->port[i], &o->port[i]);
		o->port[i].queue = UINT64_MAX;
	}
	the_oracle = o;
	return o;
}

static void close_command(struct command *cmd)
{
	free(cmd->in);
	free(cmd->out_block);
	*cmd = (struct command){ 0 };
}

void oracle_free(struct oracle *o)
{
	for (unsigned int i = 0; i < WORLD_PORTS; i++) {
		struct watched *seen = &o->port[i];

		close_command(&seen->cmd);
		rights_drop(&seen->rights);
		free(seen->list.bytes);
		munmap(seen->reserved, GUARD);
		munmap((uint8_t *)seen->reserved + GUARD + SHARED_SIZE, GUARD);
	}
	the_oracle = NULL;
	free(o);
}

void oracle_finish(struct world *w)
{
	for (unsigned int i = 0; i < WORLD_PORTS; i++)
		check_canaries(&w->port[i], watched(&w->port[i]),
			       "nobody allocated it, or it was freed");
}

void oracle_after_reset(struct world_port *port)
{
	struct watched *seen = watched(port);

	if (port->hca->memory_used)
		oracle_violation(port, "%lu bytes are still charged after a reset",
				 port->hca->memory_used);
	rights_drop(&seen->rights);
	check_canaries(port, seen, "a reset leaves what the last owner wrote");
}

/* --- registers and turns -----------------------------------------------------------------------
 */

void oracle_register(struct world_port *port, uint64_t offset, unsigned int size, uint64_t value)
{
	struct watched *seen = watched(port);
	uint64_t queue = seen->queue == UINT64_MAX ? 0 : seen->queue;

	if (size == 8) {
		oracle_register(port, offset, 4, value >> 32);
		oracle_register(port, offset + 4, 4, (uint32_t)value);
	} else if (size == 4 && offset == 0x10) {
		seen->queue = (queue & UINT32_MAX) | value << 32;
	} else if (size == 4 && offset == 0x14 && !(value >> 8 & 7)) {
		seen->queue = (queue & ~(uint64_t)UINT32_MAX) | (value & 0xfffff000);
	}
}

void oracle_turn(struct world_port *port)
{
	struct watched *seen = watched(port);

	seen->bytes = seen->accesses = 0;
}

void oracle_turn_end(struct world_port *port)
{
	const struct watched *seen = watched(port);
	const struct hca *hca = port->hca;

	if (hca->work_left < -OVERDRAFT)
		oracle_violation(port, "a turn overdrew its share of work by %ld", -hca->work_left);
	if (seen->bytes > TURN_BYTES)
		oracle_violation(port, "a turn moved %lu bytes by %lu accesses", seen->bytes,
				 seen->accesses);
	if (hca->memory_used > hca->params.memory)
		oracle_violation(port, "%lu of %lu bytes of memory are used", hca->memory_used,
				 hca->params.memory);
}

/* --- the command queue ---------------------------------------------------------------------------
 */

/* Ends the command that the device works on. */
static void executed(struct watched *seen)
{
	struct command *cmd = &seen->cmd;

	if (cmd->open && cmd->in && cmd->got >= cmd->ilen &&
	    (!cmd->answered || cmd->out[0] == HCA_CMD_OK))
		rights_command(&seen->rights, cmd->in, cmd->ilen, cmd->answered ? cmd->out : NULL);
	close_command(cmd);
}

static void open_command(struct watched *seen, unsigned int slot, const uint8_t entry[64])
{
	struct command *cmd = &seen->cmd;

	executed(seen);
	cmd->open = true;
	cmd->slot = slot;
	cmd->ilen = be32_at(entry, 0x04);
	cmd->olen = be32_at(entry, 0x38);
	cmd->next_in = be64_at(entry, 0x08);
	cmd->next_out = be64_at(entry, 0x30);
	if (cmd->ilen < 16 || cmd->ilen > 128u << 20)
		return;
	cmd->in = malloc(cmd->ilen + BLOCK_DATA);
	if (!cmd->in)
		return;
	memcpy(cmd->in, entry + 0x10, 16);
	cmd->got = 16;
}

static uint32_t output_blocks(const struct command *cmd)
{
	return cmd->olen > 16 ? (cmd->olen - 16 + BLOCK_DATA - 1) / BLOCK_DATA : 0;
}

/* Whether the read is that of the entry, or of the next block of one of the chains; takes it in. */
static bool command_read(struct watched *seen, uint64_t addr, const uint8_t *data, size_t len)
{
	struct command *cmd = &seen->cmd;

	if (seen->queue != UINT64_MAX && addr - seen->queue < 32 * 64 &&
	    (addr - seen->queue) % 64 == 0 && len <= 64) {
		/* Where memory vanishes in the middle of an entry, no command comes of it. */
		if (len == 64)
			open_command(seen, (unsigned int)(addr - seen->queue) / 64, data);
		return true;
	}
	if (!cmd->open || !cmd->in)
		return false;
	if (cmd->got < cmd->ilen && addr == cmd->next_in + cmd->fill && len <= BLOCK - cmd->fill) {
		memcpy(cmd->block + cmd->fill, data, len);
		cmd->fill += (uint32_t)len;
		if (cmd->fill == BLOCK) {
			memcpy(cmd->in + cmd->got, cmd->block, BLOCK_DATA);
			cmd->got += BLOCK_DATA;
			cmd->next_in = be64_at(cmd->block, BLOCK_TAIL);
			cmd->fill = 0;
		}
		return true;
	}
	if (cmd->blocks < output_blocks(cmd) && addr == cmd->next_out + BLOCK_TAIL &&
	    len <= BLOCK - BLOCK_TAIL) {
		if (len < BLOCK - BLOCK_TAIL)
			return true;
		cmd->out_block =
			realloc(cmd->out_block, (cmd->blocks + 1) * sizeof(*cmd->out_block));
		if (!cmd->out_block)
			world_broken("no memory");
		cmd->out_block[cmd->blocks++] = cmd->next_out;
		cmd->next_out = be64_at(data, 0);
		return true;
	}
	return false;
}

static bool command_write(struct watched *seen, uint64_t addr, const uint8_t *data, size_t len)
{
	struct command *cmd = &seen->cmd;
	uint64_t entry = seen->queue + 64 * (uint64_t)cmd->slot;

	if (!cmd->open)
		return false;
	if (addr == entry + 0x20 && len <= 16) {
		memcpy(cmd->out, data, len);
		cmd->answered = true;
		return true;
	}
	if (addr == entry + 0x3c && len == 4) {
		/* A delivery status but for the one that may follow execution: nothing was done. */
		if (data[3] >> 1 && data[3] >> 1 != 6)
			close_command(cmd);
		executed(seen);
		return true;
	}
	for (uint32_t i = 0; i < cmd->blocks; i++)
		if (addr - cmd->out_block[i] < BLOCK_DATA &&
		    len <= BLOCK_DATA - (addr - cmd->out_block[i]))
			return true;
	return false;
}

/* --- accesses ------------------------------------------------------------------------------------
 */

static void note(const struct world_port *port, uint64_t addr, size_t len, bool write)
{
	struct oracle *o = port->world->oracle;
	struct watched *seen = watched(port);
	unsigned int at = o->next++ % 8;

	o->recent[at].addr = addr;
	o->recent[at].len = len;
	o->recent[at].port = (uint8_t)port->index;
	o->recent[at].write = write;
	seen->bytes += len;
	seen->accesses++;
}

static void check(struct world_port *port, uint64_t addr, size_t len, bool write)
{
	struct watched *seen = watched(port);

	while (len) {
		uint64_t n = rights_cover(&seen->rights, addr, len, write);

		if (!n)
			oracle_violation(port, "%s 0x%lx + %zu: nobody granted that",
					 write ? "writes" : "reads", addr, len);
		addr += n;
		len -= n;
	}
}

void oracle_read(struct world_port *port, uint64_t addr, const void *data, size_t len)
{
	struct watched *seen = watched(port);

	note(port, addr, len, false);
	if (seen->list.on) {
		if (seen->list.len + len > seen->list.room) {
			seen->list.room = 2 * (seen->list.len + len);
			seen->list.bytes = realloc(seen->list.bytes, seen->list.room);
			if (!seen->list.bytes)
				world_broken("no memory");
		}
		memcpy(seen->list.bytes + seen->list.len, data, len);
		seen->list.len += len;
	}
	if (!command_read(seen, addr, data, len))
		check(port, addr, len, false);
}

void oracle_write(struct world_port *port, uint64_t addr, const void *data, size_t len)
{
	note(port, addr, len, true);
	if (!command_write(watched(port), addr, data, len))
		check(port, addr, len, true);
}

/* --- calls of the model that are wrapped, see CMakeLists.txt
 * -------------------------------------- */

static struct world_port *port_of(const struct hca *hca)
{
	return hca->fn.host;
}

enum hca_step __real_hca_umr_step(struct hca_qp *qp, uint8_t *syndrome);
enum hca_step __wrap_hca_umr_step(struct hca_qp *qp, uint8_t *syndrome);
enum hca_step __wrap_hca_umr_step(struct hca_qp *qp, uint8_t *syndrome)
{
	struct world_port *port = port_of(qp->hca);
	const struct hca_wqe *wqe = &hca_progress(qp)->wqe;
	struct watched *seen = the_oracle ? watched(port) : NULL;
	uint8_t umr[HCA_UMR_CTRL_LEN], mkc[HCA_MKC_LEN];
	enum hca_step step;

	if (!seen || !wqe->umr)
		return __real_hca_umr_step(qp, syndrome);
	memcpy(umr, wqe->umr, sizeof(umr));
	memcpy(mkc, wqe->mkc, sizeof(mkc));
	if (!seen->list.more || seen->list.qpn != qp->number)
		seen->list.len = 0;
	seen->list.qpn = qp->number;
	seen->list.on = true;
	step = __real_hca_umr_step(qp, syndrome);
	seen->list.on = false;
	seen->list.more = step != HCA_STEP_DONE && step != HCA_STEP_ERROR;
	if (step == HCA_STEP_DONE)
		rights_umr(&seen->rights, qp->number, wqe->imm, umr, mkc,
			   wqe->xlt_len ? wqe->xlt : seen->list.bytes,
			   wqe->xlt_len ? wqe->xlt_len : seen->list.len,
			   wqe->xlt_len || wqe->length == seen->list.len);
	return step;
}

void __real_hca_recv_complete(struct hca_qp *qp, struct hca_progress *progress,
			      struct hca_cqe *cqe);
void __wrap_hca_recv_complete(struct hca_qp *qp, struct hca_progress *progress,
			      struct hca_cqe *cqe);
void __wrap_hca_recv_complete(struct hca_qp *qp, struct hca_progress *progress, struct hca_cqe *cqe)
{
	if (the_oracle && cqe->opcode != HCA_CQE_RESP_ERR &&
	    cqe->opcode != HCA_CQE_RESP_WRITE_IMM && cqe->byte_cnt > progress->recv.length)
		oracle_violation(port_of(qp->hca), "QP %u: %u bytes in a receive of %lu",
				 qp->number, cqe->byte_cnt, progress->recv.length);
	__real_hca_recv_complete(qp, progress, cqe);
}

/* A transfer that a key was used for: by its protection domain, with its rights, in its range. */
static void used(struct hca *hca, const struct hca_accessor *who, uint32_t key, uint64_t va,
		 uint64_t len, enum hca_access access)
{
	struct world_port *port = port_of(hca);
	const char *why;

	if (!the_oracle || !len)
		return;
	why = rights_use(&watched(port)->rights, who->pd, key, va, len, access);
	if (why)
		oracle_violation(port, "QP %u uses key 0x%x at 0x%lx + %lu, access %d: %s",
				 who->qpn, key, va, len, access, why);
}

enum hca_denial __real_hca_mkey_read(struct hca *hca, const struct hca_accessor *who, uint32_t key,
				     uint64_t va, void *buf, uint64_t *len, enum hca_access access);
enum hca_denial __wrap_hca_mkey_read(struct hca *hca, const struct hca_accessor *who, uint32_t key,
				     uint64_t va, void *buf, uint64_t *len, enum hca_access access);
enum hca_denial __wrap_hca_mkey_read(struct hca *hca, const struct hca_accessor *who, uint32_t key,
				     uint64_t va, void *buf, uint64_t *len, enum hca_access access)
{
	enum hca_denial denial = __real_hca_mkey_read(hca, who, key, va, buf, len, access);

	if (denial == HCA_OK)
		used(hca, who, key, va, *len, access);
	return denial;
}

enum hca_denial __real_hca_mkey_write(struct hca *hca, const struct hca_accessor *who, uint32_t key,
				      uint64_t va, const void *buf, uint64_t *len,
				      enum hca_access access);
enum hca_denial __wrap_hca_mkey_write(struct hca *hca, const struct hca_accessor *who, uint32_t key,
				      uint64_t va, const void *buf, uint64_t *len,
				      enum hca_access access);
enum hca_denial __wrap_hca_mkey_write(struct hca *hca, const struct hca_accessor *who, uint32_t key,
				      uint64_t va, const void *buf, uint64_t *len,
				      enum hca_access access)
{
	enum hca_denial denial = __real_hca_mkey_write(hca, who, key, va, buf, len, access);

	if (denial == HCA_OK)
		used(hca, who, key, va, *len, access);
	return denial;
}
