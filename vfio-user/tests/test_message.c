/* SPDX-License-Identifier: GPL-2.0-only */
#include "vfio-user/tests/client.h"

#include <errno.h>
#include <string.h>

static struct vfio_user_message msg;

static const struct vfio_user_config config = {
	.region = {
		[0] = { .size = 0x10000, .mmap_offset = 0x3000, .mmap_size = 0x1000, .mmap_fd = 40 },
		[2] = { .size = 0x2000, .mmap_size = 0x2000, .mmap_fd = 41 },
		[4] = { .size = UINT64_MAX },
		[VFIO_USER_CONFIG_REGION] = { .size = 4096 },
	},
	.msix_vectors = 7,
};

static void test_header(void **state)
{
	struct vfio_user_header h = { .size = 16 };

	(void)state;
	assert_int_equal(vfio_user_check_header(&h), 0);
	h.flags = VFIO_USER_REPLY | VFIO_USER_ERROR;
	assert_int_equal(vfio_user_check_header(&h), 0);
	h.flags = 2;
	assert_int_equal(vfio_user_check_header(&h), -EINVAL);
	h.flags = 0;
	h.size = 15;
	assert_int_equal(vfio_user_check_header(&h), -EINVAL);
	h.size = 0;
	assert_int_equal(vfio_user_check_header(&h), -EINVAL);
	h.size = 32 + 32768;
	assert_int_equal(vfio_user_check_header(&h), 0);
	h.size++;
	assert_int_equal(vfio_user_check_header(&h), -E2BIG);
	h.size = UINT32_MAX;
	assert_int_equal(vfio_user_check_header(&h), -E2BIG);
}

static void test_request_shapes(void **state)
{
	/* Body lengths as QEMU sends them, and the descriptors allowed. */
	static const struct {
		unsigned int command, len, fds;
	} good[] = {
		{ VFIO_USER_VERSION, 198, 0 },		 { VFIO_USER_DMA_MAP, 32, 1 },
		{ VFIO_USER_DMA_UNMAP, 24, 0 },		 { VFIO_USER_GET_INFO, 16, 0 },
		{ VFIO_USER_GET_REGION_INFO, 32, 0 },	 { VFIO_USER_GET_IRQ_INFO, 16, 0 },
		{ VFIO_USER_SET_IRQS, 20, 16 },		 { VFIO_USER_REGION_READ, 16, 0 },
		{ VFIO_USER_REGION_WRITE, 17, 0 },	 { VFIO_USER_DEVICE_RESET, 0, 0 },
		{ VFIO_USER_REGION_WRITE_MULTI, 32, 0 },
	};
	/* The client's IO_FDS, DIRTY, DEVICE_FEATURE, and what only a server asks. */
	static const uint16_t unknown[] = { 0, 6, 11, 12, 14, 16, 17, 999, UINT16_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		msg.header.command = good[i].command;
		msg.len = good[i].len;
		msg.nfds = 0;
		assert_int_equal(vfio_user_check_request(&msg), 0);
		msg.nfds = good[i].fds;
		assert_int_equal(vfio_user_check_request(&msg), 0);
		msg.nfds = good[i].fds + 1;
		assert_int_equal(vfio_user_check_request(&msg), -EINVAL);
		msg.nfds = 0;
		msg.len = good[i].command == VFIO_USER_VERSION ? 3 : good[i].len - 1;
		assert_int_equal(vfio_user_check_request(&msg), -EINVAL);
		if (good[i].command == VFIO_USER_VERSION ||
		    good[i].command == VFIO_USER_REGION_WRITE)
			msg.len = VFIO_USER_BODY_MAX + 1;
		else if (good[i].command == VFIO_USER_REGION_WRITE_MULTI)
			msg.len = 8 + 201 * 24;
		else
			msg.len = good[i].len + 1;
		assert_int_equal(vfio_user_check_request(&msg), -EINVAL);
	}
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
		msg.header.command = unknown[i];
		msg.len = 16;
		assert_int_equal(vfio_user_check_request(&msg), -EOPNOTSUPP);
	}
}

static int parse(const char *json, uint32_t *max)
{
	char body[512] = { 0 };

	strcpy(body + 4, json);
	return vfio_user_parse_version(body, 4 + strlen(json) + 1, max);
}

