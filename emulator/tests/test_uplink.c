// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "emulator/uplink.h"

#define LONGEST BRIDGE_FRAME_MAX

static uint8_t frame[LONGEST + 1];
static atomic_uint wakes;

/* A switch with an uplink, and a station that remembers the last frame it got. */
struct side {
	struct bridge *bridge;
	struct bridge_port *station;
	struct uplink *uplink;
	unsigned int frames;
	size_t len;
	uint8_t last[LONGEST];
};

static struct side left, right;
static int raw; /* the other end of a pair: the test's own */

static void wake(void *arg)
{
	(void)arg;
	atomic_fetch_add(&wakes, 1);
}

static void get(void *owner, const uint8_t *bytes, size_t len)
{
	struct side *side = owner;

	side->frames++;
	side->len = len;
	memcpy(side->last, bytes, len);
}

static void make(struct side *side, const struct uplink_end *end)
{
	const struct bridge_port_attr attr = { .owner = side, .deliver = get };

	memset(side, 0, sizeof(*side));
	side->bridge = bridge_new();
	side->station = bridge_add(side->bridge, &attr);
	side->uplink = uplink_new("link0", end, side->bridge, wake, NULL);
	assert_non_null(side->uplink);
}

static void drop(struct side *side)
{
	if (!side->bridge)
		return;
	uplink_free(side->uplink);
	bridge_remove(side->station);
	bridge_free(side->bridge);
	memset(side, 0, sizeof(*side));
}

static int setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 7);
	memcpy(frame, (uint8_t[]){ 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 }, 12);
	raw = -1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	drop(&left);
	drop(&right);
	if (raw >= 0)
		close(raw);
	return 0;
}

/* An uplink of @left whose other end is @raw. */
static void make_raw(void)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	raw = pair[1];
	make(&left, &(struct uplink_end){ .fd = pair[0] });
}

static uint64_t arrived(struct side *side)
{
	struct uplink_counts counts = uplink_counts(side->uplink);

	return counts.in + counts.in_lost + counts.in_bad;
}

/* The thread has read so many. */
static void wait_for(struct side *side, uint64_t all)
{
	while (arrived(side) < all)
		usleep(100);
	assert_int_equal(arrived(side), all);
}

static void both_ways(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	make(&left, &(struct uplink_end){ .fd = pair[0] });
	make(&right, &(struct uplink_end){ .fd = pair[1] });
	atomic_store(&wakes, 0);
	assert_false(uplink_poll(right.uplink));
	bridge_send(left.station, frame, LONGEST, clock_now_ns());
	wait_for(&right, 1);
	while (!atomic_load(&wakes))
		usleep(100);
	assert_int_equal(right.frames, 0);
	assert_true(uplink_poll(right.uplink));
	assert_int_equal(right.frames, 1);
	assert_int_equal(right.len, LONGEST);
	assert_memory_equal(right.last, frame, LONGEST);
	assert_false(uplink_poll(right.uplink));
	bridge_send(right.station, frame, BRIDGE_FRAME_MIN, clock_now_ns());
	wait_for(&left, 1);
	assert_true(uplink_poll(left.uplink));
	assert_int_equal(left.len, BRIDGE_FRAME_MIN);
	assert_int_equal(uplink_counts(left.uplink).in_octets, BRIDGE_FRAME_MIN);
	assert_int_equal(uplink_counts(left.uplink).out_octets, LONGEST);
	assert_int_equal(uplink_counts(left.uplink).out, 1);
	assert_string_equal(uplink_name(left.uplink), "link0");
}

/* Shorter than a header, longer than a frame, nothing at all. */
static void no_frames(void **state)
{
	(void)state;
	make_raw();
	assert_int_equal(send(raw, frame, 0, 0), 0);
	assert_int_equal(send(raw, frame, BRIDGE_FRAME_MIN - 1, 0), BRIDGE_FRAME_MIN - 1);
	assert_int_equal(send(raw, frame, LONGEST + 1, 0), LONGEST + 1);
	assert_int_equal(send(raw, frame, BRIDGE_FRAME_MIN, 0), BRIDGE_FRAME_MIN);
	wait_for(&left, 4);
	assert_int_equal(uplink_counts(left.uplink).in_bad, 3);
	assert_true(uplink_poll(left.uplink));
	assert_int_equal(left.frames, 1);
}

