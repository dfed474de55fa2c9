/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tlpdump - print, filter, count and convert the TLPs of a trace.
 * Exit status: 0, 1 when the trace does not give what was asked, 2 for wrong usage.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "pcie/flows.h"
#include "pcie/pcap.h"
#include "pcie/reader.h"
#include "pcie/summary.h"

struct options {
	const char *file;
	const char *source, *target, *type;
	const char *from, *to;
	const char *pcapng;
	const char *packets[TLP_PCAP_CAPTURES];
	unsigned int captures;
	bool flows, hinted, json, marks, summary;
	bool has_window, has_limit;
	struct tlp_window window; /* --addr, --window */
	uint64_t limit;
	struct tlp_summary_options sum;
};

enum {
	OPT_ADDR = 256,
	OPT_EXPECT,
	OPT_FLOWS,
	OPT_FROM,
	OPT_HINTED,
	OPT_JSON,
	OPT_LIMIT,
	OPT_MARKS
};
enum { OPT_PACKETS = 280, OPT_PCAPNG };
enum { OPT_SOURCE = 300, OPT_SUMMARY, OPT_TARGET, OPT_TO, OPT_TYPE, OPT_WINDOW };

static const struct option longopts[] = {
	{ "addr", required_argument, NULL, OPT_ADDR },
	{ "expect", required_argument, NULL, OPT_EXPECT },
	{ "flows", no_argument, NULL, OPT_FLOWS },
	{ "from", required_argument, NULL, OPT_FROM },
	{ "help", no_argument, NULL, 'h' },
	{ "hinted", no_argument, NULL, OPT_HINTED },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "limit", required_argument, NULL, OPT_LIMIT },
	{ "marks", no_argument, NULL, OPT_MARKS },
	{ "packets", required_argument, NULL, OPT_PACKETS },
	{ "pcapng", required_argument, NULL, OPT_PCAPNG },
	{ "source", required_argument, NULL, OPT_SOURCE },
	{ "summary", no_argument, NULL, OPT_SUMMARY },
	{ "target", required_argument, NULL, OPT_TARGET },
	{ "to", required_argument, NULL, OPT_TO },
	{ "type", required_argument, NULL, OPT_TYPE },
	{ "version", no_argument, NULL, 'V' },
	{ "window", required_argument, NULL, OPT_WINDOW },
	{ 0 },
};

static const char help[] =
	"Usage: tlpdump [OPTION]... FILE\n"
	"       tlpdump --summary --source NAME --window BASE,SIZE [OPTION]... FILE\n"
	"       tlpdump --flows [OPTION]... FILE\n"
	"       tlpdump --pcapng CAPTURE [--packets CAPTURE]... [OPTION]... FILE\n"
	"Print the TLPs of a trace, one per line, or count those of one function, or count all of\n"
	"them after each mark.\n"
	"\n"
	"  --source NAME       only TLPs that this function issued\n"
	"  --target NAME       only TLPs that went to this function\n"
	"  --type TYPE         MRd, MWr, FetchAdd, Swap, CAS (with 32 or 64 for one form), Cpl, "
	"CplD\n"
	"  --hinted            only TLPs with TH set\n"
	"  --addr BASE,SIZE    only requests that touch these bytes\n"
	"  --from MARK         begin after this mark\n"
	"  --to MARK           end before this mark\n"
	"  --marks             print the marks, too\n"
	"  --limit N           stop after N TLPs\n"
	"  --json              JSON, one object per line\n"
	"  --pcapng CAPTURE    write them to a capture for Wireshark; -: standard output\n"
	"  --packets CAPTURE   with --pcapng, between them the packets of a port's capture\n"
	"  --summary           counts for the writes of --source into --window\n"
	"  --window BASE,SIZE  bytes that count as the target with --summary\n"
	"  --expect HINT       with --summary, the hint of these writes: none or "
	"ph=N,st=N,width=8|16\n"
	"  --flows             counts after each mark by source, target, type and hint\n"
	"  --help              this text\n"
	"  --version           the version\n"
	"\n"
	"Numbers are decimal, or hexadecimal after 0x.\n"
	"Exit status: 0, 1 if the trace does not give what was asked, 2 for wrong usage.\n";

