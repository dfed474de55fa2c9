// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "emulator/options.h"

static struct options options;

/* Parses one device option (and another, if not NULL); the strings are changed by the parser. */
static int parse(const char *option, const char *text, const char *option2, const char *text2)
{
	static char copy[256], copy2[256]; /* kept by reference */
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
			       "st-width=16,st-entries=2,device=0x1023,umr=limited,firmware=no-odp,"
			       "memory=3G,command-timeout=2500",
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
	assert_int_equal(options.device[0].hca.command_timeout, 2500);
	assert_int_equal(options.device[0].hca.firmware, HCA_FIRMWARE_NO_ODP);
	assert_true(options.device[0].hca.memory == 3ull << 30);
	assert_string_equal(options.device[0].pcap, "");
	assert_int_equal(options.device[0].pcap_bytes, 0);
	assert_int_equal(parse("--hca",
			       "name=h,id=00:04.0,socket=/s,lid=1,pcap=/p/q.pcapng,pcap-bytes=64",
			       NULL, NULL),
			 0);
	assert_string_equal(options.device[0].pcap, "/p/q.pcapng");
	assert_int_equal(options.device[0].pcap_bytes, 64);
	assert_int_equal(parse("--hca", "name=h,id=00:04.0,socket=/s,lid=0xbffe", NULL, NULL), 0);
	assert_int_equal(options.device[0].hca.lid, 0xbffe);
	assert_true(options.device[0].hca.memory == HCA_MEMORY_DEFAULT);
	assert_int_equal(parse("--hca", "name=h,id=00:04.0,socket=/s,lid=1,firmware=refuse-tph-key",
			       NULL, NULL),
			 0);
	assert_int_equal(options.device[0].hca.firmware, HCA_FIRMWARE_REFUSE_TPH_KEY);
	assert_int_equal(parse("--hca",
			       "name=h,id=00:04.0,socket=/s,lid=1,firmware=refuse-tph-load", NULL,
			       NULL),
			 0);
	assert_int_equal(options.device[0].hca.firmware, HCA_FIRMWARE_REFUSE_TPH_LOAD);
}

static void test_impair(void **state)
{
	(void)state;
	assert_int_equal(
		parse("--hca",
		      "name=h,id=00:04.0,socket=/s,impair=loss=0.1%+delay=50us seed=7,lid=7", NULL,
		      NULL),
		0);
	assert_int_equal(options.device[0].hca.lid, 7);
	assert_true(options.device[0].hca.impaired);
	assert_int_equal(options.device[0].hca.impairment.loss, IMPAIRMENT_ALL / 1000);
	assert_int_equal(options.device[0].hca.impairment.delay_ns, 50000);
	assert_int_equal(options.device[0].hca.impairment.seed, 7);
	assert_int_equal(parse("--hca", "name=h,id=00:04.0,socket=/s,lid=7", NULL, NULL), 0);
	assert_false(options.device[0].hca.impaired);
}

static void test_endpoints(void **state)
{
	(void)state;
	assert_int_equal(
		parse("--gpu",
		      "name=g,id=01:1f.7,socket=/g,size=128M,completer=none,acs=on,ready=on,"
		      "prefix=on",
		      "--nvme", "name=n,id=00:11.0,socket=/n,size=1G"),
		0);
	assert_int_equal(options.devices, 2);
	assert_string_equal(options.device[0].endpoint.kind, "gpu");
	assert_int_equal(options.device[0].endpoint.id, 0x01ff);
	assert_int_equal(options.device[0].endpoint.memory_size, 128u << 20);
	assert_int_equal(options.device[0].endpoint.completer, PCIE_TPH_COMPLETER_NONE);
	assert_int_equal(options.device[0].endpoint.prefix, ENDPOINT_PREFIX_ON);
	assert_int_equal(options.device[1].endpoint.prefix, ENDPOINT_PREFIX_AS_COMPLETER);
	assert_true(options.device[0].endpoint.acs);
	assert_true(options.device[0].endpoint.ready);
	assert_false(options.device[1].endpoint.acs);
	assert_false(options.device[1].endpoint.ready);
	assert_string_equal(options.device[1].endpoint.kind, "nvme");
	assert_int_equal(options.device[1].endpoint.memory_size, 1u << 30);
	assert_int_equal(options.device[1].endpoint.completer, PCIE_TPH_COMPLETER_EXTENDED);
}