/* Nobody takes turns: so many wait, and the others are lost. A turn takes a part. */
static void what_comes_is_bounded(void **state)
{
	(void)state;
	make_raw();
	for (unsigned int i = 0; i < UPLINK_FRAMES + 10; i++)
		assert_int_equal(send(raw, frame, 60, 0), 60);
	wait_for(&left, UPLINK_FRAMES + 10);
	assert_int_equal(uplink_counts(left.uplink).in, UPLINK_FRAMES);
	assert_int_equal(uplink_counts(left.uplink).in_lost, 10);
	assert_true(uplink_poll(left.uplink));
	assert_int_equal(left.frames, UPLINK_TURN);
	while (uplink_poll(left.uplink))
		;
	assert_int_equal(left.frames, UPLINK_FRAMES);
	/* The same of bytes. */
	for (unsigned int i = 0; i < UPLINK_BYTES / LONGEST + 2; i++)
		assert_int_equal(send(raw, frame, LONGEST, 0), LONGEST);
	wait_for(&left, UPLINK_FRAMES + 10 + UPLINK_BYTES / LONGEST + 2);
	assert_int_equal(uplink_counts(left.uplink).in, UPLINK_FRAMES + UPLINK_BYTES / LONGEST);
	assert_int_equal(uplink_counts(left.uplink).in_lost, 12);
}

/* The peer reads nothing: what it has no room for waits, up to a bound, and goes when it reads. */
static void what_leaves_is_bounded(void **state)
{
	uint64_t sent, all = 0;
	uint8_t buffer[64];

	(void)state;
	make_raw();
	while (!uplink_counts(left.uplink).out_lost) {
		bridge_send(left.station, frame, 60, clock_now_ns());
		all++;
		assert_true(all < 1000000);
	}
	sent = uplink_counts(left.uplink).out;
	assert_int_equal(all, sent + UPLINK_FRAMES + 1);
	assert_false(uplink_poll(left.uplink));
	assert_int_equal(recv(raw, buffer, sizeof(buffer), 0), 60);
	assert_memory_equal(buffer, frame, 60);
	assert_true(uplink_poll(left.uplink));
	assert_true(uplink_counts(left.uplink).out > sent);
	for (uint64_t i = 1; i < all - 1; i++) {
		assert_int_equal(recv(raw, buffer, sizeof(buffer), 0), 60);
		uplink_poll(left.uplink);
	}
	assert_int_equal(recv(raw, buffer, sizeof(buffer), MSG_DONTWAIT), -1);
	assert_int_equal(uplink_counts(left.uplink).out, all - 1);
	assert_int_equal(uplink_counts(left.uplink).out_lost, 1);
}

static void impair_left(const char *text)
{
	char message[IMPAIRMENT_TEXT];
	struct impairment_spec spec;

	assert_int_equal(impairment_parse(text, &spec, message), 0);
	assert_int_equal(uplink_impair(left.uplink, &spec), 0);
}

/* Both directions of a bad link. */
static void lost_and_doubled(void **state)
{
	uint8_t got[64];

	(void)state;
	make_raw();
	impair_left("loss=100%");
	bridge_send(left.station, frame, 60, clock_now_ns());
	assert_int_equal(recv(raw, got, sizeof(got), MSG_DONTWAIT), -1);
	assert_int_equal(send(raw, frame, 60, 0), 60);
	wait_for(&left, 1);
	assert_true(uplink_poll(left.uplink));
	assert_int_equal(left.frames, 0);
	drop(&left);
	close(raw);
	make_raw();
	impair_left("dup=100%+biterror=1");
	bridge_send(left.station, frame, 60, clock_now_ns());
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(recv(raw, got, sizeof(got), MSG_DONTWAIT), 60);
		assert_memory_not_equal(got, frame, 60);
	}
	assert_int_equal(recv(raw, got, sizeof(got), MSG_DONTWAIT), -1);
	drop(&left);
	close(raw);
	make_raw();
	impair_left("delay=1ms");
	bridge_send(left.station, frame, 60, clock_now_ns());
	while (recv(raw, got, sizeof(got), MSG_DONTWAIT) < 0)
		uplink_poll(left.uplink);
	assert_memory_equal(got, frame, 60);
	/* What is under way goes with the link. */
	bridge_send(left.station, frame, 60, clock_now_ns());
}

/* As by a congested switch: the IPv6 header says so. */
static void marked(void **state)
{
	uint8_t got[64];

	(void)state;
	memset(frame + 12, 0, 48);
	memcpy(frame + 12, (uint8_t[]){ 0x86, 0xdd, 0x60, 0x20 }, 4);
	make_raw();
	impair_left("ecn=100%");
	bridge_send(left.station, frame, 60, clock_now_ns());
	assert_int_equal(recv(raw, got, sizeof(got), MSG_DONTWAIT), 60);
	assert_int_equal(got[15], 0x30);
	got[15] = 0x20;
	assert_memory_equal(got, frame, 60);
	assert_int_equal(send(raw, frame, 60, 0), 60);
	wait_for(&left, 1);
	assert_true(uplink_poll(left.uplink));
	assert_int_equal(left.frames, 1);
	assert_int_equal(left.last[15], 0x30);
}

