// SPDX-License-Identifier: GPL-2.0-only
/*
 * race_hint HCA HCA BDF BAR BDF BAR: the hint of a dma-buf while others set it, take it, close it
 * or put another one in its place. The devices take 8-bit and Extended tags; one HCA sends either
 * width.
 */
#include <errno.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "account.h"
#include "race.h"

/* As in the kernel's header, of which the libraries at hand may have an older one. */
#define FEATURE_DMA_BUF_TPH 14

struct feature_tph {
	struct vfio_device_feature feature;
	int32_t dmabuf_fd;
	uint32_t flags;
	uint16_t st, st_ext;
	uint8_t ph, reserved[3];
};

struct device {
	const char *bdf;
	unsigned int number;
	struct mr_bar bar;
};

static struct mr_hca hca[2];
static struct device device[2];

/* The open before may not be over yet: a SET in another thread keeps it alive, and there is one
 * open. */
static void open_device(struct device *opened)
{
	int ret = -EINVAL;

	for (unsigned int tries = 0; tries < 1000 && ret == -EINVAL; tries++) {
		ret = mr_bar_open(opened->bdf, opened->number, RACE_BAR_LENGTH, &opened->bar);
		if (ret == -EINVAL)
			usleep(1000);
	}
	if (ret)
		ktap_bail("%s: %d", opened->bdf, ret);
}

/* --- SET against SET and registration -----------------------------------------------------------
 */

static void set_set(const char *name, void (*set)(void *arg, uint64_t *seed))
{
	struct race_target target[2];
	struct account before;
	int fd;

	ktap_case("%s", name);
	before = account(&hca[0]);
	fd = mr_bar_export_hinted(&device[0].bar, 0, MR_PAGE, mr_st_both(0, 0, 0));
	if (CHECK(fd >= 0)) {
		for (unsigned int i = 0; i < 2; i++)
			target[i] = (struct race_target){ .hca = &hca[i],
							  .bar = &device[0].bar,
							  .fd = fd };
		hammer(hammer_seconds(3),
		       (struct hammer_worker[]){ { "SET", set, &target[0], NULL },
						 { "SET", set, &target[1], NULL },
						 { "register, 8 bit", race_register_step,
						   &target[0], race_target_enough },
						 { "register, 16 bit", race_register_step,
						   &target[1], race_target_enough } },
		       4);
		race_target_done(&target[0]);
		race_target_done(&target[1]);
		close(fd);
	}
	account_same(&hca[0], &before);
	ktap_done();
}

/* --- SET through another device while that of the dma-buf closes --------------------------------
 */

#define FOREIGN_TAG 7
/* The owner is cleared once in each; KCSAN looks at few of the moments at which another reads it.
 */
#define FOREIGN_CLOSINGS 200

struct foreign {
	int fd; /* always a dma-buf of device[1], at times of an earlier open */
	atomic_ulong tried, closed, looked;
};

static void foreign_set_step(void *arg, uint64_t *seed)
{
	struct foreign *foreign = arg;

	HAMMER_EQUAL(-EINVAL, mr_bar_hint(&device[0].bar, foreign->fd, race_pair(seed)));
	foreign->tried++;
}

/* A fresh dma-buf under the same number, the hint of which has to stay as it is. */
static void foreign_close_step(void *arg, uint64_t *seed)
{
	struct foreign *foreign = arg;
	struct mr_request request = mr_request(foreign->fd, MR_PAGE, IB_UVERBS_MR_TPH_REQUIRE);
	struct mr_info info;
	struct mr mr;
	int fd;

	mr_bar_close(&device[1].bar);
	open_device(&device[1]);
	fd = mr_bar_export_hinted(&device[1].bar, 0, MR_PAGE,
				  mr_st_both(FOREIGN_TAG, FOREIGN_TAG, 1));
	if (!HAMMER_CHECK(fd >= 0))
		return;
	HAMMER_CHECK(dup2(fd, foreign->fd) == foreign->fd);
	close(fd);
	usleep(hammer_random(seed, 2000));
	foreign->closed++;
	/* Registrations take most of the time. */
	if (hammer_random(seed, 8))
		return;
	for (unsigned int i = 0; i < 2; i++) {
		if (!HAMMER_EQUAL(0, mr_reg(&hca[i], MR_REG_DMABUF_MR, &request, &mr)))
			return;
		if (HAMMER_EQUAL(0, mr_query(&hca[i], &mr, &info))) {
			HAMMER_EQUAL(FOREIGN_TAG, info.tph.steering_tag);
			HAMMER_EQUAL(1, info.tph.ph);
		}
		HAMMER_EQUAL(0, mr_dereg(&hca[i], &mr));
	}
	foreign->looked++;
}

