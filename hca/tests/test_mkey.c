/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory keys: every check, every translation mode, and the hints on exactly their TLPs. */
#include "hca/tests/traffic.h"

#define KIB 1024u

static struct hca *hca_of(void **state)
{
	return ((struct fixture *)*state)->port[0].hca;
}

static struct fixture_port *port_of(void **state)
{
	return &((struct fixture *)*state)->port[0];
}

/* A key over 8 KiB with all rights, at @start. */
static uint32_t make_key(struct fixture_port *port, uint64_t start, uint32_t access, uint32_t pd)
{
	struct fixture_mkey_attr attr = {
		.access = access,
		.pd = pd,
		.start = start,
		.len = 8192,
		.key_byte = 0x42,
	};

	return fixture_mkey_create(port, &attr);
}

static struct hca_mkey *find_key(struct hca *hca, uint32_t key)
{
	struct hca_mkey *mkey = hca_table_get(&hca->mkeys, key >> 8);

	assert_non_null(mkey);
	return mkey;
}

static void test_bounds(void **state)
{
	static const struct {
		int64_t offset;
		uint64_t len;
		enum hca_denial denial;
	} cases[] = {
		{ 0, 8192, HCA_OK },
		{ 0, 1, HCA_OK },
		{ 8191, 1, HCA_OK },
		{ 8192, 0, HCA_OK },
		{ -1, 0, HCA_OK },
		{ 0, 8193, HCA_DENIED_KEY },
		{ -1, 1, HCA_DENIED_KEY },
		{ -1, 2, HCA_DENIED_KEY },
		{ 8192, 1, HCA_DENIED_KEY },
		{ 8191, 2, HCA_DENIED_KEY },
		{ 1, 8192, HCA_DENIED_KEY },
		{ 0, UINT64_MAX, HCA_DENIED_KEY },
		{ 1, UINT64_MAX, HCA_DENIED_KEY },
	};
	struct fixture *f = *state;
	struct hca *hca = hca_of(state);
	/* Start in the middle of a page. */
	uint64_t start = fixture_alloc(f, 3 * 4096, 4096) + 1000;
	struct hca_accessor who = { .pd = f->port[0].pd, .qpn = 77 };
	uint32_t key = make_key(port_of(state), start, FIXTURE_ALL, 0);
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(hca_mkey_check(hca, &who, key, start + (uint64_t)cases[i].offset,
						cases[i].len, HCA_LOCAL_READ),
				 cases[i].denial);
}

static void test_permissions(void **state)
{
	static const uint32_t bit[] = {
		[HCA_LOCAL_READ] = FIXTURE_LOCAL_READ,
		[HCA_LOCAL_WRITE] = FIXTURE_LOCAL_WRITE,
		[HCA_REMOTE_READ] = FIXTURE_REMOTE_READ,
		[HCA_REMOTE_WRITE] = FIXTURE_REMOTE_WRITE,
		[HCA_REMOTE_ATOMIC] = FIXTURE_REMOTE_ATOMIC,
	};
	struct fixture *f = *state;
	struct hca *hca = hca_of(state);
	uint64_t start = fixture_alloc(f, 8192, 4096);
	struct hca_accessor who = { .pd = f->port[0].pd, .qpn = 77 };
	unsigned int given, asked;

	for (given = 0; given < 5; given++) {
		uint32_t key = make_key(port_of(state), start, bit[given], 0);

		for (asked = 0; asked < 5; asked++)
			assert_int_equal(hca_mkey_check(hca, &who, key, start, 8, asked),
					 asked == given ? HCA_OK : HCA_DENIED_KEY);
	}
}

static void test_identity(void **state)
{
	struct fixture *f = *state;
	struct hca *hca = hca_of(state);
	struct fixture_port *port = port_of(state);
	uint64_t start = fixture_alloc(f, 8192, 4096);
	struct hca_accessor who = { .pd = port->pd, .qpn = 77 };
	uint32_t key = make_key(port, start, FIXTURE_ALL, 0);
	struct hca_mkey *mkey = find_key(hca, key);
	uint32_t pd2 = fixture_simple(port, 0x800, 0, 0, 0);

	assert_int_equal(hca_mkey_check(hca, &who, key, start, 8, HCA_LOCAL_READ), HCA_OK);
	/* Key byte, index, PD. */
	assert_int_equal(hca_mkey_check(hca, &who, key ^ 1, start, 8, HCA_LOCAL_READ),
			 HCA_DENIED_KEY);
	assert_int_equal(hca_mkey_check(hca, &who, key + 0x10000, start, 8, HCA_LOCAL_READ),
			 HCA_DENIED_KEY);
	who.pd = pd2;
	assert_int_equal(hca_mkey_check(hca, &who, key, start, 8, HCA_LOCAL_READ), HCA_DENIED_KEY);
	who.pd = port->pd;
	/* Bound to a QP. */
	field_put(mkey->mkc, 1, 31, 8, 78);
	assert_int_equal(hca_mkey_check(hca, &who, key, start, 8, HCA_LOCAL_READ), HCA_DENIED_KEY);
	field_put(mkey->mkc, 1, 31, 8, 77);
	assert_int_equal(hca_mkey_check(hca, &who, key, start, 8, HCA_LOCAL_READ), HCA_OK);
	/* Free. */
	field_put(mkey->mkc, 0, 30, 30, 1);
	assert_int_equal(hca_mkey_check(hca, &who, key, start, 8, HCA_LOCAL_READ), HCA_DENIED_KEY);
	field_put(mkey->mkc, 0, 30, 30, 0);
	/* Gone. */
	assert_int_equal(fixture_simple_status(port, 0x202, 0, key >> 8, 0), 0);
	assert_int_equal(hca_mkey_check(hca, &who, key, start, 8, HCA_LOCAL_READ), HCA_DENIED_KEY);
	assert_int_equal(fixture_simple_status(port, 0x202, 0, key >> 8, 0), HCA_CMD_BAD_RESOURCE);
}

