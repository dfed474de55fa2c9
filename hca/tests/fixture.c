/* SPDX-License-Identifier: GPL-2.0-only */
#include "hca/cmd.h"
#include "hca/tests/fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CMD_SLOTS     32
#define MAILBOX_DATA  512u
#define MAILBOX_NEXT  0x230
#define MAILBOX_BLOCK 0x238
#define MAILBOX_TOKEN 0x23d

/* --- the host -------------------------------------------------------------------------------- */

static bool in_memory(struct fixture *f, uint64_t addr, size_t len)
{
	if (addr >= FIXTURE_MEMORY || len > FIXTURE_MEMORY - addr)
		return false;
	return !(f->hole_size && addr < f->hole + f->hole_size && f->hole < addr + len);
}

static int host_read(void *host, uint64_t addr, void *buf, size_t len)
{
	struct fixture *f = ((struct fixture_port *)host)->fixture;

	if (!in_memory(f, addr, len))
		return -ENODEV;
	memcpy(buf, f->memory + addr, len);
	return 0;
}

static int host_write(void *host, uint64_t addr, const void *buf, size_t len)
{
	struct fixture *f = ((struct fixture_port *)host)->fixture;

	if (!in_memory(f, addr, len))
		return -ENODEV;
	memcpy(f->memory + addr, buf, len);
	return 0;
}

static bool host_resolve(void *host, uint64_t addr, uint64_t *base, uint64_t *size, bool *direct)
{
	struct fixture *f = ((struct fixture_port *)host)->fixture;

	if (!in_memory(f, addr, 1)) {
		*size = 0;
		return false;
	}
	*base = 0;
	*size = FIXTURE_MEMORY;
	*direct = true;
	return true;
}

static bool host_hold(void *host, uint64_t addr, size_t len, bool write, struct pcie_held *held)
{
	struct fixture *f = ((struct fixture_port *)host)->fixture;

	(void)write;
	if (!in_memory(f, addr, len))
		return false;
	held->memory = f->memory + addr;
	f->held++;
	return true;
}

static void host_release(void *host, const struct pcie_held *held)
{
	struct fixture *f = ((struct fixture_port *)host)->fixture;

	assert_non_null(held->memory);
	assert_true(f->held > 0);
	f->held--;
}

/* Of the fixture that is there: the fabric does not say which. */
static unsigned int *copies;

static bool host_copy(void *to, const void *from, size_t len)
{
	++*copies;
	memmove(to, from, len);
	return true;
}

static void host_interrupt(void *host, unsigned int vector)
{
	struct fixture_port *port = host;

	assert_true(vector < FIXTURE_VECTORS);
	port->interrupts[vector]++;
}

static const struct pcie_host_ops host_ops = {
	.read = host_read,
	.write = host_write,
	.resolve = host_resolve,
	.interrupt = host_interrupt,
	.hold = host_hold,
	.release = host_release,
	.copy = host_copy,
};

static void count_wake(void *arg)
{
	((struct fixture *)arg)->wakes++;
}

/* --- setup ----------------------------------------------------------------------------------- */

struct hca_params fixture_params(unsigned int index)
{
	static const char *const names[FIXTURE_HCAS] = { "hca0", "hca1" };
	const char *spec = getenv("TPH_TEST_IMPAIRMENT");
	char message[IMPAIRMENT_TEXT];
	struct hca_params params = {
		.name = names[index],
		.id = (uint16_t)(0x0010 + 8 * index),
		.device_id = index ? 0x1023 : 0x1021,
		.lid = (uint16_t)(index + 1),
		.guid = 0x0200000000000001u + index,
		.st_mode = HCA_ST_TABLE,
		.st_width = index ? 16 : 8,
		.st_entries = 16,
		.vectors = FIXTURE_VECTORS,
	};

	params.impaired = spec;
	if (spec && impairment_parse(spec, &params.impairment, message))
		fail_msg("TPH_TEST_IMPAIRMENT: %s", message);
	return params;
}

struct fixture *fixture_new_with(const struct hca_params *params, struct tlp_trace *trace)
{
	static const uint8_t command[2] = { 0x06, 0x00 }; /* memory space, bus master */
	struct fixture *f = calloc(1, sizeof(*f));
	unsigned int i;

