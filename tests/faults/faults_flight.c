// SPDX-License-Identifier: GPL-2.0-only
/*
 * The endpoint goes away and comes back while a peer writes into it: the memory of its BAR is
 * unmapped in the middle of a transfer. The writes go well, or end in an access error, and after it
 * the same memory region works again. "behind" turns the memory off behind the back of vfio-pci, so
 * that the key still names a BAR where nothing answers: an error of the responder.
 *
 * Usage: faults_flight REQUESTER RESPONDER BDF ENDPOINT memory|function|hot|behind [ROUNDS]
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "faults_work.h"

static struct work w;
static atomic_uint count, done;
static atomic_bool over;
static int ended;

static void *write_many(void *arg)
{
	(void)arg;
	ended = mr_link_write_many(&w.link, &w.mr, WORK_BYTES, &count, &done);
	atomic_store(&over, true);
	return NULL;
}

static int hot_reset(void)
{
	struct vfio_pci_hot_reset reset = { .argsz = sizeof(reset) };

	return ioctl(vfiobar_fd(w.bar.dev), VFIO_DEVICE_PCI_HOT_RESET, &reset) ? -errno : 0;
}

/* Memory space in the function's Command register. */
static int decode(bool on)
{
	uint8_t command;
	char path[128];
	int fd, ret = 0;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", w.bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || pread(fd, &command, 1, PCI_COMMAND) != 1)
		ret = -EIO;
	command = (uint8_t)(on ? command | PCI_COMMAND_MEMORY : command & ~PCI_COMMAND_MEMORY);
	if (!ret && pwrite(fd, &command, 1, PCI_COMMAND) != 1)
		ret = -EIO;
	close(fd);
	return ret;
}

static int away(const char *how)
{
	int ret;

	if (!strcmp(how, "behind")) {
		ret = decode(false);
		/* Until it is noticed. */
		for (unsigned int i = 0; !ret && !atomic_load(&over) && i < 30000; i++)
			usleep(1000);
		return ret ? ret : decode(true);
	}

	if (!strcmp(how, "function"))
		return mr_bar_reset(&w.bar);
	if (!strcmp(how, "hot"))
		return hot_reset();
	ret = mr_bar_memory(&w.bar, false);
	return ret ? ret : mr_bar_memory(&w.bar, true);
}

static void in_flight(const char *how)
{
	unsigned int first = 1 + work_draw(&w, 200);
	pthread_t thread;

	atomic_store(&count, 1u << 30);
	atomic_store(&done, 0);
	atomic_store(&over, false);
	if (!CHECK_EQUAL(0, pthread_create(&thread, NULL, write_many, NULL)))
		return;
	while (atomic_load(&done) < first)
		usleep(100);
	CHECK_EQUAL(0, away(how));
	/* An error has ended them, or else this does. */
	atomic_store(&count, atomic_load(&done) + 2 * MR_LINK_DEPTH);
	pthread_join(thread, NULL);
	if (!strcmp(how, "behind"))
		CHECK_EQUAL(IBV_WC_REM_OP_ERR, ended);
	else if (ended != IBV_WC_SUCCESS)
		CHECK_EQUAL(IBV_WC_REM_ACCESS_ERR, ended);
	ktap_step("the next job");
	work_check(&w);
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 6 ? (unsigned int)atoi(argv[6]) : 3;
	const char *how = argc > 5 ? argv[5] : "";

	if (strcmp(how, "memory") && strcmp(how, "function") && strcmp(how, "hot") &&
	    strcmp(how, "behind"))
		ktap_bail("usage: %s REQUESTER RESPONDER BDF ENDPOINT "
			  "memory|function|hot|behind [ROUNDS]",
			  argv[0]);
	ktap_plan(rounds);
	work_open(&w, 5, argv);
	for (unsigned int i = 0; i < rounds; i++) {
		ktap_case("%s, time %u", how, i + 1);
		in_flight(how);
		ktap_done();
	}
	work_close(&w);
	return ktap_exit();
}