static void test_length64(void **state)
{
	struct fixture *f = *state;
	struct hca *hca = hca_of(state);
	struct fixture_port *port = port_of(state);
	struct hca_accessor who = { .pd = port->pd, .qpn = 1 };
	uint64_t addr = fixture_alloc(f, 64, 64);
	char buf[8] = "";

	memcpy(fixture_at(f, addr), "length64", 8);
	assert_int_equal(fixture_mkey_read(hca, &who, port->lkey, addr, buf, 8, HCA_LOCAL_READ),
			 HCA_OK);
	assert_memory_equal(buf, "length64", 8);
	assert_int_equal(hca_mkey_check(hca, &who, port->lkey, UINT64_MAX - 7, 8, HCA_LOCAL_READ),
			 HCA_OK);
	assert_int_equal(hca_mkey_check(hca, &who, port->lkey, UINT64_MAX - 6, 8, HCA_LOCAL_READ),
			 HCA_DENIED_KEY);
	/* The fabric refuses what is behind the host's memory. */
	assert_int_equal(
		fixture_mkey_write(hca, &who, port->lkey, FIXTURE_MEMORY, buf, 8, HCA_LOCAL_WRITE),
		HCA_DENIED_BUS);
}

/* Pages in reverse order, start inside a page: bytes land where the table says. */
static void test_mtt(void **state)
{
	struct fixture *f = *state;
	struct hca *hca = hca_of(state);
	struct fixture_port *port = port_of(state);
	struct hca_accessor who = { .pd = port->pd, .qpn = 1 };
	static const uint8_t shifts[] = { 12, 13, 16, 21 };
	size_t s;

	for (s = 0; s < sizeof(shifts); s++) {
		uint64_t page = (uint64_t)1 << shifts[s];
		uint64_t mem = fixture_alloc(f, 3 * page, page);
		uint64_t pages[3] = { mem + 2 * page, mem + page, mem };
		uint64_t start = 0x7f0000000000 + page / 2 + 24, len = 2 * page;
		struct fixture_mkey_attr attr = {
			.access = FIXTURE_ALL,
			.start = start,
			.len = len,
			.pages = pages,
			.page_count = 3,
			.log_page_size = shifts[s],
		};
		uint32_t key = fixture_mkey_create(port, &attr);
		uint8_t *data = malloc(len), *back = calloc(1, len);
		uint64_t i;

		assert_non_null(data);
		assert_non_null(back);
		for (i = 0; i < len; i++)
			data[i] = (uint8_t)(i * 13 + i / page + s);
		assert_int_equal(
			fixture_mkey_write(hca, &who, key, start, data, len, HCA_REMOTE_WRITE),
			HCA_OK);
		for (i = 0; i < len; i += 61) {
			uint64_t va = start + i, at_page = (va - 0x7f0000000000) / page;

			assert_int_equal(*(uint8_t *)fixture_at(f, pages[at_page] + va % page),
					 data[i]);
		}
		/* Nothing before the start and behind the end. */
		assert_int_equal(*(uint8_t *)fixture_at(f, pages[0] + page / 2 + 23), 0);
		assert_int_equal(*(uint8_t *)fixture_at(f, pages[2] + page / 2 + 24), 0);
		assert_int_equal(
			fixture_mkey_read(hca, &who, key, start, back, len, HCA_REMOTE_READ),
			HCA_OK);
		assert_memory_equal(back, data, len);
		free(data);
		free(back);
	}
}