/* --- while it runs --- */

static void set_left(const char *text)
{
	struct impairment_spec spec;
	char message[IMPAIRMENT_TEXT];

	assert_int_equal(impairment_parse(text, &spec, message), 0);
	uplink_set_impairment(left.uplink, &spec);
}

/* Bad? Frames of either way, and those of them that were lost. */
static void check_left(bool bad, uint64_t in, uint64_t in_lost, uint64_t out, uint64_t out_lost)
{
	struct impairment_counts came, left_it;
	struct impairment_spec spec;

	assert_int_equal(uplink_impairment(left.uplink, &spec, &came, &left_it), bad);
	assert_int_equal(came.packets, in);
	assert_int_equal(came.lost, in_lost);
	assert_int_equal(left_it.packets, out);
	assert_int_equal(left_it.lost, out_lost);
}

static void bad_for_a_while(void **state)
{
	uint8_t got[64];

	(void)state;
	make_raw();
	check_left(false, 0, 0, 0, 0);
	set_left("loss=100%");
	check_left(true, 0, 0, 0, 0);
	/* Not before the next turn. */
	bridge_send(left.station, frame, 60, clock_now_ns());
	assert_int_equal(recv(raw, got, sizeof(got), MSG_DONTWAIT), 60);
	assert_true(uplink_poll(left.uplink));
	bridge_send(left.station, frame, 60, clock_now_ns());
	bridge_send(left.station, frame, 60, clock_now_ns());
	assert_int_equal(recv(raw, got, sizeof(got), MSG_DONTWAIT), -1);
	assert_int_equal(send(raw, frame, 60, 0), 60);
	wait_for(&left, 1);
	assert_true(uplink_poll(left.uplink));
	assert_int_equal(left.frames, 0);
	check_left(true, 1, 1, 2, 2);
	/* It begins anew. */
	set_left("delay=10s");
	assert_true(uplink_poll(left.uplink));
	bridge_send(left.station, frame, 60, clock_now_ns());
	assert_int_equal(recv(raw, got, sizeof(got), MSG_DONTWAIT), -1);
	check_left(true, 0, 0, 1, 0);
	/* What is late comes at once. */
	uplink_set_impairment(left.uplink, NULL);
	check_left(false, 0, 0, 0, 0);
	assert_true(uplink_poll(left.uplink));
	assert_int_equal(recv(raw, got, sizeof(got), MSG_DONTWAIT), 60);
	bridge_send(left.station, frame, 60, clock_now_ns());
	assert_int_equal(recv(raw, got, sizeof(got), MSG_DONTWAIT), 60);
	assert_memory_equal(got, frame, 60);
	assert_false(uplink_poll(left.uplink));
	check_left(false, 0, 0, 0, 0);
}

static void a_peer_that_is_gone(void **state)
{
	(void)state;
	make_raw();
	close(raw);
	raw = -1;
	for (unsigned int i = 0; i < 3; i++)
		bridge_send(left.station, frame, 60, clock_now_ns());
	assert_int_equal(uplink_counts(left.uplink).out_lost, 3);
	assert_int_equal(uplink_counts(left.uplink).out, 0);
}

/* --- sockets --------------------------------------------------------------------------------- */

static struct uplink_options parsed(const char *text)
{
	struct uplink_options options;
	const char *why;
	char copy[600];

	assert_true(strlen(text) < sizeof(copy));
	strcpy(copy, text);
	assert_int_equal(uplink_parse(copy, &options, &why), 0);
	return options;
}

static void paths(void **state)
{
	char dir[] = "/tmp/uplink-XXXXXX", text[128], a[48], b[48];
	struct uplink_options here, there;
	struct uplink_end end;
	struct stat stat;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(a, sizeof(a), "%s/a", dir);
	snprintf(b, sizeof(b), "%s/b", dir);
	snprintf(text, sizeof(text), "l,dgram=unix:%s:%s", a, b);
	here = parsed(text);
	snprintf(text, sizeof(text), "l,dgram=unix:%s:%s", b, a);
	there = parsed(text);
	/* A file that is no socket is nobody's to remove. */
	file = fopen(a, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(uplink_open(&here, &end), -EADDRINUSE);
	assert_int_equal(lstat(a, &stat), 0);
	unlink(a);
	assert_int_equal(uplink_open(&here, &end), 0);
	/* What is left of somebody else is. */
	close(end.fd);
	assert_int_equal(uplink_open(&here, &end), 0);
	make(&left, &end);
	/* The peer comes later, goes, and comes again. */
	bridge_send(left.station, frame, 60, clock_now_ns());
	assert_int_equal(uplink_counts(left.uplink).out_lost, 1);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(uplink_open(&there, &end), 0);
		make(&right, &end);
		bridge_send(left.station, frame, 60, clock_now_ns());
		wait_for(&right, 1);
		bridge_send(right.station, frame, 61, clock_now_ns());
		wait_for(&left, i + 1);
		drop(&right);
		assert_int_equal(lstat(b, &stat), -1);
	}
	drop(&left);
	assert_int_equal(rmdir(dir), 0);
}

