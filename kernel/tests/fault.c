// SPDX-License-Identifier: GPL-2.0-only
/*
 * fault HCA BDF BAR: each allocation and each copy from or to user space in a system call fails
 * once. The call must say so, leave nothing behind, and work at once when it is tried again. The
 * HCA has an ST table.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "driver.h"
#include "hammer.h"
#include "inject.h"

#define POINTS_MAX 10000u
#define STEP	   32u /* bytes, which few allocations are smaller than */
#define TABLE_MAX  64u
#define BAR_LENGTH 0x400000u
#define TAG_FIRST  100u

static const char *name;
static struct mr_hca hca;
static struct mr_bar bar;

/*
 * The table is full but for one entry, so that a lost index is seen at the next registration. The
 * others are held by these, and the free one moves from call to call: memory keys come from a pool
 * for each index, and only those that the pool does not have are created.
 */
static struct table {
	struct mr mr[TABLE_MAX];
	unsigned int size;
} table;

/* With a dma-buf of another page each, see account_tags(). */
static void table_hold(unsigned int entry)
{
	int fd = mr_bar_export_hinted(&bar, entry * MR_PAGE, MR_PAGE,
				      mr_st_both((uint8_t)entry, (uint16_t)entry, 0));
	struct mr_request request = mr_request(fd, MR_PAGE, IB_UVERBS_MR_TPH_REQUIRE);

	if (!CHECK(fd >= 0) ||
	    !CHECK_EQUAL(0, mr_reg(&hca, MR_REG_DMABUF_MR, &request, &table.mr[entry])))
		ktap_bail("entry %u of the ST table is lost", entry);
	close(fd);
}

static void table_open(void)
{
	struct mr_tph_caps caps;

	CHECK_EQUAL(0, mr_tph_caps(&hca, &caps));
	CHECK(caps.max_tags > 1 && caps.max_tags <= TABLE_MAX);
	table.size = caps.max_tags;
	for (unsigned int i = 0; i < table.size; i++)
		table_hold(i);
}

static void table_close(void)
{
	for (unsigned int i = 0; i < table.size; i++)
		CHECK_EQUAL(0, mr_dereg(&hca, &table.mr[i]));
}

/* A system call, and what is true before and after it. */
struct call {
	const char *name;
	int (*run)(struct call *call);
	bool (*good)(struct call *call);      /* what a call that returned 0 did is right */
	bool (*untouched)(struct call *call); /* a call that failed did nothing */
	void (*undo)(struct call *call);      /* of one that returned 0 */
	enum mr_method method;
	int policy;
	int fd;
	uint64_t length;
	uint8_t tag, ph;
	struct mr mr;
	struct mr_info info;
	struct mr_tph_caps caps;
};

static int reg_run(struct call *call)
{
	struct mr_request request = mr_request(call->fd, call->length, call->policy);

	return mr_reg(&hca, call->method, &request, &call->mr);
}

static bool reg_good(struct call *call)
{
	bool hinted = call->policy != IB_UVERBS_MR_TPH_IGNORE;

	return CHECK_EQUAL(0, mr_query(&hca, &call->mr, &call->info)) &&
	       CHECK_EQUAL(hinted ? IB_UVERBS_MR_TPH_APPLIED : 0, call->info.tph.flags) &&
	       (!hinted || (CHECK_EQUAL(call->tag, call->info.tph.steering_tag) &&
			    CHECK_EQUAL(call->ph, call->info.tph.ph)));
}

/* Another tag fits into the table: its only free entry is still free. */
static bool reg_untouched(struct call *call)
{
	struct mr_request request = mr_request(call->fd, MR_PAGE, IB_UVERBS_MR_TPH_REQUIRE);
	uint8_t tag = (uint8_t)(call->tag + 1);
	struct mr mr;

	return CHECK_EQUAL(0, mr_bar_hint(&bar, call->fd, mr_st_both(tag, tag, 1))) &&
	       CHECK_EQUAL(0, mr_reg(&hca, call->method, &request, &mr)) &&
	       CHECK_EQUAL(0, mr_dereg(&hca, &mr)) &&
	       CHECK_EQUAL(0,
			   mr_bar_hint(&bar, call->fd, mr_st_both(call->tag, call->tag, call->ph)));
}

