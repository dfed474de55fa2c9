// SPDX-License-Identifier: GPL-2.0-only
/*
 * race_table HCA HCA BDF BAR ENDPOINT: threads that register for, and deregister from, one ST
 * table. The first HCA has the table, the second one writes into the BAR through it, and at the end
 * the completer, by its name in the emulator, must have seen for each hint what was written with
 * it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "control.h"
#include "race.h"

#define USERS	  4u
#define HELD_MAX  32u
#define TAG_FIRST 100u
#define TAGS_MAX  120u
#define WRITE	  64u
#define HINTS_MAX 1024u
/* Each MR of a user has a dma-buf of its own, of the size of the largest one. */
#define PLACES	   HELD_MAX
#define PLACE_SIZE (16u * MR_PAGE)

static struct mr_hca hca[2];
static struct mr_bar bar;
static const char *endpoint;
/* Bytes written with a tag and PH by all users; [TAGS_MAX][0] is without hint. */
static atomic_ulong expected[TAGS_MAX + 1][4];

/* What a case is about. */
struct load {
	const char *name;
	unsigned int tags; /* different ones */
	unsigned int held; /* MRs of each user at a time */
	bool overflows;	   /* the table has fewer entries than are asked for */
};

struct held {
	struct mr mr;
	unsigned int tag, ph; /* TAGS_MAX, 0: without hint */
	unsigned int place;   /* its dma-buf */
};

struct user {
	const struct load *load;
	struct mr_link link;
	int fd[PLACES];
	uint32_t taken; /* bit n: fd[n] has an MR */
	struct held held[HELD_MAX];
	unsigned int count;
	atomic_ulong applied, fallback, refused;
};

/* True when @info is what @policy may give for the hint. */
static void note_tph(struct user *user, struct held *held, uint64_t policy,
		     const struct mr_info *info)
{
	if (info->tph.flags == IB_UVERBS_MR_TPH_APPLIED) {
		HAMMER_EQUAL(TAG_FIRST + held->tag, info->tph.steering_tag);
		HAMMER_EQUAL(held->ph, info->tph.ph);
		user->applied++;
		return;
	}
	HAMMER_CHECK(user->load->overflows);
	HAMMER_EQUAL(IB_UVERBS_MR_TPH_AUTO, policy);
	HAMMER_EQUAL(IB_UVERBS_MR_TPH_FALLBACK, info->tph.flags);
	held->tag = TAGS_MAX;
	held->ph = 0;
	user->fallback++;
}

/*
 * Side by side: an MR maps all of its dma-buf, and to map a page over and over is what DMA
 * debugging takes for a mistake.
 */
static bool user_open(struct user *user, unsigned int number)
{
	bool ok = true;

	for (unsigned int i = 0; i < PLACES; i++) {
		user->fd[i] = mr_bar_export(&bar, (number * PLACES + i) * PLACE_SIZE, PLACE_SIZE);
		ok &= CHECK(user->fd[i] >= 0);
	}
	return ok;
}

static void user_close(struct user *user)
{
	for (unsigned int i = 0; i < PLACES; i++)
		close(user->fd[i]);
}

/* There is one, for fewer MRs are held than there are places. */
static unsigned int free_place(const struct user *user)
{
	return (unsigned int)__builtin_ctz(~user->taken);
}

