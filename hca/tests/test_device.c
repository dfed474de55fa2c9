/* SPDX-License-Identifier: GPL-2.0-only */
/* Identity, BAR0 registers, doorbells, resets. */
#include "hca/cmd.h"
#include "hca/tests/fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint32_t config32(struct fixture_port *port, unsigned int offset)
{
	uint32_t value;

	pcie_config_read(port->fn, offset, &value, sizeof(value));
	return le32toh(value);
}

static uint64_t read_sized(struct fixture_port *port, uint64_t offset, unsigned int size)
{
	return port->fn->ops->bar_read(port->fn, 0, offset, size);
}

static void identity(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(config32(&f->port[0], 0), 0x102115b3);
	assert_int_equal(config32(&f->port[1], 0), 0x102315b3);
	assert_int_equal(config32(&f->port[0], 8) >> 8, 0x020700);
	assert_int_equal(f->port[0].fn->bar[0].size, 16u << 20);
	assert_int_equal(f->port[0].fn->bar[0].mmap_offset, 32 * 4096);
	assert_int_equal(f->port[0].fn->bar[0].mmap_size, (14u << 20) - 32 * 4096);
	assert_non_null(f->port[0].fn->bar[0].mmap_mem);
	assert_true(f->port[0].fn->config.msix);
	assert_true(f->port[0].fn->config.express);
	assert_true(f->port[0].fn->config.pm);
}

/* A client that has the file cannot take the pages away from under an access of ours. */
static void shared_pages_stay(void **state)
{
	struct fixture *f = *state;
	const struct pcie_bar *bar = &f->port[0].fn->bar[0];

	errno = 0;
	assert_int_equal(ftruncate(bar->mmap_fd, 0), -1);
	assert_int_equal(errno, EPERM);
	((uint8_t *)bar->mmap_mem)[bar->mmap_size - 1] = 0x5a;
}

/* TPH Requester capability register: +4 of the extended capability. */
static void tph_capability(void **state)
{
	struct hca_params params[FIXTURE_HCAS] = { fixture_params(0), fixture_params(1) };
	struct fixture *f = *state;
	uint32_t cap;

	/* Table, 8 bits, 16 entries; table, 16 bits. */
	assert_true(f->port[0].fn->config.tph);
	cap = config32(&f->port[0], f->port[0].fn->config.tph + 4u);
	assert_int_equal(cap & 1u << 2, 1u << 2);
	assert_int_equal(cap >> 8 & 1, 0);
	assert_int_equal(cap >> 9 & 3, PCIE_ST_CAPABILITY);
	assert_int_equal(cap >> 16 & 0x7ff, 15);
	cap = config32(&f->port[1], f->port[1].fn->config.tph + 4u);
	assert_int_equal(cap >> 8 & 1, 1);
	assert_int_equal(field_get(f->port[0].hca->cap[0], 21, 24, 24), 1);

	/* Direct mode has no table; without TPH the keys have none either. */
	params[0].st_mode = HCA_ST_DIRECT;
	params[1].st_mode = HCA_ST_NONE;
	f = fixture_new_with(params, NULL);
	cap = config32(&f->port[0], f->port[0].fn->config.tph + 4u);
	assert_int_equal(cap >> 9 & 3, PCIE_ST_NONE);
	assert_int_equal(f->port[1].fn->config.tph, 0);
	assert_int_equal(field_get(f->port[1].hca->cap[0], 21, 24, 24), 0);
	fixture_free(f);
}

static void refused(const struct hca_params *params, struct subnet *subnet, int error)
{
	errno = 0;
	assert_null(hca_new(params, subnet, NULL, NULL));
	assert_int_equal(errno, error);
}