	assert_non_null(f);
	f->memory = calloc(1, FIXTURE_MEMORY);
	assert_non_null(f->memory);
	f->brk = 1u << 20;
	copies = &f->copies;
	f->fabric = pcie_fabric_new(trace);
	assert_non_null(f->fabric);
	f->subnet = subnet_new();
	assert_non_null(f->subnet);
	for (i = 0; i < FIXTURE_HCAS; i++) {
		struct hca_params own = params ? params[i] : fixture_params(i);
		struct fixture_port *port = &f->port[i];

		port->fixture = f;
		port->hca = hca_new(&own, f->subnet, count_wake, f);
		assert_non_null(port->hca);
		port->fn = hca_function(port->hca);
		assert_int_equal(pcie_fabric_add(f->fabric, port->fn), 0);
		pcie_function_connect(port->fn, &host_ops, port);
		pcie_config_write(port->fn, 0x04, command, sizeof(command));
		port->cmdq = fixture_alloc(f, 4096, 4096);
	}
	return f;
}

struct fixture *fixture_new(void)
{
	return fixture_new_with(NULL, NULL);
}

void fixture_free(struct fixture *f)
{
	unsigned int i;

	for (i = 0; i < FIXTURE_HCAS; i++) {
		pcie_function_connect(f->port[i].fn, NULL, NULL);
		hca_free(f->port[i].hca);
	}
	subnet_free(f->subnet);
	pcie_fabric_free(f->fabric);
	free(f->memory);
	free(f);
}

int fixture_setup(void **state)
{
	struct fixture *f = fixture_new();
	unsigned int i;

	for (i = 0; i < FIXTURE_HCAS; i++)
		fixture_probe(&f->port[i]);
	*state = f;
	return 0;
}

int fixture_teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

uint64_t fixture_alloc(struct fixture *f, size_t size, size_t align)
{
	uint64_t addr = (f->brk + align - 1) & ~(uint64_t)(align - 1);

	f->brk = addr + size;
	assert_true(f->brk <= FIXTURE_MEMORY);
	return addr;
}

void *fixture_at(struct fixture *f, uint64_t addr)
{
	assert_true(addr < FIXTURE_MEMORY);
	return f->memory + addr;
}

void fixture_poll(struct fixture *f)
{
	unsigned int turn;

	for (turn = 0; turn < 100000; turn++) {
		bool busy = false;
		unsigned int i;

		for (i = 0; i < FIXTURE_HCAS; i++)
			busy |= hca_poll(f->port[i].hca);
		if (!busy)
			return;
	}
	fail_msg("the HCAs never become idle");
}

/* --- registers and commands ------------------------------------------------------------------ */

uint32_t fixture_read32(struct fixture_port *port, uint64_t offset)
{
	return be32toh((uint32_t)port->fn->ops->bar_read(port->fn, 0, offset, 4));
}

/* Into the memory that a guest maps, or by the transport where there is none. */
static void bar_store(struct fixture_port *port, uint64_t offset, unsigned int size, uint64_t value)
{
	uint64_t in_memory = offset - HCA_SHARED_OFFSET;

	if (offset < HCA_SHARED_OFFSET || in_memory + size > HCA_SHARED_SIZE)
		port->fn->ops->bar_write(port->fn, 0, offset, size, value);
	else
		memcpy((uint8_t *)port->hca->uar_memory + in_memory, &value, size);
}

void fixture_write32(struct fixture_port *port, uint64_t offset, uint32_t value)
{
	bar_store(port, offset, 4, htobe32(value));
}

void fixture_write64(struct fixture_port *port, uint64_t offset, uint64_t value)
{
	bar_store(port, offset, 8, htobe64(value));
}

uint64_t fixture_cmd_entry(struct fixture_port *port, unsigned int slot)
{
	assert_true(slot < CMD_SLOTS);
	return port->cmdq + 64u * slot;
}

/* A chain of mailboxes for the @len bytes after the inline ones; @data may be NULL. */
static uint64_t mailbox_chain(struct fixture *f, const uint8_t *data, uint32_t len, uint8_t token)
{
	uint64_t first = 0, previous = 0;
	uint32_t done, number = 0;

	for (done = 0; done < len; done += MAILBOX_DATA) {
		uint64_t addr = fixture_alloc(f, 1024, 1024);
		uint8_t *block = fixture_at(f, addr);
		uint32_t n = len - done < MAILBOX_DATA ? len - done : MAILBOX_DATA;

		if (data)
			memcpy(block, data + done, n);
		else
			memset(block, 0xa5, MAILBOX_DATA);
		be32_put(block, MAILBOX_BLOCK, number++);
		block[MAILBOX_TOKEN] = token;
		if (previous)
			be64_put(fixture_at(f, previous), MAILBOX_NEXT, addr);
		else
			first = addr;
		previous = addr;
	}
	return first;
}

