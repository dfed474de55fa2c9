// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many revokes under traffic, each with another tag: a stream of RDMA WRITEs to an MR with REQUIRE
 * is cut by taking the BAR away while the hint changes, the MR is registered again, and the rest of
 * the writes follow with the new tag. Not one write of the old tag arrives after the revoke, and
 * what was completed is what arrived, to the last TLP.
 *
 * Usage: volume IB-DEVICE PEER-IB-DEVICE WIDTH BDF ENDPOINT REVOKES WRITES, at least WRITES per
 * revoke; a completer of Extended TPH whose BAR 0 vfio-pci owns.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evidence.h"

#define LENGTH	   65536u
#define BAR_LENGTH (1u << 20)
#define BYTES	   64u /* of a write: one TLP */
#define TAGS	   199u
#define PH	   2u
/* One case for this many revokes, so that progress is seen. */
#define BATCH 100u

static struct {
	struct mr_hca hca, peer;
	struct mr_bar bar;
	struct mr_link link;
	struct mr mr;
	const char *endpoint;
	uint8_t width;
	unsigned int writes;
	uint16_t tag;
	int fd;
	/* of all rounds */
	uint64_t arrived, stale;
} s;

/* The stream of one round. */
struct stream {
	atomic_uint count, done;
	atomic_bool ended;
	int status;
};

static void *run_stream(void *arg)
{
	struct stream *stream = arg;

	stream->status = mr_link_write_many(&s.link, &s.mr, BYTES, &stream->count, &stream->done);
	atomic_store(&stream->ended, true);
	return NULL;
}

static void reg(void)
{
	struct mr_request request = mr_request(s.fd, LENGTH, IB_UVERBS_MR_TPH_REQUIRE);
	struct wire_hint hint = { .th = true, .ph = PH, .width = s.width, .st = s.tag };
	struct ib_uverbs_mr_tph tph = tph_applied(hint, IB_UVERBS_MR_TPH_REQUIRE);
	int ret = mr_reg_dmabuf(&s.hca, &request, &s.mr);

	if (ret)
		ktap_bail("registration with tag %u: %d", s.tag, ret);
	check_tph(&s.hca, &s.mr, &tph);
}

/* Writes that arrived with @tag. Those with any other hint than @tag and @other fail the case. */
static uint64_t arrived(uint16_t tag, uint16_t other)
{
	struct control_count count[8];
	int n = control_counts(s.endpoint, count, 8);
	uint64_t writes = 0;

	CHECK(n >= 0 && n <= 2);
	for (int i = 0; i < n && i < 8; i++) {
		CHECK(count[i].th);
		CHECK_EQUAL(PH, count[i].ph);
		CHECK_EQUAL(s.width, count[i].width);
		CHECK(count[i].st == tag || count[i].st == other);
		CHECK_EQUAL(BYTES * count[i].writes, count[i].write_bytes);
		if (count[i].st == tag)
			writes = count[i].writes;
	}
	return writes;
}

/*
 * The old tag is replaced and the BAR taken away and given back, somewhere in the stream. Returns
 * how many writes had arrived when it was gone: no more may follow.
 */
static uint64_t revoke_under(const struct stream *stream, uint16_t tag, unsigned int after)
{
	uint64_t writes;

	while (atomic_load(&stream->done) < after && !atomic_load(&stream->ended))
		sched_yield();
	CHECK_EQUAL(0, mr_bar_hint(&s.bar, s.fd, hint_of(s.width, tag, PH)));
	CHECK_EQUAL(0, mr_bar_memory(&s.bar, false));
	writes = arrived(s.tag, s.tag);
	CHECK_EQUAL(0, mr_bar_memory(&s.bar, true));
	return writes;
}

static void one_round(unsigned int number)
{
	struct stream stream = { .count = UINT_MAX }, rest = { 0 };
	uint16_t old = s.tag, new = (uint16_t)(1 + (number + 1) % TAGS);
	uint64_t at_revoke;
	pthread_t thread;

	CHECK_EQUAL(0, control_reset_counts(s.endpoint));
	if (pthread_create(&thread, NULL, run_stream, &stream))
		ktap_bail("no thread");
	at_revoke = revoke_under(&stream, new, (unsigned int)random() % s.writes);
	/* Should nothing cut it, then this. */
	atomic_store(&stream.count, atomic_load(&stream.done) + 4 * MR_LINK_DEPTH);
	pthread_join(thread, NULL);
	s.stale += arrived(old, old) - at_revoke;
	if (!CHECK_EQUAL(IBV_WC_REM_ACCESS_ERR, stream.status) ||
	    !CHECK_EQUAL(at_revoke, arrived(old, old)))
		ktap_bail("revoke %u: %llu writes with the old tag", number + 1,
			  (unsigned long long)s.stale);
	CHECK_EQUAL(0, mr_link_reconnect(&s.link));
	CHECK_EQUAL(stream.done, at_revoke);
	CHECK_EQUAL(0, mr_dereg(&s.hca, &s.mr));
	s.tag = new;
	reg();
	rest.count = stream.done < s.writes ? s.writes - stream.done : 0;
	run_stream(&rest);
	CHECK_EQUAL(IBV_WC_SUCCESS, rest.status);
	CHECK_EQUAL(stream.done, arrived(old, new));
	CHECK_EQUAL(rest.count, arrived(new, old));
	s.arrived += arrived(old, new) + arrived(new, old);
}

int main(int argc, char **argv)
{
	unsigned int revokes, done = 0;

	if (argc != 8) {
		fprintf(stderr, "usage: volume IB-DEVICE PEER-IB-DEVICE WIDTH BDF ENDPOINT REVOKES "
				"WRITES\n");
		return 2;
	}
	s.width = (uint8_t)atoi(argv[3]);
	s.endpoint = argv[5];
	revokes = (unsigned int)atoi(argv[6]);
	s.writes = (unsigned int)atoi(argv[7]);
	ktap_plan((revokes + BATCH - 1) / BATCH + 1);
	ktap_must(mr_hca_open(argv[1], &s.hca), argv[1]);
	ktap_must(mr_hca_open(argv[2], &s.peer), argv[2]);
	ktap_must(mr_bar_open(argv[4], 0, BAR_LENGTH, &s.bar), argv[4]);
	ktap_must(mr_link_open(&s.link, &s.peer, &s.hca), "RC connection");
	s.tag = 1;
	s.fd = mr_bar_export_hinted(&s.bar, 0, LENGTH, hint_of(s.width, s.tag, PH));
	if (s.fd < 0)
		ktap_bail("no dma-buf: %d", s.fd);
	reg();
	while (done < revokes) {
		unsigned int end = done + BATCH < revokes ? done + BATCH : revokes;

		ktap_case("revokes %u to %u, %u writes each", done + 1, end, s.writes);
		for (; done < end; done++) {
			ktap_step("revoke %u", done + 1);
			one_round(done);
		}
		ktap_done();
	}
	ktap_case("%u revokes, at least %llu writes", revokes,
		  (unsigned long long)revokes * s.writes);
	ktap_note("%llu writes arrived, %llu of them stale", (unsigned long long)s.arrived,
		  (unsigned long long)s.stale);
	CHECK(s.arrived >= (uint64_t)revokes * s.writes);
	CHECK_EQUAL(0, s.stale);
	ktap_done();
	CHECK_EQUAL(0, mr_dereg(&s.hca, &s.mr));
	close(s.fd);
	mr_link_close(&s.link);
	mr_bar_close(&s.bar);
	mr_hca_close(&s.peer);
	mr_hca_close(&s.hca);
	return ktap_exit();
}