__attribute__((format(printf, 1, 2), noreturn)) static void usage_error(const char *format, ...)
{
	va_list args;

	fputs("tlpdump: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\nTry 'tlpdump --help'.\n", stderr);
	exit(2);
}

/* Takes a number at *@text and moves behind it. */
static bool take_number(const char **text, uint64_t *value)
{
	bool hex = (*text)[0] == '0' && ((*text)[1] == 'x' || (*text)[1] == 'X');
	const char *digits = hex ? *text + 2 : *text;
	char *end;

	if (!(hex ? isxdigit((unsigned char)*digits) : isdigit((unsigned char)*digits)))
		return false;
	errno = 0;
	*value = strtoull(digits, &end, hex ? 16 : 10);
	*text = end;
	return errno == 0;
}

static void parse_window(const char *option, const char *arg, struct tlp_window *window)
{
	const char *p = arg;

	if (!take_number(&p, &window->base) || *p++ != ',' || !take_number(&p, &window->size) ||
	    *p || !window->size || window->base + (window->size - 1) < window->base)
		usage_error("%s: '%s' is not BASE,SIZE of a byte range", option, arg);
}

/* "ph=2,st=42,width=8" in any order, all three. */
static bool parse_hint(const char *p, struct tlp_hint *hint)
{
	static const char *const keys[] = { "ph=", "st=", "width=" };
	uint64_t value[3];
	unsigned int seen = 0;

	for (unsigned int i, n = 0; n < 3; n++) {
		if (n && *p++ != ',')
			return false;
		for (i = 0; i < 3 && strncmp(p, keys[i], strlen(keys[i])); i++)
			;
		if (i == 3 || seen & 1 << i)
			return false;
		seen |= 1 << i;
		p += strlen(keys[i]);
		if (!take_number(&p, &value[i]))
			return false;
	}
	if (*p || value[0] > 3 || (value[2] != 8 && value[2] != 16) || value[1] >> value[2])
		return false;
	*hint = (struct tlp_hint){ true, value[2] == 16, value[0], value[1] };
	return true;
}

static bool type_matches(const char *wanted, const char *name)
{
	size_t len = strlen(wanted);

	return !strncmp(wanted, name, len) &&
	       (!name[len] || !strcmp(name + len, "32") || !strcmp(name + len, "64"));
}

static void check_type(const char *type)
{
	for (int i = TLP_MRD; i <= TLP_CPLD; i++) {
		struct tlp below = { .type = i }, above = { .type = i, .addr = 1ull << 32 };

		if (type_matches(type, tlp_name(&below)) || type_matches(type, tlp_name(&above)))
			return;
	}
	usage_error("--type: '%s' is no TLP type", type);
}

static void parse_option(struct options *o, int option)
{
	const char *number = optarg;

	switch (option) {
	case OPT_ADDR:
	case OPT_WINDOW:
		parse_window(option == OPT_ADDR ? "--addr" : "--window", optarg, &o->window);
		o->has_window = true;
		break;
	case OPT_EXPECT:
		o->sum.expected = true;
		o->sum.expect = (struct tlp_hint){ 0 };
		if (strcmp(optarg, "none") && !parse_hint(optarg, &o->sum.expect))
			usage_error("--expect: '%s' is neither none nor ph=0..3,st=N,width=8|16",
				    optarg);
		break;
	case OPT_FLOWS:
		o->flows = true;
		break;
	case OPT_FROM:
		o->from = optarg;
		break;
	case OPT_HINTED:
		o->hinted = true;
		break;
	case OPT_JSON:
		o->json = true;
		break;
	case OPT_LIMIT:
		o->has_limit = true;
		if (!take_number(&number, &o->limit) || *number)
			usage_error("--limit: '%s' is not a number", optarg);
		break;
	case OPT_MARKS:
		o->marks = true;
		break;
	case OPT_PACKETS:
		if (o->captures == TLP_PCAP_CAPTURES)
			usage_error("--packets: more than %u captures", TLP_PCAP_CAPTURES);
		o->packets[o->captures++] = optarg;
		break;
	case OPT_PCAPNG:
		o->pcapng = optarg;
		break;
	case OPT_SOURCE:
		o->source = optarg;
		break;
	case OPT_SUMMARY:
		o->summary = true;
		break;
	case OPT_TARGET:
		o->target = optarg;
		break;
	case OPT_TO:
		o->to = optarg;
		break;
	case OPT_TYPE:
		check_type(optarg);
		o->type = optarg;
		break;
	case 'h':
		fputs(help, stdout);
		exit(fflush(stdout) ? 1 : 0);
	case 'V':
		puts("tlpdump " TPH_VERSION);
		exit(fflush(stdout) ? 1 : 0);
	default:
		exit(2); /* getopt said why */
	}
}