void fixture_cmd_write(struct fixture_port *port, unsigned int slot, const void *in, uint32_t ilen,
		       uint32_t olen)
{
	struct fixture *f = port->fixture;
	uint8_t *entry = fixture_at(f, fixture_cmd_entry(port, slot));

	memset(entry, 0, 64);
	entry[0] = 7;
	entry[0x3c] = 0x5a;
	be32_put(entry, 0x04, ilen);
	memcpy(entry + 0x10, in, ilen < 16 ? ilen : 16);
	if (ilen > 16)
		be64_put(entry, 0x08,
			 mailbox_chain(f, (const uint8_t *)in + 16, ilen - 16, entry[0x3c]));
	memset(entry + 0x20, 0xa5, 16);
	if (olen > 16)
		be64_put(entry, 0x30, mailbox_chain(f, NULL, olen - 16, entry[0x3c]));
	be32_put(entry, 0x38, olen);
	entry[0x3f] = 1;
}

void fixture_cmd_output(struct fixture_port *port, unsigned int slot, void *out, uint32_t olen)
{
	struct fixture *f = port->fixture;
	const uint8_t *entry = fixture_at(f, fixture_cmd_entry(port, slot));
	uint64_t block = be64_at(entry, 0x30);
	uint32_t done = olen < 16 ? olen : 16;

	memcpy(out, entry + 0x20, done);
	while (done < olen) {
		uint32_t n = olen - done < MAILBOX_DATA ? olen - done : MAILBOX_DATA;

		memcpy((uint8_t *)out + done, fixture_at(f, block), n);
		block = be64_at(fixture_at(f, block), MAILBOX_NEXT);
		done += n;
	}
}

uint8_t fixture_cmd(struct fixture_port *port, const void *in, uint32_t ilen, void *out,
		    uint32_t olen)
{
	const uint8_t *entry = fixture_at(port->fixture, fixture_cmd_entry(port, 0));
	unsigned int turn;

	fixture_cmd_write(port, 0, in, ilen, olen);
	fixture_write32(port, 0x18, 1);
	for (turn = 0; turn < 1000 && (entry[0x3f] & 1); turn++)
		hca_poll(port->hca);
	/* Delivery status 0, ownership with the driver. */
	assert_int_equal(entry[0x3f], 0);
	if (out)
		fixture_cmd_output(port, 0, out, olen);
	return entry[0x20];
}

static uint8_t simple(struct fixture_port *port, uint16_t op, uint16_t op_mod, uint32_t dw2,
		      uint32_t dw3, uint32_t *number)
{
	uint8_t in[16] = { 0 }, out[16];
	uint8_t status;

	be16_put(in, 0, op);
	be16_put(in, 6, op_mod);
	be32_put(in, 8, dw2);
	be32_put(in, 12, dw3);
	status = fixture_cmd(port, in, sizeof(in), out, sizeof(out));
	*number = be32_at(out, 8) & 0xffffff;
	return status;
}

uint32_t fixture_simple(struct fixture_port *port, uint16_t op, uint16_t op_mod, uint32_t dw2,
			uint32_t dw3)
{
	uint32_t number;

	assert_int_equal(simple(port, op, op_mod, dw2, dw3, &number), 0);
	return number;
}

uint8_t fixture_simple_status(struct fixture_port *port, uint16_t op, uint16_t op_mod, uint32_t dw2,
			      uint32_t dw3)
{
	uint32_t number;

	return simple(port, op, op_mod, dw2, dw3, &number);
}

static uint32_t create_pa_key(struct fixture_port *port)
{
	uint8_t in[0x110] = { 0 }, out[16];

	be16_put(in, 0, 0x200);
	be32_put(in, 0x10, FIXTURE_LOCAL_READ | FIXTURE_LOCAL_WRITE);
	be32_put(in, 0x14, 0xffffff00);
	be32_put(in, 0x1c, 1u << 31 | port->pd);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	return (be32_at(out, 8) & 0xffffff) << 8;
}

