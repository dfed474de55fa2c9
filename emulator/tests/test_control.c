// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "emulator/pace.h"
#include "emulator/tests/controlled.h"
#include "pcie/tlp.h"

static void test_answers(void **state)
{
	(void)state;
	check("functions", "{\"functions\":[{\"name\":\"hca0\",\"bdf\":\"0000:00:04.0\",\"kind\":"
			   "\"hca\",\"lid\":1,"
			   "\"st_width\":8},{\"name\":\"gpu0\",\"bdf\":\"0000:00:10.0\",\"kind\":"
			   "\"gpu\",\"bar\":0,"
			   "\"size\":1048576}]}\n");
	check("mkey hca0", "{\"mkey\":null}\n");
	check("clear-mkey hca0", "{}\n");
	check("mark here", "{\"error\":\"no trace is written for the mark: here\"}\n");
}

/* Where there are several, each function is in one. */
static void test_machine(void **state)
{
	char *answer;

	(void)state;
	strcpy(options[1].machine, "right");
	answer = control_answer(&scope, "functions");
	options[1].machine[0] = '\0';
	assert_string_equal(answer, "{\"functions\":[{\"name\":\"hca0\",\"bdf\":\"0000:00:04.0\","
				    "\"kind\":\"hca\",\"lid\":1,\"st_width\":8},"
				    "{\"name\":\"gpu0\",\"bdf\":\"0000:00:10.0\",\"kind\":\"gpu\","
				    "\"machine\":\"right\",\"bar\":0,\"size\":1048576}]}\n");
	free(answer);
}

/* What a driver holds: nothing before it came, and numbers with the names of kinds. */
static void test_objects(void **state)
{
	char *answer = control_answer(&scope, "objects hca0");

	(void)state;
	assert_non_null(answer);
	assert_non_null(strstr(answer, "{\"memory\":0,\"objects\":{\"qp\":0,\"srq\":0,"));
	for (unsigned int i = 0; i < HCA_OBJECT_KINDS; i++) {
		char part[64];

		snprintf(part, sizeof(part), "\"%s\":0", hca_object_kind(i));
		assert_non_null(strstr(answer, part));
	}
	free(answer);
	check("objects gpu0", "{\"error\":\"no such HCA: gpu0\"}\n");
	check("objects nothing", "{\"error\":\"no such HCA: nothing\"}\n");
	check("objects", "{\"error\":\"no such HCA: \"}\n");
}

static void test_engine(void **state)
{
	struct engine *engine = engine_new(3);
	struct control_scope with = scope;
	char expected[256], *answer;

	(void)state;
	check("engine", "{\"error\":\"no engine runs: engine\"}\n");
	assert_non_null(engine);
	with.engine = engine;
	answer = control_answer(&with, "engine");
	snprintf(expected, sizeof(expected),
		 "{\"pace\":\"%s\",\"cpus\":%u,\"guest_cpus\":3,\"rounds\":0,\"naps\":0,"
		 "\"work_ns\":0,\"nap_ns\":0}\n",
		 pace_cpus() >= 5 ? "spin" : "nap", pace_cpus());
	assert_string_equal(answer, expected);
	free(answer);
	engine_free(engine);
}

static void test_mark(void **state)
{
	char path[] = "/tmp/tph-control-XXXXXX";
	int fd = mkstemp(path);
	struct tlp_trace *trace = tlp_trace_open(path);
	struct control_scope traced = scope;
	char *answer, bytes[256];
	ssize_t got;

	(void)state;
	assert_non_null(trace);
	traced.trace = trace;
	answer = control_answer(&traced, "mark h\033re");
	assert_string_equal(answer, "{\"error\":\"a mark has printable ASCII characters only: "
				    "h\\u001bre\"}\n");
	free(answer);
	answer = control_answer(&traced, "mark here");
	assert_string_equal(answer, "{}\n");
	free(answer);
	/* Readers see the mark at once. */
	got = read(fd, bytes, sizeof(bytes));
	assert_true(got > 0);
	assert_non_null(memmem(bytes, (size_t)got, "here", 4));
	assert_int_equal(tlp_trace_close(trace), 0);
	close(fd);
	unlink(path);
}

