// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "emulator/impair.h"
#include "emulator/tests/controlled.h"
#include "hca/model.h"
#include "hca/wire.h"

#define OK "{}\n"
#define NO_COUNTS                                                               \
	"{\"packets\":0,\"octets\":0,\"lost\":0,\"doubled\":0,\"reordered\":0," \
	"\"damaged\":0,\"marked\":0,\"overflow\":0,\"delivered\":0}"
#define NOTHING(spec)                                                               \
	"{\"impairment\":\"" spec "\",\"counts\":{\"request\":" NO_COUNTS           \
	",\"response\":" NO_COUNTS ",\"ack\":" NO_COUNTS ",\"datagram\":" NO_COUNTS \
	",\"frame\":" NO_COUNTS ",\"cnp\":" NO_COUNTS "},\"events\":0,\"log\":[]}\n"
#define NONE "{\"impairment\":null}\n"

static void test_on_and_off(void **state)
{
	(void)state;
	check("impair hca0 show", NONE);
	check("impair hca0 loss=0.1% delay=50us seed=7", OK);
	/* Before the next turn and behind it. */
	check("impair hca0 show", NOTHING("loss=0.1% delay=50us seed=7"));
	assert_null(devices[0].hca->wire);
	hca_poll(devices[0].hca);
	assert_non_null(devices[0].hca->wire);
	check("impair hca0 show", NOTHING("loss=0.1% delay=50us seed=7"));
	check("impair hca0 loss=1%+seed=8", OK);
	hca_poll(devices[0].hca);
	check("impair hca0 show", NOTHING("loss=1% seed=8"));
	check("impair hca0 off", OK);
	check("impair hca0 show", NONE);
	hca_poll(devices[0].hca);
	check("impair hca0 show", NONE);
	assert_null(devices[0].hca->wire);
}

static void send_datagram(uint32_t qpn, uint32_t psn)
{
	uint8_t data[SUBNET_GRH_LEN + 8] = { 0 };
	struct subnet_packet packet = {
		.slid = 1, .dlid = 2, .dest_qpn = qpn, .data = data, .len = 8
	};

	hca_wire_datagram(devices[0].hca, &packet, psn);
}

static void test_log(void **state)
{
	struct json_object *answer, *log, *event, *value;
	char *text;

	(void)state;
	check("impair hca0 loss=100%", OK);
	hca_poll(devices[0].hca);
	send_datagram(77, 0);
	send_datagram(78, 1);
	text = answer_to("impair hca0 show");
	answer = json_tokener_parse(text);
	free(text);
	assert_true(json_object_object_get_ex(answer, "events", &value));
	assert_int_equal(json_object_get_int(value), 2);
	assert_true(json_object_object_get_ex(answer, "counts", &value));
	assert_true(json_object_object_get_ex(value, "datagram", &value));
	assert_true(json_object_object_get_ex(value, "lost", &value));
	assert_int_equal(json_object_get_int(value), 2);
	assert_true(json_object_object_get_ex(answer, "log", &log));
	assert_int_equal(json_object_array_length(log), 2);
	event = json_object_array_get_idx(log, 1);
	json_object_object_del(event, "ns");
	assert_string_equal(
		json_object_to_json_string_ext(event, JSON_C_TO_STRING_PLAIN),
		"{\"number\":1,\"kind\":\"datagram\",\"qpn\":78,\"psn\":1,\"octets\":42,"
		"\"what\":[\"lost\"]}");
	json_object_put(answer);
}

/* The longest answer there is has room, and is not cut. */
static void test_full_log(void **state)
{
	char *text;

	(void)state;
	check("impair hca0 dup=100%+reorder=100%+ecn=100%+biterror=1", OK);
	hca_poll(devices[0].hca);
	for (unsigned int i = 0; i < IMPAIRMENT_LOG + 10; i++)
		send_datagram(0xffffff, 0xffffff);
	text = answer_to("impair hca0 show");
	assert_non_null(strstr(text, "\"events\":1034,"));
	assert_non_null(strstr(text, "[{\"number\":10,"));
	assert_non_null(strstr(text, "{\"number\":1033,"));
	assert_true(strlen(text) < CONTROL_ANSWER / 2);
	free(text);
}

#define LINK(spec) \
	"{\"impairment\":\"" spec "\",\"counts\":{\"in\":" NO_COUNTS ",\"out\":" NO_COUNTS "}}\n"

/* The second link is called as a function, which comes first. */
static void test_links(void **state)
{
	struct bridge *bridge = bridge_new();
	struct uplink *uplinks[2];
	int fds[2][2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds[i]), 0);
		uplinks[i] =
			uplink_new(i ? "hca0" : "peer", &(struct uplink_end){ .fd = fds[i][0] },
				   bridge, nothing, NULL);
		assert_non_null(uplinks[i]);
	}
	scope.uplinks = uplinks;
	scope.uplink_count = 2;
	check("impair peer show", NONE);
	check("impair peer loss=1%+seed=3", OK);
	check("impair peer show", LINK("loss=1% seed=3"));
	assert_true(uplink_poll(uplinks[0]));
	check("impair peer show", LINK("loss=1% seed=3"));
	check("impair peer dup=150%",
	      "{\"error\":\"no such impairment: dup=150%: a share is at most 100%\"}\n");
	check("impair peer", "{\"error\":\"a spec, off or show: peer\"}\n");
	check("impair hca0 loss=2%", OK);
	hca_poll(devices[0].hca);
	assert_non_null(devices[0].hca->wire);
	assert_false(uplink_poll(uplinks[1]));
	check("impair peer off", OK);
	assert_true(uplink_poll(uplinks[0]));
	check("impair peer show", NONE);
	scope.uplink_count = 0;
	for (int i = 0; i < 2; i++) {
		uplink_free(uplinks[i]);
		close(fds[i][1]);
	}
	bridge_free(bridge);
}

static void test_errors(void **state)
{
	(void)state;
	check("impair", "{\"error\":\"no such HCA or link: \"}\n");
	check("impair hca9 show", "{\"error\":\"no such HCA or link: hca9\"}\n");
	check("impair gpu0 loss=1%", "{\"error\":\"no such HCA or link: gpu0\"}\n");
	check("impair hca0", "{\"error\":\"a spec, off or show: hca0\"}\n");
	check("impair hca0 ", "{\"error\":\"a spec, off or show: hca0\"}\n");
	check("impair hca0 loss=150%",
	      "{\"error\":\"no such impairment: loss=150%: a share is at most 100%\"}\n");
	check("impair hca0 show off", "{\"error\":\"no such impairment: show: no value\"}\n");
	hca_poll(devices[0].hca);
	assert_null(devices[0].hca->wire);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, controlled_setup, controlled_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_on_and_off), TEST(test_log),	  TEST(test_full_log),
		TEST(test_links),      TEST(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