static void test_version_accepted(void **state)
{
	uint32_t max = 0;
	int ret;

	(void)state;
	assert_int_equal(
		parse("{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576,"
		      "\"pgsizes\":4096,\"max_dma_maps\":65535,\"migration\":{\"pgsize\":"
		      "4096,\"max_bitmap_size\":268435456},\"write_multiple\":true}}",
		      &max),
		0);
	assert_int_equal(max, 32768);
	assert_int_equal(parse("{\"capabilities\":{\"max_data_xfer_size\":4096}}", &max), 0);
	assert_int_equal(max, 4096);
	assert_int_equal(parse("{\"capabilities\":{\"max_data_xfer_size\":1}}", &max), 0);
	assert_int_equal(max, 1);
	assert_int_equal(parse("{\"capabilities\":{\"max_data_xfer_size\":4294967297}}", &max), 0);
	assert_int_equal(max, 32768);
	/* beyond 64 bits, which json-c clamps in some versions, and refuses in others */
	max = 32768;
	ret = parse("{\"capabilities\":{\"max_data_xfer_size\":99999999999999999999}}", &max);
	assert_true(!ret || ret == -EINVAL);
	assert_int_equal(max, 32768);
	/* twice: the last counts */
	assert_int_equal(parse("{\"capabilities\":{\"max_data_xfer_size\":1,"
			       "\"max_data_xfer_size\":7}}",
			       &max),
			 0);
	assert_int_equal(max, 7);
	/* seven levels of objects: the deepest that is read */
	assert_int_equal(parse("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}", &max), 0);
	max = 0;
	assert_int_equal(parse("{\"capabilities\":{}}", &max), 0);
	assert_int_equal(max, 32768);
	max = 0;
	assert_int_equal(parse("{}", &max), 0);
	assert_int_equal(max, 32768);
	max = 0;
	assert_int_equal(vfio_user_parse_version("\0\0\7\0", 4, &max), 0);
	assert_int_equal(max, 32768);
}

static void test_version_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"[]",
		"7",
		"nonsense",
		"{} {}",
		"{\"capabilities\":7}",
		"{\"capabilities\":{\"max_data_xfer_size\":0}}",
		"{\"capabilities\":{\"max_data_xfer_size\":-1}}",
		"{\"capabilities\":{\"max_data_xfer_size\":\"4096\"}}",
		"{\"capabilities\":{\"max_data_xfer_size\":1.5}}",
		"{\"capabilities\":{\"max_data_xfer_size\":1e999}}",
		"{\"capabilities\":{\"max_data_xfer_size\":-99999999999999999999}}",
		"{\"capabilities\":{\"max_data_xfer_size\":null}}",
		"{\"capabilities\":{\"max_data_xfer_size\":4096},\"capabilities\":[]}",
		"{\"capabilities\":{},}",
		"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}}",
	};
	uint32_t max = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(parse(bad[i], &max), -EINVAL);
	assert_int_equal(vfio_user_parse_version("\0\0\0", 3, &max), -EINVAL);
	assert_int_equal(vfio_user_parse_version("\1\0\0\0{}", 7, &max), -EINVAL);
	/* no NUL at the end; one in the middle */
	assert_int_equal(vfio_user_parse_version("\0\0\0\0{}", 6, &max), -EINVAL);
	assert_int_equal(vfio_user_parse_version("\0\0\0\0{}\0{}", 10, &max), -EINVAL);
	assert_int_equal(max, 77);
}

/* As long as a body may be: brackets, digits, keys. Each ends, and by an answer. */
static void test_version_long(void **state)
{
	static char body[VFIO_USER_BODY_MAX];
	static const char *const unit[] = { "[", "{\"a\":", "9", "\"a\":1,", "\"\\u0000", " " };
	uint32_t max = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(unit) / sizeof(*unit); i++) {
		size_t len = strlen(unit[i]), at = 4;

		memset(body, 0, sizeof(body));
		body[at++] = '{';
		for (; at + len < sizeof(body); at += len)
			memcpy(body + at, unit[i], len);
		assert_int_equal(vfio_user_parse_version(body, at + 1, &max), -EINVAL);
		memset(body + at, 0xff, sizeof(body) - at);
		assert_int_equal(vfio_user_parse_version(body, sizeof(body), &max), -EINVAL);
	}
	assert_int_equal(max, 77);
}