static void reg_undo(struct call *call)
{
	CHECK_EQUAL(0, mr_dereg(&hca, &call->mr));
}

static int dereg_run(struct call *call)
{
	return mr_dereg(&hca, &call->mr);
}

/* For a call that deregistered: the entry is free. And there is something to deregister again. */
static bool dereg_good(struct call *call)
{
	return reg_untouched(call) && CHECK_EQUAL(0, reg_run(call));
}

static bool dereg_untouched(struct call *call)
{
	return reg_good(call);
}

static int set_run(struct call *call)
{
	return mr_bar_hint(&bar, call->fd, mr_st_both(call->tag, call->tag, call->ph));
}

static bool hint_is(struct call *call, uint8_t tag, uint8_t ph)
{
	struct mr_request request = mr_request(call->fd, MR_PAGE, IB_UVERBS_MR_TPH_REQUIRE);
	struct mr_info info;
	struct mr mr;
	bool ok;

	if (!CHECK_EQUAL(0, mr_reg(&hca, MR_REG_DMABUF_MR, &request, &mr)))
		return false;
	ok = CHECK_EQUAL(0, mr_query(&hca, &mr, &info)) &&
	     CHECK_EQUAL(tag, info.tph.steering_tag) && CHECK_EQUAL(ph, info.tph.ph);
	return CHECK_EQUAL(0, mr_dereg(&hca, &mr)) && ok;
}

static bool set_good(struct call *call)
{
	return hint_is(call, call->tag, call->ph);
}

/* The hint of before, see next(). */
static bool set_untouched(struct call *call)
{
	return hint_is(call, TAG_FIRST - 1, 0);
}

static int query_run(struct call *call)
{
	memset(&call->info, 0, sizeof(call->info));
	return mr_query(&hca, &call->mr, &call->info);
}

static bool query_good(struct call *call)
{
	return CHECK(call->info.has_tph) && CHECK_EQUAL(call->tag, call->info.tph.steering_tag) &&
	       CHECK_EQUAL(IB_UVERBS_MR_TPH_APPLIED, call->info.tph.flags);
}

static int caps_run(struct call *call)
{
	memset(&call->caps, 0, sizeof(call->caps));
	return mr_tph_caps(&hca, &call->caps);
}

static bool caps_good(struct call *call)
{
	return CHECK_EQUAL(table.size, call->caps.max_tags);
}

static bool nothing(struct call *call)
{
	(void)call;
	return true;
}

/* Another tag, and another hint before it for SET to replace. */
static void next(struct call *call, unsigned int nth)
{
	call->tag = (uint8_t)(TAG_FIRST + 2 * (nth % 50));
	CHECK_EQUAL(0, mr_bar_hint(&bar, call->fd, mr_st_both(TAG_FIRST - 1, TAG_FIRST - 1, 0)));
	if (call->run != set_run)
		CHECK_EQUAL(0, set_run(call));
}

/* One call whose @nth point fails. Returns what it was. */
static enum inject_kind fail_one(struct call *call, unsigned int nth)
{
	struct account before, after;
	enum inject_kind kind;
	int ret;

	before = account(&hca);
	inject_arm(nth);
	ret = call->run(call);
	kind = inject_disarm();
	if (!ret) {
		/* what failed could be done without, or comes after the deed: then all is done */
		CHECK(call->good(call));
		if (call->undo)
			call->undo(call);
	} else {
		CHECK_EQUAL(inject_errno(kind), ret);
		CHECK(kind != INJECT_NOTHING);
		account_same(&hca, &before);
		CHECK(call->untouched(call));
	}
	after = account(&hca);
	CHECK_EQUAL(before.keys, after.keys);
	account_same(&hca, &before);
	return ret || kind == INJECT_NOTHING ? kind : INJECT_KINDS;
}