static void take(struct user *user, uint64_t *seed)
{
	struct held *held = &user->held[user->count];
	unsigned int place = free_place(user);
	int policy = hammer_random(seed, 2) ? IB_UVERBS_MR_TPH_REQUIRE : IB_UVERBS_MR_TPH_AUTO;
	/* some sizes: each has its pool of memory keys */
	struct mr_request request =
		mr_request(user->fd[place], MR_PAGE << 2 * hammer_random(seed, 3), policy);
	struct mr_info info;
	uint8_t tag;
	int ret;

	held->place = place;
	held->tag = hammer_random(seed, user->load->tags);
	held->ph = hammer_random(seed, 4);
	tag = (uint8_t)(TAG_FIRST + held->tag);
	HAMMER_EQUAL(0, mr_bar_hint(&bar, request.fd, mr_st_both(tag, tag, (uint8_t)held->ph)));
	ret = mr_reg(&hca[0], MR_REG_DMABUF_MR, &request, &held->mr);
	if (ret) {
		HAMMER_EQUAL(IB_UVERBS_MR_TPH_REQUIRE, policy);
		HAMMER_EQUAL(-ENOSPC, ret);
		HAMMER_CHECK(user->load->overflows);
		user->refused++;
		return;
	}
	user->count++;
	user->taken |= 1u << place;
	if (HAMMER_EQUAL(0, mr_query(&hca[0], &held->mr, &info)) && HAMMER_CHECK(info.has_tph))
		note_tph(user, held, (uint64_t)policy, &info);
}

static void put(struct user *user, unsigned int which)
{
	HAMMER_EQUAL(0, mr_dereg(&hca[0], &user->held[which].mr));
	user->taken &= ~(1u << user->held[which].place);
	user->held[which] = user->held[--user->count];
}

static void table_step(void *arg, uint64_t *seed)
{
	struct user *user = arg;
	unsigned int which;

	if (user->count < user->load->held)
		take(user, seed);
	if (!user->count)
		return;
	which = hammer_random(seed, user->count);
	if (HAMMER_EQUAL(0, mr_link_write(&user->link, &user->held[which].mr, 0, WRITE)))
		expected[user->held[which].tag][user->held[which].ph] += WRITE;
	if (user->count == user->load->held)
		put(user, hammer_random(seed, user->count));
}

/* What all users saw, some of each. */
static bool table_enough(void *arg)
{
	struct user *user = arg;

	return user->applied && (!user->load->overflows || user->fallback || user->refused);
}

/*
 * Nothing arrived with a hint that it was not sent with. While the kernel writes an entry of the
 * table, TPH is off for the whole function, so some of it may have arrived without.
 */
static void check_counts(void)
{
	static struct control_count count[HINTS_MAX];
	unsigned long sent = 0, arrived = 0, plain = 0;
	int hints = control_counts(endpoint, count, HINTS_MAX);

	for (unsigned int tag = 0; tag <= TAGS_MAX; tag++)
		for (unsigned int ph = 0; ph < 4; ph++)
			sent += expected[tag][ph];
	if (!CHECK(hints > 0 && hints <= (int)HINTS_MAX))
		return;
	for (int i = 0; i < hints; i++) {
		unsigned int tag = count[i].st - TAG_FIRST;

		arrived += count[i].write_bytes;
		if (!count[i].th)
			plain += count[i].write_bytes;
		else if (!CHECK(count[i].st >= TAG_FIRST && tag < TAGS_MAX) ||
			 !CHECK(count[i].write_bytes <= expected[tag][count[i].ph]))
			ktap_note("tag %u, PH %u: %lu bytes", count[i].st, count[i].ph,
				  (unsigned long)count[i].write_bytes);
	}
	ktap_note("%lu bytes sent, %lu arrived with a hint; %lu without, %lu were to", sent,
		  arrived - plain, plain, expected[TAGS_MAX][0]);
	CHECK_EQUAL(sent, arrived);
	CHECK(plain >= expected[TAGS_MAX][0]);
	CHECK(arrived > plain);
}

