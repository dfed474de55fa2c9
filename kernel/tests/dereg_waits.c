// SPDX-License-Identifier: GPL-2.0-only
/*
 * A deregistration waits in the middle: somebody holds the lock of the dma-buf, and the memory key
 * is still alive. The place of its tag must not be free for others before the key is gone.
 *
 * Usage: dereg_waits IB-DEVICE BDF ENDPOINT, an HCA with a table of steering tags and a completer
 * of Extended TPH whose BAR 0 vfio-pci owns; the selftests' module dma_buf_tph_query is loaded.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "account.h"
#include "evidence.h"

#define BAR_LENGTH (1u << 20)
#define TAG	   42u
#define NEW_TAG	   43u
#define PH	   2u
/* What the module holds a lock for at most. */
#define HOLD_MS 10000u

/* The module's, in dma_buf_tph_query.h of the selftests. */
struct hold {
	int32_t fd;
	uint32_t ms;
};

#define HOLD _IOW('T', 0x71, struct hold)
#define HELD _IOW('T', 0x72, int32_t)

static struct {
	struct mr_hca hca;
	struct mr_bar bar;
	struct mr_link link;
	struct mr_tph_caps caps;
	const char *endpoint;
	int module;
} s;

struct call {
	atomic_int tid, ret;
	atomic_bool done;
	int fd;
	struct mr mr;
};

static void *hold_thread(void *arg)
{
	struct call *call = arg;
	struct hold hold = { .fd = call->fd, .ms = HOLD_MS };

	call->ret = ioctl(s.module, HOLD, &hold) ? -errno : 0;
	call->done = true;
	return NULL;
}

static void *dereg_thread(void *arg)
{
	struct call *call = arg;

	call->tid = (int)syscall(SYS_gettid);
	call->ret = mr_dereg(&s.hca, &call->mr);
	call->done = true;
	return NULL;
}

/* Waits for a lock, which no signal ends. */
static bool waits(const struct call *call)
{
	char path[64], state = 0;
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", call->tid);
	stat = fopen(path, "r");
	if (!stat)
		return false;
	if (fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(stat);
	return state == 'D';
}

static int reg(unsigned int page, uint16_t tag, int *fd, struct mr *mr)
{
	struct mr_request request = mr_request(-1, MR_PAGE, IB_UVERBS_MR_TPH_REQUIRE);

	*fd = mr_bar_export_hinted(&s.bar, page * MR_PAGE, MR_PAGE,
				   hint_of(s.caps.st_width, tag, PH));
	if (!CHECK(*fd >= 0))
		return *fd;
	request.fd = *fd;
	return mr_reg_dmabuf(&s.hca, &request, mr);
}

static struct wire_hint wire(uint16_t tag)
{
	return (struct wire_hint){ .th = true, .ph = PH, .width = s.caps.st_width, .st = tag };
}

static void run(void)
{
	struct call dereg = { 0 }, holder = { 0 };
	pthread_t holds, deregs;
	struct table table;
	struct mr mr;
	int fd;

	table_open(&table, &s.hca, &s.bar);
	/* The context's last place. */
	if (!CHECK_EQUAL(0, reg(0, TAG, &dereg.fd, &dereg.mr)))
		return;
	holder.fd = dereg.fd;
	CHECK_EQUAL(0, pthread_create(&holds, NULL, hold_thread, &holder));
	for (unsigned int i = 0; i < 100 && ioctl(s.module, HELD, &holder.fd) != 1; i++)
		usleep(20000);
	CHECK_EQUAL(1, ioctl(s.module, HELD, &holder.fd));
	CHECK_EQUAL(0, pthread_create(&deregs, NULL, dereg_thread, &dereg));
	for (unsigned int i = 0; i < 100 && !waits(&dereg); i++)
		usleep(20000);
	CHECK(waits(&dereg));
	CHECK_EQUAL(-ENOSPC, reg(1, NEW_TAG, &fd, &mr));
	/* The key lives, and sends its tag. */
	check_write(&s.link, &dereg.mr, s.endpoint, wire(TAG));
	/* All of that was while the lock was held. */
	CHECK(!holder.done && !dereg.done);
	pthread_kill(holds, SIGUSR1);
	pthread_join(holds, NULL);
	CHECK_EQUAL(-EINTR, holder.ret);
	pthread_join(deregs, NULL);
	CHECK_EQUAL(0, dereg.ret);
	close(fd);
	if (CHECK_EQUAL(0, reg(1, NEW_TAG, &fd, &mr))) {
		check_write(&s.link, &mr, s.endpoint, wire(NEW_TAG));
		CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
	}
	close(fd);
	close(dereg.fd);
	table_check(&table);
	table_close(&table);
	CHECK(account_table_empty(&s.hca, &s.bar));
}

static void on_signal(int signal)
{
	(void)signal;
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = on_signal };

	if (argc != 4) {
		fprintf(stderr, "usage: dereg_waits IB-DEVICE BDF ENDPOINT\n");
		return 2;
	}
	s.endpoint = argv[3];
	sigaction(SIGUSR1, &action, NULL);
	ktap_plan(1);
	s.module = open("/dev/dma_buf_tph_query", O_RDWR | O_CLOEXEC);
	ktap_must(s.module < 0 ? -errno : 0, "/dev/dma_buf_tph_query");
	ktap_must(mr_hca_open(argv[1], &s.hca), argv[1]);
	ktap_must(mr_bar_open(argv[2], 0, BAR_LENGTH, &s.bar), argv[2]);
	ktap_must(mr_link_open(&s.link, &s.hca, &s.hca), "RC connection");
	ktap_must(mr_tph_caps(&s.hca, &s.caps), "QUERY_TPH_CAPS");
	ktap_case("the place of a tag is taken until its key is gone");
	run();
	ktap_done();
	mr_link_close(&s.link);
	mr_bar_close(&s.bar);
	mr_hca_close(&s.hca);
	close(s.module);
	return ktap_exit();
}
