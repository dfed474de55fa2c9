// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers memory regions and keeps them until standard input ends, so that others can look at
 * them. Prints a line "STEP LKEY" for each, the key as %x, and then "ready".
 *
 * Usage: mr_hold IB-DEVICE BDF STEP...
 *
 * BDF is an endpoint whose BAR 0 vfio-pci owns, or - for none. A STEP is
 *	host		a region of host memory
 *	dmah=PH		the same with a DMA handle that has PH, but no CPU
 *	bar		a page of the BAR without a hint
 *	bar,HINT	with HINT, as in st=42,ph=2
 *	move,HINT	the BAR's last page is mapped again after its hint has become HINT
 *	context		nothing, but what follows has another context of the HCA
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mr.h"

#define LENGTH	   65536u
#define BAR_LENGTH 0x400000u

static struct {
	const char *name;
	struct mr_hca hca; /* the last one; those before it stay open */
	struct mr_bar bar;
	struct mr mr; /* the last one */
	int fd;	      /* dma-buf of the last one in the BAR */
	uint64_t
		end; /* of it; no two have a page in common, which the DMA API's debugging counts */
} s;

static int host(const char *ph)
{
	struct mr_request request = { .fd = -1, .length = LENGTH, .access = MR_ACCESS };
	int err;

	request.addr = aligned_alloc(MR_PAGE, LENGTH);
	if (!request.addr)
		return -ENOMEM;
	request.iova = (uintptr_t)request.addr;
	if (ph) {
		request.has_dmah = true;
		err = mr_dmah_alloc(&s.hca, -1, atoi(ph), &request.dmah);
		if (err)
			return err;
	}
	return mr_reg_ex(&s.hca, &request, &s.mr);
}

static int bar(const struct vfiobar_hint *hint)
{
	struct mr_request request;
	int err;

	s.fd = mr_bar_export(&s.bar, s.end, MR_PAGE);
	if (s.fd < 0)
		return s.fd;
	s.end += MR_PAGE;
	if (hint) {
		err = mr_bar_hint(&s.bar, s.fd, *hint);
		if (err)
			return err;
	}
	request = mr_request(s.fd, MR_PAGE, -1);
	return mr_reg_dmabuf(&s.hca, &request, &s.mr);
}

static int move(const struct vfiobar_hint *hint)
{
	int err;

	err = mr_bar_hint(&s.bar, s.fd, *hint);
	if (!err)
		err = mr_bar_reset(&s.bar);
	return err ? err : mr_prefetch(&s.hca, &s.mr);
}

static int step(const char *text)
{
	const char *comma = strchr(text, ',');
	struct vfiobar_hint hint = { .size = sizeof(hint) };

	if (comma && vfiobar_parse_hint(comma + 1, &hint, NULL))
		return -EINVAL;
	if (!strcmp(text, "host"))
		return host(NULL);
	if (!strncmp(text, "dmah=", 5))
		return host(text + 5);
	if (!strcmp(text, "bar"))
		return bar(NULL);
	if (!strncmp(text, "bar,", 4))
		return bar(&hint);
	if (!strncmp(text, "move,", 5))
		return move(&hint);
	if (!strcmp(text, "context"))
		return mr_hca_open(s.name, &s.hca);
	return -EINVAL;
}

int main(int argc, char **argv)
{
	char byte;
	int i, err;

	if (argc < 4) {
		fputs("usage: mr_hold IB-DEVICE BDF STEP...\n", stderr);
		return 2;
	}
	s.name = argv[1];
	err = mr_hca_open(s.name, &s.hca);
	if (!err && strcmp(argv[2], "-"))
		err = mr_bar_open(argv[2], 0, BAR_LENGTH, &s.bar);
	if (err) {
		fprintf(stderr, "mr_hold: %s, %s: %s\n", argv[1], argv[2], strerror(-err));
		return 1;
	}
	for (i = 3; i < argc; i++) {
		err = step(argv[i]);
		if (err) {
			fprintf(stderr, "mr_hold: %s: %s\n", argv[i], strerror(-err));
			return 1;
		}
		printf("%s %x\n", argv[i], s.mr.lkey);
	}
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