/* Options of the other mode are refused: silently ignored they would look obeyed. */
static void parse_options(struct options *o, int argc, char **argv)
{
	bool filter = false, window = false;
	int option;

	while ((option = getopt_long(argc, argv, "h", longopts, NULL)) != -1) {
		filter |= option == OPT_ADDR || option == OPT_TARGET || option == OPT_TYPE ||
			  option == OPT_HINTED || option == OPT_LIMIT || option == OPT_MARKS;
		window |= option == OPT_WINDOW;
		parse_option(o, option);
	}
	if (optind == argc)
		usage_error("no trace file given");
	if (argc - optind > 1)
		usage_error("one trace file only, not '%s' as well", argv[optind + 1]);
	o->file = argv[optind];
	if (!o->summary && (window || o->sum.expected))
		usage_error("--window and --expect go with --summary");
	if (o->captures && !o->pcapng)
		usage_error("--packets goes with --pcapng");
	if (o->pcapng && (o->flows || o->summary || o->json))
		usage_error("--pcapng goes without --flows, --summary and --json");
	if (o->flows && (o->summary || filter || o->source))
		usage_error("--flows takes only --from, --to and --json");
	if (!o->summary)
		return;
	if (filter)
		usage_error("--summary takes only --source, --window, --expect, --from, --to and "
			    "--json");
	if (!o->source)
		usage_error("--summary needs --source NAME");
	if (!o->has_window)
		usage_error("--summary needs --window BASE,SIZE");
	o->sum.source = o->source;
	o->sum.window = o->window;
}

static bool wanted(const struct options *o, const struct tlp_entry *entry)
{
	if (o->source && strcmp(o->source, entry->source))
		return false;
	if (o->target && (!entry->target || strcmp(o->target, entry->target)))
		return false;
	if (o->type && !type_matches(o->type, tlp_name(&entry->tlp)))
		return false;
	if (o->hinted && !entry->tlp.hint.th)
		return false;
	return !o->has_window || tlp_in_window(&entry->tlp, &o->window);
}

static void format_id(char text[8], uint16_t id)
{
	snprintf(text, 8, "%02x:%02x.%x", id >> 8, id >> 3 & 0x1f, id & 7);
}

static bool is_completion(const struct tlp *tlp)
{
	return tlp->type == TLP_CPL || tlp->type == TLP_CPLD;
}

static const char *status_name(uint8_t status)
{
	switch (status) {
	case TLP_SC:
		return "SC";
	case TLP_UR:
		return "UR";
	case TLP_RRS:
		return "RRS";
	default:
		return "CA";
	}
}

static void print_text(const struct tlp_entry *entry)
{
	const struct tlp_record *record = &entry->record;
	const struct tlp *tlp = &entry->tlp;
	char requester[8], completer[8];

	printf("%" PRIu64 ".%09" PRIu64 " ", record->time_ns / 1000000000,
	       record->time_ns % 1000000000);
	if (record->kind == TLP_RECORD_MARK) {
		printf("mark %s\n", entry->text);
		return;
	}
	format_id(requester, tlp->requester);
	printf("%s -> ", entry->source);
	if (!entry->target)
		printf("%s", tlp_route_name(record->route));
	else if (is_completion(tlp))
		printf("%s", entry->target);
	else
		printf("%s/bar%u+0x%" PRIx64, entry->target, record->bar, record->offset);
	printf(" %s %s", tlp_name(tlp), requester);
	if (tlp->type == TLP_MWR && tlp->hint.th)
		printf(" tag -");
	else
		printf(" tag %u", tlp->tag);
	if (is_completion(tlp)) {
		format_id(completer, tlp->completer);
		printf(" from %s %s bytes %u lower 0x%02x length %u\n", completer,
		       status_name(tlp->status), tlp->byte_count, tlp->lower_addr, tlp->length);
		return;
	}
	printf(" addr 0x%" PRIx64 " length %u be %x/%x", tlp->addr, tlp->length, tlp->last_be,
	       tlp->first_be);
	if (tlp->hint.th)
		printf(" TH ph %u st 0x%0*x", tlp->hint.ph, tlp->hint.extended ? 4 : 2,
		       tlp->hint.st);
	putchar('\n');
}