void fixture_probe(struct fixture_port *port)
{
	fixture_write32(port, 0x10, (uint32_t)(port->cmdq >> 32));
	fixture_write32(port, 0x14, (uint32_t)port->cmdq);
	fixture_simple(port, 0x104, 0, 0, 0);
	fixture_simple(port, 0x102, 0, 0, 0);
	port->kernel_uar = fixture_simple(port, 0x802, 0, 0, 0);
	assert_in_range(port->kernel_uar, HCA_UAR_FIRST, HCA_UAR_PAGES - 1);
	port->pd = fixture_simple(port, 0x800, 0, 0, 0);
	port->uar = fixture_simple(port, 0x802, 0, 0, 0);
	assert_in_range(port->uar, HCA_UAR_FIRST, HCA_UAR_PAGES - 1);
	port->lkey = create_pa_key(port);
}

/* --- queues ---------------------------------------------------------------------------------- */

static unsigned int ilog2(uint64_t value)
{
	return 63 - (unsigned int)__builtin_clzll(value);
}

/*
 * A CREATE command with a queue buffer of @bytes: context at 0x10 (@context_at), page list of 4 KiB
 * pages at 0x110.
 */
static uint32_t create_queue(struct fixture_port *port, uint16_t op, const void *context,
			     uint32_t context_at, size_t context_len, uint64_t mask, uint64_t buf,
			     size_t bytes)
{
	uint32_t pages = (uint32_t)((bytes + 4095) / 4096), i;
	uint32_t ilen = 0x110 + 8 * pages;
	uint8_t *in = calloc(1, ilen), out[16];

	assert_non_null(in);
	be16_put(in, 0, op);
	memcpy(in + context_at, context, context_len);
	if (op == 0x301)
		be64_put(in, 0x58, mask);
	for (i = 0; i < pages; i++)
		be64_put(in, 0x110 + 8 * i, buf + 4096 * (uint64_t)i);
	assert_int_equal(fixture_cmd(port, in, ilen, out, sizeof(out)), 0);
	free(in);
	return be32_at(out, 8) & 0xffffff;
}

void fixture_eq_create(struct fixture_port *port, uint8_t log_size, uint64_t mask,
		       unsigned int vector, struct fixture_eq *eq)
{
	size_t bytes = (size_t)64 << log_size, i;
	uint8_t eqc[64] = { 0 };
	uint8_t *entries;

	*eq = (struct fixture_eq){ .log_size = log_size };
	eq->buf = fixture_alloc(port->fixture, bytes, 4096);
	entries = fixture_at(port->fixture, eq->buf);
	for (i = 0; i < bytes; i += 64)
		entries[i + 63] = 1;
	field_put(eqc, 3, 28, 24, log_size);
	field_put(eqc, 3, 23, 0, port->kernel_uar);
	field_put(eqc, 5, 11, 0, vector);
	eq->number = create_queue(port, 0x301, eqc, 0x10, sizeof(eqc), mask, eq->buf, bytes) & 0xff;
	fixture_eq_ring(port, eq, HCA_UAR_EQ_ARM);
}

void fixture_eq_ring(struct fixture_port *port, const struct fixture_eq *eq, unsigned int reg)
{
	fixture_write32(port, port->kernel_uar * 4096ull + reg,
			eq->number << 24 | (eq->ci & 0xffffff));
}

const uint8_t *fixture_eq_next(struct fixture_port *port, struct fixture_eq *eq)
{
	uint32_t slot = eq->ci & ((1u << eq->log_size) - 1);
	uint8_t *eqe = fixture_at(port->fixture, eq->buf + 64 * (uint64_t)slot);

	if ((eqe[63] & 1) != ((eq->ci >> eq->log_size) & 1)) {
		fixture_eq_ring(port, eq, HCA_UAR_EQ_ARM);
		return NULL;
	}
	eq->ci++;
	fixture_eq_ring(port, eq, HCA_UAR_EQ_UPDATE);
	return eqe;
}

void fixture_cq_create(struct fixture_port *port, uint8_t log_size, uint32_t eqn,
		       struct fixture_cq *cq)
{
	size_t bytes = (size_t)64 << log_size, i;
	uint8_t cqc[64] = { 0 };
	uint8_t *entries;

