// SPDX-License-Identifier: GPL-2.0-only
/*
 * What libvfiobar does beyond one range of a function that it opened: a dma-buf of several ranges,
 * and the descriptor of somebody else. What an HCA writes to the dma-buf arrives where the ranges
 * are.
 *
 * Usage: bar_library IB-DEVICE BDF, a completer of TPH whose BAR 0 vfio-pci owns.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ktap.h"
#include "mr.h"

#define PAGES 8u

static struct {
	struct mr_hca hca;
	struct mr_bar bar;
	struct mr_link link;
	const char *bdf;
} s;

/* Fills the BAR's first pages with 0xee. */
static void blank(void)
{
	uint8_t page[MR_PAGE];

	memset(page, 0xee, sizeof(page));
	for (unsigned int i = 0; i < PAGES; i++)
		CHECK_EQUAL(0, vfiobar_window_write(s.bar.window, i * MR_PAGE, page, sizeof(page),
						    NULL));
}

/* Page @at of the BAR has page @of of the link's buffer, or, if negative, what blank() left. */
static void check_page(unsigned int at, int of)
{
	uint8_t page[MR_PAGE], expect[MR_PAGE];

	memset(expect, 0xee, sizeof(expect));
	if (of >= 0)
		memcpy(expect, s.link.buffer + (unsigned int)of * MR_PAGE, sizeof(expect));
	CHECK_EQUAL(0, vfiobar_window_read(s.bar.window, at * MR_PAGE, page, sizeof(page), NULL));
	ktap_step("page %u", at);
	CHECK(!memcmp(page, expect, sizeof(page)));
}

/* Writes @pages pages to a memory region of the dma-buf. */
static void write_pages(int fd, unsigned int pages)
{
	struct mr_request request = mr_request(fd, pages * MR_PAGE, -1);
	struct mr mr;

	if (!CHECK_EQUAL(0, mr_reg_dmabuf(&s.hca, &request, &mr)))
		return;
	CHECK_EQUAL(0, mr_link_write(&s.link, &mr, 0, pages * MR_PAGE));
	CHECK_EQUAL(0, mr_dereg(&s.hca, &mr));
}

/* Pages 5, 1, 2 and 7, in that order, with a hint on all of them. */
static void ranges(void)
{
	const struct vfiobar_range ranges[] = { { 5 * MR_PAGE, MR_PAGE },
						{ 1 * MR_PAGE, 2 * MR_PAGE },
						{ 7 * MR_PAGE, MR_PAGE } };
	static const int expect[PAGES] = { -1, 1, 2, -1, -1, 0, -1, 3 };
	int fd;

	blank();
	fd = vfiobar_export_ranges(s.bar.dev, 0, ranges, 3, NULL);
	if (!CHECK(fd >= 0))
		return;
	CHECK_EQUAL(4 * MR_PAGE, lseek(fd, 0, SEEK_END));
	CHECK_EQUAL(0, mr_bar_hint(&s.bar, fd, mr_st(42, 2)));
	write_pages(fd, 4);
	close(fd);
	for (unsigned int i = 0; i < PAGES; i++)
		check_page(i, expect[i]);
}

/* A second open is refused; the first one's descriptor does all, and stays open. */
static void adopted(void)
{
	struct vfiobar_hint hint = { .size = sizeof(hint), .has_st = true, .st = 42, .ph = 2 };
	struct vfiobar *second = NULL;
	struct vfiobar_window *window;
	struct vfiobar_msg msg = { "" };
	uint8_t byte = 0;
	int fd, ret;

	blank();
	ret = vfiobar_open(s.bdf, &second, &msg);
	CHECK(ret == -EBUSY || ret == -EINVAL);
	CHECK(strstr(msg.text, s.bdf));
	if (!CHECK_EQUAL(0, vfiobar_from_fd(vfiobar_fd(s.bar.dev), s.bdf, &second, &msg)))
		ktap_bail("%s", msg.text);
	CHECK(!memcmp(vfiobar_layout(second), vfiobar_layout(s.bar.dev),
		      sizeof(struct vfiobar_layout)));
	fd = vfiobar_export(second, 0, 3 * MR_PAGE, MR_PAGE, &msg);
	if (CHECK(fd >= 0)) {
		CHECK_EQUAL(0, vfiobar_set_hint(second, fd, &hint, &msg));
		write_pages(fd, 1);
	}
	CHECK_EQUAL(0, vfiobar_window_open(second, 0, 3 * MR_PAGE + 7, 1, &window, &msg));
	CHECK_EQUAL(0, vfiobar_window_read(window, 0, &byte, 1, &msg));
	CHECK_EQUAL(s.link.buffer[7], byte);
	vfiobar_window_close(window);
	vfiobar_close(second);
	/* Its dma-buf is not revoked either. */
	write_pages(fd, 1);
	close(fd);
	check_page(3, 0);
	check_page(2, -1);
	check_page(4, -1);
}

/* What is no descriptor of vfio, and the right one with a wrong address. */
static void not_adopted(void)
{
	struct vfiobar *dev = NULL;
	struct vfiobar_msg msg = { "" };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	CHECK_EQUAL(-ENOTTY, vfiobar_from_fd(null, s.bdf, &dev, &msg));
	CHECK(strstr(msg.text, "asking vfio for the device failed"));
	CHECK_EQUAL(-EBADF, vfiobar_from_fd(-1, s.bdf, &dev, NULL));
	CHECK_EQUAL(-ENODEV, vfiobar_from_fd(vfiobar_fd(s.bar.dev), "00:1f.7", &dev, NULL));
	CHECK(!dev);
	CHECK_EQUAL(0, close(null));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = { { "a dma-buf of ranges", ranges },
		      { "the descriptor of somebody else", adopted },
		      { "no descriptor of the function", not_adopted } };

	if (argc != 3) {
		fprintf(stderr, "usage: bar_library IB-DEVICE BDF\n");
		return 2;
	}
	s.bdf = argv[2];
	ktap_plan(3);
	ktap_must(mr_hca_open(argv[1], &s.hca), argv[1]);
	ktap_must(mr_bar_open(s.bdf, 0, PAGES * MR_PAGE, &s.bar), s.bdf);
	ktap_must(mr_link_open(&s.link, &s.hca, &s.hca), "RC connection");
	for (unsigned int i = 0; i < 3; i++) {
		ktap_case("%s", cases[i].name);
		cases[i].run();
		ktap_done();
	}
	mr_link_close(&s.link);
	mr_bar_close(&s.bar);
	mr_hca_close(&s.hca);
	return ktap_exit();
}
