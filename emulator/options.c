// SPDX-License-Identifier: GPL-2.0-only
#include "emulator/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HCA_MEMORY_MIN	  (1ull << 20)
#define HCA_MEMORY_MAX	  (64ull << 30)
#define ENDPOINT_SIZE_MIN (1ull << 20)
#define ENDPOINT_SIZE_MAX (256ull << 30)

#define TEXT 64 /* of an argument in a message */

static const char usage_hca[] =
	"usage: tph-emulator [--control SOCKET] [--trace FILE] [OPTION...] DEVICE...\n"
	"  --hca PROPERTIES     an mlx5 host channel adapter:\n"
	"        lid=N          LID of its port, 1..0xbffe\n"
	"        link=KIND      infiniband, or ethernet, which has no LID; default infiniband\n"
	"        st-mode=MODE   none, table or direct; default table\n"
	"        st-width=N     steering tag width of the requester, 8 or 16; default 8\n"
	"        st-entries=N   size of the ST table, 2..64; default 64\n"
	"        device=ID      PCI device ID, 0x1021 or 0x1023; default 0x1021\n"
	"        umr=KIND       full or limited, without translations; default full\n"
	"        firmware=KIND  full, no-tph (without mkey_pcie_tph), no-odp, refuse-tph-key or\n"
	"                       refuse-tph-load (errors for keys with TPH); default full\n"
	"        pcap=FILE      capture the packets of its port there\n"
	"        pcap-bytes=N   of each packet, 64 to 65536; default all\n"
	"        memory=BYTES   what its objects may take, with K, M or G; default 512M\n"
	"        impair=SPEC    what becomes of the packets that it sends, words separated by +:\n"
	"                       loss=P dup=P reorder=P ecn=P biterror=P delay=T jitter=T rate=R\n"
	"                       seed=N, like loss=0.1%+delay=50us+seed=7\n";

static const char usage_rest[] =
	"  of every endpoint:\n"
	"        size=BYTES     size of VRAM or CMB, with K, M or G; default 64M\n"
	"        completer=C    TPH completer: none, tph, reserved or extended; default extended\n"
	"        prefix=WORD    on or off: takes End-End TLP prefixes; default on for extended\n"
	"        acs=WORD       on or off: ACS capability; default off\n"
	"        ready=WORD     on or off: says that it needs no time after a reset; default off\n"
	"  of every device:\n"
	"        name=NAME      what messages, trace and control call it\n"
	"        id=BB:DD.F     its place in the guest\n"
	"        machine=NAME   the guest, of several: each has a bus of its own\n"
	"        socket=PATH    vfio-user socket to serve it on\n"
	"  --link NAME,dgram=unix:LOCAL:PEER, or dgram=inet:HOST:PORT:HOST:PORT, or tap=INTERFACE\n"
	"                       a link of the Ethernet switch: frames as datagrams;\n"
	"                       ,impair=SPEC behind it makes it a bad one\n"
	"  --control SOCKET     answer questions about the devices there\n"
	"  --trace FILE         record every TLP\n"
	"  --ipoib-mtu N        of the IPoIB broadcast group: 2044 or 4092; default 2044\n"
	"  --guest-cpus N       virtual processors of the guest: with two more here the engine "
	"spins\n"
	"  --sandbox=no         do not confine the process, e.g. for a debugger\n"
	"  --version            the version\n";

void options_usage(FILE *to)
{
	const struct endpoint_kind *kind;

	fputs(usage_hca, to);
	for (unsigned int i = 0; (kind = endpoint_kind(i)); i++)
		fprintf(to, "  --%s PROPERTIES%*s%s\n", endpoint_kind_name(kind),
			8 - (int)strlen(endpoint_kind_name(kind)), "", endpoint_kind_about(kind));
	fputs(usage_rest, to);
}

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
		  { "refuse-tph-key", HCA_FIRMWARE_REFUSE_TPH_KEY },
		  { "refuse-tph-load", HCA_FIRMWARE_REFUSE_TPH_LOAD },
		  { NULL, 0 } },
  links[] = { { "infiniband", false }, { "ethernet", true }, { NULL, 0 } },
  umr_kinds[] = { { "full", false }, { "limited", true }, { NULL, 0 } },
  prefixes[] = { { "on", ENDPOINT_PREFIX_ON }, { "off", ENDPOINT_PREFIX_OFF }, { NULL, 0 } },
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