static void test_refused_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct hca *hca = hca_of(state);
	struct fixture_port *port = port_of(state);
	struct hca_accessor who = { .pd = port->pd, .qpn = 1 };
	uint64_t start = fixture_alloc(f, 8192, 4096);
	uint32_t key = make_key(port, start, FIXTURE_ALL, 0);
	struct hca_mkey *mkey = find_key(hca, key);
	uint8_t data[8192], before[8192];

	memset(data, 0xee, sizeof(data));
	memcpy(before, fixture_at(f, start), sizeof(before));
	/* The second page is missing: the first must stay as it is. */
	mkey->umr_loaded = true;
	be64_put(fixture_xlt(mkey), 0, start | 3);
	be64_put(fixture_xlt(mkey), 8, 0);
	assert_int_equal(fixture_mkey_write(hca, &who, key, start, data, 8192, HCA_REMOTE_WRITE),
			 HCA_DENIED_PAGE);
	assert_memory_equal(fixture_at(f, start), before, sizeof(before));
	assert_int_equal(mkey->remote_write_bytes, 0);
	/* Read-only page. */
	be64_put(fixture_xlt(mkey), 8, (start + 4096) | 1);
	assert_int_equal(fixture_mkey_write(hca, &who, key, start, data, 8192, HCA_REMOTE_WRITE),
			 HCA_DENIED_PAGE);
	assert_int_equal(hca_mkey_check(hca, &who, key, start, 8192, HCA_REMOTE_READ), HCA_OK);
	assert_memory_equal(fixture_at(f, start), before, sizeof(before));
	/* Without present bits (CREATE_MKEY, pg_access 0) every entry counts. */
	mkey->umr_loaded = false;
	assert_int_equal(hca_mkey_check(hca, &who, key, start, 8192, HCA_REMOTE_WRITE), HCA_OK);
	/* A table that is too short. */
	mkey->xlt.octwords = 0;
	assert_int_equal(hca_mkey_check(hca, &who, key, start, 1, HCA_REMOTE_WRITE),
			 HCA_DENIED_KEY);
	mkey->umr_loaded = true;
	assert_int_equal(hca_mkey_check(hca, &who, key, start, 1, HCA_REMOTE_WRITE),
			 HCA_DENIED_PAGE);
}

/* CREATE_MKEY of a list key over @inner: two entries, second first. */
static uint32_t make_list(struct fixture_port *port, uint8_t mode, uint32_t inner, uint64_t addr,
			  uint32_t pd)
{
	uint8_t in[0x130] = { 0 }, out[16];

	be16_put(in, 0, 0x200);
	be32_put(in, 0x10, FIXTURE_REMOTE_WRITE | FIXTURE_REMOTE_READ | (uint32_t)mode << 8);
	be32_put(in, 0x14, 0xffffff00);
	be32_put(in, 0x1c, pd);
	be64_put(in, 0x20, 0x10000);
	be64_put(in, 0x28, 8192);
	be32_put(in, 0x10 + 13 * 4, 2);
	be32_put(in, 0x10 + 14 * 4, 12);
	be32_put(in, 0x60, 2);
	if (mode == HCA_MKC_KLM) {
		be32_put(in, 0x110, 4096);
		be32_put(in, 0x120, 4096);
	}
	be32_put(in, 0x114, inner);
	be64_put(in, 0x118, addr + 4096);
	be32_put(in, 0x124, inner);
	be64_put(in, 0x128, addr);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)), 0);
	return (be32_at(out, 8) & 0xffffff) << 8;
}

static void test_lists(void **state)
{
	static const uint8_t modes[] = { HCA_MKC_KLM, HCA_MKC_KSM };
	const uint64_t start = 0x10188; /* no multiple of an entry's size */
	struct fixture *f = *state;
	struct hca *hca = hca_of(state);
	struct fixture_port *port = port_of(state);
	struct hca_accessor who = { .pd = port->pd, .qpn = 1 };
	size_t i;

	for (i = 0; i < 2; i++) {
		uint64_t addr = fixture_alloc(f, 8192, 4096);
		uint32_t inner = make_key(port, addr, FIXTURE_ALL, 0);
		uint32_t list = make_list(port, modes[i], inner, addr, port->pd);
		uint8_t data[200], back[200];

		be64_put(find_key(hca, list)->mkc, 0x10, start);
		memset(data, 0x31, 100);
		memset(data + 100, 0x32, 100);
		/* Across the two entries: end of the first is memory's end, then its start. */
		assert_int_equal(fixture_mkey_write(hca, &who, list, start + 4096 - 100, data, 200,
						    HCA_REMOTE_WRITE),
				 HCA_OK);
		assert_memory_equal(fixture_at(f, addr + 8192 - 100), data, 100);
		assert_memory_equal(fixture_at(f, addr), data + 100, 100);
		assert_int_equal(fixture_mkey_read(hca, &who, list, start + 4096 - 100, back, 200,
						   HCA_REMOTE_READ),
				 HCA_OK);
		assert_memory_equal(back, data, 200);
		/* The list's own rights, then those of the key in it. */
		assert_int_equal(hca_mkey_check(hca, &who, list, start, 8, HCA_LOCAL_READ),
				 HCA_DENIED_KEY);
		field_put(find_key(hca, inner)->mkc, 0, 11, 11, 0);
		assert_int_equal(hca_mkey_check(hca, &who, list, start, 8, HCA_REMOTE_WRITE),
				 HCA_DENIED_KEY);
		assert_int_equal(hca_mkey_check(hca, &who, list, start, 8, HCA_REMOTE_READ),
				 HCA_OK);
		assert_int_equal(fixture_simple_status(port, 0x202, 0, inner >> 8, 0), 0);
		assert_int_equal(hca_mkey_check(hca, &who, list, start, 8, HCA_REMOTE_READ),
				 HCA_DENIED_KEY);
	}
}

