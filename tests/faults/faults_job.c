// SPDX-License-Identifier: GPL-2.0-only
/*
 * The next job: two HCA functions and a BAR that the peer writes into with a hint, reads back, and
 * the completer counts. Usage: faults_job REQUESTER RESPONDER BDF ENDPOINT.
 */
#include "faults_work.h"

int main(int argc, char **argv)
{
	struct work work;

	ktap_plan(1);
	work_open(&work, argc, argv);
	ktap_case("%s works with %s", work.names[1], work.names[0]);
	work_check(&work);
	ktap_done();
	work_close(&work);
	return ktap_exit();
}
