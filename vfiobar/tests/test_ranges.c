/* SPDX-License-Identifier: GPL-2.0-only */
/* Which pieces of a BAR may be used, and which of them can be mapped. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <linux/vfio.h>

#include "vfiobar/vfiobar_internal.h"

#define PAGE 0x1000ull

static const struct vfiobar_layout layout = {
	.size = sizeof(layout),
	.bdf = "0000:00:05.0",
	.bar_size = { [0] = 0x4000000, [2] = 0x4000, [4] = 0x800 },
	.msix_bar = { 2, 2 },
	.msix = { { .offset = 0x2010, .length = 0x20 }, { .offset = 0x3ff8, .length = 8 } },
};

static int check(unsigned int bar, uint64_t offset, uint64_t length, uint64_t align,
		 const char *expect)
{
	struct vfiobar_msg msg = { .text = "untouched" };
	int ret = vfiobar_check_range(&layout, bar, offset, length, align, &msg);

	assert_string_equal(msg.text, expect);
	assert_int_equal(vfiobar_check_range(&layout, bar, offset, length, align, NULL), ret);
	return ret;
}

static void test_good_ranges(void **state)
{
	(void)state;
	assert_int_equal(check(0, 0, PAGE, PAGE, "untouched"), 0);
	assert_int_equal(check(0, 0, 0x4000000, PAGE, "untouched"), 0);
	assert_int_equal(check(0, 0x3fff000, PAGE, PAGE, "untouched"), 0);
	assert_int_equal(check(0, 0x3ffffff, 1, 1, "untouched"), 0);
	assert_int_equal(check(4, 0x7ff, 1, 1, "untouched"), 0);
}

static void test_no_bar(void **state)
{
	const char *expect = "0000:00:05.0: BAR 1 does not exist (memory BARs: 0 2 4)";
	const struct vfiobar_layout empty = { .size = sizeof(empty), .bdf = "0000:01:00.0" };
	struct vfiobar_msg msg;

	(void)state;
	assert_int_equal(check(1, 0, PAGE, PAGE, expect), -ENOENT);
	assert_int_equal(vfiobar_check_range(&layout, 6, 0, PAGE, PAGE, NULL), -ENOENT);
	assert_int_equal(vfiobar_check_range(&layout, 4000000000u, 0, PAGE, PAGE, NULL), -ENOENT);
	assert_int_equal(vfiobar_check_range(&empty, 0, 0, PAGE, PAGE, &msg), -ENOENT);
	assert_string_equal(msg.text, "0000:01:00.0: BAR 0 does not exist (memory BARs: none)");
}

static void test_unaligned(void **state)
{
	(void)state;
	assert_int_equal(
		check(0, 8, PAGE, PAGE,
		      "0000:00:05.0 BAR 0: offset 0x8 is not a multiple of the page size 0x1000"),
		-EINVAL);
	assert_int_equal(check(0, PAGE, 0x1008, PAGE,
			       "0000:00:05.0 BAR 0: length 0x1008 is not a multiple of the page "
			       "size 0x1000"),
			 -EINVAL);
	assert_int_equal(check(0, PAGE, 0, PAGE, "0000:00:05.0 BAR 0: length is 0"), -EINVAL);
	assert_int_equal(check(0, 8, 3, 1, "untouched"), 0);
}

static void test_past_the_end(void **state)
{
	(void)state;
	assert_int_equal(
		check(0, 0x4000000, PAGE, PAGE,
		      "0000:00:05.0 BAR 0: offset 0x4000000 past the BAR (size 0x4000000)"),
		-ERANGE);
	assert_int_equal(check(0, 0x3fff000, 0x3000, PAGE,
			       "0000:00:05.0 BAR 0: offset 0x3fff000 + length 0x3000 past the BAR "
			       "(size 0x4000000): 8192 bytes missing"),
			 -ERANGE);
	/* Sums that wrap around must not look small. */
	assert_int_equal(vfiobar_check_range(&layout, 0, PAGE, UINT64_MAX - PAGE + 1, PAGE, NULL),
			 -ERANGE);
	assert_int_equal(vfiobar_check_range(&layout, 0, UINT64_MAX - PAGE + 1, PAGE, PAGE, NULL),
			 -ERANGE);
	assert_int_equal(vfiobar_check_range(&layout, 4, 0, PAGE, PAGE, NULL), -ERANGE);
}

static void test_msix_pages(void **state)
{
	(void)state;
	assert_int_equal(check(2, 0, 0x2000, PAGE, "untouched"), 0);
	assert_int_equal(
		check(2, 0x1000, 0x2000, PAGE,
		      "0000:00:05.0 BAR 2: offset 0x1000 + length 0x2000 touches the pages of "
		      "the MSI-X table (0x2000..0x2fff)"),
		-EACCES);
	assert_int_equal(
		check(2, 0x3000, 0x1000, PAGE,
		      "0000:00:05.0 BAR 2: offset 0x3000 + length 0x1000 touches the pages of "
		      "the MSI-X pending bits (0x3000..0x3fff)"),
		-EACCES);
	assert_int_equal(vfiobar_check_range(&layout, 2, 0x1fff, 1, 1, NULL), 0);
	assert_int_equal(vfiobar_check_range(&layout, 2, 0x2000, 1, 1, NULL), -EACCES);
	assert_int_equal(vfiobar_check_range(&layout, 2, 0x1fff, 2, 1, NULL), -EACCES);
	/* The same offsets of another BAR are free. */
	assert_int_equal(vfiobar_check_range(&layout, 0, 0x2000, PAGE, PAGE, NULL), 0);
}