static void fail_each(struct call *call)
{
	unsigned int hit[INJECT_KINDS + 1] = { 0 };
	unsigned int nth = 0;
	enum inject_kind kind;

	ktap_case("%s", call->name);
	call->fd = mr_bar_export(&bar, 0, BAR_LENGTH);
	CHECK(call->fd >= 0);
	do {
		unsigned int entry = nth % table.size;

		CHECK_EQUAL(0, mr_dereg(&hca, &table.mr[entry]));
		next(call, nth++);
		/* the calls on a region need one */
		if (call->run != reg_run && call->run != set_run && call->run != caps_run)
			CHECK_EQUAL(0, reg_run(call));
		kind = fail_one(call, nth);
		if (call->run != reg_run && call->run != set_run && call->run != caps_run)
			reg_undo(call);
		hit[kind]++;
		table_hold(entry);
	} while (kind != INJECT_NOTHING && CHECK(nth < POINTS_MAX));
	ktap_note("%u points: %u allocations and %u copies failed the call, %u did not", nth - 1,
		  hit[INJECT_SLAB], hit[INJECT_USERCOPY], hit[INJECT_KINDS]);
	CHECK(hit[INJECT_USERCOPY] > 0);
	/* only these two allocate anything */
	CHECK(hit[INJECT_SLAB] > 0 || (call->run != reg_run && call->run != query_run));
	close(call->fd);
	ktap_done();
}

/* The HCA has a driver that nobody has used. */
static void driver_anew(void)
{
	char bdf[32];

	mr_hca_close(&hca);
	if (!CHECK_EQUAL(0, driver_bdf(name, bdf, sizeof(bdf))) ||
	    !CHECK_EQUAL(0, driver_unbind(bdf)) || !CHECK_EQUAL(0, driver_bind(bdf)) ||
	    !CHECK_EQUAL(0, driver_wait_active(name, 60)) ||
	    !CHECK_EQUAL(0, mr_hca_open(name, &hca)))
		ktap_bail("%s does not come back", name);
}

/*
 * The first registration after the driver was bound makes the queues for memory key updates and
 * page faults, too. That takes a new driver for each point.
 */
static void fail_first(unsigned int step)
{
	struct call call = { .run = reg_run,
			     .good = reg_good,
			     .untouched = reg_untouched,
			     .undo = reg_undo,
			     .length = MR_PAGE,
			     .tag = TAG_FIRST,
			     .ph = 1 };
	unsigned int hit[INJECT_KINDS + 1] = { 0 };
	enum inject_kind kind;

	ktap_case("the first registration of a driver, one point of %u at first", step);
	call.fd = mr_bar_export_hinted(&bar, 0, MR_PAGE, mr_st_both(call.tag, call.tag, call.ph));
	/*
	 * Late points are alike, allocations of the queues' memory, and a kernel that debugs has a
	 * thousand more of them.
	 */
	for (unsigned int nth = 1;; nth += nth < 1000 ? step : nth / 4) {
		driver_anew();
		kind = fail_one(&call, nth);
		hit[kind]++;
		if (kind == INJECT_NOTHING || !CHECK(nth < POINTS_MAX))
			break;
		account_table_empty(&hca, &bar);
	}
	ktap_note("%u allocations and %u copies failed the call, %u did not", hit[INJECT_SLAB],
		  hit[INJECT_USERCOPY], hit[INJECT_KINDS]);
	CHECK(hit[INJECT_SLAB] > 0);
	close(call.fd);
	ktap_done();
}

/*
 * The first tag of a driver whose queues are there, for which the table of entries is allocated:
 * with memory that is tried to get twice.
 */
static void fail_first_tag(void)
{
	struct call call = { .run = reg_run,
			     .good = reg_good,
			     .undo = reg_undo,
			     .length = MR_PAGE,
			     .tag = TAG_FIRST,
			     .ph = 1 };
	struct call plain = call;
	struct account before;
	unsigned int failed = 0, steps = 0, hit;
	int ret;

	ktap_case("the first tag of a driver");
	call.fd = mr_bar_export_hinted(&bar, 0, MR_PAGE, mr_st_both(call.tag, call.tag, call.ph));
	driver_anew();
	plain.fd = call.fd;
	plain.policy = IB_UVERBS_MR_TPH_IGNORE;
	if (CHECK_EQUAL(0, reg_run(&plain)))
		reg_undo(&plain);
	do {
		before = account(&hca);
		inject_arm_twice(STEP * steps++);
		ret = call.run(&call);
		hit = inject_disarm_twice();
		if (!ret) {
			CHECK(call.good(&call));
			call.undo(&call);
		} else {
			CHECK_EQUAL(-ENOMEM, ret);
			CHECK(hit > 0);
			failed++;
		}
		account_same(&hca, &before);
	} while (hit && CHECK(steps < POINTS_MAX));
	ktap_note("%u of %u registrations failed", failed, steps);
	CHECK(failed > 0);
	account_table_empty(&hca, &bar);
	close(call.fd);
	ktap_done();
}

