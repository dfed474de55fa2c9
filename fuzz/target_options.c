/* SPDX-License-Identifier: GPL-2.0-only */
/* The emulator's command line: whatever it says, options are taken or refused, and what is taken is
 * what the models accept. Input: arguments, each ended by a newline. */
#include <stdlib.h>

#include "emulator/options.h"
#include "fuzz/target.h"

#define ARGS 24

static void check(const struct options *options)
{
	for (unsigned int i = 0; i < options->devices; i++) {
		const struct device_options *device = &options->device[i];

		if (!memchr(device->name, 0, sizeof(device->name)) ||
		    !memchr(device->socket, 0, sizeof(device->socket)) || !device->name[0])
			finding("device %u: name or socket", i);
		if (device->kind == DEVICE_HCA &&
		    (!device->hca.lid || device->hca.lid > SUBNET_LID_MAX ||
		     device->hca.st_entries < 2 || device->hca.st_entries > PCIE_ST_ENTRIES))
			finding("device %u: LID or ST entries", i);
	}
}

void target_input(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *argv[ARGS + 2] = { "tph-emulator" }, *save = NULL, *word;
	struct options options;
	int argc = 1;

	if (!text)
		return;
	memcpy(text, data, size);
	text[size] = '\0';
	for (word = strtok_r(text, "\n", &save); word && argc <= ARGS;
	     word = strtok_r(NULL, "\n", &save))
		argv[argc++] = word;
	if (!options_parse(&options, argc, argv) && !options.help)
		check(&options);
	free(text);
}
