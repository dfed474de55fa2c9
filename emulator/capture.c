/* SPDX-License-Identifier: GPL-2.0-only */
#include "emulator/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/writer.h"

/* --- with the emulator --------------------------------------------------------------------- */

/* Another descriptor of the file, which is emptied: the capture closes its own. */
static int start_again(const struct device_options *device)
{
	int fd = fcntl(device->pcap_fd, F_DUPFD_CLOEXEC, 0), ret;

	if (fd < 0)
		return -errno;
	ret = ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET) ? -errno : 0;
	if (!ret)
		ret = capture_start(device->hca.capture, fd, device->pcap);
	if (ret)
		close(fd);
	return ret;
}

static int open_one(struct device_options *device)
{
	char name[EMULATOR_NAME + 16];

	snprintf(name, sizeof(name), "%s port 1", device->name);
	device->hca.capture =
		capture_new(device->ethernet ? PCAPNG_ETHERNET : PCAPNG_INFINIBAND, name);
	if (!device->hca.capture)
		return -errno;
	capture_snap(device->hca.capture, device->pcap_bytes);
	if (!*device->pcap)
		return 0;
	device->pcap_fd = open(device->pcap, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return device->pcap_fd < 0 ? -errno : start_again(device);
}

int captures_open(struct options *options)
{
	for (unsigned int i = 0; i < options->devices; i++) {
		struct device_options *device = &options->device[i];
		int ret = device->kind == DEVICE_HCA ? open_one(device) : 0;

		if (ret) {
			fprintf(stderr, "tph-emulator: --hca %s: pcap=%s: %s\n", device->name,
				device->pcap, strerror(-ret));
			return ret;
		}
	}
	return 0;
}

int captures_close(struct options *options)
{
	int ret = 0;

	for (unsigned int i = 0; i < options->devices; i++) {
		struct device_options *device = &options->device[i];
		struct capture *capture = device->hca.capture;
		int error = capture_on(capture) ? capture_stop(capture) : 0;

		if (error) {
			fprintf(stderr, "tph-emulator: --hca %s: capture incomplete: %s\n",
				device->name, strerror(-error));
			ret = error;
		}
		capture_free(capture);
		device->hca.capture = NULL;
		if (device->pcap_fd >= 0)
			close(device->pcap_fd);
		device->pcap_fd = -1;
	}
	return ret;
}

/* --- while it runs ------------------------------------------------------------------------- */

static struct json_object *state_of(struct capture *capture)
{
	struct capture_status status = capture_status(capture);
	struct json_object *answer = json_object_new_object();

	json_object_object_add(answer, "on", json_object_new_boolean(status.on));
	json_object_object_add(answer, "packets", json_object_new_uint64(status.packets));
	json_object_object_add(answer, "lost", json_object_new_uint64(status.lost));
	json_object_object_add(answer, "stopped",
			       status.error ? json_object_new_string(strerror(status.error))
					    : NULL);
	return answer;
}

/* What a client gives is a file, which nobody waits for, and not somebody's end of a pipe. */
static const char *fault_of(int fd)
{
	struct stat stat;

	if (fd < 0)
		return "the file's descriptor has to come with the request";
	if (fstat(fd, &stat) || !S_ISREG(stat.st_mode))
		return "the descriptor is not that of a file";
	if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
		return "the descriptor is not open for writing";
	return stat.st_size ? "the file is not empty" : NULL;
}

struct json_object *capture_answer(const struct device_options *device, const char *argument,
				   int *fd, const char **why)
{
	struct capture *capture = device->hca.capture;
	bool on = !strcmp(argument, "on");
	int ret;

	if (!capture) {
		*why = "the HCA has no capture";
		return NULL;
	}
	if (!*argument)
		return state_of(capture);
	if (!strcmp(argument, "off")) {
		ret = capture_stop(capture);
		*why = ret == -ENOENT ? "the capture is off" : strerror(-ret);
		return ret ? NULL : state_of(capture);
	}
	*why = capture_on(capture)	   ? "the capture is on"
	       : on && device->pcap_fd < 0 ? "the HCA has no file of its own: pcap="
	       : on			   ? NULL
					   : fault_of(*fd);
	if (*why)
		return NULL;
	ret = on ? start_again(device) : capture_start(capture, *fd, argument);
	if (!ret && !on)
		*fd = -1;
	*why = strerror(-ret);
	return ret ? NULL : state_of(capture);
}