/* The entry of a list that names the null key is a page that is not there. */
static void test_null_key(void **state)
{
	struct hca *hca = hca_of(state);
	struct fixture_port *port = port_of(state);
	struct hca_accessor who = { .pd = port->pd, .qpn = 1 };
	uint64_t addr = fixture_alloc(*state, 8192, 4096);
	uint32_t inner = make_key(port, addr, FIXTURE_ALL, 0);
	uint32_t list = make_list(port, HCA_MKC_KSM, inner, addr, port->pd);

	be32_put(fixture_xlt(find_key(hca, list)), 16 + 4, HCA_KEY_NULL);
	assert_int_equal(hca_mkey_check(hca, &who, list, 0x10000, 4096, HCA_REMOTE_READ), HCA_OK);
	assert_int_equal(hca_mkey_check(hca, &who, list, 0x10000, 4097, HCA_REMOTE_READ),
			 HCA_DENIED_PAGE);
	/* Nobody gets its number, nor that of the key which ends lists. */
	assert_true(inner >> 8 >= HCA_MKEY_FIRST);
	assert_true(HCA_KEY_NULL >> 8 < HCA_MKEY_FIRST && HCA_LKEY_END >> 8 < HCA_MKEY_FIRST &&
		    HCA_KEY_STRIDED >> 8 < HCA_MKEY_FIRST);
}

/* The key that has no memory: for local accesses of any protection domain, in a list as well. */
static void test_dump_key(void **state)
{
	struct hca *hca = hca_of(state);
	struct fixture_port *port = port_of(state);
	struct hca_accessor who = { .pd = port->pd + 1, .qpn = 1 };
	uint64_t addr = fixture_alloc(*state, 8192, 4096);
	uint32_t inner = make_key(port, addr, FIXTURE_ALL, 0);
	uint32_t list = make_list(port, HCA_MKC_KSM, inner, addr, port->pd);
	uint8_t data[8192], *memory = fixture_at(*state, addr);

	memset(data, 0x5a, sizeof(data));
	assert_int_equal(
		fixture_mkey_write(hca, &who, HCA_KEY_DUMP, addr, data, 8192, HCA_LOCAL_WRITE),
		HCA_OK);
	assert_int_equal(memory[0] | memory[8191], 0);
	assert_int_equal(
		fixture_mkey_read(hca, &who, HCA_KEY_DUMP, UINT64_MAX, data, 100, HCA_LOCAL_READ),
		HCA_OK);
	assert_int_equal(data[0] | data[99], 0);
	assert_int_equal(data[100], 0x5a);
	assert_int_equal(hca_mkey_check(hca, &who, HCA_KEY_DUMP, addr, 1, HCA_REMOTE_READ),
			 HCA_DENIED_KEY);
	assert_int_equal(hca_mkey_check(hca, &who, HCA_KEY_DUMP, addr, 1, HCA_REMOTE_WRITE),
			 HCA_DENIED_KEY);
	assert_int_equal(hca_mkey_check(hca, &who, HCA_KEY_DUMP, addr, 1, HCA_REMOTE_ATOMIC),
			 HCA_DENIED_KEY);
	assert_int_equal(hca_mkey_check(hca, &who, HCA_KEY_DUMP + 1, addr, 1, HCA_LOCAL_READ),
			 HCA_DENIED_KEY);

	/* The first half of the list goes nowhere, the second where it belongs. */
	who.pd = port->pd;
	be32_put(fixture_xlt(find_key(hca, list)), 4, HCA_KEY_DUMP);
	memset(data, 0x5a, sizeof(data));
	data[4096] = 0x77;
	assert_int_equal(fixture_mkey_write(hca, &who, list, 0x10000, data, 8192, HCA_REMOTE_WRITE),
			 HCA_OK);
	assert_int_equal(memory[0], 0x77);
	assert_int_equal(memory[4096], 0);
	assert_int_equal(fixture_mkey_read(hca, &who, list, 0x10000, data, 8192, HCA_REMOTE_READ),
			 HCA_OK);
	assert_int_equal(data[0] | data[4095], 0);
	assert_int_equal(data[4096], 0x77);
	assert_true(HCA_KEY_DUMP >> 8 < HCA_MKEY_FIRST);
}