static void test_command_names(void **state)
{
	(void)state;
	assert_string_equal(vfio_user_command_name(VFIO_USER_VERSION), "VERSION");
	assert_string_equal(vfio_user_command_name(VFIO_USER_REGION_WRITE_MULTI),
			    "REGION_WRITE_MULTI");
	for (unsigned int i = 0; i < 3; i++)
		assert_string_equal(
			vfio_user_command_name((const unsigned int[]){ 0, 14, 65535 }[i]),
			"request");
	assert_string_equal(vfio_user_command_name(VFIO_USER_COMMANDS), "request");
}

static void test_version_reply(void **state)
{
	uint32_t max;

	(void)state;
	vfio_user_compose_version(&msg);
	assert_true(16 + msg.len <= 214);
	assert_memory_equal(msg.body, "\0\0\0\0", 4);
	assert_int_equal(msg.body[msg.len - 1], 0);
	assert_non_null(strstr((char *)msg.body + 4, "\"max_data_xfer_size\":32768"));
	assert_non_null(strstr((char *)msg.body + 4, "\"max_msg_fds\":16"));
	assert_int_equal(vfio_user_parse_version(msg.body, msg.len, &max), 0);
	assert_int_equal(max, 32768);
}

static int access_of(uint32_t region, uint64_t offset, uint32_t count)
{
	const struct vfio_user_region_access a = { offset, region, count };

	return vfio_user_check_access(&config, &a);
}

static void test_access(void **state)
{
	(void)state;
	assert_int_equal(access_of(0, 0, 1), 0);
	assert_int_equal(access_of(0, 0xffff, 1), 0);
	assert_int_equal(access_of(0, 0x8000, 0x8000), 0);
	assert_int_equal(access_of(7, 0, 4096), 0);
	assert_int_equal(access_of(0, 0, 0), -EINVAL);
	assert_int_equal(access_of(0, 0x10000, 1), -EINVAL);
	assert_int_equal(access_of(0, 0x8001, 0x8000), -EINVAL);
	assert_int_equal(access_of(0, UINT64_MAX, 1), -EINVAL);
	assert_int_equal(access_of(0, UINT64_MAX - 3, 8), -EINVAL);
	assert_int_equal(access_of(4, UINT64_MAX - 4, 4), 0);
	assert_int_equal(access_of(4, UINT64_MAX - 4, 6), -EINVAL);
	assert_int_equal(access_of(4, 0, 32768), 0);
	assert_int_equal(access_of(4, 0, 32769), -E2BIG);
	assert_int_equal(access_of(1, 0, 1), -EINVAL);
	assert_int_equal(access_of(9, 0, 1), -EINVAL);
	assert_int_equal(access_of(UINT32_MAX, 0, 1), -EINVAL);
}

static int multi_of(uint64_t claimed, uint32_t len, const struct vfio_user_multi_write *w,
		    unsigned int n, unsigned int *writes)
{
	memcpy(msg.body, &claimed, sizeof(claimed));
	memcpy(msg.body + 8, w, n * sizeof(*w));
	msg.len = len;
	return vfio_user_check_multi(&config, &msg, writes);
}

static void test_multi(void **state)
{
	struct vfio_user_multi_write w[2] = { { { 0, 0, 8 }, { 0 } }, { { 8, 0, 4 }, { 0 } } };
	unsigned int writes = 77;

	(void)state;
	assert_int_equal(multi_of(0, 8, w, 2, &writes), -EINVAL);
	assert_int_equal(multi_of(1, 56, w, 2, &writes), -EINVAL);
	assert_int_equal(multi_of(3, 56, w, 2, &writes), -EINVAL);
	assert_int_equal(multi_of(201, 8 + 201 * 24, w, 2, &writes), -EINVAL);
	/* 24 times this, and 8, is 56 again in 64 bits */
	assert_int_equal(multi_of(2 + (UINT64_C(1) << 61), 56, w, 2, &writes), -EINVAL);
	w[1].access.count = 9;
	assert_int_equal(multi_of(2, 56, w, 2, &writes), -EINVAL);
	w[1].access.count = 0;
	assert_int_equal(multi_of(2, 56, w, 2, &writes), -EINVAL);
	w[1].access.count = 8;
	w[1].access.offset = 0xfffc;
	assert_int_equal(multi_of(2, 56, w, 2, &writes), -EINVAL);
	assert_int_equal(writes, 77);
	w[1].access.offset = 0xfff8;
	assert_int_equal(multi_of(2, 56, w, 2, &writes), 0);
	assert_int_equal(writes, 2);
}