static void table(const struct load *load)
{
	unsigned long applied = 0, fallback = 0, refused = 0;
	struct hammer_worker worker[USERS];
	static struct user user[USERS];
	struct account before;

	ktap_case("%s", load->name);
	before = account(&hca[0]);
	memset(user, 0, sizeof(user));
	for (unsigned int i = 0; i <= TAGS_MAX; i++)
		for (unsigned int ph = 0; ph < 4; ph++)
			expected[i][ph] = 0;
	CHECK_EQUAL(0, control_reset_counts(endpoint));
	for (unsigned int i = 0; i < USERS; i++) {
		user[i].load = load;
		if (!user_open(&user[i], i) ||
		    !CHECK_EQUAL(0, mr_link_open(&user[i].link, &hca[1], &hca[0])))
			ktap_bail("no dma-buf or connection");
		worker[i] = (struct hammer_worker){ "register, write", table_step, &user[i],
						    table_enough };
	}
	hammer(hammer_seconds(3), worker, USERS);
	check_counts();
	for (unsigned int i = 0; i < USERS; i++) {
		while (user[i].count)
			put(&user[i], 0);
		applied += user[i].applied;
		fallback += user[i].fallback;
		refused += user[i].refused;
		mr_link_close(&user[i].link);
		user_close(&user[i]);
	}
	ktap_note("%lu with the hint, %lu fell back, %lu refused", applied, fallback, refused);
	account_same(&hca[0], &before);
	account_table_empty(&hca[0], &bar);
	ktap_done();
}

/* --- writes to a region while it is deregistered -------------------------------------------------
 */

#define VICTIM_TAGS 10u
#define CHURN_FIRST 150u
#define CHURN_TAGS  100u
#define CHURN_HELD  32u

/* One registers and deregisters, another one writes to what is, or just was, registered. */
struct victim {
	int fd;
	struct mr_link link;
	atomic_uint rkey;
	atomic_ulong written, failed;
};

/*
 * Every other time until a write has come through: a writer that has to connect again after each
 * that failed would hardly find it registered.
 */
static void stay_registered(const struct victim *victim, uint64_t *seed)
{
	unsigned long written = victim->written;

	if (hammer_random(seed, 2))
		while (victim->written == written && !hammer_stopped())
			usleep(100);
	usleep(hammer_random(seed, 1000));
}

static void victim_step(void *arg, uint64_t *seed)
{
	struct victim *victim = arg;
	struct mr_request request = mr_request(victim->fd, MR_PAGE, IB_UVERBS_MR_TPH_REQUIRE);
	uint8_t tag = (uint8_t)(TAG_FIRST + hammer_random(seed, VICTIM_TAGS));
	struct mr mr;
	int ret;

	HAMMER_EQUAL(0, mr_bar_hint(&bar, victim->fd, mr_st_both(tag, tag, 1)));
	ret = mr_reg(&hca[0], MR_REG_DMABUF_MR, &request, &mr);
	if (ret) {
		HAMMER_EQUAL(-ENOSPC, ret);
		return;
	}
	victim->rkey = mr.rkey;
	stay_registered(victim, seed);
	HAMMER_EQUAL(0, mr_dereg(&hca[0], &mr));
}

static void victim_write_step(void *arg, uint64_t *seed)
{
	struct victim *victim = arg;
	struct mr mr = { .rkey = victim->rkey };
	int ret = mr_link_write(&victim->link, &mr, 0, WRITE);

	(void)seed;
	if (!ret) {
		victim->written++;
		return;
	}
	HAMMER_CHECK(ret > 0);
	victim->failed++;
	HAMMER_EQUAL(0, mr_link_reconnect(&victim->link));
}

/*
 * Waits for any entry to get free, and takes it for another tag. Nobody writes with these: for
 * their PH there are other memory keys, so that a key of the victim does not become one of these.
 */
static void churn_step(void *arg, uint64_t *seed)
{
	struct user *user = arg;
	struct held *held = &user->held[user->count];
	unsigned int place = free_place(user);
	int fd = user->fd[place];
	struct mr_request request = mr_request(fd, MR_PAGE, IB_UVERBS_MR_TPH_REQUIRE);
	uint8_t tag = (uint8_t)(CHURN_FIRST + hammer_random(seed, CHURN_TAGS));
	int ret;

	HAMMER_EQUAL(0, mr_bar_hint(&bar, fd, mr_st_both(tag, tag, 2)));
	ret = mr_reg(&hca[0], MR_REG_DMABUF_MR, &request, &held->mr);
	if (!ret) {
		held->place = place;
		user->taken |= 1u << place;
		user->count++;
	} else {
		HAMMER_EQUAL(-ENOSPC, ret);
	}
	if (user->count == CHURN_HELD || (user->count && !hammer_random(seed, 64)))
		put(user, hammer_random(seed, user->count));
}