/* Three times 10 bytes at a stride of 30 and 20 bytes at a stride of 25. */
static void test_strided(void **state)
{
	struct hca *hca = hca_of(state);
	struct fixture_port *port = port_of(state);
	struct hca_accessor who = { .pd = port->pd, .qpn = 1 };
	uint64_t addr = fixture_alloc(*state, 8192, 4096);
	uint32_t inner = make_key(port, addr, FIXTURE_ALL, 0);
	uint32_t list = make_list(port, HCA_MKC_KLM, inner, addr, port->pd), i;
	struct hca_mkey *mkey = find_key(hca, list);
	uint8_t data[90], *memory = fixture_at(*state, addr);
	uint8_t query[16] = { 0 }, out[0x110 + 64];

	hca_xlt_drop(hca, &mkey->xlt);
	assert_int_equal(hca_xlt_store(hca, &mkey->xlt, 0, (uint8_t[48]){ 0 }, 3), 0);
	be32_put(fixture_xlt(mkey), 0, 30);
	be32_put(fixture_xlt(mkey), 4, HCA_KEY_STRIDED);
	be32_put(fixture_xlt(mkey), 8, 3);
	be16_put(fixture_xlt(mkey), 14, 2);
	be16_put(fixture_xlt(mkey), 16, 30);
	be16_put(fixture_xlt(mkey), 18, 10);
	be32_put(fixture_xlt(mkey), 20, inner);
	be64_put(fixture_xlt(mkey), 24, addr);
	be16_put(fixture_xlt(mkey), 32, 25);
	be16_put(fixture_xlt(mkey), 34, 20);
	be32_put(fixture_xlt(mkey), 36, inner);
	be64_put(fixture_xlt(mkey), 40, addr + 4096);
	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i + 1);
	assert_int_equal(fixture_mkey_write(hca, &who, list, 0x10000, data, 90, HCA_REMOTE_WRITE),
			 HCA_OK);
	for (i = 0; i < 3; i++) {
		assert_memory_equal(memory + 30 * i, data + 30 * i, 10);
		assert_int_equal(memory[30 * i + 10], 0);
		assert_memory_equal(memory + 4096 + 25 * i, data + 30 * i + 10, 20);
		assert_int_equal(memory[4096 + 25 * i + 20], 0);
	}
	/* QUERY_MKEY gives the entries, as many as there is room for. */
	be16_put(query, 0, 0x201);
	be32_put(query, 8, list >> 8);
	assert_int_equal(fixture_cmd(port, query, 16, out, 0x110 + 32), 0);
	assert_memory_equal(out + 0x110, fixture_xlt(mkey), 32);
	assert_int_equal(fixture_cmd(port, query, 16, out, sizeof(out)), 0);
	assert_memory_equal(out + 0x110, fixture_xlt(mkey), 48);
	assert_int_equal(be64_at(out, 0x110 + 48), 0);
	/* Beyond the last time, and lists that are none. */
	assert_int_equal(hca_mkey_check(hca, &who, list, 0x10000, 91, HCA_REMOTE_READ),
			 HCA_DENIED_KEY);
	be16_put(fixture_xlt(mkey), 14, 3);
	assert_int_equal(hca_mkey_check(hca, &who, list, 0x10000, 1, HCA_REMOTE_READ),
			 HCA_DENIED_KEY);
	be32_put(fixture_xlt(mkey), 0, 0);
	assert_int_equal(hca_mkey_check(hca, &who, list, 0x10000, 1, HCA_REMOTE_READ),
			 HCA_DENIED_KEY);
}

/* A key that names itself must not hang the engine. */
static void test_loop(void **state)
{
	struct hca *hca = hca_of(state);
	struct fixture_port *port = port_of(state);
	struct hca_accessor who = { .pd = port->pd, .qpn = 1 };
	uint32_t list = make_list(port, HCA_MKC_KSM, 0x100, 0x10000, port->pd);
	struct hca_mkey *mkey = find_key(hca, list);

	be32_put(fixture_xlt(mkey), 4, list);
	field_put(mkey->mkc, 0, 11, 10, 3);
	be64_put(fixture_xlt(mkey), 8, 0x10000);
	assert_int_equal(hca_mkey_check(hca, &who, list, 0x10000, 8, HCA_REMOTE_READ),
			 HCA_DENIED_KEY);
}

static void test_commands(void **state)
{
	struct fixture_port *port = port_of(state);
	struct hca *hca = hca_of(state);
	uint8_t in[0x130] = { 0 }, out[0x130];
	uint32_t count = hca->mkeys.count, index;

	be16_put(in, 0, 0x200);
	be32_put(in, 0x10, 4u << 26); /* access mode 16 */
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, 16), HCA_CMD_BAD_PARAM);
	be32_put(in, 0x10, 1u << 8); /* MTT with pages of 2 KiB */
	be32_put(in, 0x10 + 14 * 4, 11);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, 16), HCA_CMD_BAD_PARAM);
	be32_put(in, 0x10 + 14 * 4, 12);
	be32_put(in, 0x60, 3); /* more entries than input */
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, 16), HCA_CMD_BAD_INPUT_LEN);
	assert_int_equal(hca->mkeys.count, count);
	be32_put(in, 0x60, 2);
	be32_put(in, 0x10 + 15 * 4, 0x07210000);
	memset(in + 0x110, 0x9c, 32);
	assert_int_equal(fixture_cmd(port, in, sizeof(in), out, 16), HCA_CMD_OK);
	index = be32_at(out, 8) & 0xffffff;
	memset(out, 0, sizeof(out));
	be16_put(out, 0, 0x201);
	be32_put(out, 8, index);
	assert_int_equal(fixture_cmd(port, out, 16, out, sizeof(out)), HCA_CMD_OK);
	assert_memory_equal(out + 0x10, in + 0x10, 64);
	assert_memory_equal(out + 0x110, in + 0x110, 32);
	assert_int_equal(fixture_simple_status(port, 0x201, 0, index + 1, 0),
			 HCA_CMD_BAD_OUTPUT_LEN);
	assert_int_equal(fixture_simple_status(port, 0x202, 0, index + 1, 0), HCA_CMD_BAD_RESOURCE);
}

