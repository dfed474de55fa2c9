/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses, hint specifications, configuration space and copies. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vfiobar/vfiobar_internal.h"

static void test_bdf(void **state)
{
	static const char *const good[][2] = {
		{ "0000:00:05.0", "0000:00:05.0" }, { "00:05.0", "0000:00:05.0" },
		{ "5:1F.7", "0000:05:1f.7" },	    { "10000:E1:00.0", "10000:e1:00.0" },
		{ "0:0:0.0", "0000:00:00.0" },	    { "ffffffff:ff:1f.7", "ffffffff:ff:1f.7" },
	};
	static const char *const bad[] = {
		"",
		"0000:00:05",
		"0000:00:05.8",
		"0000:00:20.0",
		"0000:100:00.0",
		":00:05.0",
		"0000::05.0",
		"0000:00:.0",
		"0000:00:05.",
		"0000:00:05.0 ",
		" 0000:0:0.0",
		"0000:00:05.0:",
		"0x0:00:05.0",
		"1:2:3:4.5",
		"fffffffff:00:05.0",
		"../../etc",
		"00-05.0",
		"0000:00:05.10",
	};
	char bdf[VFIOBAR_BDF_LEN], text[64];
	struct vfiobar_msg msg;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		memset(bdf, 0x5a, sizeof(bdf));
		assert_int_equal(vfiobar_parse_bdf(good[i][0], bdf, NULL), 0);
		assert_string_equal(bdf, good[i][1]);
		for (size_t at = strlen(bdf); at < sizeof(bdf); at++)
			assert_int_equal(bdf[at], 0);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		strcpy(bdf, "kept");
		assert_int_equal(vfiobar_parse_bdf(bad[i], bdf, &msg), -EINVAL);
		snprintf(text, sizeof(text), "'%s' is not a PCI address (domain:bus:dev.fn)",
			 bad[i]);
		assert_string_equal(msg.text, text);
		assert_string_equal(bdf, "kept");
	}
}

static void test_good_hints(void **state)
{
	struct vfiobar_hint hint = { .size = sizeof(hint) };

	(void)state;
	assert_int_equal(vfiobar_parse_hint("st=42,ph=2", &hint, NULL), 0);
	assert_true(hint.has_st && !hint.has_st_ext && hint.st == 42 && hint.ph == 2);
	assert_int_equal(vfiobar_parse_hint("ph=3,st_ext=0xBeef", &hint, NULL), 0);
	assert_true(!hint.has_st && hint.has_st_ext && hint.st_ext == 0xbeef && hint.ph == 3);
	assert_int_equal(hint.st, 0);
	assert_int_equal(vfiobar_parse_hint("st_ext=65535,st=0xff,ph=0", &hint, NULL), 0);
	assert_true(hint.has_st && hint.has_st_ext && hint.st == 255 && hint.st_ext == 65535);
	/* 0 is a tag like any other; a leading zero does not make octal. */
	assert_int_equal(vfiobar_parse_hint("st=0,ph=0", &hint, NULL), 0);
	assert_true(hint.has_st && !hint.has_st_ext && !hint.st && !hint.ph);
	assert_int_equal(vfiobar_parse_hint("st=010,ph=0x3", &hint, NULL), 0);
	assert_true(hint.st == 10 && hint.ph == 3);
}