static bool foreign_enough(void *arg)
{
	struct foreign *foreign = arg;

	return foreign->tried && foreign->looked && foreign->closed >= FOREIGN_CLOSINGS;
}

static void foreign(void)
{
	struct foreign foreign = { 0 };
	struct account before;

	ktap_case("SET through another device while the dma-buf's own closes and opens");
	before = account(&hca[0]);
	foreign.fd = mr_bar_export_hinted(&device[1].bar, 0, MR_PAGE,
					  mr_st_both(FOREIGN_TAG, FOREIGN_TAG, 1));
	if (CHECK(foreign.fd >= 0)) {
		hammer(hammer_seconds(3),
		       (struct hammer_worker[]){
			       { "SET", foreign_set_step, &foreign, NULL },
			       { "SET", foreign_set_step, &foreign, NULL },
			       { "close and open", foreign_close_step, &foreign, foreign_enough } },
		       3);
		close(foreign.fd);
	}
	account_same(&hca[0], &before);
	ktap_done();
}

/* --- PROBE and SET while the device itself closes -----------------------------------------------
 */

struct closing {
	atomic_int device_fd, fd;
	atomic_ulong good, bad;
};

static int raw_set(int device_fd, int fd, uint32_t operation, uint8_t tag)
{
	struct feature_tph set = { .feature = { .argsz = sizeof(set),
						.flags = operation | FEATURE_DMA_BUF_TPH },
				   .dmabuf_fd = fd,
				   .flags = 3,
				   .st = tag,
				   .st_ext = tag,
				   .ph = 1 };

	return ioctl(device_fd, VFIO_DEVICE_FEATURE, &set) ? -errno : 0;
}

static void closing_set_step(void *arg, uint64_t *seed)
{
	struct closing *closing = arg;
	bool probe = hammer_random(seed, 2);
	int ret = raw_set(closing->device_fd, closing->fd,
			  probe ? VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_SET
				: VFIO_DEVICE_FEATURE_SET,
			  FOREIGN_TAG);

	/*
	 * The descriptors may be closed, of an earlier open, of a device that is not bound yet, or
	 * of something else that got the number.
	 */
	if (ret && ret != -EBADF && ret != -EINVAL && ret != -ENOTTY && ret != -ENODEV)
		HAMMER_EQUAL(0, ret);
	if (ret)
		closing->bad++;
	else
		closing->good++;
}

static void closing_close_step(void *arg, uint64_t *seed)
{
	struct closing *closing = arg;
	int fd = closing->fd;

	if (hammer_random(seed, 2)) {
		close(fd);
		mr_bar_close(&device[1].bar);
	} else {
		mr_bar_close(&device[1].bar);
		close(fd);
	}
	open_device(&device[1]);
	closing->device_fd = vfiobar_fd(device[1].bar.dev);
	fd = mr_bar_export(&device[1].bar, 0, MR_PAGE);
	HAMMER_CHECK(fd >= 0);
	closing->fd = fd;
	usleep(hammer_random(seed, 2000));
}

static bool closing_enough(void *arg)
{
	struct closing *closing = arg;

	return closing->good && closing->bad;
}

static void closing(void)
{
	struct closing closing = { 0 };
	struct account before;

	ktap_case("PROBE and SET while the device closes and opens");
	before = account(&hca[0]);
	closing.device_fd = vfiobar_fd(device[1].bar.dev);
	closing.fd = mr_bar_export(&device[1].bar, 0, MR_PAGE);
	if (CHECK(closing.fd >= 0)) {
		hammer(hammer_seconds(3),
		       (struct hammer_worker[]){
			       { "PROBE, SET", closing_set_step, &closing, NULL },
			       { "PROBE, SET", closing_set_step, &closing, NULL },
			       { "close and open", closing_close_step, &closing, closing_enough } },
		       3);
		ktap_note("%lu times 0, %lu times an error", closing.good, closing.bad);
		close(closing.fd);
	}
	account_same(&hca[0], &before);
	ktap_done();
}