/* --- hints ------------------------------------------------------------------------------- */

static char trace_path[] = "/tmp/hca_test_mkey.XXXXXX";

static void tph_enable(struct fixture_port *port, bool extended, bool on)
{
	uint16_t control = !on ? 0 : extended ? 0x302 : 0x102;

	pcie_config_write(port->fn, port->fn->config.tph + 8u, &control, 2);
}

static void st_set(struct fixture_port *port, unsigned int index, uint16_t tag)
{
	pcie_config_write(port->fn, port->fn->config.tph + 12u + 2 * index, &tag, 2);
}

static uint32_t tph_word(bool en, unsigned int ph, unsigned int index)
{
	return (uint32_t)en << 26 | ph << 24 | index << 16;
}

static void test_hint(void **state)
{
	static const struct {
		enum hca_st_mode mode;
		unsigned int width;
		bool on;
		uint32_t word;
		uint16_t entry; /* ST table entry 5 */
		struct tlp_hint want;
	} cases[] = {
		{ HCA_ST_TABLE, 8, true, 0, 7, { 0 } },
		{ HCA_ST_TABLE, 8, true, 3u << 24 | 5u << 16, 7, { 0 } },
		{ HCA_ST_TABLE, 8, false, 1u << 26 | 5u << 16, 7, { 0 } },
		{ HCA_ST_TABLE,
		  8,
		  true,
		  1u << 26 | 2u << 24 | 5u << 16,
		  42,
		  { true, false, 2, 42 } },
		{ HCA_ST_TABLE, 8, true, 1u << 26 | 3u << 24, 42, { true, false, 3, 0 } },
		{ HCA_ST_TABLE, 8, true, 1u << 26 | 5u << 16, 0x142, { true, false, 0, 0x42 } },
		{ HCA_ST_TABLE, 16, true, 1u << 26 | 5u << 16, 0xbeef, { true, true, 0, 0xbeef } },
		{ HCA_ST_TABLE,
		  16,
		  true,
		  1u << 26 | 1u << 24 | 5u << 16,
		  0x42,
		  { true, true, 1, 0x42 } },
		{ HCA_ST_TABLE, 16, true, 1u << 26 | 0xffu << 16, 0x42, { true, true, 0, 0 } },
		{ HCA_ST_DIRECT,
		  8,
		  true,
		  1u << 26 | 2u << 24 | 0xa5u << 16,
		  0,
		  { true, false, 2, 0xa5 } },
		{ HCA_ST_DIRECT, 8, true, 1u << 26 | 2u << 24, 0, { true, false, 2, 0 } },
		{ HCA_ST_DIRECT, 16, true, 1u << 26 | 0xa5u << 16, 0, { true, true, 0, 0xa5 } },
		{ HCA_ST_NONE, 8, true, 1u << 26 | 0xa5u << 16, 0, { 0 } },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hca_params params[2] = { fixture_params(0), fixture_params(1) };
		struct hca_mkey mkey = { 0 };
		struct tlp_hint got;
		struct fixture *f;

		params[0].st_mode = cases[i].mode;
		params[0].st_width = cases[i].width;
		f = fixture_new_with(params, NULL);
		if (cases[i].mode != HCA_ST_NONE)
			tph_enable(&f->port[0], cases[i].width == 16, cases[i].on);
		if (cases[i].mode == HCA_ST_TABLE) {
			st_set(&f->port[0], 0, 0x99);
			st_set(&f->port[0], 5, cases[i].entry);
		}
		be32_put(mkey.mkc, 15 * 4, cases[i].word);
		got = hca_mkey_hint(f->port[0].hca, &mkey);
		assert_int_equal(got.th, cases[i].want.th);
		assert_int_equal(got.extended, cases[i].want.extended);
		assert_int_equal(got.ph, cases[i].want.ph);
		assert_int_equal(got.st, cases[i].want.st);
		fixture_free(f);
	}
}

/* Counts of what the trace has inside and outside [addr, addr + len). */
struct count {
	unsigned int in, in_hinted, out, out_hinted;
	unsigned int wrong; /* hinted otherwise than asked for */
};