static void test_bad_hints(void **state)
{
	static const char *const bad[][2] = {
		{ "st=256,ph=2", "'st=256': not a number in 0..255" },
		{ "st_ext=65536,ph=2", "'st_ext=65536': not a number in 0..65535" },
		{ "st_ext=18446744073709551617,ph=2",
		  "'st_ext=18446744073709551617': not a number in 0..65535" },
		{ "st=1,ph=4", "'ph=4': not a number in 0..3" },
		{ "st=-1,ph=1", "'st=-1': not a number in 0..255" },
		{ "st=0x,ph=1", "'st=0x': not a number in 0..255" },
		{ "st=1a,ph=1", "'st=1a': not a number in 0..255" },
		{ "st= 1,ph=1", "'st= 1': not a number in 0..255" },
		{ "st=,ph=1", "'st=': not a number in 0..255" },
		{ "st,ph=1", "'st': not a number in 0..255" },
		{ "st=1", "no processing hint given: ph=<0-3>" },
		{ "ph=1", "no steering tag given: st=<0-255> or st_ext=<0-65535>" },
		{ "st=1,st=1,ph=1", "st given twice" },
		{ "ph=1,st=1,ph=1", "ph given twice" },
		{ "st=1,ph=1,", "'': unknown key, expected st=, st_ext= or ph=" },
		{ "", "no steering tag given: st=<0-255> or st_ext=<0-65535>" },
		{ ",", "'': unknown key, expected st=, st_ext= or ph=" },
		{ "st=1,ph=1,require", "'require': unknown key, expected st=, st_ext= or ph=" },
		{ "ST=1,ph=1", "'ST=1': unknown key, expected st=, st_ext= or ph=" },
		{ "s=1,ph=1", "'s=1': unknown key, expected st=, st_ext= or ph=" },
		{ "st_ex=1,ph=1", "'st_ex=1': unknown key, expected st=, st_ext= or ph=" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct vfiobar_hint hint, before;
		struct vfiobar_msg msg;

		memset(&hint, 0x5a, sizeof(hint));
		hint.size = sizeof(hint);
		memcpy(&before, &hint, sizeof(hint));
		assert_int_equal(vfiobar_parse_hint(bad[i][0], &hint, &msg), -EINVAL);
		assert_string_equal(msg.text, bad[i][1]);
		assert_memory_equal(&hint, &before, sizeof(hint));
	}
}

/* 3D controller with MSI-X in BAR 4, an I/O BAR 2 and a PCIe capability. */
static void make_config(uint8_t cfg[256])
{
	static const uint8_t msix[12] = {
		0x11, 0x80, 0x42, 0x00, 0x04, 0x20, 0, 0, 0x04, 0x30, 0, 0
	};

	memset(cfg, 0, 256);
	memcpy(cfg, "\x36\x1b\x02\x11", 4);
	cfg[0x06] = 0x10;
	memcpy(cfg + 0x09, "\x00\x02\x03", 3);
	cfg[0x18] = 0x01;
	cfg[0x20] = 0x0c;
	cfg[0x34] = 0x40;
	memcpy(cfg + 0x40, msix, sizeof(msix));
	cfg[0x80] = 0x10;
	cfg[0x82] = 0x02;
	cfg[0x80 + 0x25] = 0x30;
}

static void test_config(void **state)
{
	struct vfiobar_layout layout = { .bar_size = { 0x1000, 0, 0x20, 0, 0x4000 } };
	uint8_t cfg[256];

	(void)state;
	make_config(cfg);
	assert_int_equal(vfiobar_parse_config(cfg, sizeof(cfg), &layout), 0);
	assert_int_equal(layout.vendor, 0x1b36);
	assert_int_equal(layout.device, 0x1102);
	assert_int_equal(layout.class_code, 0x030200);
	assert_int_equal(layout.completer, VFIOBAR_COMPLETER_TPH_EXT);
	assert_int_equal(layout.prefetchable, 1 << 4);
	assert_int_equal(layout.bar_size[0], 0x1000);
	assert_int_equal(layout.bar_size[2], 0);
	assert_int_equal(layout.bar_size[4], 0x4000);
	assert_int_equal(layout.msix_bar[0], 4);
	assert_int_equal(layout.msix[0].offset, 0x2000);
	assert_int_equal(layout.msix[0].length, 67 * 16);
	assert_int_equal(layout.msix_bar[1], 4);
	assert_int_equal(layout.msix[1].offset, 0x3000);
	assert_int_equal(layout.msix[1].length, 16);

	cfg[0x80 + 0x25] = 0x10;
	assert_int_equal(vfiobar_parse_config(cfg, sizeof(cfg), &layout), 0);
	assert_int_equal(layout.completer, VFIOBAR_COMPLETER_TPH);
	/* Version 1 of the capability has no Device Capabilities 2. */
	cfg[0x82] = 0x01;
	assert_int_equal(vfiobar_parse_config(cfg, sizeof(cfg), &layout), 0);
	assert_int_equal(layout.completer, VFIOBAR_COMPLETER_NONE);
	/* No capability list at all. */
	cfg[0x06] = 0;
	assert_int_equal(vfiobar_parse_config(cfg, sizeof(cfg), &layout), 0);
	assert_int_equal(layout.msix[0].length, 0);
	assert_int_equal(layout.msix[1].length, 0);
}

static void test_bad_config(void **state)
{
	struct vfiobar_layout layout = { .vendor = 0x1234, .bar_size = { [2] = 0x20 } };
	struct vfiobar_layout before = layout;
	uint8_t cfg[256], *shorter;

	(void)state;
	make_config(cfg);
	assert_int_equal(vfiobar_parse_config(cfg, 63, &layout), -ENODATA);
	assert_int_equal(vfiobar_parse_config(cfg, 0, &layout), -ENODATA);
	memset(cfg, 0xff, sizeof(cfg));
	assert_int_equal(vfiobar_parse_config(cfg, sizeof(cfg), &layout), -ENODATA);
	assert_memory_equal(&layout, &before, sizeof(layout));

	/* A VF answers, but for vendor and device. */
	make_config(cfg);
	memset(cfg, 0xff, 4);
	assert_int_equal(vfiobar_parse_config(cfg, sizeof(cfg), &layout), 0);
	assert_int_equal(layout.class_code, 0x030200);
	/* A capability list that loops, and one that leads out of what was read. */
	make_config(cfg);
	cfg[0x81] = 0x40;
	assert_int_equal(vfiobar_parse_config(cfg, sizeof(cfg), &layout), 0);
	assert_int_equal(layout.completer, VFIOBAR_COMPLETER_TPH_EXT);
	shorter = malloc(0x84);
	assert_non_null(shorter);
	memcpy(shorter, cfg, 0x84);
	assert_int_equal(vfiobar_parse_config(shorter, 0x84, &layout), 0);
	assert_int_equal(layout.completer, VFIOBAR_COMPLETER_NONE);
	assert_int_equal(layout.msix[0].length, 67 * 16);
	free(shorter);
}

static void test_copies(void **state)
{
	_Alignas(8) uint8_t bar[64], host[64], expect[64];

	(void)state;
	for (size_t i = 0; i < sizeof(host); i++)
		host[i] = (uint8_t)(i + 1);
	for (size_t at = 0; at < 9; at++)
		for (size_t len = 0; len + at <= 40; len++) {
			uint8_t back[64] = { 0 };

			memset(bar, 0xee, sizeof(bar));
			memset(expect, 0xee, sizeof(expect));
			memcpy(expect + at, host + 3, len);
			vfiobar_copy_to(bar + at, host + 3, len);
			assert_memory_equal(bar, expect, sizeof(bar));
			vfiobar_copy_from(back + 1, bar + at, len);
			assert_memory_equal(back + 1, host + 3, len);
			assert_int_equal(back[0], 0);
			assert_int_equal(back[1 + len], 0);
		}
}

static void test_errno_names(void **state)
{
	(void)state;
	assert_string_equal(vfiobar_errno_name(EOPNOTSUPP), "EOPNOTSUPP");
	assert_string_equal(vfiobar_errno_name(ENOTTY), "ENOTTY");
	assert_string_equal(vfiobar_errno_name(EPROTO), "EPROTO");
	assert_string_equal(vfiobar_errno_name(ESTALE), "ESTALE");
	assert_string_equal(vfiobar_errno_name(12345), "errno 12345");
	assert_string_equal(vfiobar_errno_name(0), "errno 0");
	assert_string_equal(vfiobar_errno_name(-5), "errno -5");
}

static void *name_another(void *arg)
{
	(void)arg;
	return (void *)(uintptr_t)!strcmp(vfiobar_errno_name(54321), "errno 54321");
}

/* What another thread asks for does not change what this one got. */
static void test_errno_names_of_threads(void **state)
{
	const char *name = vfiobar_errno_name(12345);
	pthread_t thread;
	void *right;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, name_another, NULL), 0);
	assert_int_equal(pthread_join(thread, &right), 0);
	assert_non_null(right);
	assert_string_equal(name, "errno 12345");
}

