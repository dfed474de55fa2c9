// SPDX-License-Identifier: GPL-2.0-only
/*
 * race_hca HCA HCA BDF BAR ENDPOINT: the driver of the first HCA function is taken away, and the
 * function is reset behind its back, while threads register many tags with it and have memory
 * regions of theirs. The second HCA is left alone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "control.h"
#include "account_keys.h"
#include "driver.h"
#include "race.h"

#define USERS 3u
/* With one to come: the DMA API's debugging wants no page mapped more than 8 times. */
#define LIVE   6u
#define TAGS   100u
#define ACTIVE 120u /* seconds that a recovery may take */

static const char *name, *endpoint;
static char bdf[32];
static struct mr_hca other;
static struct mr_bar bar;

static struct user {
	int fd;
	struct mr_hca hca;
	struct mr mr[LIVE];
	atomic_uint live;
	atomic_ulong opened, registered, lost;
} user[USERS];

/* What an HCA says that goes away, and one that is gone. */
static bool gone(int ret)
{
	return ret == -EIO || ret == -ENODEV || ret == -ENOLINK || ret == -ETIMEDOUT;
}

static void lose(struct user *user, int ret)
{
	if (!gone(ret))
		HAMMER_EQUAL(0, ret);
	/* with whatever it has: that is for the kernel to clean up */
	mr_hca_close(&user->hca);
	user->live = 0;
	user->lost++;
}

static void user_step(void *arg, uint64_t *seed)
{
	struct user *user = arg;
	struct mr_request request = mr_request(user->fd, MR_PAGE, IB_UVERBS_MR_TPH_AUTO);
	uint8_t tag = (uint8_t)hammer_random(seed, TAGS);
	struct mr_info info;
	int ret;

	if (!user->hca.context) {
		if (mr_hca_open(name, &user->hca))
			usleep(5000);
		else
			user->opened++;
		return;
	}
	HAMMER_EQUAL(0, mr_bar_hint(&bar, user->fd, mr_st_both(tag, tag, 1)));
	if (user->live == LIVE) {
		ret = mr_dereg(&user->hca, &user->mr[--user->live]);
		if (ret)
			lose(user, ret);
		return;
	}
	ret = mr_reg(&user->hca, MR_REG_DMABUF_MR, &request, &user->mr[user->live]);
	if (!ret)
		ret = mr_query(&user->hca, &user->mr[user->live++], &info);
	if (ret) {
		lose(user, ret);
		return;
	}
	user->registered++;
	/* TPH is off for a moment around a reset, which AUTO takes as it is */
	if (info.tph.flags & IB_UVERBS_MR_TPH_APPLIED)
		HAMMER_EQUAL(tag, info.tph.steering_tag);
}

static bool user_enough(void *arg)
{
	struct user *enough = arg;

	return enough->registered && enough->lost;
}

/* There is something to take away from each. */
static void wait_for_users(uint64_t *seed)
{
	for (unsigned int i = 0; i < USERS; i++)
		while (!user[i].live && !hammer_stopped())
			usleep(5000);
	usleep(hammer_random(seed, 200000));
}

static void rebind(void)
{
	HAMMER_EQUAL(0, driver_unbind(bdf));
	HAMMER_EQUAL(0, driver_bind(bdf));
	HAMMER_EQUAL(0, driver_wait_active(name, ACTIVE));
}

static void rebind_step(void *arg, uint64_t *seed)
{
	(void)arg;
	wait_for_users(seed);
	rebind();
}

static void reset_step(void *arg, uint64_t *seed)
{
	unsigned int *resets = arg;

	/* the driver does not recover a second time within some minutes: a new one does */
	if (*resets)
		rebind();
	wait_for_users(seed);
	HAMMER_EQUAL(0, driver_reset(bdf));
	/* the driver looks after its device every now and then only */
	for (unsigned int tries = 0; tries < 20 * ACTIVE; tries++) {
		if (driver_wait_active(name, 0))
			break;
		usleep(50000);
	}
	HAMMER_EQUAL(0, driver_wait_active(name, ACTIVE));
	(*resets)++;
	if (!hammer_full())
		hammer_stop();
}

/* An active port does not mean that all is there yet. */
static int open_again(struct mr_hca *hca)
{
	int ret = mr_hca_open(name, hca);

	for (unsigned int tries = 0; ret && tries < 100; tries++) {
		usleep(100000);
		ret = mr_hca_open(name, hca);
	}
	return ret;
}