static int region_info(uint32_t index, uint32_t argsz, struct vfio_user_region_info *info)
{
	const struct vfio_user_region_info asked = { .argsz = argsz, .index = index };
	int ret;

	memset(msg.body, 0xee, 64);
	msg.len = msg.nfds = 0;
	ret = vfio_user_compose_region_info(&config, &asked, &msg);
	memcpy(info, msg.body, sizeof(*info));
	return ret;
}

static void test_region_info_sparse(void **state)
{
	struct vfio_user_sparse_mmap cap;
	struct vfio_user_region_info info;

	(void)state;
	/* too small a buffer for the capability: announced, left out, no descriptor */
	for (uint32_t argsz = 32; argsz < 64; argsz += 31) {
		assert_int_equal(region_info(0, argsz, &info), 0);
		assert_int_equal(msg.len, 32);
		assert_int_equal(msg.nfds, 0);
		assert_int_equal(info.argsz, 64);
		assert_int_equal(info.flags, 15);
		assert_int_equal(info.index, 0);
		assert_int_equal(info.cap_offset, 32);
		assert_int_equal(info.size, 0x10000);
	}
	assert_int_equal(region_info(0, 64, &info), 0);
	assert_int_equal(msg.len, 64);
	assert_int_equal(msg.nfds, 1);
	assert_int_equal(msg.fds[0], 40);
	assert_int_equal(info.argsz, 64);
	assert_int_equal(info.cap_offset, 32);
	memcpy(&cap, msg.body + 32, sizeof(cap));
	assert_int_equal(cap.id, 1);
	assert_int_equal(cap.version, 1);
	assert_int_equal(cap.next, 0);
	assert_int_equal(cap.nr_areas, 1);
	assert_int_equal(cap.area_offset, 0x3000);
	assert_int_equal(cap.area_size, 0x1000);
	/* the client maps at the sum: the file's start */
	assert_int_equal(info.offset + cap.area_offset, 0);
}

static void test_region_info_plain(void **state)
{
	struct vfio_user_region_info info;

	(void)state;
	assert_int_equal(region_info(2, 32, &info), 0);
	assert_int_equal(msg.len, 32);
	assert_int_equal(msg.nfds, 1);
	assert_int_equal(msg.fds[0], 41);
	assert_int_equal(info.argsz, 32);
	assert_int_equal(info.flags, 7);
	assert_int_equal(info.cap_offset, 0);
	assert_int_equal(info.offset, 0);
	assert_int_equal(info.size, 0x2000);

	assert_int_equal(region_info(7, 32, &info), 0);
	assert_int_equal(msg.nfds, 0);
	assert_int_equal(info.flags, 3);
	assert_int_equal(info.size, 4096);

	assert_int_equal(region_info(1, 32, &info), 0);
	assert_int_equal(info.flags, 0);
	assert_int_equal(info.size, 0);

	assert_int_equal(region_info(9, 32, &info), -EINVAL);
	assert_int_equal(region_info(0, 31, &info), -EINVAL);
	assert_int_equal(msg.len, 0);
	assert_int_equal(msg.nfds, 0);
}

static void test_irq_info(void **state)
{
	struct vfio_user_irq_info info = { .argsz = 16 };

	(void)state;
	for (info.index = 0; info.index < 5; info.index++) {
		struct vfio_user_irq_info reply;

		assert_int_equal(vfio_user_compose_irq_info(&config, &info, &msg), 0);
		assert_int_equal(msg.len, 16);
		memcpy(&reply, msg.body, sizeof(reply));
		assert_int_equal(reply.argsz, 16);
		assert_int_equal(reply.index, info.index);
		assert_int_equal(reply.flags, 1);
		assert_int_equal(reply.count, info.index == 2 ? 7 : 0);
	}
	msg.len = 99;
	assert_int_equal(vfio_user_compose_irq_info(&config, &info, &msg), -EINVAL);
	info.index = 2;
	info.argsz = 15;
	assert_int_equal(vfio_user_compose_irq_info(&config, &info, &msg), -EINVAL);
	assert_int_equal(msg.len, 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_request_shapes),
		cmocka_unit_test(test_version_accepted),
		cmocka_unit_test(test_version_refused),
		cmocka_unit_test(test_version_long),
		cmocka_unit_test(test_command_names),
		cmocka_unit_test(test_version_reply),
		cmocka_unit_test(test_access),
		cmocka_unit_test(test_multi),
		cmocka_unit_test(test_region_info_sparse),
		cmocka_unit_test(test_region_info_plain),
		cmocka_unit_test(test_irq_info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
