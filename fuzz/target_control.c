/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines on the control socket, answered at once and, for some inputs, over the socket in pieces and
 * from several clients. Each answer is one line of JSON.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "emulator/control.h"
#include "fuzz/target.h"
#include "fuzz/world.h"
#include "pcie/fabric.h"

static struct device_options options[2];
static struct controlled devices[2];
static struct control_scope scope = { .devices = devices, .count = 2 };
static struct subnet *subnet;
static struct tlp_trace *trace;

static void wake(void *arg)
{
	(void)arg;
}

static void set_up(void)
{
	if (subnet)
		return;
	subnet = subnet_new();
	trace = tlp_trace_open("/dev/null");
	options[0] = (struct device_options){
		.kind = DEVICE_HCA,
		.name = "hca0",
		.hca = { .name = "hca0",
			 .id = 0x10,
			 .device_id = 0x1021,
			 .lid = 1,
			 .guid = 1,
			 .st_mode = HCA_ST_TABLE,
			 .st_width = 8,
			 .st_entries = 64,
			 .vectors = 2 },
	};
	options[1] = (struct device_options){
		.kind = DEVICE_ENDPOINT,
		.name = "gpu0",
		.endpoint = { .name = "gpu0",
			      .id = 0x18,
			      .kind = "gpu",
			      .memory_size = 1 << 20,
			      .completer = PCIE_TPH_COMPLETER_EXTENDED },
	};
	devices[0] = (struct controlled){ .options = &options[0] };
	devices[0].hca = hca_new(&options[0].hca, subnet, wake, NULL);
	devices[1] = (struct controlled){ .options = &options[1] };
	devices[1].endpoint = endpoint_new(&options[1].endpoint);
	scope.subnet = subnet;
	scope.trace = trace;
	if (!subnet || !trace || !devices[0].hca || !devices[1].endpoint)
		abort();
}

static void check(const char *line)
{
	struct json_object *object;
	const char *end = line ? strchr(line, '\n') : NULL;

	if (!line)
		return;
	object = json_tokener_parse(line);
	if (!end || end[1] || !object)
		finding("not a line of JSON: %s", line);
	json_object_put(object);
}

static int client(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	/* Long enough for a machine that is busy: who is answered at all is answered sooner. */
	struct timeval wait = { .tv_sec = 20 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		abort();
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	return fd;
}

/* The fuzzer's timer interrupts a wait that has a time-out. */
static bool answered(int fd)
{
	char answer[4096];
	ssize_t got;

	do
		got = recv(fd, answer, sizeof(answer), 0);
	while (got < 0 && errno == EINTR);
	return got > 0;
}

/* The bytes as they are, from two clients in turns; in the end a request that has to be answered.
 */
static void over_socket(struct input *in)
{
	char path[64], piece[300], answer[4096];
	struct control *control;
	int fd[2], last;

	snprintf(path, sizeof(path), "/tmp/fuzz-control.%d", getpid());
	unlink(path);
	control = control_start(path, &scope);
	if (!control)
		abort();
	fd[0] = client(path);
	fd[1] = client(path);
	while (!input_done(in)) {
		uint8_t what = input_u8(in);
		size_t len = input_u8(in), left = (size_t)(in->end - in->at);

		len = len < left ? len : left;
		input_bytes(in, piece, len);
		if (send(fd[what & 1], piece, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
		if (what & 2)
			recv(fd[what & 1], answer, sizeof(answer), MSG_DONTWAIT);
	}
	close(fd[0]);
	last = client(path);
	if (send(last, "functions\n", 10, MSG_NOSIGNAL) != 10 || !answered(last))
		finding("a client is not answered any more");
	close(last);
	close(fd[1]);
	control_stop(control);
}

void target_input(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	char line[1024];

	set_up();
	if (input_u8(&in) % 64 == 63) {
		over_socket(&in);
		return;
	}
	while (!input_done(&in)) {
		size_t used = 0;
		char *answer;

		while (!input_done(&in) && used < sizeof(line) - 1) {
			line[used] = (char)input_u8(&in);
			if (line[used] == '\n')
				break;
			used++;
		}
		line[used] = '\0';
		answer = control_answer(&scope, line);
		check(answer);
		free(answer);
	}
}