/* No LID, and an address of its own for each place. */
static void test_ethernet(void **state)
{
	(void)state;
	assert_int_equal(parse("--hca", "name=h,id=00:04.0,socket=/s,link=ethernet", "--hca",
			       "name=i,id=00:05.0,socket=/t,link=ethernet"),
			 0);
	assert_true(options.device[0].ethernet);
	assert_int_equal(options.device[0].hca.lid, 0);
	assert_memory_equal(options.device[0].hca.mac, "\x02tph\0\x20", 6);
	assert_memory_equal(options.device[1].hca.mac, "\x02tph\0\x28", 6);
	assert_int_equal(options.device[0].hca.guid, 0x027470fffe680020);
}

/* Each machine has a bus: the same places, and other addresses on the one wire. */
static void test_machine(void **state)
{
	(void)state;
	assert_int_equal(parse("--hca", "name=h,id=00:04.0,socket=/s,link=ethernet,machine=left",
			       "--hca", "name=i,id=00:04.0,socket=/t,link=ethernet,machine=right"),
			 0);
	assert_string_equal(options.device[0].machine, "left");
	assert_int_equal(options.device[0].machine_number, 1);
	assert_int_equal(options.device[1].machine_number, 2);
	assert_memory_equal(options.device[0].hca.mac, "\x02tpi\0\x20", 6);
	assert_memory_equal(options.device[1].hca.mac, "\x02tpj\0\x20", 6);
	assert_int_equal(options.device[1].hca.guid, 0x027470fffe6a0020);
	assert_int_equal(parse("--hca", "name=h,id=00:04.0,socket=/s,lid=1,machine=left", "--gpu",
			       "name=g,id=00:05.0,socket=/t,machine=left"),
			 0);
	assert_int_equal(options.device[1].machine_number, 1);
	assert_int_equal(parse("--hca", "name=h,id=00:04.0,socket=/s,lid=1", "--gpu",
			       "name=g,id=00:04.0,socket=/t,machine=left"),
			 0);
	assert_int_equal(options.device[0].machine_number, 0);
	assert_string_equal(options.device[0].machine, "");
	/* What is one for all machines. */
	assert_int_equal(parse("--hca", "name=h,id=00:04.0,socket=/s,lid=1,machine=left", "--gpu",
			       "name=h,id=00:04.0,socket=/t,machine=right"),
			 -EINVAL);
	assert_int_equal(parse("--hca", "name=h,id=00:04.0,socket=/s,lid=1,machine=left", "--hca",
			       "name=i,id=00:04.0,socket=/t,lid=1,machine=right"),
			 -EINVAL);
	assert_int_equal(parse("--hca", "name=h,id=00:04.0,socket=/s,lid=1,machine=left", "--gpu",
			       "name=g,id=00:05.0,socket=/s,machine=right"),
			 -EINVAL);
	assert_int_equal(parse("--hca", "name=h,id=00:04.0,socket=/s,lid=1,machine=left", "--gpu",
			       "name=g,id=00:04.0,socket=/t,machine=left"),
			 -EINVAL);
	assert_int_equal(parse("--gpu", "name=g,id=00:04.0,socket=/s,machine=", NULL, NULL),
			 -EINVAL);
	assert_int_equal(parse("--gpu", "name=g,id=00:04.0,socket=/s,machine=a/b", NULL, NULL),
			 -EINVAL);
	assert_int_equal(parse("--gpu",
			       "name=g,id=00:04.0,socket=/s,machine=abcdefghijklmnopqrstuvwx", NULL,
			       NULL),
			 -EINVAL);
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
		"name=h,id=00:04.0,socket=/s,link=infiniband",
		"name=h,id=00:04.0,socket=/s,link=ethernet,lid=1",
		"name=h,id=00:04.0,socket=/s,lid=1,link=ether",
		"name=h,socket=/s,lid=1",
		"id=00:04.0,socket=/s,lid=1",
		"name=h,id=00:04.0,lid=1",
		"name=abcdefghijklmnopqrstuvwx,id=00:04.0,socket=/s,lid=1",
		"name=,id=00:04.0,socket=/s,lid=1",
		"name=a b,id=00:04.0,socket=/s,lid=1",
		"name=a\033[2J,id=00:04.0,socket=/s,lid=1",
		"name=h,id=00:04.0,socket=,lid=1",
		"name=h,id=00:00.0,socket=/s,lid=1",
		"name=h,id=0:4.0,socket=/s,lid=1",
		"name=h,id=00:04.8,socket=/s,lid=1",
		"name=h,id=-1:04.0,socket=/s,lid=1",
		"name=h,id= 0:04.0,socket=/s,lid=1",
		"name=h,id=00:04.0,socket=/s,lid=18446744073709551617",
		"name=h,id=00:04.0,socket=/s,lid=1,memory=0",
		"name=h,id=00:04.0,socket=/s,lid=1,memory=1048575",
		"name=h,id=00:04.0,socket=/s,lid=1,memory=65G",
		"name=h,id=00:04.0,socket=/s,lid=1,memory=18446744073709551615",
		"name=h,id=00:04.0,socket=/s,lid=1,memory=18446744073709551616",
		"name=h,id=00:04.0,socket=/s,lid=1,memory=18014398509481985K",
		"name=h,id=00:04.0,socket=/s,lid=1,memory=",
		"name=h,id=00:04.0,socket=/s,lid=1,memory=-1M",
		"name=h,id=00:04.0,socket=/s,lid=1,=",
		"",
	};
	static const char *const gpu[] = {
		"name=g,id=00:04.0,socket=/s,size=64X",
		"name=g,id=00:04.0,socket=/s,size=64MB",
		"name=g,id=00:04.0,socket=/s,size=99999999999G",
		"name=g,id=00:04.0,socket=/s,completer=yes",
		"name=g,id=00:04.0,socket=/s,lid=1",
		"name=g,id=00:04.0,socket=/s,size=512K",
		"name=g,id=00:04.0,socket=/s,size=3M",
		"name=g,id=00:04.0,socket=/s,size=0",
		"name=g,id=00:04.0,socket=/s,size=512G",
		"name=g,id=00:04.0,socket=/s,memory=1M",
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

/* All values at their bounds, and one beyond. */
static void test_bounds(void **state)
{
	char socket[200] = "name=h,id=00:04.0,lid=1,socket=";
	char *path = socket + strlen(socket);

	(void)state;
	assert_int_equal(parse("--hca", "name=h,id=00:04.0,socket=/s,lid=1,memory=1M", NULL, NULL),
			 0);
	assert_int_equal(parse("--hca", "name=h,id=00:04.0,socket=/s,lid=1,memory=64G", NULL, NULL),
			 0);
	assert_int_equal(parse("--gpu", "name=g,id=ff:1f.7,socket=/s,size=1M", NULL, NULL), 0);
	assert_int_equal(parse("--gpu", "name=g,id=00:00.1,socket=/s,size=256G", NULL, NULL), 0);
	memset(path, 'p', SOCKET_PATH - 1);
	assert_int_equal(parse("--hca", socket, NULL, NULL), 0);
	path[SOCKET_PATH - 1] = 'p';
	assert_int_equal(parse("--hca", socket, NULL, NULL), -EINVAL);
	for (unsigned int devices = EMULATOR_DEVICES; devices <= EMULATOR_DEVICES + 1; devices++) {
		char text[EMULATOR_DEVICES + 1][64], *argv[2 * EMULATOR_DEVICES + 4];
		int argc = 0;

		argv[argc++] = (char *)"tph-emulator";
		for (unsigned int i = 0; i < devices; i++) {
			snprintf(text[i], sizeof(text[i]), "name=g%u,id=01:%02x.0,socket=/s%u", i,
				 i, i);
			argv[argc++] = (char *)"--gpu";
			argv[argc++] = text[i];
		}
		argv[argc] = NULL;
		assert_int_equal(options_parse(&options, argc, argv),
				 devices > EMULATOR_DEVICES ? -EINVAL : 0);
	}
}

static const char device[] = "name=h,id=00:04.0,socket=/s,lid=1";

static void test_files(void **state)
{
	char path[SOCKET_PATH + 1];

	(void)state;
	assert_int_equal(parse("--hca", device, "--control", "/c"), 0);
	assert_string_equal(options.control, "/c");
	assert_int_equal(parse("--hca", device, "--control", ""), -EINVAL);
	assert_int_equal(parse("--hca", device, "--control", "/s"), -EINVAL);
	assert_int_equal(parse("--hca", device, "--trace", ""), -EINVAL);
	assert_int_equal(parse("--hca", device, "--trace", "/s"), -EINVAL);
	memset(path, 'p', sizeof(path));
	path[SOCKET_PATH] = '\0';
	assert_int_equal(parse("--hca", device, "--control", path), -EINVAL);
	path[SOCKET_PATH - 1] = '\0';
	assert_int_equal(parse("--hca", device, "--control", path), 0);
}

static void test_sandbox(void **state)
{
	(void)state;
	assert_int_equal(parse("--hca", device, NULL, NULL), 0);
	assert_true(options.sandbox);
	assert_int_equal(parse("--hca", device, "--sandbox", "no"), 0);
	assert_false(options.sandbox);
	assert_int_equal(parse("--hca", device, "--sandbox", "yes"), 0);
	assert_true(options.sandbox);
	assert_int_equal(parse("--hca", device, "--sandbox", "off"), -EINVAL);
}

static void test_guest_cpus(void **state)
{
	const char *const wrong[] = { "", "0", "4097", "2x", "-1", "99999999999999999999" };

	(void)state;
	assert_int_equal(parse("--hca", device, "--sandbox", "yes"), 0);
	assert_int_equal(options.guest_cpus, 0);
	assert_int_equal(parse("--hca", device, "--guest-cpus", "1"), 0);
	assert_int_equal(options.guest_cpus, 1);
	assert_int_equal(parse("--hca", device, "--guest-cpus", "4096"), 0);
	assert_int_equal(options.guest_cpus, 4096);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(parse("--hca", device, "--guest-cpus", wrong[i]), -EINVAL);
}

static void test_ipoib_mtu(void **state)
{
	static const char *const wrong[] = { "", "0", "2048", "4096", "4092 ", "-4092", "40920" };
	size_t i;

	(void)state;
	assert_int_equal(parse("--hca", device, NULL, NULL), 0);
	assert_int_equal(options.ipoib_mtu, 2044);
	assert_int_equal(parse("--hca", device, "--ipoib-mtu", "4092"), 0);
	assert_int_equal(options.ipoib_mtu, 4092);
	assert_int_equal(parse("--hca", device, "--ipoib-mtu", "2044"), 0);
	assert_int_equal(options.ipoib_mtu, 2044);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(parse("--hca", device, "--ipoib-mtu", wrong[i]), -EINVAL);
}

static int parse_links(unsigned int links, const char *format)
{
	char text[UPLINKS + 1][64], copy[64], *argv[2 * UPLINKS + 6];
	int argc = 0;

	strcpy(copy, device);
	argv[argc++] = (char *)"tph-emulator";
	argv[argc++] = (char *)"--hca";
	argv[argc++] = copy;
	for (unsigned int i = 0; i < links; i++) {
		snprintf(text[i], sizeof(text[i]), format, i, i, i);
		argv[argc++] = (char *)"--link";
		argv[argc++] = text[i];
	}
	argv[argc] = NULL;
	return options_parse(&options, argc, argv);
}

static void test_links(void **state)
{
	(void)state;
	assert_int_equal(parse("--hca", device, NULL, NULL), 0);
	assert_int_equal(options.uplinks, 0);
	assert_int_equal(parse("--hca", device, "--link", "up,dgram=unix:/a:/b"), 0);
	assert_int_equal(options.uplinks, 1);
	assert_string_equal(options.uplink[0].name, "up");
	assert_string_equal(options.uplink[0].local, "/a");
	assert_string_equal(options.uplink[0].peer, "/b");
	assert_int_equal(parse("--hca", device, "--link", "up,dgram=unix:/a"), -EINVAL);
	assert_int_equal(parse_links(UPLINKS, "l%u,dgram=unix:/a%u:/b%u"), 0);
	assert_int_equal(options.uplinks, UPLINKS);
	assert_int_equal(parse_links(UPLINKS + 1, "l%u,dgram=unix:/a%u:/b%u"), -EINVAL);
	/* Names and own ends are different ones. */
	assert_int_equal(parse_links(2, "l,dgram=unix:/a%u:/b%u"), -EINVAL);
	assert_int_equal(parse_links(2, "l%u,dgram=unix:/a:/b%u"), -EINVAL);
	assert_int_equal(parse_links(2, "l%u,dgram=inet:h:1%u:h:1"), 0);
	assert_int_equal(parse_links(2, "l%u,dgram=inet:h:1:h:1%u"), -EINVAL);
}

/* What stderr says, which names option, device and cause, and what a terminal would obey is left
 * out. */
static void check_message(const char *properties, const char *expected)
{
	char text[256];
	int fd = memfd_create("stderr", 0), before = dup(STDERR_FILENO);
	ssize_t got;

	fflush(stderr);
	dup2(fd, STDERR_FILENO);
	assert_int_equal(parse("--hca", properties, NULL, NULL), -EINVAL);
	fflush(stderr);
	dup2(before, STDERR_FILENO);
	got = pread(fd, text, sizeof(text) - 1, 0);
	close(fd);
	close(before);
	assert_true(got >= 0);
	text[got] = '\0';
	assert_string_equal(text, expected);
}

static void test_messages(void **state)
{
	(void)state;
	check_message("name=h,lid=0",
		      "tph-emulator: --hca h: bad value of lid: 0; it is 1 to 0xbffe\n");
	check_message("name=h,\033]0;x=1", "tph-emulator: --hca h: no such property: ?]0;x\n");
	check_message("name=h,lid=\n\377",
		      "tph-emulator: --hca h: bad value of lid: ??; it is 1 to 0xbffe\n");
	check_message(
		"name=h,lid=1234567890123456789012345678901234567890123456789012345678901234567890",
		"tph-emulator: --hca h: bad value of lid: "
		"123456789012345678901234567890123456789012345678901234567890...; it is 1 to "
		"0xbffe\n");
	check_message("name=h,impair=loss=1%+dup=101%,lid=0",
		      "tph-emulator: --hca h: bad value of impair: dup=101%: a share is at most "
		      "100%\n");
	check_message("name=h,impair=",
		      "tph-emulator: --hca h: bad value of impair: : it names nothing, as loss=1% "
		      "would\n");
	check_message("lid=1", "tph-emulator: --hca: name, id, socket and lid are required\n");
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
		cmocka_unit_test(test_hca),	  cmocka_unit_test(test_impair),
		cmocka_unit_test(test_ethernet),  cmocka_unit_test(test_machine),
		cmocka_unit_test(test_endpoints), cmocka_unit_test(test_bad),
		cmocka_unit_test(test_twice),	  cmocka_unit_test(test_no_device),
		cmocka_unit_test(test_bounds),	  cmocka_unit_test(test_files),
		cmocka_unit_test(test_sandbox),	  cmocka_unit_test(test_ipoib_mtu),
		cmocka_unit_test(test_links),	  cmocka_unit_test(test_guest_cpus),
		cmocka_unit_test(test_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