#define REG(title, how, which, size, hint)                                                   \
	{                                                                                    \
		.name = title, .run = reg_run, .good = reg_good, .untouched = reg_untouched, \
		.undo = reg_undo, .method = how, .policy = which, .length = size, .ph = hint \
	}

int main(int argc, char **argv)
{
	/* each has memory keys of a size and PH of its own */
	static struct call calls[] = {
		REG("REG_DMABUF_MR, AUTO", MR_REG_DMABUF_MR, IB_UVERBS_MR_TPH_AUTO, MR_PAGE, 1),
		REG("REG_DMABUF_MR, REQUIRE", MR_REG_DMABUF_MR, IB_UVERBS_MR_TPH_REQUIRE,
		    8 * MR_PAGE, 2),
		REG("REG_DMABUF_MR, IGNORE", MR_REG_DMABUF_MR, IB_UVERBS_MR_TPH_IGNORE,
		    64 * MR_PAGE, 1),
		REG("REG_MR, AUTO", MR_REG_MR, IB_UVERBS_MR_TPH_AUTO, 64 * MR_PAGE, 3),
		REG("REG_MR, REQUIRE", MR_REG_MR, IB_UVERBS_MR_TPH_REQUIRE, 512 * MR_PAGE, 2),
		REG("REG_MR, IGNORE", MR_REG_MR, IB_UVERBS_MR_TPH_IGNORE, 512 * MR_PAGE, 1),
		{ .name = "SET",
		  .run = set_run,
		  .good = set_good,
		  .untouched = set_untouched,
		  .length = MR_PAGE,
		  .ph = 1 },
		{ .name = "QUERY_MR",
		  .run = query_run,
		  .good = query_good,
		  .untouched = nothing,
		  .length = MR_PAGE,
		  .ph = 1 },
		{ .name = "QUERY_TPH_CAPS",
		  .run = caps_run,
		  .good = caps_good,
		  .untouched = nothing,
		  .length = MR_PAGE,
		  .ph = 1 },
		{ .name = "deregistration",
		  .run = dereg_run,
		  .good = dereg_good,
		  .untouched = dereg_untouched,
		  .length = 32 * MR_PAGE,
		  .ph = 3 },
	};
	const unsigned int count = sizeof(calls) / sizeof(calls[0]);
	int log, ret;

	if (argc != 4) {
		fprintf(stderr, "usage: fault HCA BDF BAR\n");
		return 2;
	}
	name = argv[1];
	ktap_plan(count + 4);
	ret = inject_open();
	if (ret)
		ktap_bail("the kernel has no fault injection: %d", ret);
	if (mr_hca_open(name, &hca))
		ktap_bail("%s does not open", name);
	if (mr_bar_open(argv[2], (unsigned int)strtoul(argv[3], NULL, 10), BAR_LENGTH, &bar))
		ktap_bail("%s does not open", argv[2]);
	log = account_log_open();
	table_open();
	for (unsigned int i = 0; i < count; i++)
		fail_each(&calls[i]);
	ktap_case("the ST table is empty afterwards");
	table_close();
	account_table_empty(&hca, &bar);
	ktap_done();
	fail_first(hammer_full() ? 1 : 17);
	fail_first_tag();
	ktap_case("the kernel has nothing to complain about");
	/* An allocation of the debug kernel's own fails as well, and it says so. */
	CHECK_EQUAL(0, account_log_complaints(log, "DMA-API: cacheline tracking ENOMEM"));
	ktap_done();
	mr_bar_close(&bar);
	mr_hca_close(&hca);
	inject_close();
	return ktap_exit();
}