	*cq = (struct fixture_cq){ .log_size = log_size, .arm_sn = 1, .uar = port->uar };
	cq->buf = fixture_alloc(port->fixture, bytes, 4096);
	cq->dbr = fixture_alloc(port->fixture, 64, 64);
	entries = fixture_at(port->fixture, cq->buf);
	for (i = 0; i < bytes; i += 64)
		entries[i + 63] = 0xf1;
	field_put(cqc, 3, 28, 24, log_size);
	field_put(cqc, 3, 23, 0, port->uar);
	field_put(cqc, 5, 7, 0, eqn);
	be64_put(cqc, 0x38, cq->dbr);
	cq->number = create_queue(port, 0x400, cqc, 0x10, sizeof(cqc), 0, cq->buf, bytes);
}

const uint8_t *fixture_cq_next(struct fixture_port *port, struct fixture_cq *cq)
{
	uint32_t slot = cq->ci & ((1u << cq->log_size) - 1);
	uint8_t *cqe = fixture_at(port->fixture, cq->buf + 64 * (uint64_t)slot);

	if (cqe[63] >> 4 == 0xf || (cqe[63] & 1) != ((cq->ci >> cq->log_size) & 1))
		return NULL;
	cq->ci++;
	be32_put(fixture_at(port->fixture, cq->dbr), 0, cq->ci & 0xffffff);
	return cqe;
}

/* In the memory that the guest has, too; nowhere when @uar is 0. */
static void ring(struct fixture_port *port, uint32_t uar, uint32_t reg, uint64_t value)
{
	uint8_t *page =
		(uint8_t *)port->hca->uar_memory + (uint64_t)(uar - HCA_UAR_FIRST) * HCA_UAR_PAGE;

	if (uar)
		atomic_store((_Atomic uint64_t *)(page + reg), htobe64(value));
}

void fixture_cq_ring(struct fixture_port *port, const struct fixture_cq *cq)
{
	uint32_t arm = be32_at(fixture_at(port->fixture, cq->dbr), 4);

	ring(port, cq->uar, HCA_UAR_CQ_ARM, (uint64_t)arm << 32 | cq->number);
}

void fixture_cq_arm(struct fixture_port *port, struct fixture_cq *cq, bool solicited)
{
	uint32_t word = (cq->arm_sn++ & 3) << 28 | (solicited ? 1u << 24 : 0) | (cq->ci & 0xffffff);

	be32_put(fixture_at(port->fixture, cq->dbr), 4, word);
	fixture_cq_ring(port, cq);
}

void fixture_qp_create(struct fixture_port *port, const struct fixture_qp_attr *attr,
		       struct fixture_qp *qp)
{
	size_t rq_bytes = (size_t)attr->rq_wqes * attr->rq_stride;
	size_t bytes = rq_bytes + 64 * (size_t)attr->sq_wqebbs;
	uint8_t qpc[232] = { 0 };

	*qp = (struct fixture_qp){
		.type = attr->type,
		.rq_wqes = attr->rq_wqes,
		.rq_stride = attr->rq_stride,
		.sq_wqebbs = attr->sq_wqebbs,
		.pd = port->pd,
		.cqn_snd = attr->cqn_snd,
		.cqn_rcv = attr->cqn_rcv,
		.uar = attr->uar ? attr->uar : port->uar,
	};
	qp->buf = fixture_alloc(port->fixture, bytes, 4096);
	qp->sq_buf = qp->buf + rq_bytes;
	qp->dbr = fixture_alloc(port->fixture, 64, 64);
	field_put(qpc, 0, 23, 16, attr->type);
	field_put(qpc, 0, 12, 11, 3);
	if (attr->type != HCA_QP_REG_UMR)
		field_put(qpc, 1, 23, 0, port->pd);
	if (attr->rq_wqes) {
		field_put(qpc, 2, 22, 19, ilog2(attr->rq_wqes));
		field_put(qpc, 2, 18, 16, ilog2(attr->rq_stride / 16));
	}
	if (attr->sq_wqebbs)
		field_put(qpc, 2, 14, 11, ilog2(attr->sq_wqebbs));
	else
		field_put(qpc, 2, 15, 15, 1);
	field_put(qpc, 3, 23, 0, attr->uar ? attr->uar : port->uar);
	field_put(qpc, 31, 23, 0, attr->cqn_snd);
	field_put(qpc, 39, 23, 0, attr->cqn_rcv);
	be64_put(qpc, 0xa0, qp->dbr);
	if (attr->srqn) {
		field_put(qpc, 43, 26, 24, 1);
		field_put(qpc, 43, 23, 0, attr->srqn);
	} else if (!attr->rq_wqes) {
		field_put(qpc, 43, 26, 24, 3);
	}
	qp->number = create_queue(port, 0x500, qpc, 0x18, sizeof(qpc), 0, qp->buf, bytes);
}