static void add_number(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

static void add_string(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, value ? json_object_new_string(value) : NULL);
}

static void add_request(struct json_object *object, const struct tlp_entry *entry)
{
	const struct tlp *tlp = &entry->tlp;
	struct json_object *hint = NULL;

	if (entry->target) {
		add_number(object, "bar", entry->record.bar);
		add_number(object, "offset", entry->record.offset);
	}
	add_number(object, "addr", tlp->addr);
	add_number(object, "length", tlp->length);
	add_number(object, "first_be", tlp->first_be);
	add_number(object, "last_be", tlp->last_be);
	if (tlp->hint.th) {
		hint = json_object_new_object();
		add_number(hint, "ph", tlp->hint.ph);
		add_number(hint, "st", tlp->hint.st);
		add_number(hint, "st_width", tlp->hint.extended ? 16 : 8);
	}
	json_object_object_add(object, "hint", hint);
}

/* The header as it travelled, prefix first. */
static void add_header(struct json_object *object, const struct tlp_record *record)
{
	char text[2 * TLP_MAX_HEADER + 1] = "";

	for (unsigned int i = 0; i < record->header_len && i < TLP_MAX_HEADER; i++)
		snprintf(text + 2 * i, 3, "%02x", record->header[i]);
	add_string(object, "header", text);
}

static void print_json(const struct tlp_entry *entry)
{
	struct json_object *object = json_object_new_object();
	const struct tlp *tlp = &entry->tlp;
	char id[8];

	add_number(object, "time_ns", entry->record.time_ns);
	if (entry->record.kind == TLP_RECORD_MARK) {
		add_string(object, "mark", entry->text);
	} else {
		add_string(object, "source", entry->source);
		add_string(object, "route", tlp_route_name(entry->record.route));
		add_string(object, "target", entry->target);
		add_string(object, "type", tlp_name(tlp));
		format_id(id, tlp->requester);
		add_string(object, "requester", id);
		if (tlp->type == TLP_MWR && tlp->hint.th)
			add_string(object, "tag", NULL);
		else
			add_number(object, "tag", tlp->tag);
		if (is_completion(tlp)) {
			format_id(id, tlp->completer);
			add_string(object, "completer", id);
			add_string(object, "status", status_name(tlp->status));
			add_number(object, "byte_count", tlp->byte_count);
			add_number(object, "lower_addr", tlp->lower_addr);
			add_number(object, "length", tlp->length);
		} else {
			add_request(object, entry);
		}
		add_header(object, &entry->record);
	}
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	json_object_put(object);
}

/* Of a capture: what is wrong was said, here or when it was written. */
#define SAID (-ECANCELED)

static int pcap_failed(const struct tlp_pcap *pcap, int rc)
{
	const char *why = strerror(-rc);

	if (rc == -ENODATA)
		why = "packets cannot be merged: the trace does not say the time of the day";
	else if (rc == -EPROTO)
		why = "not a capture of tph-emulator, or broken";
	else if (rc == -EMSGSIZE)
		why = "ends within a packet";
	fprintf(stderr, "tlpdump: %s: %s\n", tlp_pcap_subject(pcap), why);
	return SAID;
}

/* NULL: it was said why. */
static struct tlp_pcap *open_pcap(const struct options *o, const struct tlp_reader *reader)
{
	struct tlp_pcap *pcap = tlp_pcap_open(o->pcapng, reader);
	int rc = 0;

