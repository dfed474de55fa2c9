// SPDX-License-Identifier: GPL-2.0-only
/*
 * race_reset HCA HCA BDF BAR hot|function: the device that exports the dma-buf loses its memory or
 * is reset while others set the hint, register and write. With "hot" the device is alone below its
 * root port and is reset together with its bus, otherwise by itself. The first HCA registers, the
 * second one writes.
 */
#include <errno.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "account.h"
#include "race.h"

#define WRITE 256u

static struct mr_hca hca[2];
static struct mr_bar bar;

/* What takes the BAR away: 0, or the errno of an attempt that changed nothing. */
static int memory_off_on(void)
{
	int ret = mr_bar_memory(&bar, false);

	usleep(200);
	return mr_bar_memory(&bar, true) ?: ret;
}

static int power_off_on(void)
{
	int ret = mr_bar_power(&bar, 3);

	usleep(200);
	return mr_bar_power(&bar, 0) ?: ret;
}

static int function_reset(void)
{
	return mr_bar_reset(&bar);
}

static int hot_reset(void)
{
	struct vfio_pci_hot_reset reset = { .argsz = sizeof(reset) };

	return ioctl(vfiobar_fd(bar.dev), VFIO_DEVICE_PCI_HOT_RESET, &reset) ? -errno : 0;
}