static void bad_parameters(void **state)
{
	struct fixture *f = *state;
	struct subnet *subnet = subnet_new();
	struct hca_params params;

	params = fixture_params(0);
	params.device_id = 0x1025;
	refused(&params, subnet, EINVAL);
	params = fixture_params(0);
	params.lid = 0;
	refused(&params, subnet, EINVAL);
	params.lid = SUBNET_LID_MAX + 1;
	refused(&params, subnet, EINVAL);
	params = fixture_params(0);
	params.guid = 0;
	refused(&params, subnet, EINVAL);
	params = fixture_params(0);
	params.vectors = 0;
	refused(&params, subnet, EINVAL);
	params = fixture_params(0);
	params.st_width = 12;
	refused(&params, subnet, EINVAL);
	params = fixture_params(0);
	params.st_entries = 1;
	refused(&params, subnet, EINVAL);
	params.st_entries = 65;
	refused(&params, subnet, EINVAL);
	assert_null(subnet_find(subnet, 1, 0));
	subnet_free(subnet);

	/* LIDs and GUIDs are unique in a subnet, and the first owner keeps them. */
	params = fixture_params(0);
	params.guid = 77;
	refused(&params, f->subnet, EEXIST);
	params = fixture_params(0);
	params.lid = 77;
	refused(&params, f->subnet, EEXIST);
	assert_ptr_equal(subnet_find(f->subnet, 1, 0), f->port[0].hca);
	assert_ptr_equal(subnet_find(f->subnet, 0, 0x0200000000000002u), f->port[1].hca);
	assert_null(subnet_find(f->subnet, 77, 0));
}

static void init_segment(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];

	assert_int_equal(fixture_read32(port, 0x004) >> 16, 5);
	assert_int_equal(fixture_read32(port, 0x014) & 0xff, 0x56);
	/* Initialized; the driver may reset the firmware. */
	assert_int_equal(fixture_read32(port, 0x1fc), 1u << 30);
	assert_int_not_equal(fixture_read32(port, 0x230), 0xffffffff);
	assert_int_equal(fixture_read32(port, 0xffc), 0);
	/* synd, rfr_severity, irisc_index by bytes; ext_synd by 2. */
	assert_int_equal(read_sized(port, 0x23d, 1), 0);
	assert_int_equal(read_sized(port, 0x238, 1), 0);
	assert_int_equal(read_sized(port, 0x23e, 2), 0);
	/* Sizes agree on the bytes: big-endian word, little-endian bus. */
	assert_int_equal(read_sized(port, 0x004, 1), 0);
	assert_int_equal(read_sized(port, 0x005, 1), 5);
	assert_int_equal(read_sized(port, 0x004, 2), 0x0500);
	assert_int_equal(read_sized(port, 0x000, 8) >> 32, htobe32(fixture_read32(port, 4)));
	assert_int_equal((uint32_t)read_sized(port, 0x000, 8), htobe32(fixture_read32(port, 0)));
	/* Offsets that are not there read 0, the UAR pages too. */
	assert_int_equal(fixture_read32(port, 0x2ff0), 0);
	assert_int_equal(fixture_read32(port, 3 * 4096 + 0x800), 0);
}

static void health_counter(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	const struct timespec wait = { .tv_nsec = 250000000 };
	uint32_t before = fixture_read32(port, 0x1010);
	uint32_t timer = fixture_read32(port, 0x1004);

	assert_int_not_equal(before, 0);
	nanosleep(&wait, NULL);
	assert_in_range(fixture_read32(port, 0x1010) - before, 2, 100);
	assert_int_not_equal(fixture_read32(port, 0x1004), timer);
}

static void queue_address(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];

	fixture_write32(port, 0x10, 0x12);
	fixture_write32(port, 0x14, 0x34567000);
	assert_int_equal(fixture_read32(port, 0x10), 0x12);
	assert_int_equal(fixture_read32(port, 0x14), 0x34567056);
	assert_int_equal(port->hca->mmio.cmdq_addr, 0x1234567000u);
	/* A change of state keeps the address bits and takes no new queue. */
	fixture_write32(port, 0x14, 0x34567000 | 7u << 8);
	assert_int_equal(fixture_read32(port, 0x14), 0x34567000 | 1u << 8 | 0x56);
	assert_false(port->hca->mmio.cmdq_valid);
	fixture_write32(port, 0x14, 0x89abc000);
	assert_int_equal(fixture_read32(port, 0x14), 0x89abc056);
	assert_true(port->hca->mmio.cmdq_valid);
}

static void flr(struct fixture_port *port)
{
	uint16_t offset = (uint16_t)(port->fn->config.express + 8);
	uint16_t control;

	pcie_config_read(port->fn, offset, &control, 2);
	control |= 1u << 15;
	pcie_config_write(port->fn, offset, &control, 2);
}

