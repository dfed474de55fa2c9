// SPDX-License-Identifier: GPL-2.0-only
/*
 * Either side goes away under live memory regions: a reset of the HCA, its driver or the vfio
 * driver unbound, the HCA removed from the bus. The regions end or reach nothing, and whoever comes
 * back finds every tag free.
 *
 * Usage: removal IB-DEVICE WIDTH BDF ENDPOINT, a function with a table of tags that nobody else
 * uses, and a completer of Extended TPH whose BAR 0 vfio-pci owns.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evidence.h"

#define LENGTH	   65536u
#define BAR_LENGTH (1u << 20)
#define TAG	   42u
#define PH	   2u
#define MRS	   5u
#define TIMEOUT_MS 60000u

static struct {
	struct mr_hca hca;
	struct mr_bar bar;
	struct mr_link link;
	struct mr mr[MRS]; /* with the tags from TAG on */
	const char *name, *bdf, *endpoint;
	char hca_bdf[VFIOBAR_BDF_LEN];
	uint8_t width;
	int fd;
} s;

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static int put_pci(const char *bdf, const char *leaf, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", bdf, leaf);
	return put(path, text);
}

static void pause_ms(unsigned int ms)
{
	usleep(1000 * ms);
}

/* --- live memory regions -------------------------------------------------------------------- */

static struct wire_hint wire_of(unsigned int i)
{
	return (struct wire_hint){
		.th = true, .ph = PH, .width = s.width, .st = (uint16_t)(TAG + i)
	};
}

static int open_hca(void)
{
	int ret = mr_hca_open(s.name, &s.hca);

	if (ret)
		return ret;
	ret = mr_link_open(&s.link, &s.hca, &s.hca);
	if (ret)
		mr_hca_close(&s.hca);
	return ret;
}

static void close_hca(void)
{
	mr_link_close(&s.link);
	mr_hca_close(&s.hca);
}

static void make_mrs(void)
{
	for (unsigned int i = 0; i < MRS; i++) {
		struct mr_request request = mr_request(s.fd, LENGTH, IB_UVERBS_MR_TPH_REQUIRE);

		CHECK_EQUAL(0,
			    mr_bar_hint(&s.bar, s.fd, hint_of(s.width, (uint16_t)(TAG + i), PH)));
		CHECK_EQUAL(0, mr_reg_ex(&s.hca, &request, &s.mr[i]));
		check_write(&s.link, &s.mr[i], s.endpoint, wire_of(i));
	}
}