static void test_counts(void **state)
{
	struct pcie_function *fn = endpoint_function(devices[1].endpoint);
	struct tlp tlp = { .type = TLP_MWR,
			   .hint = { .th = true, .extended = true, .ph = 3, .st = 0xbeef } };
	char data[4] = "abc";

	(void)state;
	tlp_set_range(&tlp, 0x1000, 4);
	fn->ops->memory_request(fn, 0, 0x1000, &tlp, data, 4);
	check("counts gpu0", "{\"hints\":1,\"counts\":[{\"ph\":3,\"st\":48879,\"st_width\":16,"
			     "\"writes\":1,\"reads\":0,\"write_bytes\":4,\"read_bytes\":0}]}\n");
	check("reset-counts gpu0", "{}\n");
	check("counts gpu0", "{\"hints\":0,\"counts\":[]}\n");
}

/* An answer has a bound, and says how many there are beyond it. */
static void test_many_counts(void **state)
{
	struct pcie_function *fn = endpoint_function(devices[1].endpoint);
	struct tlp tlp = { .type = TLP_MWR, .hint = { .th = true, .extended = true } };
	unsigned int entries;
	char *answer, data[4] = "abc";

	(void)state;
	tlp_set_range(&tlp, 0x1000, 4);
	for (unsigned int st = 0; st < 1025; st++) {
		tlp.hint.st = (uint16_t)st;
		fn->ops->memory_request(fn, 0, 0x1000, &tlp, data, 4);
		if (st < 1023)
			continue;
		answer = control_answer(&scope, "counts gpu0");
		assert_non_null(answer);
		assert_int_equal(strtoul(answer + strlen("{\"hints\":"), NULL, 10), st + 1);
		entries = 0;
		for (char *at = answer; (at = strstr(at, "\"ph\"")); at++)
			entries++;
		assert_int_equal(entries, 1024);
		assert_true(strlen(answer) <= CONTROL_ANSWER);
		free(answer);
	}
	check("reset-counts gpu0", "{}\n");
}

#define DROPPED                                                                                  \
	"\"dropped\":{\"length\":0,\"version\":0,\"class\":0,\"method\":0,\"rmpp\":0,\"key\":0," \
	"\"busy\":0,\"standby\":0,\"smp\":0}"
#define SUBNET_IS(link)                                                                            \
	"{\"sm_lid\":49151,\"ports\":[{\"name\":\"hca0\",\"lid\":1,\"link\":\"" link               \
	"\"}],\"groups\":[{\"mgid\":\"ff12:401b:ffff::ffff:ffff\",\"mlid\":49152,\"members\":0}]," \
	"\"queries\":0," DROPPED "}\n"

static void test_link(void **state)
{
	(void)state;
	check("subnet", SUBNET_IS("up"));
	check("link hca0 down", "{}\n");
	check("subnet", SUBNET_IS("down"));
	assert_false(hca_link(devices[0].hca));
	check("link hca0 up", "{}\n");
	check("subnet", SUBNET_IS("up"));
	check("link hca0 left", "{\"error\":\"a link is up or down: left\"}\n");
	check("link gpu0 up", "{\"error\":\"no such HCA: link\"}\n");
	check("link", "{\"error\":\"no such HCA: link\"}\n");
	check("subnet", SUBNET_IS("up"));
}

static void test_switch(void **state)
{
	struct bridge *bridge = bridge_new();
	struct uplink *uplink;
	int pair[2];

	(void)state;
	check("switch", "{\"ports\":[],\"links\":[]}\n");
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	uplink = uplink_new("up", &(struct uplink_end){ .fd = pair[0] }, bridge, nothing, NULL);
	assert_non_null(uplink);
	assert_int_equal(send(pair[1], "short", 5, 0), 5);
	while (!uplink_counts(uplink).in_bad)
		usleep(100);
	scope.uplinks = &uplink;
	scope.uplink_count = 1;
	options[0].ethernet = true;
	check("switch",
	      "{\"ports\":[{\"name\":\"hca0\",\"link\":\"up\"}],\"links\":[{\"name\":\"up\","
	      "\"in\":0,\"in_octets\":0,\"in_lost\":0,\"in_bad\":1,\"out\":0,"
	      "\"out_octets\":0,\"out_lost\":0}]}\n");
	options[0].ethernet = false;
	scope.uplink_count = 0;
	uplink_free(uplink);
	close(pair[1]);
	bridge_free(bridge);
}

