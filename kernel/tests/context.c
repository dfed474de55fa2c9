// SPDX-License-Identifier: GPL-2.0-only
/*
 * A context that cannot be had: a file has one at most. The test that runs this program counts what
 * its processes leave.
 *
 * Usage: context IB-DEVICE
 */
#include <errno.h>
#include <stdio.h>

#include "ktap.h"
#include "mr.h"

int main(int argc, char **argv)
{
	struct mr_hca hca;
	struct mr_cmd cmd;

	if (argc != 2) {
		fprintf(stderr, "usage: context IB-DEVICE\n");
		return 2;
	}
	ktap_plan(1);
	ktap_must(mr_hca_open(argv[1], &hca), argv[1]);
	ktap_case("a second context");
	mr_cmd_init(&cmd, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_GET_CONTEXT);
	CHECK_EQUAL(-EINVAL, mr_cmd_run(&hca, &cmd));
	CHECK_EQUAL(0, mr_count(&hca));
	ktap_done();
	mr_hca_close(&hca);
	return ktap_exit();
}
