/* SPDX-License-Identifier: GPL-2.0-only */
/* Command line of tph-emulator. */
#ifndef EMULATOR_OPTIONS_H
#define EMULATOR_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "emulator/uplink.h"
#include "endpoints/endpoint.h"
#include "hca/hca.h"

#define EMULATOR_NAME	 24
#define EMULATOR_DEVICES 16
#define SOCKET_PATH	 108 /* bytes of sun_path */
#define PCAP_PATH	 256

enum device_kind { DEVICE_HCA, DEVICE_ENDPOINT };

struct device_options {
	enum device_kind kind;
	char name[EMULATOR_NAME];
	char machine[EMULATOR_NAME]; /* where it is plugged in; "": there is one machine */
	uint8_t machine_number;	     /* of machine=, from 1 as they come; 0: without one */
	char socket[SOCKET_PATH];
	char pcap[PCAP_PATH];	 /* kind HCA: file of its port's packets, "": none */
	unsigned int pcap_bytes; /* of each packet, 0: all */
	int pcap_fd;		 /* captures_open()'s */
	struct hca_params hca;	 /* kind HCA; name points to the field above */
	bool ethernet;		 /* kind HCA: its port is one; hca.bridge is the starter's */
	struct endpoint_params endpoint; /* kind ENDPOINT */
};

struct options {
	const char *control; /* socket path or NULL */
	const char *trace;   /* file or NULL */
	bool sandbox;
	unsigned int ipoib_mtu;	 /* of the subnet's broadcast group, see subnet_set_ipoib_mtu() */
	unsigned int guest_cpus; /* see pace_choose(); 0: not given */
	bool help, version;	 /* nothing else was looked at */
	unsigned int uplinks;
	struct uplink_options uplink[UPLINKS]; /* of the Ethernet switch */
	unsigned int devices;
	struct device_options device[EMULATOR_DEVICES];
};

/*
 * options_parse() - read the command line into @options. Strings of argv are kept by reference.
 * Returns 0, or -EINVAL after a message on stderr that names option, device and cause.
 */
int options_parse(struct options *options, int argc, char **argv);

/* Print what --help says. */
void options_usage(FILE *to);

#endif