static bool active(void)
{
	char path[128], state[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/infiniband/%s/ports/1/state", s.name);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(state, sizeof(state), file))
		state[0] = '\0';
	fclose(file);
	return strstr(state, "ACTIVE");
}

/* The HCA is there again: all its tags are free, and one of them arrives. */
static void check_back(void)
{
	struct table table;
	unsigned int ms;

	/* The old device may be seen for a while before it goes. */
	for (ms = 0; !(active() && !open_hca()); ms += 50) {
		if (ms > TIMEOUT_MS)
			ktap_bail("%s does not come back", s.name);
		pause_ms(50);
	}
	table_open(&table, &s.hca, &s.bar);
	table_check(&table);
	table_close(&table);
	make_mrs();
	for (unsigned int i = 0; i < MRS; i++)
		CHECK_EQUAL(0, mr_dereg(&s.hca, &s.mr[i]));
}

/* The context is cut off from its device; what it had is gone, and to let go of it succeeds. */
static void check_cut_off(void)
{
	struct mr_request request = mr_request(s.fd, LENGTH, -1);
	struct mr_info info;
	struct mr mr;

	CHECK_EQUAL(-EIO, mr_query(&s.hca, &s.mr[0], &info));
	CHECK_EQUAL(-EIO, mr_reg_dmabuf(&s.hca, &request, &mr));
	CHECK_EQUAL(0, mr_dereg(&s.hca, &s.mr[0]));
	close_hca();
}

/* --- the HCA's side ------------------------------------------------------------------------- */

/* The driver notices after a while, takes the device down, and brings it up again. */
static void reset_hca(void)
{
	struct mr_info info;
	unsigned int ms;

	make_mrs();
	CHECK_EQUAL(0, put_pci(s.hca_bdf, "reset_method", "flr"));
	CHECK_EQUAL(0, put_pci(s.hca_bdf, "reset", "1"));
	for (ms = 0; mr_query(&s.hca, &s.mr[0], &info) != -EIO && ms < TIMEOUT_MS; ms += 50)
		pause_ms(50);
	check_cut_off();
	check_back();
}

static void unbind_hca(void)
{
	make_mrs();
	CHECK_EQUAL(0, put_pci(s.hca_bdf, "driver/unbind", s.hca_bdf));
	check_cut_off();
	CHECK_EQUAL(0, put("/sys/bus/pci/drivers/mlx5_core/bind", s.hca_bdf));
	check_back();
}

static void remove_hca(void)
{
	make_mrs();
	CHECK_EQUAL(0, put_pci(s.hca_bdf, "remove", "1"));
	check_cut_off();
	CHECK_EQUAL(0, put("/sys/bus/pci/rescan", "1"));
	check_back();
}

/* The same with nothing left open: the driver is what has to clean up. */
static void unbind_closed(void)
{
	make_mrs();
	close_hca();
	CHECK_EQUAL(0, put_pci(s.hca_bdf, "driver/unbind", s.hca_bdf));
	CHECK_EQUAL(0, put("/sys/bus/pci/drivers/mlx5_core/bind", s.hca_bdf));
	check_back();
}

/* --- the endpoint's side ------------------------------------------------------------------- */

static atomic_bool unbound;

static void *unbind_vfio(void *arg)
{
	*(int *)arg = put_pci(s.bdf, "driver/unbind", s.bdf);
	atomic_store(&unbound, true);
	return NULL;
}

/* Unbind waits for the device to be closed, and MRs do not keep it from that. */
static void unbind_endpoint(void)
{
	pthread_t thread;
	struct mr mr;
	struct mr_request request;
	int ret = 0;

	make_mrs();
	atomic_store(&unbound, false);
	if (!CHECK_EQUAL(0, pthread_create(&thread, NULL, unbind_vfio, &ret)))
		return;
	pause_ms(300);
	CHECK(!atomic_load(&unbound));
	check_write(&s.link, &s.mr[0], s.endpoint, wire_of(0));
	mr_bar_close(&s.bar);
	pthread_join(thread, NULL);
	CHECK_EQUAL(0, ret);
	CHECK_EQUAL(0, control_reset_counts(s.endpoint));
	for (unsigned int i = 0; i < MRS; i++) {
		CHECK_EQUAL(IBV_WC_REM_ACCESS_ERR, mr_link_write(&s.link, &s.mr[i], 0, 4096));
		CHECK_EQUAL(0, mr_link_reconnect(&s.link));
	}
	check_nothing_arrived(s.endpoint);
	request = mr_request(s.fd, LENGTH, IB_UVERBS_MR_TPH_AUTO);
	CHECK_EQUAL(-ENODEV, mr_reg_dmabuf(&s.hca, &request, &mr));
	CHECK_EQUAL(0, put("/sys/bus/pci/drivers/vfio-pci/bind", s.bdf));
	if (mr_bar_open(s.bdf, 0, BAR_LENGTH, &s.bar))
		ktap_bail("%s does not open again", s.bdf);
	CHECK_EQUAL(-ENODEV, mr_reg_dmabuf(&s.hca, &request, &mr));
	close(s.fd);
	s.fd = mr_bar_export(&s.bar, 0, LENGTH);
	CHECK(s.fd >= 0);
	for (unsigned int i = 0; i < MRS; i++)
		CHECK_EQUAL(0, mr_dereg(&s.hca, &s.mr[i]));
	close_hca();
	check_back();
}

static void find_hca_bdf(void)
{
	char path[128], target[512];
	const char *slash;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/class/infiniband/%s/device", s.name);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		ktap_bail("no %s", s.name);
	target[n] = '\0';
	slash = strrchr(target, '/');
	if (!slash || vfiobar_parse_bdf(slash + 1, s.hca_bdf, NULL))
		ktap_bail("%s is not a PCI function", target);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = {
		{ "HCA reset", reset_hca },
		{ "HCA driver unbound", unbind_hca },
		{ "HCA driver unbound, context closed", unbind_closed },
		{ "HCA removed from the bus", remove_hca },
		{ "vfio-pci unbound", unbind_endpoint },
	};
	const unsigned int n = sizeof(cases) / sizeof(cases[0]);

	if (argc != 5) {
		fprintf(stderr, "usage: removal IB-DEVICE WIDTH BDF ENDPOINT\n");
		return 2;
	}
	s.name = argv[1];
	s.width = (uint8_t)atoi(argv[2]);
	s.bdf = argv[3];
	s.endpoint = argv[4];
	ktap_plan(n);
	find_hca_bdf();
	if (open_hca() || mr_bar_open(s.bdf, 0, BAR_LENGTH, &s.bar))
		ktap_bail("%s or %s does not open", s.name, s.bdf);
	s.fd = mr_bar_export(&s.bar, 0, LENGTH);
	if (s.fd < 0)
		ktap_bail("no dma-buf: %d", s.fd);
	for (unsigned int i = 0; i < n; i++) {
		ktap_case("width %u: %s", s.width, cases[i].name);
		cases[i].run();
		ktap_done();
	}
	close(s.fd);
	close_hca();
	mr_bar_close(&s.bar);
	return ktap_exit();
}
