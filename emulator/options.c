// SPDX-License-Identifier: GPL-2.0
#include "emulator/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char options_usage[] =
	"usage: tph-emulator [--control SOCKET] [--trace FILE] DEVICE...\n"
	"  --hca PROPERTIES     an mlx5 host channel adapter:\n"
	"        lid=N          LID of its port, 1..0xbffe\n"
	"        st-mode=MODE   none, table or direct; default table\n"
	"        st-width=N     steering tag width of the requester, 8 or 16; default 8\n"
	"        st-entries=N   size of the ST table, 2..64; default 64\n"
	"        device=ID      PCI device ID, 0x1021 or 0x1023; default 0x1021\n"
	"        umr=KIND       full or limited, without translations; default full\n"
	"        firmware=KIND  full, no-tph (without mkey_pcie_tph) or no-odp; default full\n"
	"  --gpu PROPERTIES     a GPU-like endpoint (VRAM in BAR 0)\n"
	"  --nvme PROPERTIES    an NVMe-like endpoint (CMB in BAR 2):\n"
	"        size=BYTES     size of VRAM or CMB, with K, M or G; default 64M\n"
	"        completer=C    TPH completer: none, tph, reserved or extended; default extended\n"
	"        acs=WORD       on or off: ACS capability; default off\n"
	"  of every device:\n"
	"        name=NAME      what messages, trace and control call it\n"
	"        id=BB:DD.F     its place in the guest\n"
	"        socket=PATH    vfio-user socket to serve it on\n"
	"  --control SOCKET     answer questions about the devices there\n"
	"  --trace FILE         record every TLP\n";

static const struct word {
	const char *text;
	int value;
} st_modes[] = { { "none", HCA_ST_NONE },
		 { "table", HCA_ST_TABLE },
		 { "direct", HCA_ST_DIRECT },
		 { NULL, 0 } },
  firmwares[] = { { "full", HCA_FIRMWARE_FULL },
		  { "no-tph", HCA_FIRMWARE_NO_TPH },
		  { "no-odp", HCA_FIRMWARE_NO_ODP },
		  { NULL, 0 } },
  umr_kinds[] = { { "full", false }, { "limited", true }, { NULL, 0 } },
  switches[] = { { "off", false }, { "on", true }, { NULL, 0 } },
  completers[] = { { "none", PCIE_TPH_COMPLETER_NONE },
		   { "tph", PCIE_TPH_COMPLETER_TPH },
		   { "reserved", PCIE_TPH_COMPLETER_RESERVED },
		   { "extended", PCIE_TPH_COMPLETER_EXTENDED },
		   { NULL, 0 } };