/* An answer of VFIO_DEVICE_GET_REGION_INFO, as large as it says and not a byte more. */
struct answer {
	uint8_t *bytes;
	size_t size;
};

static struct answer answer(uint32_t flags, uint32_t cap_offset, const void *tail, size_t tail_size)
{
	struct vfio_region_info info = { .flags = flags, .cap_offset = cap_offset, .size = 0x8000 };
	struct answer a = { .size = sizeof(info) + tail_size };

	a.bytes = malloc(a.size);
	assert_non_null(a.bytes);
	memcpy(a.bytes, &info, sizeof(info));
	if (tail_size)
		memcpy(a.bytes + sizeof(info), tail, tail_size);
	return a;
}

static bool mappable(struct answer a, uint64_t offset, uint64_t length)
{
	bool ret = vfiobar_mappable(a.bytes, a.size, offset, length);

	free(a.bytes);
	return ret;
}

#define MMAP	  VFIO_REGION_INFO_FLAG_MMAP
#define MMAP_CAPS (VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS)
#define FIRST	  ((uint32_t)sizeof(struct vfio_region_info))

struct sparse {
	struct vfio_info_cap_header header;
	uint32_t nr_areas, reserved;
	struct vfio_region_sparse_mmap_area area[2];
};

static void test_mappable(void **state)
{
	struct vfio_info_cap_header msix = { .id = VFIO_REGION_INFO_CAP_MSIX_MAPPABLE };
	struct sparse sparse = {
		.header = { .id = VFIO_REGION_INFO_CAP_SPARSE_MMAP, .version = 1 },
		.nr_areas = 2,
		.area = { { 0, 0x2000 }, { 0x4000, 0x1000 } },
	};
	struct {
		struct vfio_info_cap_header msix;
		struct sparse sparse;
	} both = { .msix = msix, .sparse = sparse };

	(void)state;
	both.msix.next = FIRST + sizeof(msix);
	assert_true(mappable(answer(MMAP, 0, NULL, 0), 0, 0x8000));
	assert_false(mappable(answer(VFIO_REGION_INFO_FLAG_READ, 0, NULL, 0), 0, 0x1000));
	assert_true(mappable(answer(MMAP_CAPS, FIRST, &msix, sizeof(msix)), 0, 0x8000));
	assert_true(mappable(answer(MMAP_CAPS, FIRST, &sparse, sizeof(sparse)), 0x1000, 0x1000));
	assert_true(mappable(answer(MMAP_CAPS, FIRST, &sparse, sizeof(sparse)), 0x4000, 0x1000));
	assert_false(mappable(answer(MMAP_CAPS, FIRST, &sparse, sizeof(sparse)), 0x1000, 0x2000));
	assert_false(mappable(answer(MMAP_CAPS, FIRST, &sparse, sizeof(sparse)), 0x3000, 0x1000));
	assert_true(mappable(answer(MMAP_CAPS, FIRST, &both, sizeof(both)), 0x4000, 0x1000));
	assert_false(mappable(answer(MMAP_CAPS, FIRST, &both, sizeof(both)), 0x5000, 0x1000));
}

static void test_malformed_capabilities(void **state)
{
	struct vfio_info_cap_header loop = { .id = 77, .next = FIRST };
	struct sparse liar = {
		.header = { .id = VFIO_REGION_INFO_CAP_SPARSE_MMAP, .version = 1 },
		.nr_areas = 1000,
		.area = { { 0, 0x1000 }, { 0x4000, 0x1000 } },
	};
	struct answer half;

	(void)state;
	assert_false(mappable(answer(MMAP_CAPS, 4, &loop, sizeof(loop)), 0, 0x1000));
	assert_false(mappable(answer(MMAP_CAPS, FIRST + 4, &loop, sizeof(loop)), 0, 0x1000));
	assert_false(mappable(answer(MMAP_CAPS, 0xfffffff0, &loop, sizeof(loop)), 0, 0x1000));
	assert_false(mappable(answer(MMAP_CAPS, FIRST, &loop, sizeof(loop)), 0, 0x1000));
	assert_false(mappable(answer(MMAP_CAPS, FIRST, &liar, sizeof(liar)), 0x6000, 0x1000));
	assert_false(mappable(answer(MMAP_CAPS, FIRST, &liar, 12), 0, 0x1000));
	half = answer(MMAP, 0, NULL, 0);
	half.size -= 8;
	assert_false(mappable(half, 0, 0x1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_ranges),
		cmocka_unit_test(test_no_bar),
		cmocka_unit_test(test_unaligned),
		cmocka_unit_test(test_past_the_end),
		cmocka_unit_test(test_msix_pages),
		cmocka_unit_test(test_mappable),
		cmocka_unit_test(test_malformed_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