/* --- the last close of the dma-buf during SET and registration ----------------------------------
 */

static void last_set_step(void *arg, uint64_t *seed)
{
	struct closing *last = arg;
	int ret = mr_bar_hint(&device[0].bar, last->fd, race_pair(seed));

	/* The exporter opens files of sysfs: one of them may have the number for a moment. */
	if (ret && ret != -EBADF && ret != -EINVAL)
		HAMMER_EQUAL(0, ret);
	if (ret)
		last->bad++;
	else
		last->good++;
}

static void last_register_step(void *arg, uint64_t *seed)
{
	struct closing *last = arg;
	struct mr_request request = mr_request(last->fd, MR_PAGE, IB_UVERBS_MR_TPH_AUTO);
	struct mr_hca *through = &hca[hammer_random(seed, 2)];
	struct mr_info info;
	struct mr mr;
	int ret = mr_reg(through, MR_REG_DMABUF_MR, &request, &mr);

	if (ret) {
		if (ret != -EINVAL)
			HAMMER_EQUAL(-EBADF, ret);
		return;
	}
	if (HAMMER_EQUAL(0, mr_query(through, &mr, &info)) && info.tph.flags)
		HAMMER_CHECK(race_pair_whole(&info.tph));
	HAMMER_EQUAL(0, mr_dereg(through, &mr));
}

static void last_close_step(void *arg, uint64_t *seed)
{
	struct closing *last = arg;
	int fd = mr_bar_export(&device[0].bar, 0, MR_PAGE);

	if (!HAMMER_CHECK(fd >= 0))
		return;
	last->fd = fd;
	usleep(hammer_random(seed, 500));
	close(fd);
	usleep(hammer_random(seed, 500));
}

static void last_close(void)
{
	struct closing last = { 0 };
	struct account before;

	ktap_case("last close of a dma-buf during SET and registration");
	before = account(&hca[0]);
	last.fd = -1;
	hammer(hammer_seconds(3),
	       (struct hammer_worker[]){
		       { "SET", last_set_step, &last, NULL },
		       { "SET", last_set_step, &last, NULL },
		       { "register", last_register_step, &last, NULL },
		       { "export and close", last_close_step, &last, closing_enough } },
	       4);
	ktap_note("%lu times 0, %lu times EBADF", last.good, last.bad);
	account_same(&hca[0], &before);
	ktap_done();
}

/* --- dup2 during registration -------------------------------------------------------------------
 */

#define PATTERN 64u

struct swapped {
	int own[2]; /* of device[0] and device[1], with the tags below */
	int fd;	    /* one of them */
	atomic_ulong seen[2];
};

static const uint8_t swapped_tag[2] = { 17, 34 };

struct swapped_user {
	struct swapped *swapped;
	struct mr_hca *hca;
	struct mr_link link;
	uint64_t at; /* where in the BARs this one writes */
};

static void swap_step(void *arg, uint64_t *seed)
{
	struct swapped *swapped = arg;

	HAMMER_CHECK(dup2(swapped->own[hammer_random(seed, 2)], swapped->fd) == swapped->fd);
	/* long enough for a registration to begin with one and to go on with the other */
	usleep(hammer_random(seed, 300));
}

/* Does the place in the BAR have the bytes 0, 1, 2, ...? They are overwritten. */
static bool arrived(const struct device *at, uint64_t offset)
{
	static const uint8_t blank[PATTERN];
	uint8_t bytes[PATTERN];

	vfiobar_window_read(at->bar.window, offset, bytes, sizeof(bytes), NULL);
	vfiobar_window_write(at->bar.window, offset, blank, sizeof(blank), NULL);
	return bytes[1] == 1 && bytes[PATTERN - 1] == PATTERN - 1;
}

static void swapped_write(struct swapped_user *user, const struct mr *mr, unsigned int which)
{
	if (!HAMMER_EQUAL(0, mr_link_write(&user->link, mr, 0, PATTERN)))
		return;
	for (unsigned int i = 0; i < 2; i++)
		HAMMER_EQUAL(i == which, arrived(&device[i], user->at));
	user->swapped->seen[which]++;
}

