// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "emulator/options.h"

static struct options options;

/* Parses one device option (and another, if not NULL); the strings are changed by the parser. */
static int parse(const char *option, const char *text, const char *option2, const char *text2)
{
	char copy[256], copy2[256];
	char *argv[6] = { (char *)"tph-emulator", (char *)option, copy, (char *)option2, copy2 };

	strcpy(copy, text);
	strcpy(copy2, text2 ? text2 : "");
	return options_parse(&options, option2 ? 5 : 3, argv);
}

static void test_hca(void **state)
{
	(void)state;
	assert_int_equal(parse("--hca",
			       "name=h,id=00:04.0,socket=/s,lid=7,st-mode=direct,"
			       "st-width=16,st-entries=2,device=0x1023,umr=limited,firmware=no-odp",
			       NULL, NULL),
			 0);
	assert_int_equal(options.devices, 1);
	assert_int_equal(options.device[0].kind, DEVICE_HCA);
	assert_string_equal(options.device[0].hca.name, "h");
	assert_string_equal(options.device[0].socket, "/s");
	assert_int_equal(options.device[0].hca.id, 4 << 3);
	assert_int_equal(options.device[0].hca.lid, 7);
	assert_int_equal(options.device[0].hca.st_mode, HCA_ST_DIRECT);
	assert_int_equal(options.device[0].hca.st_width, 16);
	assert_int_equal(options.device[0].hca.st_entries, 2);
	assert_int_equal(options.device[0].hca.device_id, 0x1023);
	assert_true(options.device[0].hca.umr_limited);
	assert_int_equal(options.device[0].hca.firmware, HCA_FIRMWARE_NO_ODP);
}

static void test_endpoints(void **state)
{
	(void)state;
	assert_int_equal(parse("--gpu", "name=g,id=01:1f.7,socket=/g,size=128M,completer=none,acs=on",
			       "--nvme", "name=n,id=00:11.0,socket=/n,size=1G"),
			 0);
	assert_int_equal(options.devices, 2);
	assert_int_equal(options.device[0].endpoint.kind, ENDPOINT_GPU);
	assert_int_equal(options.device[0].endpoint.id, 0x01ff);
	assert_int_equal(options.device[0].endpoint.memory_size, 128u << 20);
	assert_int_equal(options.device[0].endpoint.completer, PCIE_TPH_COMPLETER_NONE);
	assert_true(options.device[0].endpoint.acs);
	assert_false(options.device[1].endpoint.acs);
	assert_int_equal(options.device[1].endpoint.kind, ENDPOINT_NVME);
	assert_int_equal(options.device[1].endpoint.memory_size, 1u << 30);
	assert_int_equal(options.device[1].endpoint.completer, PCIE_TPH_COMPLETER_EXTENDED);
}

static void test_bad(void **state)
{
	static const char *const hca[] = {
		"name=h,id=00:04.0,socket=/s,lid=0",
		"name=h,id=00:04.0,socket=/s,lid=49152",
		"name=h,id=00:04.0,socket=/s,lid=1,st-width=9",
		"name=h,id=00:04.0,socket=/s,lid=1,st-entries=65",
		"name=h,id=00:04.0,socket=/s,lid=1,st-entries=1",
		"name=h,id=00:04.0,socket=/s,lid=1,st-mode=both",
		"name=h,id=00:04.0,socket=/s,lid=1,device=0x1022",
		"name=h,id=00:20.0,socket=/s,lid=1",
		"name=h,id=00:04.0x,socket=/s,lid=1",
		"name=h,id=00:04.0,socket=/s,lid=1,size=64M",
		"name=h,id=00:04.0,socket=/s,lid=-1",
		"name=h,id=00:04.0,socket=/s,lid=1,st-width",
		"name=h,id=00:04.0,socket=/s",
		"name=h,socket=/s,lid=1",
		"id=00:04.0,socket=/s,lid=1",
		"name=h,id=00:04.0,lid=1",
		"name=abcdefghijklmnopqrstuvwx,id=00:04.0,socket=/s,lid=1",
	};
	static const char *const gpu[] = {
		"name=g,id=00:04.0,socket=/s,size=64X",
		"name=g,id=00:04.0,socket=/s,size=64MB",
		"name=g,id=00:04.0,socket=/s,size=99999999999G",
		"name=g,id=00:04.0,socket=/s,completer=yes",
		"name=g,id=00:04.0,socket=/s,lid=1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hca) / sizeof(*hca); i++)
		assert_int_equal(parse("--hca", hca[i], NULL, NULL), -EINVAL);
	for (size_t i = 0; i < sizeof(gpu) / sizeof(*gpu); i++)
		assert_int_equal(parse("--gpu", gpu[i], NULL, NULL), -EINVAL);
}

static void test_twice(void **state)
{
	static const char *const second[] = {
		"name=a,id=00:05.0,socket=/t,lid=2",
		"name=b,id=00:04.0,socket=/t,lid=2",
		"name=b,id=00:05.0,socket=/s,lid=2",
		"name=b,id=00:05.0,socket=/t,lid=1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(second) / sizeof(*second); i++)
		assert_int_equal(
			parse("--hca", "name=a,id=00:04.0,socket=/s,lid=1", "--hca", second[i]),
			-EINVAL);
	assert_int_equal(parse("--hca", "name=a,id=00:04.0,socket=/s,lid=1", "--hca",
			       "name=b,id=00:05.0,socket=/t,lid=2"),
			 0);
	assert_true(options.device[0].hca.guid != options.device[1].hca.guid);
}

static void test_no_device(void **state)
{
	char *argv[] = { (char *)"tph-emulator", NULL };
	char *extra[] = { (char *)"tph-emulator", (char *)"what", NULL };
	char *help[] = { (char *)"tph-emulator", (char *)"--help", NULL };

	(void)state;
	assert_int_equal(options_parse(&options, 1, argv), -EINVAL);
	assert_int_equal(options_parse(&options, 2, extra), -EINVAL);
	assert_int_equal(options_parse(&options, 2, help), 0);
	assert_true(options.help);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hca),	  cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_bad),	  cmocka_unit_test(test_twice),
		cmocka_unit_test(test_no_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