static void assert_empty(struct hca *hca)
{
	assert_int_equal(hca->uars.count, 0);
	assert_int_equal(hca->pds.count, 0);
	assert_int_equal(hca->eqs.count, 0);
	assert_int_equal(hca->cqs.count, 0);
	assert_int_equal(hca->qps.count, 0);
	assert_int_equal(hca->mkeys.count, 0);
	assert_int_equal(hca->cmd_eqn, 0);
}

/* A QP with traffic posted, a command and a doorbell waiting: FLR takes them all. */
static void function_level_reset(void **state)
{
	static const uint8_t on[2] = { 0x06, 0x00 };
	struct fixture *f = *state;
	struct fixture_port *port = &f->port[0];
	struct fixture_qp_attr attr = { .type = HCA_QP_RC, .sq_wqebbs = 8 };
	struct fixture_eq eq, cmd_eq;
	struct fixture_cq cq;
	struct fixture_qp qp;
	uint8_t in[16] = { 0 };
	unsigned int wakes;

	fixture_eq_create(port, 8, 0, 1, &eq);
	fixture_cq_create(port, 4, eq.number, &cq);
	attr.cqn_snd = attr.cqn_rcv = cq.number;
	fixture_qp_create(port, &attr, &qp);
	fixture_eq_create(port, 8, 1u << HCA_EVENT_CMD, 0, &cmd_eq);
	be16_put(in, 0, 0x800);
	fixture_cmd_write(port, 0, in, sizeof(in), 16);
	fixture_write32(port, 0x18, 1);
	fixture_write64(port, port->kernel_uar * 4096 + 0x800, (uint64_t)qp.number << 8);
	wakes = f->wakes;
	flr(port);
	assert_int_equal(f->wakes, wakes + 1);
	assert_int_equal(fixture_read32(port, 0x14), 1u << 8 | 0x56);
	pcie_config_write(port->fn, 4, on, sizeof(on));
	fixture_poll(f);
	assert_empty(port->hca);
	/* No stray DMA: the command is still the device's, the EQs are untouched. */
	assert_int_equal(((uint8_t *)fixture_at(f, port->cmdq))[0x3f], 1);
	assert_null(fixture_eq_next(port, &cmd_eq));
	assert_int_equal(port->interrupts[0], 0);
	/* Commands wait for a new queue. */
	fixture_write32(port, 0x18, 1);
	fixture_poll(f);
	assert_int_equal(((uint8_t *)fixture_at(f, port->cmdq))[0x3f], 1);

	fixture_probe(port);
	assert_int_equal(fixture_read32(port, 0x14) >> 8 & 7, 0);
	fixture_eq_create(port, 8, 0, 1, &eq);
	assert_int_equal(eq.number, 1);
}

/* The queue is written before the engine saw the reset: its command survives. */
static void reset_then_new_queue(void **state)
{
	static const uint8_t on[2] = { 0x06, 0x00 };
	struct fixture *f = *state;
	struct fixture_port *port = &f->port[0];
	const uint8_t *entry = fixture_at(f, port->cmdq);
	uint8_t in[16] = { 0 };

	flr(port);
	pcie_config_write(port->fn, 4, on, sizeof(on));
	fixture_write32(port, 0x10, 0);
	fixture_write32(port, 0x14, (uint32_t)port->cmdq);
	be16_put(in, 0, 0x800);
	fixture_cmd_write(port, 0, in, sizeof(in), 16);
	fixture_write32(port, 0x18, 1);
	fixture_poll(f);
	assert_int_equal(entry[0x3f], 0);
	assert_int_equal(be32_at(entry, 0x28), 1);
	assert_int_equal(port->hca->pds.count, 1);
}

static void unmodelled_registers(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);

	fixture_read32(port, 0x1ff0);
	fixture_read32(port, 0x1ff0);
	fixture_write32(port, 0x20, 1);
	port->fn->ops->bar_write(port->fn, 0, 0x18, 2, 1);
	hca_print_unmodelled(port->hca, stream);
	fclose(stream);
	assert_string_equal(text, "hca0: BAR0 read 0x1ff0\nhca0: BAR0 write 0x20\n"
				  "hca0: BAR0 write 0x18 of 2 bytes\n");
	free(text);
}

