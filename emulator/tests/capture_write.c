/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An RDMA WRITE of 600 bytes from hca0 through hca1 into the BAR of a GPU, whose memory key has a
 * hint, with a path MTU of 256 bytes: the trace of its TLPs, and captures of both ports. It is what
 * docs/wire.md shows; tests/wire prints it with a dissector that nobody here wrote.
 * Usage: capture_write DIRECTORY: trace.bin, hca0.pcapng and hca1.pcapng in it.
 */
#include <fcntl.h>
#include <stdio.h>

#include "capture/clock.h"
#include "endpoints/endpoint.h"
#include "hca/tests/traffic.h"

#define BAR	 0x4000000000ull
#define BAR_SIZE (1u << 20)
#define LENGTH	 600u
#define MTU_256	 1u
#define ST_INDEX 3u
#define PH	 2u

static const char *directory;
static struct capture *capture[2];
static struct tlp_trace *trace;
static struct pcie_host_ops ops;
static bool (*resolve_memory)(void *host, uint64_t addr, uint64_t *base, uint64_t *size,
			      bool *direct);

static const char *path_of(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void write_config(struct pcie_function *fn, unsigned int offset, uint32_t value,
			 unsigned int len)
{
	pcie_config_write(fn, (uint16_t)offset, &value, len);
}

/* QEMU maps the GPU's BAR, too, and it is no memory. */
static bool resolve(void *host, uint64_t addr, uint64_t *base, uint64_t *size, bool *direct)
{
	if (addr < BAR || addr - BAR >= BAR_SIZE)
		return resolve_memory(host, addr, base, size, direct);
	*base = BAR;
	*size = BAR_SIZE;
	*direct = false;
	return true;
}

static struct endpoint *add_gpu(struct fixture *f)
{
	static const struct endpoint_params params = { .name = "gpu0",
						       .id = 0x0080,
						       .kind = "gpu",
						       .memory_size = BAR_SIZE,
						       .completer = PCIE_TPH_COMPLETER_EXTENDED };
	struct endpoint *gpu = endpoint_new(&params);
	struct pcie_function *fn;

	assert_non_null(gpu);
	fn = endpoint_function(gpu);
	assert_int_equal(pcie_fabric_add(f->fabric, fn), 0);
	resolve_memory = f->port[0].fn->host_ops->resolve;
	ops = *f->port[0].fn->host_ops;
	ops.resolve = resolve;
	for (unsigned int i = 0; i < 2; i++)
		pcie_function_connect(f->port[i].fn, &ops, &f->port[i]);
	pcie_function_connect(fn, &ops, &f->port[0]);
	write_config(fn, 0x10, (uint32_t)BAR, 4);
	write_config(fn, 0x14, (uint32_t)(BAR >> 32), 4);
	write_config(fn, 0x04, 0x06, 2);
	return gpu;
}

static struct fixture *begin(void)
{
	static const char *const files[] = { "hca0.pcapng", "hca1.pcapng" };
	static const char *const names[] = { "hca0 port 1", "hca1 port 1" };
	struct hca_params params[] = { fixture_params(0), fixture_params(1) };

	trace = tlp_trace_open(path_of("trace.bin"));
	assert_non_null(trace);
	tlp_trace_clock(trace, capture_clock_offset());
	for (unsigned int i = 0; i < 2; i++) {
		int fd = open(path_of(files[i]), O_WRONLY | O_CREAT | O_TRUNC, 0644);

		params[i].capture = capture[i] = capture_new(PCAPNG_INFINIBAND, names[i]);
		assert_non_null(capture[i]);
		assert_int_equal(capture_start(capture[i], fd, path_of(files[i])), 0);
	}
	return fixture_new_with(params, trace);
}

static void end(struct fixture *f, struct endpoint *gpu)
{
	fixture_free(f);
	endpoint_free(gpu);
	assert_int_equal(tlp_trace_close(trace), 0);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(capture_stop(capture[i]), 0);
		capture_free(capture[i]);
	}
}

/* The ST table of hca1 has Extended ST 0xbeef at the index that the key names. */
static uint32_t hinted_key(struct fixture_port *port)
{
	struct fixture_mkey_attr attr = { .access = FIXTURE_ALL,
					  .start = BAR,
					  .len = 65536,
					  .key_byte = 0x5a,
					  .tph = 1u << 26 | PH << 24 | ST_INDEX << 16 };

	write_config(port->fn, port->fn->config.tph + 12u + 2 * ST_INDEX, 0xbeef, 2);
	write_config(port->fn, port->fn->config.tph + 8u, 0x302, 2);
	return fixture_mkey_create(port, &attr);
}

static void write_message(void **state)
{
	struct fixture *f = begin();
	struct endpoint *gpu = add_gpu(f);
	struct end a, b;
	uint32_t key;

	(void)state;
	for (unsigned int i = 0; i < 2; i++)
		fixture_probe(&f->port[i]);
	end_create(&a, &f->port[0], HCA_QP_RC, 0);
	end_create(&b, &f->port[1], HCA_QP_RC, 0);
	fixture_qp_connect(a.port, &a.qp, b.port, &b.qp);
	field_put(((struct hca_qp *)hca_table_get(&a.port->hca->qps, a.qp.number))->qpc, 2, 31, 29,
		  MTU_256);
	field_put(((struct hca_qp *)hca_table_get(&b.port->hca->qps, b.qp.number))->qpc, 2, 31, 29,
		  MTU_256);
	key = hinted_key(b.port);
	fill(&a, 0, LENGTH, 1);
	fixture_poll(f);
	assert_int_equal(tlp_trace_mark(trace, "write"), 0);
	post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, BAR + 0x1000, key, a.buf, a.lkey, LENGTH);
	fixture_poll(f);
	assert_int_equal(tlp_trace_mark(trace, "end"), 0);
	expect_done(&a, 0);
	end(f, gpu);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(write_message) };

	if (argc != 2) {
		fprintf(stderr, "usage: capture_write DIRECTORY\n");
		return 2;
	}
	directory = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