static struct count count_requests(const char *from, const char *to, enum tlp_type type,
				   uint64_t addr, uint64_t len, struct tlp_hint want)
{
	struct tlp_reader *reader = tlp_reader_open(trace_path);
	struct count count = { 0 };
	struct tlp_entry entry;

	assert_non_null(reader);
	tlp_reader_interval(reader, from, to);
	while (tlp_reader_next(reader, &entry) == 1) {
		struct tlp_hint *hint = &entry.tlp.hint;
		bool inside;

		if (entry.record.kind != TLP_RECORD_TLP || entry.tlp.type != type)
			continue;
		inside = entry.tlp.addr >= addr && entry.tlp.addr < addr + len;
		*(inside ? &count.in : &count.out) += 1;
		if (!hint->th)
			continue;
		*(inside ? &count.in_hinted : &count.out_hinted) += 1;
		if (hint->extended != want.extended || hint->ph != want.ph || hint->st != want.st)
			count.wrong++;
	}
	tlp_reader_close(reader);
	return count;
}

/*
 * A WRITE from HCA 0 into a hinted key of HCA 1, then one into a plain key: only the first one's
 * payload carries the hint, and neither WQE fetch, doorbell record, CQE nor gather does.
 */
static void test_hinted_tlps(void **state)
{
	int fd = mkstemp(trace_path);
	struct tlp_trace *trace = tlp_trace_open(trace_path);
	struct fixture *f = fixture_new_with(NULL, trace);
	struct fixture_mkey_attr attr = { .access = FIXTURE_ALL, .len = 64 * KIB };
	struct tlp_hint want = { true, true, 2, 0x0042 };
	struct count writes, reads, plain;
	uint32_t hinted, unhinted;
	struct end a, b;
	uint16_t index;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_non_null(trace);
	fixture_probe(&f->port[0]);
	fixture_probe(&f->port[1]);
	tph_enable(&f->port[1], true, true);
	st_set(&f->port[1], 3, 0x0042);
	end_create(&a, &f->port[0], HCA_QP_RC, 0);
	end_create(&b, &f->port[1], HCA_QP_RC, 0);
	fixture_qp_connect(a.port, &a.qp, b.port, &b.qp);
	attr.start = b.buf;
	attr.tph = tph_word(true, 2, 3);
	hinted = fixture_mkey_create(b.port, &attr);
	attr.tph = 0;
	unhinted = fixture_mkey_create(b.port, &attr);
	fill(&a, 0, 64 * KIB, 1);

	tlp_trace_mark(trace, "hinted");
	index = post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, hinted, a.buf, a.lkey, 64 * KIB);
	fixture_poll(f);
	expect_done(&a, index);
	assert_memory_equal(at(&b, 0), at(&a, 0), 64 * KIB);
	tlp_trace_mark(trace, "read");
	index = post_rdma(&a, HCA_OP_READ, SIGNALLED, 0, b.buf, hinted, a.buf, a.lkey, 64 * KIB);
	fixture_poll(f);
	expect_done(&a, index);
	tlp_trace_mark(trace, "plain");
	index = post_rdma(&a, HCA_OP_WRITE, SIGNALLED, 0, b.buf, unhinted, a.buf, a.lkey, 64 * KIB);
	fixture_poll(f);
	expect_done(&a, index);
	tlp_trace_mark(trace, "end");

	writes = count_requests("hinted", "read", TLP_MWR, b.buf, 64 * KIB, want);
	assert_true(writes.in >= 16);
	assert_int_equal(writes.in_hinted, writes.in);
	assert_int_equal(writes.wrong, 0);
	assert_true(writes.out > 0); /* the CQE */
	assert_int_equal(writes.out_hinted, 0);
	reads = count_requests("hinted", "read", TLP_MRD, b.buf, 64 * KIB, want);
	assert_int_equal(reads.in, 0);
	assert_true(reads.out >= 16);
	assert_int_equal(reads.out_hinted, 0);
	reads = count_requests("read", "plain", TLP_MRD, b.buf, 64 * KIB, want);
	assert_true(reads.in > 0);
	assert_int_equal(reads.in_hinted, reads.in);
	assert_int_equal(reads.wrong, 0);
	assert_int_equal(reads.out_hinted, 0);
	plain = count_requests("plain", "end", TLP_MWR, b.buf, 64 * KIB, want);
	assert_true(plain.in >= 16);
	assert_int_equal(plain.in_hinted + plain.out_hinted, 0);
	fixture_free(f);
	assert_int_equal(tlp_trace_close(trace), 0);
	unlink(trace_path);
}

