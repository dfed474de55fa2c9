// SPDX-License-Identifier: GPL-2.0-only
/* tph-emulator: serves the emulated HCA functions and endpoints, and runs their engine. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "capture/clock.h"
#include "emulator/capture.h"
#include "emulator/control.h"
#include "emulator/engine.h"
#include "emulator/options.h"
#include "emulator/pace.h"
#include "emulator/sandbox.h"
#include "emulator/serve.h"
#include "emulator/uplink.h"
#include "pcie/fabric.h"
#include "vfio-user/protocol.h"

/* Exit status */
#define FAILED	   1 /* it could not serve the devices */
#define USAGE	   2
#define INCOMPLETE 3 /* it did, but the trace lacks TLPs, or a capture packets */

/* What a device has open besides its vectors: memory, the next owner's, listener, client, what its
 * interrupts need, and what comes along with a message. */
#define DEVICE_FILES (5 + VFIO_USER_FDS_MAX)
#define OTHER_FILES  16
/* That of pcap=, and the one that is written. */
#define CAPTURE_FILES 2
/* The socket of a link, and what ends its thread. */
#define UPLINK_FILES 2
/* Beside the budgets of the HCAs: what subnet, control and maps of clients take. */
#define OTHER_MEMORY (1ull << 30)

struct emulator {
	struct options options;
	struct tlp_trace *trace;
	struct pcie_fabric *fabric;
	struct subnet *subnet;
	struct bridge *bridge; /* of the Ethernet ports */
	struct uplink *uplink[UPLINKS];
	struct engine *engine;
	struct controlled device[EMULATOR_DEVICES];
	struct served *served[EMULATOR_DEVICES];
	struct control *control;
};

static void wake(void *arg)
{
	engine_wake(arg);
}

static bool poll_hca(void *arg)
{
	pcie_inject_poll(hca_function(arg), clock_now_ns());
	return hca_poll(arg);
}

static bool poll_subnet(void *arg)
{
	return subnet_poll(arg, clock_now_ns());
}