static void swapped_register_step(void *arg, uint64_t *seed)
{
	struct swapped_user *user = arg;
	struct mr_request request =
		mr_request(user->swapped->fd, MR_PAGE, IB_UVERBS_MR_TPH_REQUIRE);
	enum mr_method method = hammer_random(seed, 2) ? MR_REG_MR : MR_REG_DMABUF_MR;
	struct mr_info info;
	struct mr mr;

	request.offset = user->at;
	if (!HAMMER_EQUAL(0, mr_reg(user->hca, method, &request, &mr)))
		return;
	if (HAMMER_EQUAL(0, mr_query(user->hca, &mr, &info)))
		for (unsigned int i = 0; i < 2; i++)
			if (info.tph.steering_tag == swapped_tag[i]) {
				HAMMER_EQUAL(i + 1, info.tph.ph);
				swapped_write(user, &mr, i);
			}
	HAMMER_EQUAL(0, mr_dereg(user->hca, &mr));
}

static bool swapped_enough(void *arg)
{
	struct swapped *swapped = arg;

	return swapped->seen[0] && swapped->seen[1];
}

static void dup2_storm(void)
{
	struct swapped swapped = { .fd = -1 };
	struct swapped_user user[2];
	struct account before;

	ktap_case("another dma-buf takes the descriptor's place during registration");
	before = account(&hca[0]);
	for (unsigned int i = 0; i < 2; i++) {
		swapped.own[i] = mr_bar_export_hinted(
			&device[i].bar, 0, 4 * MR_PAGE,
			mr_st_both(swapped_tag[i], swapped_tag[i], (uint8_t)(i + 1)));
		user[i] = (struct swapped_user){ .swapped = &swapped,
						 .hca = &hca[i],
						 .at = i * 2 * MR_PAGE };
		CHECK(swapped.own[i] >= 0);
		CHECK_EQUAL(0, mr_link_open(&user[i].link, &hca[1 - i], &hca[i]));
		arrived(&device[0], user[i].at);
		arrived(&device[1], user[i].at);
	}
	swapped.fd = dup(swapped.own[0]);
	hammer(hammer_seconds(3),
	       (struct hammer_worker[]){
		       { "dup2", swap_step, &swapped, swapped_enough },
		       { "register, 8 bit", swapped_register_step, &user[0], NULL },
		       { "register, 16 bit", swapped_register_step, &user[1], NULL } },
	       3);
	ktap_note("%lu writes to the one, %lu to the other", swapped.seen[0], swapped.seen[1]);
	for (unsigned int i = 0; i < 2; i++) {
		mr_link_close(&user[i].link);
		close(swapped.own[i]);
	}
	close(swapped.fd);
	account_same(&hca[0], &before);
	ktap_done();
}

int main(int argc, char **argv)
{
	int log;

	if (argc != 7) {
		fprintf(stderr, "usage: race_hint HCA HCA BDF BAR BDF BAR\n");
		return 2;
	}
	for (unsigned int i = 0; i < 2; i++) {
		device[i].bdf = argv[3 + 2 * i];
		device[i].number = (unsigned int)strtoul(argv[4 + 2 * i], NULL, 10);
		if (mr_hca_open(argv[1 + i], &hca[i]))
			ktap_bail("%s does not open", argv[1 + i]);
		open_device(&device[i]);
	}
	ktap_plan(7);
	log = account_log_open();
	set_set("SET, SET and registration: no torn pair", race_set_step);
	set_set("SET, withdrawal and registration: no torn pair", race_set_withdraw_step);
	foreign();
	closing();
	last_close();
	dup2_storm();
	ktap_case("the ST tables are empty, and the kernel has nothing to complain about");
	account_table_empty(&hca[0], &device[0].bar);
	account_table_empty(&hca[1], &device[0].bar);
	CHECK_EQUAL(0, account_log_complaints(log, NULL));
	ktap_done();
	for (unsigned int i = 0; i < 2; i++) {
		mr_bar_close(&device[i].bar);
		mr_hca_close(&hca[i]);
	}
	return ktap_exit();
}