	if (!pcap) {
		fprintf(stderr, "tlpdump: --pcapng %s: %s\n", o->pcapng, strerror(errno));
		return NULL;
	}
	for (unsigned int i = 0; i < o->captures; i++) {
		rc = tlp_pcap_merge(pcap, o->packets[i]);
		if (!rc)
			continue;
		fprintf(stderr, "tlpdump: --packets %s: %s\n", o->packets[i],
			rc == -EPROTO ? "not a capture of tph-emulator" : strerror(-rc));
		tlp_pcap_close(pcap);
		return NULL;
	}
	return pcap;
}

/* Returns what tlp_reader_next() said last, -ENOMEM, SAID, or -E2BIG: more flows than are told
 * apart.
 */
static int run(const struct options *o, struct tlp_reader *reader, struct tlp_pcap *pcap)
{
	struct tlp_summary summary = { 0 };
	struct tlp_flows flows = { 0 };
	struct tlp_entry entry;
	uint64_t printed = 0;
	int rc = 0;

	while (!(o->has_limit && printed == o->limit) &&
	       (rc = tlp_reader_next(reader, &entry)) > 0) {
		bool mark = entry.record.kind == TLP_RECORD_MARK;

		if (o->flows) {
			rc = tlp_flows_add(&flows, &entry, o->json, stdout);
			if (rc)
				break;
		} else if (o->summary) {
			rc = tlp_summary_add(&summary, &o->sum, &entry);
			if (rc)
				break;
		} else if (mark ? o->marks : wanted(o, &entry)) {
			printed += !mark;
			if (pcap && (rc = tlp_pcap_add(pcap, &entry)))
				return pcap_failed(pcap, rc);
			if (!pcap)
				(o->json ? print_json : print_text)(&entry);
		}
	}
	if (pcap && (rc == 0 || rc == -ENODATA)) {
		int rest = tlp_pcap_rest(pcap);

		if (rest)
			return pcap_failed(pcap, rest);
	}
	if (o->summary && rc == 0 && tlp_reader_knows(reader, o->source))
		rc = tlp_summary_print(&summary, &o->sum, o->json, stdout);
	if (o->flows && (rc == 0 || rc == -ENODATA) && tlp_flows_print(&flows, o->json, stdout))
		rc = -ENOMEM;
	if (flows.overflow && rc == 0)
		rc = -E2BIG;
	tlp_flows_clear(&flows);
	tlp_summary_clear(&summary);
	return rc > 0 ? 0 : rc;
}

static bool check_function(const struct options *o, const struct tlp_reader *reader,
			   const char *name)
{
	if (!name || tlp_reader_knows(reader, name))
		return true;
	fprintf(stderr, "tlpdump: %s: no function '%s' in the trace\n", o->file, name);
	return false;
}

static const char *error_of(int rc, const struct tlp_reader *reader)
{
	switch (rc) {
	case -ENOMEM:
		return strerror(ENOMEM);
	case -E2BIG:
		return "more flows after a mark than are told apart";
	default:
		return tlp_reader_error(reader);
	}
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	struct tlp_pcap *pcap = NULL;
	struct tlp_reader *reader;
	bool ok;
	int rc;

	parse_options(&o, argc, argv);
	reader = tlp_reader_open(o.file);
	if (!reader) {
		fprintf(stderr, "tlpdump: %s: %s\n", o.file,
			errno == EPROTO ? "not a TLP trace" : strerror(errno));
		return 1;
	}
	tlp_reader_interval(reader, o.from, o.to);
	if (o.pcapng)
		pcap = open_pcap(&o, reader);
	rc = o.pcapng && !pcap ? SAID : run(&o, reader, pcap);
	ok = !tlp_pcap_close(pcap) && rc == 0;
	if (rc && rc != SAID)
		fprintf(stderr, "tlpdump: %s: %s\n", o.file, error_of(rc, reader));
	ok = ok && check_function(&o, reader, o.source) && check_function(&o, reader, o.target);
	tlp_reader_close(reader);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "tlpdump: standard output: %s\n", strerror(errno));
		return 1;
	}
	return ok ? 0 : 1;
}