uint8_t fixture_qp_modify(struct fixture_port *port, struct fixture_qp *qp, uint16_t op,
			  uint32_t opt_mask, const uint8_t qpc[232])
{
	uint8_t in[0x110] = { 0 }, out[16];

	be16_put(in, 0, op);
	be32_put(in, 8, qp->number);
	be32_put(in, 0x10, opt_mask);
	memcpy(in + 0x18, qpc, 232);
	return fixture_cmd(port, in, sizeof(in), out, sizeof(out));
}

/* What the driver repeats in each transition. */
static void qpc_common(struct fixture_qp *qp, uint8_t qpc[232])
{
	memset(qpc, 0, 232);
	field_put(qpc, 0, 23, 16, qp->type);
	field_put(qpc, 0, 12, 11, 3);
	field_put(qpc, 1, 23, 0, qp->pd);
	field_put(qpc, 31, 23, 0, qp->cqn_snd);
	field_put(qpc, 39, 23, 0, qp->cqn_rcv);
}

void fixture_qp_init(struct fixture_port *port, struct fixture_qp *qp)
{
	uint8_t qpc[232];

	qpc_common(qp, qpc);
	field_put(qpc, 15, 23, 16, 1); /* vhca_port_num of the primary path */
	if (qp->type == HCA_QP_RC || qp->type == HCA_QP_UC) {
		field_put(qpc, 36, 15, 13, 7);
		field_put(qpc, 36, 19, 16, 1); /* atomic_mode: as the InfiniBand Architecture */
	} else
		be32_put(qpc, 42 * 4, 0x11111111);
	if (qp->rq_wqes)
		be64_put(qpc, 0xa0, qp->dbr);
	assert_int_equal(fixture_qp_modify(port, qp, 0x502, 0, qpc), 0);
}

void fixture_qp_rtr(struct fixture_port *port, struct fixture_qp *qp, uint16_t rlid, uint32_t rqpn)
{
	uint8_t qpc[232];

	qpc_common(qp, qpc);
	field_put(qpc, 2, 31, 29, 5);
	field_put(qpc, 2, 28, 24, 30);
	field_put(qpc, 5, 23, 0, rqpn);
	field_put(qpc, 7, 15, 0, rlid);
	field_put(qpc, 36, 23, 21, 4);
	field_put(qpc, 37, 28, 24, 1); /* RNR timer 10 us */
	assert_int_equal(fixture_qp_modify(port, qp, 0x503, 0, qpc), 0);
}

void fixture_qp_rts(struct fixture_port *port, struct fixture_qp *qp)
{
	uint8_t qpc[232];

	qpc_common(qp, qpc);
	field_put(qpc, 8, 31, 27, 8);
	field_put(qpc, 28, 23, 21, 4);
	field_put(qpc, 28, 18, 16, 7);
	field_put(qpc, 28, 15, 13, 7);
	assert_int_equal(fixture_qp_modify(port, qp, 0x504, 0, qpc), 0);
}

void fixture_qp_connect(struct fixture_port *port_a, struct fixture_qp *a,
			struct fixture_port *port_b, struct fixture_qp *b)
{
	fixture_qp_init(port_a, a);
	if (b != a)
		fixture_qp_init(port_b, b);
	fixture_qp_rtr(port_a, a, port_b->hca->params.lid, b->number);
	if (b != a)
		fixture_qp_rtr(port_b, b, port_a->hca->params.lid, a->number);
	fixture_qp_rts(port_a, a);
	if (b != a)
		fixture_qp_rts(port_b, b);
}

enum hca_qp_state fixture_qp_state(struct fixture_port *port, struct fixture_qp *qp)
{
	uint8_t in[16] = { 0 }, out[0x110];

	be16_put(in, 0, 0x50b);
	be32_put(in, 8, qp->number);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	return out[0x18] >> 4;
}

void fixture_qp_ring(struct fixture_port *port, const struct fixture_qp *qp)
{
	/* One half of the register and the other in turn, as the provider does. */
	uint32_t reg = HCA_UAR_SQ + (qp->sq_pi & 1) * 0x100;

	ring(port, qp->uar, reg, (uint64_t)qp->sq_pi << 40 | (uint64_t)qp->number << 8);
}

