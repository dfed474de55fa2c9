// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream of RDMA WRITEs to a region that requires its hint, while another process registers and
 * deregisters a region with another tag in the same ST table. As long as that tag is in the table
 * from earlier on, each write has its hint. A tag that is new costs some of them their hint, which
 * is counted, and never gives them a wrong one.
 *
 * Usage: stream IB-DEVICE PEER-IB-DEVICE WIDTH BDF ENDPOINT WRITES; a completer of Extended TPH
 * whose BAR 0 vfio-pci owns.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evidence.h"

#define LENGTH	   65536u
#define BAR_LENGTH (2u * LENGTH)
#define BYTES	   64u /* of a write: one TLP */
#define PH	   2u
#define TAG	   42u
#define OTHER_TAG  100u
/* More than the table has room for, so that each is new when its turn comes again. */
#define COLD_TAGS 100u
#define CYCLES	  20u /* of the other process, at least */
#define HINTS_MAX 8

static struct {
	struct mr_hca hca, peer;
	struct mr_bar bar;
	struct mr_link link;
	struct mr mr;
	const char *name, *endpoint;
	uint8_t width;
	unsigned int writes;
	int fd;
} s;

/* Shared with the other process. */
static struct shared {
	atomic_uint cycles;
	atomic_int err;
} * shared;

/* One cycle of the other process. */
static int cycle(const struct mr_hca *hca, int fd, uint16_t tag)
{
	struct mr_request request = mr_request(fd, LENGTH, IB_UVERBS_MR_TPH_REQUIRE);
	struct mr mr;
	int ret = mr_bar_hint(&s.bar, fd, hint_of(s.width, tag, PH));

	if (!ret)
		ret = mr_reg_dmabuf(hca, &request, &mr);
	return ret ? ret : mr_dereg(hca, &mr);
}

/* Until it is killed, or fails. */
static void other_process(unsigned int tags)
{
	int fd = mr_bar_export(&s.bar, LENGTH, LENGTH);
	struct mr_hca hca;
	int ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ret = fd < 0 ? fd : mr_hca_open(s.name, &hca);
	for (unsigned int i = 0; !ret; i++) {
		ret = cycle(&hca, fd, (uint16_t)(OTHER_TAG + i % tags));
		shared->cycles++;
	}
	shared->err = ret;
	_exit(1);
}

struct stream {
	atomic_uint count, done;
	int status;
};

static void *run_stream(void *arg)
{
	struct stream *stream = arg;

	stream->status = mr_link_write_many(&s.link, &s.mr, BYTES, &stream->count, &stream->done);
	return NULL;
}

/* Writes that arrived without hint; any other hint than the region's fails the case. */
static uint64_t without_hint(unsigned int writes)
{
	struct control_count count[HINTS_MAX];
	int n = control_counts(s.endpoint, count, HINTS_MAX);
	uint64_t all = 0, none = 0;

	CHECK(n > 0 && n <= 2);
	for (int i = 0; i < n && i < HINTS_MAX; i++) {
		all += count[i].writes;
		if (!count[i].th) {
			none += count[i].writes;
			continue;
		}
		CHECK_EQUAL(TAG, count[i].st);
		CHECK_EQUAL(PH, count[i].ph);
		CHECK_EQUAL(s.width, count[i].width);
	}
	CHECK_EQUAL(writes, all);
	return none;
}

/* Starts the other process and waits until it has seen each of its tags. */
static pid_t start_other(unsigned int tags)
{
	pid_t other;

	shared->cycles = 0;
	shared->err = 0;
	other = fork();
	if (!other)
		other_process(tags);
	while (other > 0 && shared->cycles < tags && !shared->err)
		usleep(1000);
	return other;
}

/* Returns how many of the writes had no hint. */
static uint64_t stream_beside(unsigned int tags)
{
	struct stream stream = { .count = UINT_MAX };
	pid_t other = start_other(tags);
	unsigned int before = shared->cycles;
	pthread_t thread;
	uint64_t none;

	CHECK_EQUAL(0, control_reset_counts(s.endpoint));
	if (other < 0 || pthread_create(&thread, NULL, run_stream, &stream))
		ktap_bail("no process or thread");
	while (!stream.status && !shared->err &&
	       (stream.done < s.writes || shared->cycles < before + CYCLES))
		usleep(1000);
	stream.count = stream.done + 4 * MR_LINK_DEPTH;
	pthread_join(thread, NULL);
	CHECK_EQUAL(IBV_WC_SUCCESS, stream.status);
	CHECK_EQUAL(0, shared->err);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	none = without_hint(stream.done);
	ktap_note("%u writes beside %u registrations: %llu without hint", stream.done,
		  shared->cycles - before, (unsigned long long)none);
	return none;
}

static void warm(void)
{
	CHECK_EQUAL(0, stream_beside(1));
}

static void cold(void)
{
	stream_beside(COLD_TAGS);
}

int main(int argc, char **argv)
{
	struct mr_request request;

	if (argc != 7) {
		fprintf(stderr,
			"usage: stream IB-DEVICE PEER-IB-DEVICE WIDTH BDF ENDPOINT WRITES\n");
		return 2;
	}
	s.name = argv[1];
	s.width = (uint8_t)atoi(argv[3]);
	s.endpoint = argv[5];
	s.writes = (unsigned int)atoi(argv[6]);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	ktap_plan(2);
	if (shared == MAP_FAILED)
		ktap_bail("no memory");
	ktap_must(mr_hca_open(s.name, &s.hca), s.name);
	ktap_must(mr_hca_open(argv[2], &s.peer), argv[2]);
	ktap_must(mr_bar_open(argv[4], 0, BAR_LENGTH, &s.bar), argv[4]);
	ktap_must(mr_link_open(&s.link, &s.peer, &s.hca), "RC connection");
	s.fd = mr_bar_export_hinted(&s.bar, 0, LENGTH, hint_of(s.width, TAG, PH));
	request = mr_request(s.fd, LENGTH, IB_UVERBS_MR_TPH_REQUIRE);
	ktap_must(mr_reg_dmabuf(&s.hca, &request, &s.mr), "registration");
	ktap_case("a tag that comes back: no write goes without its hint");
	warm();
	ktap_done();
	ktap_case("tags that are new: no write has a wrong hint");
	cold();
	ktap_done();
	CHECK_EQUAL(0, mr_dereg(&s.hca, &s.mr));
	close(s.fd);
	mr_link_close(&s.link);
	mr_bar_close(&s.bar);
	mr_hca_close(&s.peer);
	mr_hca_close(&s.hca);
	return ktap_exit();
}
