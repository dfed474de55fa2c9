// SPDX-License-Identifier: GPL-2.0-only
#include "driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MLX5_CORE "/sys/bus/pci/drivers/mlx5_core"

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t length = (ssize_t)strlen(text);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, (size_t)length) != length)
		ret = -errno;
	close(fd);
	return ret;
}

int driver_bdf(const char *name, char *bdf, size_t size)
{
	char path[128], target[256];
	const char *last;
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/class/infiniband/%s/device", name);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return -errno;
	target[length] = '\0';
	last = strrchr(target, '/');
	snprintf(bdf, size, "%s", last ? last + 1 : target);
	return 0;
}

int driver_unbind(const char *bdf)
{
	return write_file(MLX5_CORE "/unbind", bdf);
}

int driver_bind(const char *bdf)
{
	return write_file(MLX5_CORE "/bind", bdf);
}

int driver_reset(const char *bdf)
{
	char path[128];
	int ret;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset_method", bdf);
	ret = write_file(path, "flr");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset", bdf);
	return ret ? ret : write_file(path, "1");
}

int driver_wait_active(const char *name, unsigned int seconds)
{
	char path[128], state[32];

	snprintf(path, sizeof(path), "/sys/class/infiniband/%s/ports/1/state", name);
	for (unsigned int tries = 0; tries <= 20 * seconds; tries++) {
		FILE *file = fopen(path, "re");
		int active = file && fgets(state, sizeof(state), file) && strstr(state, "ACTIVE");

		if (file)
			fclose(file);
		if (active)
			return 0;
		if (tries < 20 * seconds)
			usleep(50000);
	}
	return -ETIMEDOUT;
}
