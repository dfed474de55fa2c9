// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a command that inherits a dma-buf of BAR 0 as descriptor 3, with a hint as vfiobar(1) takes
 * it, or "none". Ends with the command's exit status.
 *
 * Usage: with_dmabuf BDF LENGTH HINT COMMAND [ARGUMENT]...
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vfiobar/vfiobar.h"

#define DESCRIPTOR 3

static int fail(const struct vfiobar_msg *msg)
{
	fprintf(stderr, "with_dmabuf: %s\n", msg->text);
	return 125;
}

static int run(char **command, int fd)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return 126;
	if (!child) {
		/* dup2() leaves the copy open for the command. */
		if (fd == DESCRIPTOR)
			fd = dup(fd);
		dup2(fd, DESCRIPTOR);
		execvp(command[0], command);
		perror(command[0]);
		_exit(127);
	}
	if (waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
		return 126;
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	struct vfiobar_msg msg = { "" };
	struct vfiobar_hint hint = { .size = sizeof(hint) };
	struct vfiobar *dev;
	int fd, ret;

	if (argc < 5) {
		fprintf(stderr, "usage: with_dmabuf BDF LENGTH HINT COMMAND [ARGUMENT]...\n");
		return 2;
	}
	if (vfiobar_open(argv[1], &dev, &msg))
		return fail(&msg);
	fd = vfiobar_export(dev, 0, 0, strtoull(argv[2], NULL, 0), &msg);
	if (fd < 0)
		return fail(&msg);
	if (strcmp(argv[3], "none")) {
		if (vfiobar_parse_hint(argv[3], &hint, &msg))
			return fail(&msg);
		if (vfiobar_set_hint(dev, fd, &hint, &msg))
			return fail(&msg);
	}
	ret = run(argv + 4, fd);
	close(fd);
	vfiobar_close(dev);
	return ret;
}
