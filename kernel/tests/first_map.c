// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hint changes between the moment that a registration takes it and the moment that it maps the
 * memory for the first time. The HCA is slow to create the memory key, which is in between. REQUIRE
 * must not end with the old tag, and AUTO says that it is stale.
 *
 * Usage: first_map IB-DEVICE HCA BDF ENDPOINT, a completer of Extended TPH whose BAR 0 vfio-pci
 * owns.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "evidence.h"

#define BAR_LENGTH  (1u << 22)
#define TAG	    42u
#define NEW_TAG	    43u
#define CREATE_MKEY 0x200u
#define LATE_MS	    4000u

static struct {
	struct mr_hca hca;
	struct mr_bar bar;
	struct mr_link link;
	struct mr_tph_caps caps;
	const char *name, *endpoint;
} s;

struct reg {
	struct mr_request request;
	struct mr mr;
	int ret;
};

static void *reg_thread(void *arg)
{
	struct reg *reg = arg;

	reg->ret = mr_reg_dmabuf(&s.hca, &reg->request, &reg->mr);
	return NULL;
}

/* The command is held up by the HCA: the hint has been taken, and nothing is mapped. */
static bool command_waits(void)
{
	char answer[CONTROL_ANSWER], *commands;

	if (!CHECK_EQUAL(0, control_ask(answer, sizeof(answer), "inject %s", s.name)))
		return false;
	commands = strstr(answer, "\"commands\"");
	return commands && strstr(commands, "\"hit\":1");
}

static struct wire_hint wire(uint16_t tag, uint8_t ph)
{
	return (struct wire_hint){ .th = true, .ph = ph, .width = s.caps.st_width, .st = tag };
}

enum change { SAME, OTHER_TAG, WITHDRAWN, OTHER_TAG_AND_MOVED };

static void change_hint(enum change change, int fd, uint8_t ph)
{
	bool moved = change == OTHER_TAG_AND_MOVED;

	if (moved)
		CHECK_EQUAL(0, mr_bar_memory(&s.bar, false));
	if (change == OTHER_TAG || moved)
		CHECK_EQUAL(0, mr_bar_hint(&s.bar, fd, hint_of(s.caps.st_width, NEW_TAG, ph)));
	else if (change == WITHDRAWN)
		CHECK_EQUAL(0, mr_bar_hint(&s.bar, fd, mr_no_hint()));
	if (moved)
		CHECK_EQUAL(0, mr_bar_memory(&s.bar, true));
}

/*
 * @ph and @pages: of no registration before, by other tests either, so that the pools have no key
 * for it.
 */
static void run(enum change change, int policy, uint8_t ph, unsigned int pages)
{
	int fd =
		mr_bar_export_hinted(&s.bar, 0, pages * MR_PAGE, hint_of(s.caps.st_width, TAG, ph));
	struct reg reg = { .request = mr_request(fd, pages * MR_PAGE, policy) };
	struct account before;
	struct ib_uverbs_mr_tph tph;
	char answer[CONTROL_ANSWER];
	pthread_t thread;

	if (!CHECK(fd >= 0))
		return;
	before = account(&s.hca);
	CHECK_EQUAL(0, control_ask(answer, sizeof(answer),
				   "inject %s commands late ms=%u opcode=%u count=1", s.name,
				   LATE_MS, CREATE_MKEY));
	CHECK_EQUAL(0, pthread_create(&thread, NULL, reg_thread, &reg));
	for (unsigned int i = 0; i < 600 && !command_waits(); i++)
		usleep(50000);
	CHECK(command_waits());
	change_hint(change, fd, ph);
	CHECK_EQUAL(0, pthread_join(thread, NULL));
	CHECK_EQUAL(0, control_ask(answer, sizeof(answer), "inject %s off", s.name));
	CHECK_EQUAL(change != SAME && policy == IB_UVERBS_MR_TPH_REQUIRE ? -ESTALE : 0, reg.ret);
	if (!reg.ret) {
		tph = tph_applied(wire(TAG, ph), (unsigned int)policy);
		if (change != SAME)
			tph.flags |= IB_UVERBS_MR_TPH_STALE;
		check_tph(&s.hca, &reg.mr, &tph);
		check_write(&s.link, &reg.mr, s.endpoint, wire(TAG, ph));
		CHECK_EQUAL(0, mr_dereg(&s.hca, &reg.mr));
	}
	account_same(&s.hca, &before);
	/* Once more, with nothing in the way. */
	CHECK_EQUAL(0, mr_bar_hint(&s.bar, fd, hint_of(s.caps.st_width, NEW_TAG, ph)));
	if (CHECK_EQUAL(0, mr_reg_dmabuf(&s.hca, &reg.request, &reg.mr))) {
		tph = tph_applied(wire(NEW_TAG, ph), (unsigned int)policy);
		check_tph(&s.hca, &reg.mr, &tph);
		CHECK_EQUAL(0, mr_dereg(&s.hca, &reg.mr));
	}
	close(fd);
	account_table_empty(&s.hca, &s.bar);
}

int main(int argc, char **argv)
{
	static const char *const change_name[] = { "hint unchanged", "other tag", "hint withdrawn",
						   "memory off, other tag, memory on" };
	static const int policies[] = { IB_UVERBS_MR_TPH_REQUIRE, IB_UVERBS_MR_TPH_AUTO };
	static const char *const policy_name[] = { "REQUIRE", "AUTO" };

	if (argc != 5) {
		fprintf(stderr, "usage: first_map IB-DEVICE HCA BDF ENDPOINT\n");
		return 2;
	}
	s.name = argv[2];
	s.endpoint = argv[4];
	ktap_plan(8);
	ktap_must(mr_hca_open(argv[1], &s.hca), argv[1]);
	ktap_must(mr_bar_open(argv[3], 0, BAR_LENGTH, &s.bar), argv[3]);
	ktap_must(mr_link_open(&s.link, &s.hca, &s.hca), "RC connection");
	ktap_must(mr_tph_caps(&s.hca, &s.caps), "QUERY_TPH_CAPS");
	for (unsigned int change = 0; change < 4; change++) {
		for (unsigned int p = 0; p < 2; p++) {
			ktap_case("%s: %s while the key is made, %s", s.name, change_name[change],
				  policy_name[p]);
			run((enum change)change, policies[p], (uint8_t)change, 128u << 2 * p);
			ktap_done();
		}
	}
	mr_link_close(&s.link);
	mr_bar_close(&s.bar);
	mr_hca_close(&s.hca);
	return ktap_exit();
}