static void test_report(void **state)
{
	struct fixture *f = *state;
	struct fixture_port *port = port_of(state);
	struct hca *hca = port->hca;
	struct hca_accessor who = { .pd = port->pd, .qpn = 1 };
	struct hca_mkey_report report;
	struct fixture_mkey_attr attr = { .access = FIXTURE_ALL, .len = 8192, .key_byte = 9 };
	uint8_t data[300] = { 0 };
	uint32_t key;

	attr.start = fixture_alloc(f, 8192, 4096);
	attr.tph = tph_word(true, 1, 4);
	key = fixture_mkey_create(port, &attr);
	tph_enable(port, false, true);
	st_set(port, 4, 0x77);
	assert_false(hca_mkey_report(hca, &report));
	/* Local accesses do not count. */
	fixture_mkey_write(hca, &who, key, attr.start, data, 300, HCA_LOCAL_WRITE);
	assert_false(hca_mkey_report(hca, &report));
	fixture_mkey_write(hca, &who, key, attr.start + 100, data, 300, HCA_REMOTE_WRITE);
	fixture_mkey_write(hca, &who, key, attr.start + 5000, data, 100, HCA_REMOTE_WRITE);
	fixture_mkey_read(hca, &who, key, attr.start + 200, data, 50, HCA_REMOTE_READ);
	assert_true(hca_mkey_report(hca, &report));
	assert_int_equal(report.key, key);
	assert_true(report.tph);
	assert_int_equal(report.ph, 1);
	assert_int_equal(report.st_index, 4);
	assert_true(mkc_tph(report.context));
	assert_int_equal(mkc_ph(report.context), 1);
	assert_int_equal(mkc_st_index(report.context), 4);
	assert_int_equal(mkc_start(report.context), attr.start);
	assert_int_equal(mkc_len(report.context), 8192);
	assert_true(report.hint.th);
	assert_false(report.hint.extended);
	assert_int_equal(report.hint.st, 0x77);
	assert_int_equal(report.remote_write_bytes, 400);
	assert_int_equal(report.remote_read_bytes, 50);
	assert_int_equal(report.dma_low, attr.start + 100);
	assert_int_equal(report.dma_high, attr.start + 5100);
	/* A refused access changes nothing. */
	hca_clear_mkey_report(hca);
	assert_int_equal(
		fixture_mkey_write(hca, &who, key, attr.start + 8000, data, 300, HCA_REMOTE_WRITE),
		HCA_DENIED_KEY);
	assert_false(hca_mkey_report(hca, &report));
}

/* CREATE_MKEY with a context that no access could be checked against. */
static void test_contexts_refused(void **state)
{
	static const struct {
		enum hca_mkc_mode mode;
		uint32_t octwords, log_page;
		bool length64, is_free;
		uint8_t status;
	} cases[] = {
		{ HCA_MKC_PA, UINT32_MAX, 0, true, false, 0 },
		{ HCA_MKC_MTT, HCA_XLT_MTT_MAX, 12, false, false, 0 },
		{ HCA_MKC_MTT, HCA_XLT_MTT_MAX + 1, 12, false, false, HCA_CMD_BAD_PARAM },
		{ HCA_MKC_MTT, 0, 11, false, false, HCA_CMD_BAD_PARAM },
		{ HCA_MKC_MTT, 0, 11, false, true, 0 },
		{ HCA_MKC_KLM, HCA_XLT_LIST_MAX, 0, false, false, 0 },
		{ HCA_MKC_KLM, HCA_XLT_LIST_MAX + 1, 0, false, false, HCA_CMD_BAD_PARAM },
		{ HCA_MKC_KSM, HCA_XLT_LIST_MAX, 63, false, false, 0 },
		{ HCA_MKC_KSM, HCA_XLT_LIST_MAX + 1, 12, false, true, HCA_CMD_BAD_PARAM },
		{ 4, 0, 12, false, false, HCA_CMD_BAD_PARAM },
		{ HCA_MKC_MEMIC, 0, 0, true, false, HCA_CMD_BAD_PARAM },
		{ HCA_MKC_MEMIC, 0, 0, false, false, HCA_CMD_BAD_PARAM },
		{ 6, 0, 12, false, false, HCA_CMD_BAD_PARAM },
		{ 7, 0, 12, false, true, HCA_CMD_BAD_PARAM },
	};
	struct fixture_port *port = &((struct fixture *)*state)->port[0];
	uint32_t count = port->hca->mkeys.count;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t in[0x110] = { 0 }, out[16], *mkc = in + 0x10;

		be16_put(in, 0, 0x200);
		be32_put(mkc, 0,
			 FIXTURE_ALL | (uint32_t)cases[i].is_free << 30 |
				 (uint32_t)cases[i].mode >> 2 << 26 |
				 ((uint32_t)cases[i].mode & 3) << 8);
		be32_put(mkc, 4, 0xffffff77);
		be32_put(mkc, 12, (uint32_t)cases[i].length64 << 31 | port->pd);
		be64_put(mkc, 0x18, 64);
		be32_put(mkc, 52, cases[i].octwords);
		be32_put(mkc, 56, cases[i].log_page);
		assert_int_equal(fixture_cmd(port, in, sizeof(in), out, sizeof(out)),
				 cases[i].status);
		count += !cases[i].status;
		assert_int_equal(port->hca->mkeys.count, count);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bounds, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_permissions, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_identity, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_length64, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_mtt, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_contexts_refused, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_refused_leaves_nothing, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_lists, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_null_key, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_dump_key, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_strided, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_loop, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_commands, fixture_setup, fixture_teardown),
		cmocka_unit_test(test_hint),
		cmocka_unit_test(test_hinted_tlps),
		cmocka_unit_test_setup_teardown(test_report, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