static int parse_word(const struct word *words, const char *text, int *value)
{
	for (; words->text; words++) {
		if (!strcmp(words->text, text)) {
			*value = words->value;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_number(const char *text, unsigned long long min, unsigned long long max,
			unsigned long long *value)
{
	unsigned long long number;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	number = strtoull(text, &end, 0);
	if (errno || *end || number < min || number > max)
		return -EINVAL;
	*value = number;
	return 0;
}

static int parse_size(const char *text, uint64_t *value)
{
	unsigned long long number;
	unsigned int shift = 0;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	number = strtoull(text, &end, 0);
	if (*end == 'K')
		shift = 10;
	else if (*end == 'M')
		shift = 20;
	else if (*end == 'G')
		shift = 30;
	if (errno || (shift && end[1]) || (!shift && *end) || number > UINT64_MAX >> shift)
		return -EINVAL;
	*value = number << shift;
	return 0;
}

static int parse_id(const char *text, uint16_t *id)
{
	unsigned int bus, device, function;
	int end = 0;

	if (sscanf(text, "%2x:%2x.%1u%n", &bus, &device, &function, &end) != 3 || text[end] ||
	    device > 31 || function > 7)
		return -EINVAL;
	*id = (uint16_t)(bus << 8 | device << 3 | function);
	return 0;
}

static int set_hca(struct device_options *device, const char *key, const char *value)
{
	struct hca_params *hca = &device->hca;
	unsigned long long number;
	int word, ret;

	if (!strcmp(key, "lid")) {
		ret = parse_number(value, 1, SUBNET_LID_MAX, &number);
		if (!ret)
			hca->lid = (uint16_t)number;
	} else if (!strcmp(key, "st-mode")) {
		ret = parse_word(st_modes, value, &word);
		if (!ret)
			hca->st_mode = (enum hca_st_mode)word;
	} else if (!strcmp(key, "st-width")) {
		ret = parse_number(value, 8, 16, &number);
		if (!ret && number != 8 && number != 16)
			ret = -EINVAL;
		if (!ret)
			hca->st_width = (unsigned int)number;
	} else if (!strcmp(key, "st-entries")) {
		ret = parse_number(value, 2, 64, &number);
		if (!ret)
			hca->st_entries = (unsigned int)number;
	} else if (!strcmp(key, "umr")) {
		ret = parse_word(umr_kinds, value, &word);
		if (!ret)
			hca->umr_limited = word;
	} else if (!strcmp(key, "firmware")) {
		ret = parse_word(firmwares, value, &word);
		if (!ret)
			hca->firmware = (enum hca_firmware)word;
	} else if (!strcmp(key, "device")) {
		ret = parse_number(value, 0x1021, 0x1023, &number);
		if (!ret && number == 0x1022)
			ret = -EINVAL;
		if (!ret)
			hca->device_id = (uint16_t)number;
	} else {
		ret = -ENOENT;
	}
	return ret;
}

static int set_endpoint(struct device_options *device, const char *key, const char *value)
{
	int word, ret;

	if (!strcmp(key, "size")) {
		ret = parse_size(value, &device->endpoint.memory_size);
	} else if (!strcmp(key, "completer")) {
		ret = parse_word(completers, value, &word);
		if (!ret)
			device->endpoint.completer = (enum pcie_tph_completer)word;
	} else if (!strcmp(key, "acs")) {
		ret = parse_word(switches, value, &word);
		if (!ret)
			device->endpoint.acs = word;
	} else {
		ret = -ENOENT;
	}
	return ret;
}

static int set_property(struct device_options *device, const char *key, const char *value)
{
	uint16_t id;
	int ret;

	if (!strcmp(key, "name") || !strcmp(key, "socket")) {
		char *field = *key == 'n' ? device->name : device->socket;
		size_t size = *key == 'n' ? sizeof(device->name) : sizeof(device->socket);

		if (!*value || strlen(value) >= size)
			return -EINVAL;
		strcpy(field, value);
		return 0;
	}
	if (!strcmp(key, "id")) {
		ret = parse_id(value, &id);
		if (!ret)
			device->hca.id = device->endpoint.id = id;
		return ret;
	}
	return device->kind == DEVICE_HCA ? set_hca(device, key, value)
					  : set_endpoint(device, key, value);
}

static int parse_device(struct options *options, const char *option, struct device_options *device,
			char *properties)
{
	char *save = NULL, *property;

	for (property = strtok_r(properties, ",", &save); property;
	     property = strtok_r(NULL, ",", &save)) {
		char *value = strchr(property, '=');
		int ret = -EINVAL;

		if (value) {
			*value++ = '\0';
			ret = set_property(device, property, value);
		}
		if (ret == -ENOENT)
			fprintf(stderr, "tph-emulator: --%s %s: no such property: %s\n", option,
				device->name, property);
		else if (ret)
			fprintf(stderr, "tph-emulator: --%s %s: bad value of %s: %s\n", option,
				device->name, property, value ? value : "(none)");
		if (ret)
			return -EINVAL;
	}
	if (!device->name[0] || !device->socket[0] || !device->hca.id ||
	    (device->kind == DEVICE_HCA && !device->hca.lid)) {
		fprintf(stderr, "tph-emulator: --%s %s: name, id, socket%s are required\n", option,
			device->name, device->kind == DEVICE_HCA ? " and lid" : "");
		return -EINVAL;
	}
	for (unsigned int i = 0; i < options->devices; i++) {
		const struct device_options *other = &options->device[i];

		if (!strcmp(other->name, device->name) || other->hca.id == device->hca.id ||
		    !strcmp(other->socket, device->socket) ||
		    (device->kind == DEVICE_HCA && other->kind == DEVICE_HCA &&
		     other->hca.lid == device->hca.lid)) {
			fprintf(stderr,
				"tph-emulator: --%s %s: name, id, socket or LID is that of %s\n",
				option, device->name, other->name);
			return -EINVAL;
		}
	}
	device->hca.name = device->endpoint.name = device->name;
	/* A locally administered EUI-64, one per LID. */
	device->hca.guid = 0x0200740068000000ull | device->hca.lid;
	options->devices++;
	return 0;
}

int options_parse(struct options *options, int argc, char **argv)
{
	enum { HCA = 256, GPU, NVME, CONTROL, TRACE, HELP };
	static const struct option longs[] = { { "hca", required_argument, NULL, HCA },
					       { "gpu", required_argument, NULL, GPU },
					       { "nvme", required_argument, NULL, NVME },
					       { "control", required_argument, NULL, CONTROL },
					       { "trace", required_argument, NULL, TRACE },
					       { "help", no_argument, NULL, HELP },
					       { NULL, 0, NULL, 0 } };
	int option, index = 0;

	memset(options, 0, sizeof(*options));
	optind = 0;
	while ((option = getopt_long(argc, argv, "", longs, &index)) >= 0) {
		struct device_options *device = &options->device[options->devices];

		switch (option) {
		case HCA:
		case GPU:
		case NVME:
			if (options->devices == EMULATOR_DEVICES) {
				fprintf(stderr, "tph-emulator: --%s: more than %d devices\n",
					longs[index].name, EMULATOR_DEVICES);
				return -EINVAL;
			}
			memset(device, 0, sizeof(*device));
			device->kind = option == HCA ? DEVICE_HCA : DEVICE_ENDPOINT;
			device->hca = (struct hca_params){ .device_id = 0x1021,
							   .st_mode = HCA_ST_TABLE,
							   .st_width = 8,
							   .st_entries = 64,
							   .vectors = 8 };
			device->endpoint.kind = option == GPU ? ENDPOINT_GPU : ENDPOINT_NVME;
			device->endpoint.memory_size = 64u << 20;
			device->endpoint.completer = PCIE_TPH_COMPLETER_EXTENDED;
			if (parse_device(options, longs[index].name, device, optarg))
				return -EINVAL;
			break;
		case CONTROL:
			options->control = optarg;
			break;
		case TRACE:
			options->trace = optarg;
			break;
		case HELP:
			options->help = true;
			return 0;
		default:
			return -EINVAL;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "tph-emulator: unexpected argument: %s\n", argv[optind]);
		return -EINVAL;
	}
	if (!options->devices) {
		fprintf(stderr, "tph-emulator: no device; see --help\n");
		return -EINVAL;
	}
	return 0;
}