static void test_commands(void **state)
{
	(void)state;
	check("commands hca0 on", "{}\n");
	check("commands hca0 off", "{}\n");
	check("commands hca0 of", "{\"error\":\"the log of commands is on or off: of\"}\n");
	check("commands hca0", "{\"error\":\"the log of commands is on or off: \"}\n");
	check("commands gpu0 on", "{\"error\":\"no such HCA: commands\"}\n");
	check("commands", "{\"error\":\"no such HCA: commands\"}\n");
}

static uint16_t st_table_size(void)
{
	uint16_t size;

	pcie_config_read(hca_function(devices[0].hca), 0x106, &size, sizeof(size));
	return size;
}

static void test_st_entries(void **state)
{
	(void)state;
	assert_int_equal(st_table_size(), 63);
	check("st-entries hca0 4", "{}\n");
	assert_int_equal(st_table_size(), 3);
	check("st-entries hca0 65", "{\"error\":\"an ST table has 1 to 64 entries: 65\"}\n");
	check("st-entries hca0", "{\"error\":\"an ST table has 1 to 64 entries: \"}\n");
	check("st-entries gpu0 4", "{\"error\":\"no such HCA: st-entries\"}\n");
	assert_int_equal(st_table_size(), 3);
	check("st-entries hca0 0", "{}\n");
	assert_int_equal(st_table_size(), 63);
}

static void test_errors(void **state)
{
	(void)state;
	check("", "{\"error\":\"no such request: \"}\n");
	check("quit", "{\"error\":\"no such request: quit\"}\n");
	check("counts hca0", "{\"error\":\"no such endpoint: hca0\"}\n");
	check("counts", "{\"error\":\"no such endpoint: \"}\n");
	check("mkey gpu0", "{\"error\":\"no such HCA: gpu0\"}\n");
	check("mark", "{\"error\":\"a mark has 1 to 23 characters: \"}\n");
	check("mark abcdefghijklmnopqrstuvwx",
	      "{\"error\":\"a mark has 1 to 23 characters: abcdefghijklmnopqrstuvwx\"}\n");
}

static int ask(int fd, const char *text, char *answer, size_t size)
{
	ssize_t got;

	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return -errno;
	got = recv(fd, answer, size - 1, 0);
	if (got < 0)
		return -errno;
	answer[got] = '\0';
	return (int)got;
}

static void test_socket(void **state)
{
	char dir[] = "/tmp/tph-control-XXXXXX", path[64], answer[256], longer[600];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct control *control;
	struct stat st;
	int fd[2];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	strcpy(address.sun_path, path);
	control = control_start(path, &scope);
	assert_non_null(control);
	/* The path is taken: an error, and the first server goes on. */
	assert_null(control_start(path, &scope));
	assert_int_equal(errno, EADDRINUSE);
	for (int i = 0; i < 2; i++) {
		fd[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		assert_int_equal(connect(fd[i], (struct sockaddr *)&address, sizeof(address)), 0);
		assert_int_equal(ask(fd[i], "mkey hca0\n", answer, sizeof(answer)), 14);
		assert_string_equal(answer, "{\"mkey\":null}\n");
	}
	/* Half a line is kept until the other half comes. */
	assert_int_equal(send(fd[0], "mkey", 4, 0), 4);
	assert_int_equal(ask(fd[0], " hca0\n", answer, sizeof(answer)), 14);
	/* A line without end: hung up; the other client is not disturbed. */
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_true(ask(fd[0], longer, answer, sizeof(answer)) <= 0);
	assert_int_equal(ask(fd[1], "mkey hca0\n", answer, sizeof(answer)), 14);
	close(fd[0]);
	close(fd[1]);
	control_stop(control);
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(errno, ENOENT);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),	 cmocka_unit_test(test_objects),
		cmocka_unit_test(test_machine),	 cmocka_unit_test(test_mark),
		cmocka_unit_test(test_engine),	 cmocka_unit_test(test_counts),
		cmocka_unit_test(test_commands), cmocka_unit_test(test_st_entries),
		cmocka_unit_test(test_errors),	 cmocka_unit_test(test_socket),
		cmocka_unit_test(test_link),	 cmocka_unit_test(test_many_counts),
		cmocka_unit_test(test_switch),
	};

	return cmocka_run_group_tests(tests, controlled_setup, controlled_teardown);
}