static bool victim_enough(void *arg)
{
	struct victim *victim = arg;

	return victim->written && victim->failed;
}

static void under_fire(void)
{
	static struct control_count count[HINTS_MAX];
	static struct user churn[2];
	struct victim victim = { 0 };
	struct account before;
	int hints;

	ktap_case("deregistration during writes: never the tag that the entry is for next");
	before = account(&hca[0]);
	memset(churn, 0, sizeof(churn));
	victim.fd = mr_bar_export(&bar, 0, MR_PAGE);
	if (!CHECK_EQUAL(0, mr_link_open(&victim.link, &hca[1], &hca[0])))
		ktap_bail("no connection");
	for (unsigned int i = 0; i < 2; i++)
		if (!user_open(&churn[i], i + 1))
			ktap_bail("no dma-buf");
	CHECK_EQUAL(0, control_reset_counts(endpoint));
	hammer(hammer_seconds(4),
	       (struct hammer_worker[]){ { "register", victim_step, &victim, NULL },
					 { "write", victim_write_step, &victim, victim_enough },
					 { "take entries", churn_step, &churn[0], NULL },
					 { "take entries", churn_step, &churn[1], NULL } },
	       4);
	ktap_note("%lu writes, %lu failed", victim.written, victim.failed);
	hints = control_counts(endpoint, count, HINTS_MAX);
	CHECK(hints > 0);
	for (int i = 0; i < hints && i < (int)HINTS_MAX; i++)
		if (count[i].th && !CHECK(count[i].ph == 1 && count[i].st >= TAG_FIRST &&
					  count[i].st < TAG_FIRST + VICTIM_TAGS))
			ktap_note("%lu bytes with tag %u, PH %u",
				  (unsigned long)count[i].write_bytes, count[i].st, count[i].ph);
	for (unsigned int i = 0; i < 2; i++) {
		while (churn[i].count)
			put(&churn[i], 0);
		user_close(&churn[i]);
	}
	mr_link_close(&victim.link);
	close(victim.fd);
	account_same(&hca[0], &before);
	account_table_empty(&hca[0], &bar);
	ktap_done();
}

int main(int argc, char **argv)
{
	static const struct load loads[] = {
		{ "more tags are held than the table has entries", TAGS_MAX, 24, true },
		{ "entries are taken and left, and taken for another tag", TAGS_MAX, 1, false },
		{ "all share two tags", 2, 1, false },
	};
	int log;

	if (argc != 6) {
		fprintf(stderr, "usage: race_table HCA HCA BDF BAR ENDPOINT\n");
		return 2;
	}
	endpoint = argv[5];
	for (unsigned int i = 0; i < 2; i++)
		if (mr_hca_open(argv[1 + i], &hca[i]))
			ktap_bail("%s does not open", argv[1 + i]);
	if (mr_bar_open(argv[3], (unsigned int)strtoul(argv[4], NULL, 10), RACE_BAR_LENGTH, &bar))
		ktap_bail("%s does not open", argv[3]);
	ktap_plan(5);
	log = account_log_open();
	for (unsigned int i = 0; i < 3; i++)
		table(&loads[i]);
	under_fire();
	ktap_case("the kernel has nothing to complain about");
	CHECK_EQUAL(0, account_log_complaints(log, NULL));
	ktap_done();
	mr_bar_close(&bar);
	for (unsigned int i = 0; i < 2; i++)
		mr_hca_close(&hca[i]);
	return ktap_exit();
}