struct taker {
	int (*take)(void);
	bool busy; /* -EBUSY and -EAGAIN are answers */
	atomic_ulong done, refused;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* The BAR is there half of the time, so that others get on, and come in at the edges. */
static void take_step(void *arg, uint64_t *seed)
{
	struct taker *taker = arg;
	double begin = now();
	int ret = taker->take();

	if (ret && !(taker->busy && (ret == -EBUSY || ret == -EAGAIN)))
		HAMMER_EQUAL(0, ret);
	if (ret)
		taker->refused++;
	else
		taker->done++;
	usleep((useconds_t)((now() - begin) * 1e6) + hammer_random(seed, 2000));
}

static bool take_enough(void *arg)
{
	struct taker *taker = arg;

	return taker->done;
}

struct traffic {
	struct mr_link link;
	struct mr mr;
	atomic_ulong written, failed;
};

/* Writes fail while the BAR is away, and work again later. */
static void write_step(void *arg, uint64_t *seed)
{
	struct traffic *traffic = arg;
	int ret =
		mr_link_write(&traffic->link, &traffic->mr, hammer_random(seed, 8) * WRITE, WRITE);

	if (!ret) {
		traffic->written++;
		return;
	}
	HAMMER_CHECK(ret > 0); /* a completion with an error, and not that there is none */
	traffic->failed++;
	HAMMER_EQUAL(0, mr_link_reconnect(&traffic->link));
}

static bool write_enough(void *arg)
{
	struct traffic *traffic = arg;

	return traffic->written;
}

/* The BAR is there again, and all that was registered before works as before. */
static void check_afterwards(struct race_target *target, struct traffic *traffic)
{
	struct mr_info info;
	uint8_t bytes[WRITE];

	CHECK_EQUAL(0, mr_query(&hca[0], &traffic->mr, &info));
	CHECK_EQUAL(0, mr_bar_hint(&bar, target->fd,
				   mr_st_both((uint8_t)info.tph.steering_tag, info.tph.steering_tag,
					      info.tph.ph)));
	CHECK_EQUAL(0, mr_bar_memory(&bar, false));
	CHECK_EQUAL(0, mr_bar_memory(&bar, true));
	CHECK_EQUAL(0, mr_link_write(&traffic->link, &traffic->mr, 0, WRITE));
	CHECK_EQUAL(0, vfiobar_window_read(bar.window, 0, bytes, sizeof(bytes), NULL));
	CHECK(bytes[1] == 1 && bytes[WRITE - 2] == (WRITE - 2) % 251);
	/* the hint is that of the registration again */
	CHECK_EQUAL(0, mr_query(&hca[0], &traffic->mr, &info));
	CHECK_EQUAL(IB_UVERBS_MR_TPH_APPLIED, info.tph.flags);
}

static void against(const char *name, struct taker *taker)
{
	struct race_target target = { .hca = &hca[0], .bar = &bar, .revoked = true };
	struct traffic traffic = { 0 };
	struct mr_request request;
	struct account before;

	ktap_case("%s during SET, registration and writes", name);
	before = account(&hca[0]);
	target.fd = mr_bar_export_hinted(&bar, 0, MR_PAGE, mr_st_both(1, 1, 0));
	request = mr_request(target.fd, MR_PAGE, IB_UVERBS_MR_TPH_AUTO);
	if (CHECK(target.fd >= 0) &&
	    CHECK_EQUAL(0, mr_link_open(&traffic.link, &hca[1], &hca[0])) &&
	    CHECK_EQUAL(0, mr_reg(&hca[0], MR_REG_DMABUF_MR, &request, &traffic.mr))) {
		hammer(hammer_seconds(3),
		       (struct hammer_worker[]){
			       { name, take_step, taker, take_enough },
			       { "SET", race_set_step, &target, NULL },
			       { "register", race_register_step, &target, race_target_enough },
			       { "write", write_step, &traffic, write_enough } },
		       4);
		ktap_note("%lu times, %lu refused; %lu writes, %lu failed", taker->done,
			  taker->refused, traffic.written, traffic.failed);
		race_target_done(&target);
		check_afterwards(&target, &traffic);
		CHECK_EQUAL(0, mr_dereg(&hca[0], &traffic.mr));
	}
	mr_link_close(&traffic.link);
	close(target.fd);
	account_same(&hca[0], &before);
	ktap_done();
}

static bool hot_enough(void *arg)
{
	struct taker *hot = arg;

	return hot->done && hot->done + hot->refused >= 15;
}

/* How many of 1000 hot resets succeed beside @count threads of @load. */
static unsigned long hot_beside(const char *name, const struct hammer_worker *load,
				unsigned int count)
{
	struct taker hot = { .take = hot_reset, .busy = true };
	struct hammer_worker worker[4] = { { "hot reset", take_step, &hot, hot_enough } };
	unsigned long tried, succeeded;

	memcpy(&worker[1], load, count * sizeof(*load));
	hammer(hammer_seconds(2), worker, count + 1);
	tried = hot.done + hot.refused;
	succeeded = tried ? 1000 * hot.done / tried : 0;
	ktap_note("of 1000 hot resets beside %s, %lu succeed", name, succeeded);
	return succeeded;
}

/*
 * A hot reset does not wait for memory_lock, which SET holds for a moment: it gives up. Even when
 * two threads do nothing but SET, that must not become the rule: one attempt of 50 succeeds at
 * least.
 */
static void hot_resets(void)
{
	struct race_target target = { .hca = &hca[0], .bar = &bar, .revoked = true };
	const struct hammer_worker load[] = { { "register", race_register_step, &target, NULL },
					      { "SET", race_set_step, &target, NULL },
					      { "SET", race_set_step, &target, NULL } };

	ktap_case("hot resets succeed during SET and registration");
	target.fd = mr_bar_export_hinted(&bar, 0, MR_PAGE, mr_st_both(1, 1, 0));
	if (CHECK(target.fd >= 0)) {
		CHECK(hot_beside("nothing", load, 0) >= 900);
		CHECK(hot_beside("registration", load, 1) >= 900);
		CHECK(hot_beside("SET", &load[2], 1) >= 20);
		CHECK(hot_beside("registration, SET and SET", load, 3) >= 20);
		close(target.fd);
	}
	ktap_done();
}

int main(int argc, char **argv)
{
	struct taker memory = { .take = memory_off_on }, function = { .take = function_reset };
	struct taker power = { .take = power_off_on };
	struct taker hot = { .take = hot_reset, .busy = true };
	int log;

	if (argc != 6 || (strcmp(argv[5], "hot") && strcmp(argv[5], "function"))) {
		fprintf(stderr, "usage: race_reset HCA HCA BDF BAR hot|function\n");
		return 2;
	}
	for (unsigned int i = 0; i < 2; i++)
		if (mr_hca_open(argv[1 + i], &hca[i]))
			ktap_bail("%s does not open", argv[1 + i]);
	if (mr_bar_open(argv[3], (unsigned int)strtoul(argv[4], NULL, 10), RACE_BAR_LENGTH, &bar))
		ktap_bail("%s does not open", argv[3]);
	ktap_plan(strcmp(argv[5], "hot") ? 4 : 3);
	log = account_log_open();
	if (!strcmp(argv[5], "hot")) {
		against("hot reset", &hot);
		hot_resets();
	} else {
		against("memory off and on", &memory);
		against("D3 and D0", &power);
		against("function reset", &function);
	}
	ktap_case("the ST table is empty, and the kernel has nothing to complain about");
	account_table_empty(&hca[0], &bar);
	CHECK_EQUAL(0, account_log_complaints(log, NULL));
	ktap_done();
	mr_bar_close(&bar);
	for (unsigned int i = 0; i < 2; i++)
		mr_hca_close(&hca[i]);
	return ktap_exit();
}