static uint16_t free_port(int *fd)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	*fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(*fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(*fd, (struct sockaddr *)&address, &len), 0);
	return ntohs(address.sin_port);
}

static void ports(void **state)
{
	struct uplink_end end;
	int one, two, three;
	uint16_t a = free_port(&one), b = free_port(&two);
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(a),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct uplink_options here, there;
	char text[128];

	(void)state;
	snprintf(text, sizeof(text), "l,dgram=inet:127.0.0.1:%u:127.0.0.1:%u", a, b);
	here = parsed(text);
	snprintf(text, sizeof(text), "l,dgram=inet:127.0.0.1:%u:localhost:%u", b, a);
	there = parsed(text);
	assert_int_equal(uplink_open(&here, &end), -EADDRINUSE);
	close(one);
	close(two);
	assert_int_equal(uplink_open(&here, &end), 0);
	make(&left, &end);
	assert_int_equal(uplink_open(&there, &end), 0);
	make(&right, &end);
	/* Of strangers nothing is heard. */
	free_port(&three);
	assert_int_equal(sendto(three, frame, 60, 0, (struct sockaddr *)&to, sizeof(to)), 60);
	close(three);
	bridge_send(right.station, frame, 1500, clock_now_ns());
	wait_for(&left, 1);
	assert_true(uplink_poll(left.uplink));
	assert_int_equal(left.len, 1500);
	bridge_send(left.station, frame, 9000, clock_now_ns());
	wait_for(&right, 1);
	strcpy(here.local, "nowhere.invalid");
	assert_int_equal(uplink_open(&here, &end), -EINVAL);
}

static void words(void **state)
{
	static const char *const wrong[] = {
		"",
		"l",
		"l,",
		",dgram=unix:/a:/b",
		"l l,dgram=unix:/a:/b",
		"l,dgram=unix:/a",
		"l,dgram=unix:/a:/b:/c",
		"l,dgram=unix::/b",
		"l,dgram=unix:/a:/a",
		"l,dgram=tcp:/a:/b",
		"l,dgram=",
		"l,dgram=inet:h:1:h",
		"l,dgram=inet:h:0:h:1",
		"l,dgram=inet:h:65536:h:1",
		"l,dgram=inet:h:1:h:x",
		"l,dgram=inet:h:1:h:2:3",
		"l,stream=unix:/a:/b",
		"l,tap=",
		"l,tap=a123456789012345",
		"l,tap=a,b",
		"l,tap=a,impair=loss=101%",
		"l,tap=a,impair=loss=1%,b",
		"a12345678901234567890123,tap=a",
	};
	struct uplink_options options;
	char text[300], copy[300];
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		strcpy(copy, wrong[i]);
		why = NULL;
		assert_int_equal(uplink_parse(copy, &options, &why), -EINVAL);
		assert_non_null(why);
	}
	options = parsed("l.0,dgram=inet:a.b:1:c:65535");
	assert_string_equal(options.name, "l.0");
	assert_int_equal(options.kind, UPLINK_INET);
	assert_string_equal(options.local, "a.b");
	assert_string_equal(options.peer, "c");
	assert_int_equal(options.local_port, 1);
	assert_int_equal(options.peer_port, 65535);
	options = parsed("t,tap=a12345678901234");
	assert_int_equal(options.kind, UPLINK_TAP);
	assert_string_equal(options.local, "a12345678901234");
	assert_false(options.impaired);
	options = parsed("t,tap=a,impair=loss=1%+seed=7");
	assert_true(options.impaired);
	assert_int_equal(options.impairment.seed, 7);
	/* Paths of 107 and 108 bytes. */
	memset(text, 'p', sizeof(text));
	memcpy(text, "l,dgram=unix:", 13);
	strcpy(text + 13 + 107, ":/b");
	options = parsed(text);
	assert_int_equal(strlen(options.local), 107);
	memset(text + 13 + 107, 'p', 1);
	strcpy(text + 13 + 108, ":/b");
	assert_int_equal(uplink_parse(text, &options, &why), -EINVAL);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(both_ways),
		TEST(no_frames),
		TEST(what_comes_is_bounded),
		TEST(what_leaves_is_bounded),
		TEST(lost_and_doubled),
		TEST(marked),
		TEST(bad_for_a_while),
		TEST(a_peer_that_is_gone),
		TEST(paths),
		TEST(ports),
		TEST(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