static int start_device(struct emulator *emulator, unsigned int i)
{
	struct device_options *options = &emulator->options.device[i];
	struct controlled *device = &emulator->device[i];
	struct pcie_function *fn;
	const char *what = "creating it";
	unsigned int vectors = 1;
	int ret = 0;

	device->options = options;
	if (options->kind == DEVICE_HCA) {
		if (options->ethernet)
			options->hca.bridge = emulator->bridge;
		device->hca = hca_new(&options->hca, emulator->subnet, wake, emulator->engine);
		fn = device->hca ? hca_function(device->hca) : NULL;
		vectors = options->hca.vectors;
	} else {
		device->endpoint = endpoint_new(&options->endpoint);
		fn = device->endpoint ? endpoint_function(device->endpoint) : NULL;
	}
	if (!fn)
		goto fail;
	fn->machine = options->machine_number;
	ret = pcie_fabric_add(emulator->fabric, fn);
	if (!ret && device->hca)
		ret = engine_add(emulator->engine, poll_hca, device->hca);
	if (ret) {
		errno = -ret;
		what = "adding it to fabric and engine";
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

static int start_uplinks(struct emulator *emulator)
{
	for (unsigned int i = 0; i < emulator->options.uplinks; i++) {
		const struct uplink_options *options = &emulator->options.uplink[i];
		struct uplink_end end;
		int ret = uplink_open(options, &end);

		if (!ret) {
			emulator->uplink[i] = uplink_new(options->name, &end, emulator->bridge,
							 wake, emulator->engine);
			ret = emulator->uplink[i] ? 0 : -errno;
			if (!ret && options->impaired)
				ret = uplink_impair(emulator->uplink[i], &options->impairment);
			if (!ret)
				ret = engine_add(emulator->engine, uplink_poll,
						 emulator->uplink[i]);
		}
		if (ret) {
			fprintf(stderr, "tph-emulator: --link %s: %s: %s\n", options->name,
				options->local, strerror(-ret));
			return -1;
		}
	}
	return 0;
}

static int start_control(struct emulator *emulator)
{
	if (!emulator->options.control)
		return 0;
	emulator->control =
		control_start(emulator->options.control,
			      &(struct control_scope){ .devices = emulator->device,
						       .count = emulator->options.devices,
						       .trace = emulator->trace,
						       .engine = emulator->engine,
						       .uplinks = emulator->uplink,
						       .uplink_count = emulator->options.uplinks,
						       .subnet = emulator->subnet });
	if (emulator->control)
		return 0;
	fprintf(stderr, "tph-emulator: --control %s: %s\n", emulator->options.control,
		strerror(errno));
	return -1;
}

static int confine(const struct emulator *emulator)
{
	struct sandbox sandbox = { .files = OTHER_FILES + 2 * CONTROL_CLIENTS +
					    UPLINK_FILES * emulator->options.uplinks,
				   .memory = OTHER_MEMORY };

	if (!emulator->options.sandbox)
		return 0;
	for (unsigned int i = 0; i < emulator->options.devices; i++) {
		const struct device_options *options = &emulator->options.device[i];

		sandbox.files += DEVICE_FILES + 1;
		if (options->kind != DEVICE_HCA)
			continue;
		sandbox.files += options->hca.vectors - 1 + CAPTURE_FILES;
		/* What is charged is without the allocator's own part. */
		sandbox.memory += 2 * options->hca.memory;
	}
	return sandbox_enter(&sandbox);
}

static int start(struct emulator *emulator)
{
	int ret;

	if (emulator->options.trace) {
		emulator->trace = tlp_trace_open(emulator->options.trace);
		if (!emulator->trace) {
			fprintf(stderr, "tph-emulator: --trace %s: %s\n", emulator->options.trace,
				strerror(errno));
			return -1;
		}
		tlp_trace_clock(emulator->trace, capture_clock_offset());
	}
	if (captures_open(&emulator->options))
		return -1;
	/* Who may connect to a socket owns the devices. */
	umask(0177);
	emulator->engine = engine_new(emulator->options.guest_cpus);
	emulator->fabric = pcie_fabric_new(emulator->trace);
	emulator->subnet = subnet_new();
	emulator->bridge = bridge_new();
	if (emulator->subnet)
		subnet_set_ipoib_mtu(emulator->subnet, emulator->options.ipoib_mtu);
	ret = emulator->engine && emulator->fabric && emulator->subnet && emulator->bridge
		      ? engine_add(emulator->engine, poll_subnet, emulator->subnet)
		      : -ENOMEM;
	for (unsigned int i = 0; !ret && i < emulator->options.devices; i++)
		if (start_device(emulator, i))
			return -1;
	if (!ret && start_uplinks(emulator))
		return -1;
	if (!ret)
		ret = engine_start(emulator->engine);
	if (ret) {
		fprintf(stderr, "tph-emulator: engine: %s\n", strerror(-ret));
		return -1;
	}
	/* Last: who sees the control socket may connect to the others. */
	return start_control(emulator) || confine(emulator) ? -1 : 0;
}

/* Whatever a turn waits for fails first, so that the engine ends; only then its devices may. */
static int stop(struct emulator *emulator)
{
	int ret, captured;

	control_stop(emulator->control);
	engine_stop(emulator->engine);
	for (unsigned int i = 0; i < emulator->options.devices; i++)
		serve_stop(emulator->served[i]);
	for (unsigned int i = 0; i < emulator->options.uplinks; i++)
		uplink_stop(emulator->uplink[i]);
	engine_free(emulator->engine);
	for (unsigned int i = 0; i < emulator->options.devices; i++) {
		struct controlled *device = &emulator->device[i];

		serve_free(emulator->served[i]);
		if (device->hca) {
			hca_print_unmodelled(device->hca, stdout);
			hca_free(device->hca);
		}
		if (device->endpoint)
			endpoint_free(device->endpoint);
	}
	pcie_fabric_free(emulator->fabric);
	subnet_free(emulator->subnet);
	for (unsigned int i = 0; i < emulator->options.uplinks; i++)
		uplink_free(emulator->uplink[i]);
	bridge_free(emulator->bridge);
	captured = captures_close(&emulator->options);
	ret = tlp_trace_close(emulator->trace);
	if (ret)
		fprintf(stderr, "tph-emulator: --trace %s: incomplete: %s\n",
			emulator->options.trace, strerror(-ret));
	return ret || captured ? INCOMPLETE : 0;
}

int main(int argc, char **argv)
{
	static struct emulator emulator;
	sigset_t stop_signals;
	int ret, number;

	/* Before a thread has one of its own: see ARENAS of sandbox.c. */
	mallopt(M_ARENA_MAX, 1);
	if (options_parse(&emulator.options, argc, argv))
		return USAGE;
	if (emulator.options.help) {
		options_usage(stdout);
		return 0;
	}
	if (emulator.options.version) {
		puts("tph-emulator " TPH_VERSION);
		return 0;
	}
	/* A peer that is gone, or a file that may not grow, is an error of that write. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&stop_signals);
	sigaddset(&stop_signals, SIGINT);
	sigaddset(&stop_signals, SIGTERM);
	sigaddset(&stop_signals, SIGHUP);
	/* Before any thread starts, so that all of them leave the signals to this one. */
	sigprocmask(SIG_BLOCK, &stop_signals, NULL);
	pace_prepare();
	if (start(&emulator)) {
		stop(&emulator);
		return FAILED;
	}
	sigwait(&stop_signals, &number);
	ret = stop(&emulator);
	return ret;
}
