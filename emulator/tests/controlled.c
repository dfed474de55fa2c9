// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "emulator/tests/controlled.h"

struct device_options options[2] = {
	{ .kind = DEVICE_HCA,
	  .name = "hca0",
	  .hca = { .name = "hca0",
		   .id = 4 << 3,
		   .device_id = 0x1021,
		   .lid = 1,
		   .guid = 1,
		   .st_mode = HCA_ST_TABLE,
		   .st_width = 8,
		   .st_entries = 64,
		   .vectors = 2 } },
	{ .kind = DEVICE_ENDPOINT,
	  .name = "gpu0",
	  .hca.id = 16 << 3,
	  .endpoint = { .name = "gpu0",
			.id = 16 << 3,
			.kind = "gpu",
			.memory_size = 1 << 20,
			.completer = PCIE_TPH_COMPLETER_EXTENDED } },
};

struct controlled devices[2];
struct control_scope scope = { .devices = devices, .count = 2 };

void nothing(void *arg)
{
	(void)arg;
}

int controlled_setup(void **state)
{
	(void)state;
	scope.subnet = subnet_new();
	devices[0].options = &options[0];
	devices[0].hca = hca_new(&options[0].hca, scope.subnet, nothing, NULL);
	devices[1].options = &options[1];
	devices[1].endpoint = endpoint_new(&options[1].endpoint);
	return !devices[0].hca || !devices[1].endpoint;
}

int controlled_teardown(void **state)
{
	(void)state;
	hca_free(devices[0].hca);
	endpoint_free(devices[1].endpoint);
	subnet_free(scope.subnet);
	return 0;
}

char *answer_to(const char *request)
{
	char *answer = control_answer(&scope, request);

	assert_non_null(answer);
	return answer;
}

void check(const char *request, const char *expected)
{
	char *answer = answer_to(request);

	assert_string_equal(answer, expected);
	free(answer);
}
