// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hint of a dma-buf where nobody speaks of policies: what arrives at the completer, and nothing
 * else, is asked. So the kernel needs no more than the sets fixes and auto of the series.
 *
 * Usage: by_default IB-DEVICE ST-WIDTH BDF ENDPOINT
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "evidence.h"

#define LENGTH 65536u
#define TAG    42u
#define PH     2u

static struct {
	struct mr_hca hca;
	struct mr_bar bar;
	struct mr_link link;
	const char *endpoint;
} s;

/* Takes @fd. */
static void check(int fd, struct wire_hint hint)
{
	struct mr_request request = mr_request(fd, LENGTH, -1);

	for (int method = 0; method < MR_METHODS; method++) {
		struct mr mr;

		ktap_step("method %d", method);
		if (!CHECK_EQUAL(0, mr_reg(&s.hca, method, &request, &mr)))
			continue;
		check_write(&s.link, &mr, s.endpoint, hint);
		CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
	}
	close(fd);
}

int main(int argc, char **argv)
{
	unsigned int width = argc == 5 ? (unsigned int)atoi(argv[2]) : 0;
	struct wire_hint hint = { .th = true, .ph = PH, .width = (uint8_t)width, .st = TAG };

	if (width != 8 && width != 16) {
		fprintf(stderr, "usage: by_default IB-DEVICE 8|16 BDF ENDPOINT\n");
		return 2;
	}
	s.endpoint = argv[4];
	ktap_plan(3);
	ktap_must(mr_hca_open(argv[1], &s.hca), argv[1]);
	ktap_must(mr_bar_open(argv[3], 0, LENGTH, &s.bar), argv[3]);
	ktap_must(mr_link_open(&s.link, &s.hca, &s.hca), "RC connection");

	ktap_case("%s: a tag of its width", argv[1]);
	check(mr_bar_export_hinted(&s.bar, 0, LENGTH, hint_of(width, TAG, PH)), hint);
	ktap_done();
	ktap_case("%s: a tag of the other width", argv[1]);
	check(mr_bar_export_hinted(&s.bar, 0, LENGTH, hint_of(24 - width, TAG, PH)),
	      (struct wire_hint){});
	ktap_done();
	ktap_case("%s: no tag", argv[1]);
	check(mr_bar_export(&s.bar, 0, LENGTH), (struct wire_hint){});
	ktap_done();

	mr_link_close(&s.link);
	mr_bar_close(&s.bar);
	mr_hca_close(&s.hca);
	return ktap_exit();
}