/* The driver that came back has TPH on, and the entry that it writes is the one that is sent. */
static void check_wire(const struct mr_hca *hca)
{
	int fd = mr_bar_export_hinted(&bar, 0, MR_PAGE, mr_st_both(TAGS + 1, TAGS + 1, 2));
	struct mr_request request = mr_request(fd, MR_PAGE, IB_UVERBS_MR_TPH_REQUIRE);
	struct control_count count[2] = { 0 };
	struct mr_link link;
	struct mr mr;

	CHECK_EQUAL(0, control_reset_counts(endpoint));
	if (CHECK_EQUAL(0, mr_link_open(&link, &other, hca))) {
		if (CHECK_EQUAL(0, mr_reg(hca, MR_REG_DMABUF_MR, &request, &mr))) {
			CHECK_EQUAL(0, mr_link_write(&link, &mr, 0, MR_PAGE));
			CHECK_EQUAL(0, mr_dereg(hca, &mr));
		}
		mr_link_close(&link);
	}
	close(fd);
	CHECK_EQUAL(1, control_counts(endpoint, count, 2));
	CHECK_EQUAL(TAGS + 1, count[0].st);
	CHECK_EQUAL(2, count[0].ph);
	CHECK_EQUAL(MR_PAGE, (int64_t)count[0].write_bytes);
}

static void against(const char *text, struct hammer_worker spoiler, unsigned int seconds)
{
	struct hammer_worker worker[USERS + 1];
	struct mr_hca hca;
	struct account before;

	ktap_case("%s", text);
	before = account(&other);
	memset(user, 0, sizeof(user));
	for (unsigned int i = 0; i < USERS; i++) {
		user[i].fd = mr_bar_export(&bar, i * MR_PAGE, MR_PAGE);
		CHECK(user[i].fd >= 0);
		worker[i] = (struct hammer_worker){ "register", user_step, &user[i], user_enough };
	}
	worker[USERS] = spoiler;
	hammer(seconds, worker, USERS + 1);
	for (unsigned int i = 0; i < USERS; i++) {
		ktap_note("opened %lu times, registered %lu times, lost %lu times", user[i].opened,
			  user[i].registered, user[i].lost);
		mr_hca_close(&user[i].hca);
		close(user[i].fd);
	}
	CHECK_EQUAL(0, driver_wait_active(name, ACTIVE));
	account_same(&other, &before);
	if (CHECK_EQUAL(0, open_again(&hca))) {
		CHECK_EQUAL(0, account_keys(name));
		account_table_empty(&hca, &bar);
		check_wire(&hca);
		mr_hca_close(&hca);
	}
	ktap_done();
}

int main(int argc, char **argv)
{
	unsigned int resets = 0;
	int log;

	if (argc != 6) {
		fprintf(stderr, "usage: race_hca HCA HCA BDF BAR ENDPOINT\n");
		return 2;
	}
	name = argv[1];
	endpoint = argv[5];
	if (driver_bdf(name, bdf, sizeof(bdf)) || mr_hca_open(argv[2], &other))
		ktap_bail("%s or %s is not there", name, argv[2]);
	if (mr_bar_open(argv[3], (unsigned int)strtoul(argv[4], NULL, 10), RACE_BAR_LENGTH, &bar))
		ktap_bail("%s does not open", argv[3]);
	ktap_plan(3);
	log = account_log_open();
	against("the driver is unbound and bound during registration, with memory regions alive",
		(struct hammer_worker){ "unbind, bind", rebind_step, NULL, NULL },
		hammer_seconds(4));
	against("the HCA is reset during registration, with memory regions alive",
		(struct hammer_worker){ "reset", reset_step, &resets, NULL },
		hammer_full() ? hammer_seconds(0) : ACTIVE);
	ktap_case("the kernel has nothing to complain about, not at a last unbind either");
	CHECK_EQUAL(0, driver_unbind(bdf));
	CHECK_EQUAL(0, driver_bind(bdf));
	CHECK_EQUAL(0, driver_wait_active(name, ACTIVE));
	CHECK_EQUAL(0, account_log_complaints(log, NULL));
	ktap_done();
	mr_bar_close(&bar);
	mr_hca_close(&other);
	return ktap_exit();
}