uint16_t fixture_post_send(struct fixture_port *port, struct fixture_qp *qp, const void *wqe,
			   size_t len)
{
	uint8_t ctrl[16];
	uint16_t index = qp->sq_pi;
	size_t done;

	assert_true(len >= 16 && len % 16 == 0);
	memcpy(ctrl, wqe, sizeof(ctrl));
	field_put(ctrl, 0, 23, 8, index);
	field_put(ctrl, 1, 31, 8, qp->number);
	field_put(ctrl, 1, 5, 0, (uint32_t)(len / 16));
	for (done = 0; done < len; done += 16) {
		uint64_t at = (64 * (uint64_t)index + done) % (64 * (uint64_t)qp->sq_wqebbs);

		memcpy(fixture_at(port->fixture, qp->sq_buf + at),
		       done ? (const uint8_t *)wqe + done : ctrl, 16);
	}
	qp->sq_pi = (uint16_t)(qp->sq_pi + (len + 63) / 64);
	be32_put(fixture_at(port->fixture, qp->dbr), 4, qp->sq_pi);
	fixture_qp_ring(port, qp);
	return index;
}

void fixture_post_recv(struct fixture_port *port, struct fixture_qp *qp, const void *segments,
		       size_t len)
{
	uint64_t at = (uint64_t)(qp->rq_pi % qp->rq_wqes) * qp->rq_stride;
	uint8_t *wqe = fixture_at(port->fixture, qp->buf + at);

	assert_true(len <= qp->rq_stride);
	memcpy(wqe, segments, len);
	if (len < qp->rq_stride) {
		memset(wqe + len, 0, qp->rq_stride - len);
		be32_put(wqe, len + 4, 0x100);
	}
	qp->rq_pi++;
	be32_put(fixture_at(port->fixture, qp->dbr), 0, qp->rq_pi);
}

/* --- memory keys ----------------------------------------------------------------------------- */

uint32_t fixture_mkey_create(struct fixture_port *port, const struct fixture_mkey_attr *attr)
{
	uint8_t log_page = attr->log_page_size ? attr->log_page_size : 12;
	uint64_t page = (uint64_t)1 << log_page, base = attr->start & ~(page - 1);
	uint32_t count = attr->page_count, octwords, i, ilen;
	uint8_t *in, out[16];

	if (!attr->pages)
		count = (uint32_t)((attr->start + attr->len - base + page - 1) / page);
	octwords = (count + 1) / 2;
	ilen = 0x110 + 16 * octwords;
	in = calloc(1, ilen);
	assert_non_null(in);
	be16_put(in, 0, 0x200);
	be32_put(in, 0x10, attr->access | 1u << 8);
	be32_put(in, 0x14, 0xffffff00 | attr->key_byte);
	be32_put(in, 0x1c, attr->pd ? attr->pd : port->pd);
	be64_put(in, 0x20, attr->start);
	be64_put(in, 0x28, attr->len);
	be32_put(in, 0x10 + 13 * 4, octwords);
	be32_put(in, 0x10 + 14 * 4, log_page);
	be32_put(in, 0x10 + 15 * 4, attr->tph);
	be32_put(in, 0x60, octwords);
	for (i = 0; i < count; i++)
		be64_put(in, 0x110 + 8 * (size_t)i, attr->pages ? attr->pages[i] : base + page * i);
	assert_int_equal(fixture_cmd(port, in, ilen, out, sizeof(out)), 0);
	free(in);
	return (be32_at(out, 8) & 0xffffff) << 8 | attr->key_byte;
}

void fixture_ctrl(uint8_t seg[16], uint8_t opcode, uint8_t flags, uint32_t imm)
{
	memset(seg, 0, 16);
	seg[3] = opcode;
	seg[11] = flags;
	be32_put(seg, 12, imm);
}

void fixture_raddr(uint8_t seg[16], uint64_t addr, uint32_t rkey)
{
	memset(seg, 0, 16);
	be64_put(seg, 0, addr);
	be32_put(seg, 8, rkey);
}

void fixture_data(uint8_t seg[16], uint64_t addr, uint32_t lkey, uint32_t len)
{
	be32_put(seg, 0, len);
	be32_put(seg, 4, lkey);
	be64_put(seg, 8, addr);
}