/* A size with K, M or G, from @min to @max bytes. */
static int parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *value)
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
	number <<= shift;
	if (number < min || number > max)
		return -EINVAL;
	*value = number;
	return 0;
}

/* 00:00.0 is the host bridge. */
static int parse_id(const char *text, uint16_t *id)
{
	static const char hex[] = "0123456789abcdefABCDEF";
	unsigned int bus, device, function;

	if (strspn(text, hex) != 2 || text[2] != ':' || strspn(text + 3, hex) != 2 ||
	    text[5] != '.' || strspn(text + 6, hex) != 1 || text[7])
		return -EINVAL;
	sscanf(text, "%x:%x.%x", &bus, &device, &function);
	if (device > 31 || function > 7 || !(bus | device | function))
		return -EINVAL;
	*id = (uint16_t)(bus << 8 | device << 3 | function);
	return 0;
}

/* Messages, trace and JSON have it as it is. */
static bool is_name(const char *text)
{
	size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				  "_.+-");

	return len && len < EMULATOR_NAME && !text[len];
}

static bool is_socket(const char *text)
{
	return *text && strlen(text) < SOCKET_PATH;
}

/* What a value can be, for messages. */
static const char *expected(const char *key)
{
	static const struct {
		const char *key, *values;
	} known[] = {
		{ "name", "1 to 23 letters, digits and _.+-" },
		{ "machine", "1 to 23 letters, digits and _.+-" },
		{ "socket", "a path of 1 to 107 bytes" },
		{ "id", "BB:DD.F, hexadecimal, and not 00:00.0" },
		{ "lid", "1 to 0xbffe" },
		{ "link", "infiniband or ethernet" },
		{ "st-mode", "none, table or direct" },
		{ "st-width", "8 or 16" },
		{ "st-entries", "2 to 64" },
		{ "device", "0x1021 or 0x1023" },
		{ "umr", "full or limited" },
		{ "firmware", "full, no-tph, no-odp, refuse-tph-key or refuse-tph-load" },
		{ "memory", "1M to 64G" },
		{ "pcap", "a path of 1 to 255 bytes" },
		{ "pcap-bytes", "64 to 65536" },
		{ "size", "a power of two, 1M to 256G" },
		{ "completer", "none, tph, reserved or extended" },
		{ "prefix", "on or off" },
		{ "acs", "on or off" },
		{ "ready", "on or off" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(known[i].key, key))
			return known[i].values;
	return "";
}

/* @text without what a terminal would obey, in @copy. */
static const char *printable(const char *text, char copy[TEXT])
{
	size_t i;

	for (i = 0; text[i] && i < TEXT - 4; i++)
		copy[i] = text[i] < ' ' || text[i] > '~' ? '?' : text[i];
	strcpy(copy + i, text[i] ? "..." : "");
	return copy;
}

/* Name option and device, then say the cause. Returns -EINVAL. */
__attribute__((format(printf, 3, 4))) static int complain(const char *option, const char *device,
							  const char *cause, ...)
{
	va_list args;

	fprintf(stderr, "tph-emulator: --%s%s%s: ", option, *device ? " " : "", device);
	va_start(args, cause);
	vfprintf(stderr, cause, args);
	va_end(args);
	fputc('\n', stderr);
	return -EINVAL;
}

/* @why: of an impairment. */
static int set_hca(struct device_options *device, const char *key, const char *value,
		   char why[IMPAIRMENT_TEXT])
{
	struct hca_params *hca = &device->hca;
	unsigned long long number;
	int word, ret;

	if (!strcmp(key, "lid")) {
		ret = parse_number(value, 1, SUBNET_LID_MAX, &number);
		if (!ret)
			hca->lid = (uint16_t)number;
	} else if (!strcmp(key, "link")) {
		ret = parse_word(links, value, &word);
		if (!ret)
			device->ethernet = word;
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
	} else if (!strcmp(key, "command-timeout")) {
		ret = parse_number(value, 1, 0xfffff, &number);
		if (!ret)
			hca->command_timeout = (unsigned int)number;
	} else if (!strcmp(key, "umr")) {
		ret = parse_word(umr_kinds, value, &word);
		if (!ret)
			hca->umr_limited = word;
	} else if (!strcmp(key, "firmware")) {
		ret = parse_word(firmwares, value, &word);
		if (!ret)
			hca->firmware = (enum hca_firmware)word;
	} else if (!strcmp(key, "impair")) {
		ret = impairment_parse(value, &hca->impairment, why);
		hca->impaired = !ret;
	} else if (!strcmp(key, "memory")) {
		ret = parse_size(value, HCA_MEMORY_MIN, HCA_MEMORY_MAX, &hca->memory);
	} else if (!strcmp(key, "pcap")) {
		ret = *value && strlen(value) < PCAP_PATH ? 0 : -EINVAL;
		if (!ret)
			strcpy(device->pcap, value);
	} else if (!strcmp(key, "pcap-bytes")) {
		ret = parse_number(value, 64, 65536, &number);
		if (!ret)
			device->pcap_bytes = (unsigned int)number;
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
		uint64_t size = 0;

		ret = parse_size(value, ENDPOINT_SIZE_MIN, ENDPOINT_SIZE_MAX, &size);
		if (!ret && size & (size - 1))
			ret = -EINVAL;
		if (!ret)
			device->endpoint.memory_size = size;
	} else if (!strcmp(key, "completer")) {
		ret = parse_word(completers, value, &word);
		if (!ret)
			device->endpoint.completer = (enum pcie_tph_completer)word;
	} else if (!strcmp(key, "prefix")) {
		ret = parse_word(prefixes, value, &word);
		if (!ret)
			device->endpoint.prefix = (enum endpoint_prefix)word;
	} else if (!strcmp(key, "acs")) {
		ret = parse_word(switches, value, &word);
		if (!ret)
			device->endpoint.acs = word;
	} else if (!strcmp(key, "ready")) {
		ret = parse_word(switches, value, &word);
		if (!ret)
			device->endpoint.ready = word;
	} else {
		ret = -ENOENT;
	}
	return ret;
}

static int set_property(struct device_options *device, const char *key, const char *value,
			char why[IMPAIRMENT_TEXT])
{
	uint16_t id;
	int ret;

	if (!strcmp(key, "name")) {
		if (!is_name(value))
			return -EINVAL;
		strcpy(device->name, value);
		return 0;
	}
	if (!strcmp(key, "machine")) {
		if (!is_name(value))
			return -EINVAL;
		strcpy(device->machine, value);
		return 0;
	}
	if (!strcmp(key, "socket")) {
		if (!is_socket(value))
			return -EINVAL;
		strcpy(device->socket, value);
		return 0;
	}
	if (!strcmp(key, "id")) {
		ret = parse_id(value, &id);
		if (!ret)
			device->hca.id = device->endpoint.id = id;
		return ret;
	}
	return device->kind == DEVICE_HCA ? set_hca(device, key, value, why)
					  : set_endpoint(device, key, value);
}

static int parse_properties(const char *option, struct device_options *device, char *properties)
{
	char *save = NULL, *property, copy[TEXT], why[IMPAIRMENT_TEXT] = "";

	for (property = strtok_r(properties, ",", &save); property;
	     property = strtok_r(NULL, ",", &save)) {
		char *value = strchr(property, '=');
		int ret;

		if (!value)
			return complain(option, device->name, "%s: no value",
					printable(property, copy));
		*value++ = '\0';
		ret = set_property(device, property, value, why);
		if (ret == -ENOENT)
			return complain(option, device->name, "no such property: %s",
					printable(property, copy));
		if (ret && *why)
			return complain(option, device->name, "bad value of %s: %s", property, why);
		if (ret)
			return complain(option, device->name, "bad value of %s: %s; it is %s",
					property, printable(value, copy), expected(property));
	}
	return 0;
}

static int check_unique(const struct options *options, const char *option,
			const struct device_options *device)
{
	for (unsigned int i = 0; i < options->devices; i++) {
		const struct device_options *other = &options->device[i];

		if (!strcmp(other->name, device->name) ||
		    (other->machine_number == device->machine_number &&
		     other->hca.id == device->hca.id) ||
		    !strcmp(other->socket, device->socket) ||
		    (device->hca.lid && other->hca.lid == device->hca.lid))
			return complain(option, device->name,
					"name, id, socket or LID is that of %s", other->name);
		if (*device->pcap && !strcmp(other->pcap, device->pcap))
			return complain(option, device->name, "pcap is the file of %s",
					other->name);
	}
	return 0;
}

/* The number of the device's machine: that of another one with this name, or the next. */
static uint8_t number_machine(const struct options *options, const struct device_options *device)
{
	uint8_t last = 0;

	if (!*device->machine)
		return 0;
	for (unsigned int i = 0; i < options->devices; i++) {
		const struct device_options *other = &options->device[i];

		if (!strcmp(other->machine, device->machine))
			return other->machine_number;
		if (other->machine_number > last)
			last = other->machine_number;
	}
	return (uint8_t)(last + 1);
}

/* A locally administered address for each place in a guest, and the EUI-64 that it makes. */
static void set_address(struct hca_params *hca, uint8_t machine)
{
	const uint8_t mac[6] = {
		0x02, 't', 'p', (uint8_t)('h' + machine), (uint8_t)(hca->id >> 8), (uint8_t)hca->id
	};

	memcpy(hca->mac, mac, sizeof(mac));
	hca->guid = (uint64_t)mac[0] << 56 | (uint64_t)mac[1] << 48 | (uint64_t)mac[2] << 40 |
		    0xfffeull << 24 | (uint64_t)mac[3] << 16 | hca->id;
}

static int parse_device(struct options *options, const char *option, struct device_options *device,
			char *properties)
{
	bool has_lid;

	if (parse_properties(option, device, properties))
		return -EINVAL;
	has_lid = device->kind == DEVICE_HCA && !device->ethernet;
	if (!device->name[0] || !device->socket[0] || !device->hca.id ||
	    (has_lid && !device->hca.lid))
		return complain(option, device->name, "name, id, socket%s are required",
				has_lid ? " and lid" : "");
	if (device->ethernet && device->hca.lid)
		return complain(option, device->name, "lid is of link=infiniband");
	device->machine_number = number_machine(options, device);
	if (check_unique(options, option, device))
		return -EINVAL;
	device->hca.name = device->endpoint.name = device->name;
	/* A locally administered EUI-64, one per LID. */
	device->hca.guid = 0x0200740068000000ull | device->hca.lid;
	if (device->ethernet)
		set_address(&device->hca, device->machine_number);
	options->devices++;
	return 0;
}

/* @kind: of an endpoint, NULL for an HCA. */
static int add_device(struct options *options, const char *option, const char *kind,
		      char *properties)
{
	struct device_options *device = &options->device[options->devices];

	if (options->devices == EMULATOR_DEVICES)
		return complain(option, "", "more than %d devices", EMULATOR_DEVICES);
	memset(device, 0, sizeof(*device));
	device->kind = kind ? DEVICE_ENDPOINT : DEVICE_HCA;
	device->pcap_fd = -1;
	device->hca = (struct hca_params){ .device_id = 0x1021,
					   .st_mode = HCA_ST_TABLE,
					   .st_width = 8,
					   .st_entries = 64,
					   .vectors = 8,
					   .memory = HCA_MEMORY_DEFAULT };
	device->endpoint.kind = kind;
	device->endpoint.memory_size = 64u << 20;
	device->endpoint.completer = PCIE_TPH_COMPLETER_EXTENDED;
	return parse_device(options, option, device, properties);
}

static int add_uplink(struct options *options, char *text)
{
	struct uplink_options *uplink = &options->uplink[options->uplinks];
	char copy[TEXT];
	const char *why;

	if (options->uplinks == UPLINKS)
		return complain("link", "", "more than %u links", UPLINKS);
	printable(text, copy);
	if (uplink_parse(text, uplink, &why))
		return complain("link", copy, "%s", why);
	for (unsigned int i = 0; i < options->uplinks; i++) {
		const struct uplink_options *other = &options->uplink[i];

		if (!strcmp(other->name, uplink->name))
			return complain("link", copy, "there is one with this name");
		if (other->kind == uplink->kind && other->local_port == uplink->local_port &&
		    !strcmp(other->local, uplink->local))
			return complain("link", copy, "its own end is that of %s", other->name);
	}
	options->uplinks++;
	return 0;
}

/* What concerns all devices. */
static int check_whole(const struct options *options)
{
	if (options->control && !is_socket(options->control))
		return complain("control", "", "not %s", expected("socket"));
	if (options->trace && !*options->trace)
		return complain("trace", "", "no file");
	for (unsigned int i = 0; i < options->devices; i++) {
		const struct device_options *device = &options->device[i];

		if (*device->pcap && options->trace && !strcmp(options->trace, device->pcap))
			return complain("trace", "", "the file is the capture of %s", device->name);
		if (options->control && !strcmp(options->control, device->socket))
			return complain("control", "", "the socket is that of %s", device->name);
		if (options->trace && !strcmp(options->trace, device->socket))
			return complain("trace", "", "the file is the socket of %s", device->name);
	}
	if (options->control && options->trace && !strcmp(options->control, options->trace))
		return complain("trace", "", "the file is the socket of --control");
	return 0;
}

int options_parse(struct options *options, int argc, char **argv)
{
	enum {
		HCA = 256,
		CONTROL,
		TRACE,
		IPOIB_MTU,
		LINK,
		GUEST_CPUS,
		SANDBOX,
		HELP,
		VERSION,
		ENDPOINT /* and a number for each kind */
	};
	static const struct option others[] = { { "hca", required_argument, NULL, HCA },
						{ "control", required_argument, NULL, CONTROL },
						{ "trace", required_argument, NULL, TRACE },
						{ "ipoib-mtu", required_argument, NULL, IPOIB_MTU },
						{ "link", required_argument, NULL, LINK },
						{ "guest-cpus", required_argument, NULL,
						  GUEST_CPUS },
						{ "sandbox", required_argument, NULL, SANDBOX },
						{ "help", no_argument, NULL, HELP },
						{ "version", no_argument, NULL, VERSION } };
	struct option longs[sizeof(others) / sizeof(*others) + ENDPOINT_KINDS_MAX + 1] = { 0 };
	const struct endpoint_kind *kind;
	unsigned long long number;
	char copy[TEXT];
	int option, index = 0;

	memset(options, 0, sizeof(*options));
	options->sandbox = true;
	options->ipoib_mtu = 2044;
	memcpy(longs, others, sizeof(others));
	for (unsigned int i = 0; (kind = endpoint_kind(i)); i++)
		longs[sizeof(others) / sizeof(*others) + i] =
			(struct option){ endpoint_kind_name(kind), required_argument, NULL,
					 ENDPOINT + (int)i };
	optind = 0;
	while ((option = getopt_long(argc, argv, "", longs, &index)) >= 0) {
		switch (option) {
		case HCA:
			if (add_device(options, longs[index].name, NULL, optarg))
				return -EINVAL;
			break;
		case CONTROL:
			options->control = optarg;
			break;
		case TRACE:
			options->trace = optarg;
			break;
		case IPOIB_MTU:
			if (strcmp(optarg, "2044") && strcmp(optarg, "4092"))
				return complain("ipoib-mtu", "", "it is 2044 or 4092, not %s",
						printable(optarg, copy));
			options->ipoib_mtu = *optarg == '2' ? 2044 : 4092;
			break;
		case LINK:
			if (add_uplink(options, optarg))
				return -EINVAL;
			break;
		case GUEST_CPUS:
			if (parse_number(optarg, 1, 4096, &number))
				return complain("guest-cpus", "", "it is 1 to 4096, not %s",
						printable(optarg, copy));
			options->guest_cpus = (unsigned int)number;
			break;
		case SANDBOX:
			if (strcmp(optarg, "yes") && strcmp(optarg, "no"))
				return complain("sandbox", "", "it is yes or no, not %s",
						printable(optarg, copy));
			options->sandbox = !strcmp(optarg, "yes");
			break;
		case HELP:
			options->help = true;
			return 0;
		case VERSION:
			options->version = true;
			return 0;
		default:
			if (option < ENDPOINT ||
			    add_device(options, longs[index].name, longs[index].name, optarg))
				return -EINVAL;
			break;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "tph-emulator: unexpected argument: %s\n",
			printable(argv[optind], copy));
		return -EINVAL;
	}
	if (!options->devices) {
		fprintf(stderr, "tph-emulator: no device; see --help\n");
		return -EINVAL;
	}
	return check_whole(options);
}