/* Structures of this library (12 bytes, first version 8) and of programs older and newer. */
static void test_sized_structures(void **state)
{
	const uint32_t own[4] = { 12, 2, 3, 99 };
	uint32_t older[3] = { 8, 0, 77 }, newer[4] = { 16, 0, 0, 7 }, to[4] = { 1, 1, 1, 1 };
	uint32_t none[3] = { 4, 5, 6 };

	(void)state;
	/* The library writes: nothing behind what the program has; 0 behind what the library has.
	 */
	assert_int_equal(vfiobar_give(older, own, 12, 8, NULL), 0);
	assert_memory_equal(older, ((uint32_t[]){ 8, 2, 77 }), sizeof(older));
	assert_int_equal(vfiobar_give(newer, own, 12, 8, NULL), 0);
	assert_memory_equal(newer, ((uint32_t[]){ 12, 2, 3, 0 }), sizeof(newer));
	assert_int_equal(vfiobar_give(none, own, 12, 8, NULL), -EINVAL);
	assert_memory_equal(none, ((uint32_t[]){ 4, 5, 6 }), sizeof(none));

	/* It reads: 0 for what an old program has not; what it does not know is refused. */
	older[1] = 4;
	assert_int_equal(vfiobar_take(to, 12, older, 8, NULL), 0);
	assert_memory_equal(to, ((uint32_t[]){ 8, 4, 0, 1 }), sizeof(to));
	newer[0] = 16;
	assert_int_equal(vfiobar_take(to, 12, newer, 8, NULL), 0);
	assert_memory_equal(to, ((uint32_t[]){ 16, 2, 3, 1 }), sizeof(to));
	newer[3] = 1;
	assert_int_equal(vfiobar_take(to, 12, newer, 8, NULL), -E2BIG);
	assert_int_equal(vfiobar_take(to, 12, none, 8, NULL), -EINVAL);
	assert_memory_equal(to, ((uint32_t[]){ 16, 2, 3, 1 }), sizeof(to));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bdf),
		cmocka_unit_test(test_good_hints),
		cmocka_unit_test(test_bad_hints),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_bad_config),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_errno_names),
		cmocka_unit_test(test_errno_names_of_threads),
		cmocka_unit_test(test_sized_structures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
