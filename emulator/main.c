// SPDX-License-Identifier: GPL-2.0
/* tph-emulator: serves the emulated HCA functions and endpoints, and runs their engine. */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "emulator/control.h"
#include "emulator/options.h"
#include "emulator/serve.h"
#include "pcie/fabric.h"

/*
 * Doorbells of user queues are not trapped, so the engine polls: at full speed for a while after
 * the last work, then ever more rarely, so that an idle guest keeps its processors.
 */
#define SPIN_NS	   200000ull
#define NAP_NS	   50000l
#define NAPPING_NS 1000000000ull
#define IDLE_NS	   1000000l

struct emulator {
	struct options options;
	struct tlp_trace *trace;
	struct pcie_fabric *fabric;
	struct subnet *subnet;
	struct controlled device[EMULATOR_DEVICES];
	struct served *served[EMULATOR_DEVICES];
	struct control *control;
	int wake, signals;
};

static void wake(void *arg)
{
	struct emulator *emulator = arg;

	eventfd_write(emulator->wake, 1);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool poll_devices(struct emulator *emulator)
{
	bool worked = false;

	for (unsigned int i = 0; i < emulator->options.devices; i++)
		if (emulator->device[i].hca)
			worked |= hca_poll(emulator->device[i].hca);
	return worked | subnet_poll(emulator->subnet, now_ns());
}

/* Returns when a signal asks to stop. */
static void run_engine(struct emulator *emulator)
{
	uint64_t last_work = now_ns(), last_look = 0;

	for (;;) {
		struct pollfd polled[2] = { { .fd = emulator->signals, .events = POLLIN },
					    { .fd = emulator->wake, .events = POLLIN } };
		struct timespec timeout = { 0 };
		uint64_t now;
		eventfd_t count;

		if (poll_devices(emulator))
			last_work = now_ns();
		now = now_ns();
		if (now - last_work > NAPPING_NS)
			timeout.tv_nsec = IDLE_NS;
		else if (now - last_work > SPIN_NS)
			timeout.tv_nsec = NAP_NS;
		else if (now - last_look < NAP_NS)
			continue;
		last_look = now;
		if (ppoll(polled, 2, &timeout, NULL) <= 0)
			continue;
		if (polled[0].revents)
			return;
		eventfd_read(emulator->wake, &count);
	}
}

static int start_device(struct emulator *emulator, unsigned int i)
{
	struct device_options *options = &emulator->options.device[i];
	struct controlled *device = &emulator->device[i];
	struct pcie_function *fn;
	const char *what = "creating it";
	unsigned int vectors = 1;
	int ret;

	device->options = options;
	if (options->kind == DEVICE_HCA) {
		device->hca = hca_new(&options->hca, emulator->subnet, wake, emulator);
		fn = device->hca ? hca_function(device->hca) : NULL;
		vectors = options->hca.vectors;
	} else {
		device->endpoint = endpoint_new(&options->endpoint);
		fn = device->endpoint ? endpoint_function(device->endpoint) : NULL;
	}
	if (!fn)
		goto fail;
	ret = pcie_fabric_add(emulator->fabric, fn);
	if (ret) {
		errno = -ret;
		what = "adding it to the fabric";
		goto fail;
	}
	what = options->socket;
	emulator->served[i] = serve(fn, options->socket, vectors);
	if (emulator->served[i])
		return 0;
fail:
	fprintf(stderr, "tph-emulator: %s: %s: %s\n", options->name, what, strerror(errno));
	return -1;
}

static int start(struct emulator *emulator)
{
	if (emulator->options.trace) {
		emulator->trace = tlp_trace_open(emulator->options.trace);
		if (!emulator->trace) {
			fprintf(stderr, "tph-emulator: --trace %s: %s\n", emulator->options.trace,
				strerror(errno));
			return -1;
		}
	}
	emulator->fabric = pcie_fabric_new(emulator->trace);
	emulator->subnet = subnet_new();
	if (!emulator->fabric || !emulator->subnet) {
		fprintf(stderr, "tph-emulator: %s\n", strerror(ENOMEM));
		return -1;
	}
	for (unsigned int i = 0; i < emulator->options.devices; i++)
		if (start_device(emulator, i))
			return -1;
	/* Last: who sees the control socket may connect to the others. */
	if (emulator->options.control) {
		emulator->control =
			control_start(emulator->options.control, emulator->device,
				      emulator->options.devices, emulator->trace, emulator->subnet);
		if (!emulator->control) {
			fprintf(stderr, "tph-emulator: --control %s: %s\n",
				emulator->options.control, strerror(errno));
			return -1;
		}
	}
	return 0;
}

static int stop(struct emulator *emulator)
{
	int ret;

	control_stop(emulator->control);
	for (unsigned int i = 0; i < emulator->options.devices; i++)
		serve_stop(emulator->served[i]);
	for (unsigned int i = 0; i < emulator->options.devices; i++) {
		struct controlled *device = &emulator->device[i];

		if (device->hca) {
			hca_print_unmodelled(device->hca, stdout);
			hca_free(device->hca);
		}
		if (device->endpoint)
			endpoint_free(device->endpoint);
	}
	pcie_fabric_free(emulator->fabric);
	subnet_free(emulator->subnet);
	ret = emulator->trace ? tlp_trace_close(emulator->trace) : 0;
	if (ret)
		fprintf(stderr, "tph-emulator: --trace %s: %s\n", emulator->options.trace,
			strerror(-ret));
	return ret;
}

int main(int argc, char **argv)
{
	static struct emulator emulator;
	sigset_t stop_signals;
	int ret = 0;

	if (options_parse(&emulator.options, argc, argv))
		return 2;
	if (emulator.options.help) {
		fputs(options_usage, stdout);
		return 0;
	}
	sigemptyset(&stop_signals);
	sigaddset(&stop_signals, SIGINT);
	sigaddset(&stop_signals, SIGTERM);
	sigaddset(&stop_signals, SIGHUP);
	/* Before any thread starts, so that all of them leave the signals to the descriptor. */
	sigprocmask(SIG_BLOCK, &stop_signals, NULL);
	emulator.signals = signalfd(-1, &stop_signals, SFD_CLOEXEC);
	emulator.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (emulator.signals < 0 || emulator.wake < 0) {
		perror("tph-emulator");
		return 1;
	}
	if (start(&emulator))
		ret = 1;
	else
		run_engine(&emulator);
	if (stop(&emulator))
		ret = 1;
	return ret;
}
