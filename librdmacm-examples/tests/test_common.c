// SPDX-License-Identifier: GPL-2.0-only OR Linux-OpenIB
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "librdmacm-examples/bar_common.h"

static void test_sizes(void **state)
{
	(void)state;
	/* What RDMA_PS_TCP leaves of a request, and a reject has. */
	assert_true(sizeof(struct bar_request) <= 56);
	assert_true(sizeof(struct bar_refusal) <= 148);
	assert_int_equal(32, sizeof(struct bar_offer));
	assert_int_equal(8, offsetof(struct bar_offer, addr));
	assert_int_equal(27, offsetof(struct bar_offer, flags));
}

static void test_kinds(void **state)
{
	struct bar_offer offer = { .header = bar_header(BAR_OFFER) };
	static const uint8_t zeros[196];

	(void)state;
	assert_memory_equal("RBAR\1\2\0\0", &offer, 8);
	assert_true(bar_is(BAR_OFFER, &offer, sizeof(offer)));
	assert_true(bar_is(BAR_OFFER, &offer, sizeof(offer) + 100));
	assert_false(bar_is(BAR_OFFER, &offer, sizeof(offer) - 1));
	assert_false(bar_is(BAR_REQUEST, &offer, sizeof(offer)));
	assert_false(bar_is(BAR_OFFER, NULL, 0));
	assert_false(bar_is(BAR_OFFER, zeros, sizeof(zeros)));
	offer.header.version++;
	assert_false(bar_is(BAR_OFFER, &offer, sizeof(offer)));
	offer.header = bar_header(BAR_OFFER);
	offer.header.reserved[1] = 1;
	assert_false(bar_is(BAR_OFFER, &offer, sizeof(offer)));
}

static void test_refusal(void **state)
{
	struct bar_refusal refusal = { .header = bar_header(BAR_REFUSAL) };
	char text[128];

	(void)state;
	strcpy(refusal.text, "no \033[2J room\n");
	bar_refusal_text(&refusal, text);
	assert_string_equal("no ?[2J room?", text);
	memset(refusal.text, 'a', sizeof(refusal.text));
	bar_refusal_text(&refusal, text);
	assert_int_equal(127, strlen(text));
}

static void test_job(void **state)
{
	struct bar_request request = { .size = htobe32(4096),
				       .count = htobe32(3),
				       .seed = htobe32(9) };
	struct bar_job job;

	(void)state;
	assert_true(bar_job(&request, &job));
	assert_int_equal(4096, job.size);
	assert_int_equal(3, job.count);
	assert_int_equal(9, job.seed);
	request.count = 0;
	assert_false(bar_job(&request, &job));
	request.count = htobe32(1);
	request.size = 0;
	assert_false(bar_job(&request, &job));
}

/* Each slot's last message, found by writing all of them. */
static void check_places(uint32_t size, uint32_t count, uint32_t len, uint32_t slots)
{
	struct bar_job job = { .size = size, .count = count };
	uint32_t last[64];

	assert_int_equal(slots, bar_slots(&job, len));
	for (uint32_t i = 0; slots && i < count; i++) {
		uint64_t place = bar_place(&job, len, i);

		assert_int_equal(0, place % size);
		assert_true(place + size <= len);
		last[place / size] = i;
	}
	for (uint32_t slot = 0; slot < slots; slot++)
		assert_int_equal(last[slot], bar_last(&job, len, slot));
}

static void test_places(void **state)
{
	(void)state;
	check_places(4096, 16, 65536, 16);
	check_places(4096, 1, 65536, 1);
	check_places(4096, 17, 65536, 16);
	check_places(4096, 40, 65536, 16);
	check_places(3000, 100, 65536, 21);
	check_places(65536, 5, 65536, 1);
	check_places(65537, 5, 65536, 0);
	check_places(1, 7, 3, 3);
}

static void test_pattern(void **state)
{
	struct bar_job job = { .size = 256, .count = 4, .seed = 1 }, other = job;
	uint8_t a[256], b[256];

	(void)state;
	bar_fill(&job, 0, a);
	bar_fill(&job, 0, b);
	assert_int_equal(256, bar_differs(a, b, 256));
	b[255] ^= 1;
	assert_int_equal(255, bar_differs(a, b, 256));
	b[0] ^= 1;
	assert_int_equal(0, bar_differs(a, b, 256));
	bar_fill(&job, 1, b);
	assert_true(bar_differs(a, b, 256) < 4);
	other.seed = 7;
	bar_fill(&other, 0, b);
	assert_true(bar_differs(a, b, 256) < 4);
	/* Neither constant nor with a short period. */
	assert_true(bar_differs(a, a + 1, 255) < 4);
	assert_true(bar_differs(a, a + 128, 128) < 4);
}

static void test_number(void **state)
{
	static const char *const bad[] = {
		"", "x", "-1", "1x", "0x", "300", "18446744073709551616"
	};
	uint64_t value = 77;

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(bar_number('t', bad[i], 0, 255, &value));
	assert_false(bar_number('n', "0", 1, 255, &value));
	assert_int_equal(77, value);
	assert_true(bar_number('t', "0xff", 0, 255, &value));
	assert_int_equal(255, value);
	assert_true(bar_number('t', "010", 0, 255, &value));
	assert_int_equal(10, value);
}

static void test_signals(void **state)
{
	int fds[2];
	char c;

	(void)state;
	assert_int_equal(0, bar_status(0));
	assert_int_equal(1, bar_status(-1));
	assert_int_equal(0, pipe(fds));
	bar_catch_signals();
	/* It comes before the call, which ends nevertheless. */
	raise(SIGTERM);
	assert_int_equal(-1, read(fds[0], &c, 1));
	assert_int_equal(EINTR, errno);
	assert_int_equal(SIGTERM, bar_stop);
	assert_int_equal(128 + SIGTERM, bar_status(0));
	alarm(0);
	close(fds[0]);
	close(fds[1]);
}

static void test_peer(void **state)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htobe16(4711),
				  .sin_addr.s_addr = htobe32(0x0a070001) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htobe16(65535) };
	char text[64];

	(void)state;
	bar_peer((const struct sockaddr *)&v4, text);
	assert_string_equal("10.7.0.1 port 4711", text);
	memset(&v6.sin6_addr, 0xfd, sizeof(v6.sin6_addr));
	bar_peer((const struct sockaddr *)&v6, text);
	assert_string_equal("fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd port 65535", text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),	cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_refusal), cmocka_unit_test(test_job),
		cmocka_unit_test(test_places),	cmocka_unit_test(test_pattern),
		cmocka_unit_test(test_number),	cmocka_unit_test(test_signals),
		cmocka_unit_test(test_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