/* Every size at every offset of registers and of a UAR page: answered, and nothing overruns. */
static void odd_accesses(void **state)
{
	static const uint32_t from[] = {
		0, 0x1f8, 0xff0, 0x1000, 0x2ff0, 3 * 4096, 16 * 4096 - 16
	};
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	const struct pcie_function_ops *ops = port->fn->ops;
	unsigned int size, i;
	uint32_t offset;

	for (i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		for (offset = from[i]; offset < from[i] + 0x20; offset++) {
			for (size = 1; size <= 8; size *= 2) {
				uint64_t value = ops->bar_read(port->fn, 0, offset, size);

				if (size < 8)
					assert_true(value >> 8 * size == 0);
				/* The same bytes one by one, where no clock counts. */
				if (offset < 0x10 && size == 2)
					assert_int_equal(
						value,
						ops->bar_read(port->fn, 0, offset, 1) |
							ops->bar_read(port->fn, 0, offset + 1, 1)
								<< 8);
			}
		}
	}
	/* Only whole, aligned words reach the queue's registers. */
	for (size = 1; size <= 8; size *= 2) {
		for (offset = 0x10; offset < 0x1c; offset++) {
			uint64_t queue = port->hca->mmio.cmdq_addr;

			if (offset % 4 == 0 && size >= 4)
				continue;
			if (size == 8)
				continue; /* two words, of which the second may be one */
			ops->bar_write(port->fn, 0, offset, size, UINT64_MAX);
			assert_true(port->hca->mmio.cmdq_addr == queue);
			assert_int_equal(port->hca->mmio.cmd_pending, 0);
		}
	}
}

/* Names of what is not modelled: as many as are kept, and not one more. */
static void many_unmodelled(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	unsigned int i, lines = 0;
	char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);

	for (i = 0; i < 1000; i++)
		fixture_read32(port, 0x2010 + 4 * (i % 900));
	hca_print_unmodelled(port->hca, stream);
	fclose(stream);
	for (i = 0; text[i]; i++)
		lines += text[i] == '\n';
	assert_int_equal(lines, 128);
	free(text);
}

/* More CQs than one turn looks at, when nobody knows which were armed: each is looked at. */
static void many_cqs(void **state)
{
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	struct fixture *f = *state;
	struct hca_cqe cqe = { .opcode = 0, .qpn = 7 };
	struct hca *hca = port->hca;
	struct fixture_eq eq;
	struct fixture_cq cq;
	uint32_t i, last;
	uint64_t brk;

	fixture_eq_create(port, 13, 0, 1, &eq);
	brk = f->brk;
	for (i = 0; i < 5000; i++) {
		f->brk = brk;
		fixture_cq_create(port, 0, eq.number, &cq);
	}
	last = cq.number;
	/* Each has a completion that nobody was told of, in the ring that all share. */
	for (i = 1; i <= last; i++) {
		struct hca_cq *model = hca_table_get(&hca->cqs, i);

		hca_cq_post(hca, i, &cqe);
		model->event_sent = true;
		model->event_sn = 0;
		model->any_new = true;
	}
	while (fixture_eq_next(port, &eq))
		;
	be32_put(fixture_at(f, cq.dbr), 4, 1u << 28);
	hca->cq_lost = hca->cqs.size;
	assert_true(hca_poll(hca));
	for (i = 0; fixture_eq_next(port, &eq); i++)
		;
	assert_int_equal(i, 4096);
	assert_true(hca_poll(hca));
	for (; fixture_eq_next(port, &eq); i++)
		;
	assert_int_equal(i, last);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(identity),
		TEST(shared_pages_stay),
		TEST(tph_capability),
		TEST(bad_parameters),
		TEST(init_segment),
		TEST(health_counter),
		TEST(queue_address),
		TEST(function_level_reset),
		TEST(reset_then_new_queue),
		TEST(unmodelled_registers),
		TEST(odd_accesses),
		TEST(many_unmodelled),
		TEST(many_cqs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
