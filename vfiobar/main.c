// SPDX-License-Identifier: GPL-2.0-only
/* Command line over vfiobar.h, for scripts: look at a BAR, fill it, compare it, try a hint on it.
 */
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "show.h"

#define CHUNK	   65536
#define EXIT_EQUAL 0
#define EXIT_DIFF  1
#define EXIT_ERROR 2

static const char usage[] =
	"usage: vfiobar list\n"
	"       vfiobar info BDF\n"
	"       vfiobar fill BDF BAR OFFSET LENGTH BYTE\n"
	"       vfiobar compare BDF BAR OFFSET FILE [LENGTH]\n"
	"       vfiobar read BDF BAR OFFSET LENGTH > FILE\n"
	"       vfiobar hint BDF BAR OFFSET LENGTH st=<0-255>,st_ext=<0-65535>,ph=<0-3>\n"
	"       vfiobar reset BDF\n"
	"       vfiobar [--by any|iommufd|group] [--registers] [--json] COMMAND...\n"
	"       vfiobar --help | --version\n"
	"\n"
	"BDF is domain:bus:dev.fn of a function bound to vfio-pci. Numbers are decimal, or hex "
	"with 0x.\n"
	"--by opens BDF by its character device and iommufd, by its group, or, as without it, by "
	"the\n"
	"first of them that can be had. list and info open nothing, and so reset nothing; info "
	"does\n"
	"with --by, and then says whether BDF takes hints, too.\n"
	"--json prints what list and info have to say as JSON.\n"
	"--registers takes a BAR that holds registers, which is refused without it.\n"
	"compare exits with 0 when equal, 1 when not and then names the first difference.\n"
	"Every other failure exits with 2.\n";

static int complain(const struct vfiobar_msg *msg)
{
	fprintf(stderr, "vfiobar: %s\n", msg->text);
	return EXIT_ERROR;
}

/* What the library said of a BAR; for one of registers, how to have it all the same. */
static int complain_bar(int ret, const struct vfiobar_msg *msg)
{
	fprintf(stderr, "vfiobar: %s%s\n", msg->text,
		ret == -EPERM ? "; --registers takes it" : "");
	return EXIT_ERROR;
}

/* A plain number up to @max; exits with 2 on anything else. */
static uint64_t number(const char *what, const char *text, uint64_t max)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, !strncasecmp(text, "0x", 2) ? 16 : 10);
	if (*text < '0' || *text > '9' || *end || errno || value > max) {
		fprintf(stderr, "vfiobar: %s '%s': not a number in 0..%llu\n", what, text,
			(unsigned long long)max);
		exit(EXIT_ERROR);
	}
	return value;
}

static int do_hint(struct vfiobar *dev, unsigned int bar, uint64_t offset, uint64_t length,
		   const struct vfiobar_hint *hint)
{
	struct vfiobar_msg msg;
	int fd, ret;

	fd = vfiobar_export(dev, bar, offset, length, &msg);
	if (fd < 0)
		return complain_bar(fd, &msg);
	ret = vfiobar_set_hint(dev, fd, hint, &msg);
	close(fd);
	printf("hint: %s\n", ret ? vfiobar_errno_name(-ret) : "ok");
	return ret ? complain(&msg) : 0;
}

/* Something other than the function went wrong. */
static int failed(const char *what, uint64_t offset, int err)
{
	fprintf(stderr, "vfiobar: %s at offset 0x%llx failed: %s (%s)\n", what,
		(unsigned long long)offset, strerror(err), vfiobar_errno_name(err));
	return EXIT_ERROR;
}

static int do_fill(const struct vfiobar_window *window, uint64_t length, uint8_t byte)
{
	static uint8_t chunk[CHUNK];
	struct vfiobar_msg msg;

	memset(chunk, byte, sizeof(chunk));
	for (uint64_t pos = 0; pos < length; pos += CHUNK) {
		uint64_t left = length - pos;

		if (vfiobar_window_write(window, pos, chunk, left < CHUNK ? left : CHUNK, &msg))
			return complain(&msg);
	}
	return 0;
}

static int do_read(const struct vfiobar_window *window, uint64_t length)
{
	static uint8_t chunk[CHUNK];
	struct vfiobar_msg msg;

	for (uint64_t pos = 0; pos < length; pos += CHUNK) {
		size_t n = length - pos < CHUNK ? length - pos : CHUNK;

		if (vfiobar_window_read(window, pos, chunk, n, &msg))
			return complain(&msg);
		if (fwrite(chunk, 1, n, stdout) != n)
			return failed("output of what was read", pos, errno);
	}
	return fflush(stdout) ? failed("output of what was read", 0, errno) : 0;
}

static int do_compare(const struct vfiobar_window *window, uint64_t length, uint64_t offset,
		      FILE *file)
{
	static uint8_t have[CHUNK], want[CHUNK];
	struct vfiobar_msg msg;

	for (uint64_t pos = 0; pos < length; pos += CHUNK) {
		size_t n = length - pos < CHUNK ? length - pos : CHUNK;

		if (vfiobar_window_read(window, pos, have, n, &msg))
			return complain(&msg);
		if (fread(want, 1, n, file) != n)
			return failed("reading the file", pos, ferror(file) ? errno : ENODATA);
		for (size_t i = 0; i < n; i++) {
			if (have[i] == want[i])
				continue;
			printf("differs at BAR offset 0x%llx (file offset 0x%llx): 0x%02x, "
			       "expected 0x%02x\n",
			       (unsigned long long)(offset + pos + i),
			       (unsigned long long)(pos + i), have[i], want[i]);
			return EXIT_DIFF;
		}
	}
	printf("equal: %llu bytes\n", (unsigned long long)length);
	return EXIT_EQUAL;
}

/* Opens the file and says its size; exits with 2 when there is none. */
static FILE *open_file(const char *path, uint64_t *size)
{
	FILE *file = fopen(path, "re");
	struct stat st;

	if (!file || fstat(fileno(file), &st)) {
		fprintf(stderr, "vfiobar: %s: %s\n", path, strerror(errno));
		exit(EXIT_ERROR);
	}
	*size = (uint64_t)st.st_size;
	return file;
}

enum command { LIST, INFO, FILL, COMPARE, READ, HINT, RESET, COMMANDS };

/* Words behind the command. */
static const struct {
	const char *name;
	int min, max;
} commands[COMMANDS] = {
	[LIST] = { "list", 0, 0 },	 [INFO] = { "info", 1, 1 }, [FILL] = { "fill", 5, 5 },
	[COMPARE] = { "compare", 4, 5 }, [READ] = { "read", 4, 4 }, [HINT] = { "hint", 5, 5 },
	[RESET] = { "reset", 1, 1 },
};

struct request {
	enum command command;
	enum vfiobar_interface by;
	bool open, registers, json; /* open: --by was given */
	const char *bdf;
	unsigned int bar;
	uint64_t offset, length;
	uint8_t byte;
	FILE *file;
	struct vfiobar_hint hint;
};

/* Fills the request from the words behind the command; exits with 2 on a bad one. */
static void parse_words(struct request *req, int words, char **word)
{
	uint64_t file_size = 0;
	struct vfiobar_msg msg;

	req->bdf = words ? word[0] : NULL;
	if (words < 2)
		return;
	req->bar = (unsigned int)number("BAR", word[1], VFIOBAR_BARS - 1);
	req->offset = number("OFFSET", word[2], UINT64_MAX);
	if (req->command == COMPARE) {
		req->file = open_file(word[3], &file_size);
		req->length = words == 5 ? number("LENGTH", word[4], file_size) : file_size;
		return;
	}
	req->length = number("LENGTH", word[3], UINT64_MAX);
	if (req->command == FILL)
		req->byte = (uint8_t)number("BYTE", word[4], 0xff);
	req->hint.size = sizeof(req->hint);
	if (req->command == HINT && vfiobar_parse_hint(word[4], &req->hint, &msg))
		exit(complain(&msg));
}

static int serve(struct vfiobar *dev, const struct request *req)
{
	struct vfiobar_window *window;
	struct vfiobar_msg msg;
	int ret;

	switch (req->command) {
	case INFO:
		show_function(vfiobar_layout(dev), dev, req->json);
		return 0;
	case RESET:
		return vfiobar_reset(dev, &msg) ? complain(&msg) : 0;
	case HINT:
		return do_hint(dev, req->bar, req->offset, req->length, &req->hint);
	default:
		break;
	}
	ret = vfiobar_window_open(dev, req->bar, req->offset, req->length, &window, &msg);
	if (ret)
		return complain_bar(ret, &msg);
	if (req->command == FILL)
		ret = do_fill(window, req->length, req->byte);
	else if (req->command == READ)
		ret = do_read(window, req->length);
	else
		ret = do_compare(window, req->length, req->offset, req->file);
	vfiobar_window_close(window);
	return ret;
}

static int serve_opened(const struct request *req)
{
	struct vfiobar_msg msg;
	struct vfiobar *dev;
	int ret;

	if (vfiobar_open_by(req->bdf, req->by, &dev, &msg))
		return complain(&msg);
	if (req->registers)
		vfiobar_allow_registers(dev);
	ret = serve(dev, req);
	vfiobar_close(dev);
	return ret;
}

static int info(const struct request *req)
{
	struct vfiobar_layout layout = { .size = sizeof(layout) };
	struct vfiobar_msg msg;
	int ret;

	if (req->open)
		return serve_opened(req);
	ret = vfiobar_read_layout(req->bdf, &layout, &msg);
	if (ret) {
		fprintf(stderr, "vfiobar: %s%s\n", msg.text,
			ret == -EACCES ? "; --by any opens it, and so resets it" : "");
		return EXIT_ERROR;
	}
	show_function(&layout, NULL, req->json);
	return 0;
}

/* The word behind --by; exits with 2 on another one. */
static enum vfiobar_interface parse_interface(const char *text)
{
	static const char *const names[] = {
		[VFIOBAR_ANY] = "any", [VFIOBAR_IOMMUFD] = "iommufd", [VFIOBAR_GROUP] = "group"
	};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(text, names[i]))
			return (enum vfiobar_interface)i;
	fprintf(stderr, "vfiobar: --by '%s': neither any nor iommufd nor group\n", text);
	exit(EXIT_ERROR);
}

/* The options before the command: how many words they are. */
static int parse_options(struct request *req, int words, char **word)
{
	int i;

	for (i = 0; i < words; i++) {
		if (!strcmp(word[i], "--by") && i + 1 < words) {
			req->by = parse_interface(word[++i]);
			req->open = true;
		} else if (!strcmp(word[i], "--registers")) {
			req->registers = true;
		} else if (!strcmp(word[i], "--json")) {
			req->json = true;
		} else {
			break;
		}
	}
	return i;
}

int main(int argc, char **argv)
{
	struct request req = { .command = COMMANDS };
	struct vfiobar_msg msg;
	int ret, words;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts("vfiobar " TPH_VERSION);
		return 0;
	}
	argv += 1 + parse_options(&req, argc - 1, argv + 1);
	for (words = 0; argv[words]; words++)
		;
	for (int i = 0; words && i < COMMANDS; i++)
		if (!strcmp(argv[0], commands[i].name))
			req.command = (enum command)i;
	if (req.command == COMMANDS || words - 1 < commands[req.command].min ||
	    words - 1 > commands[req.command].max ||
	    (req.json && req.command != LIST && req.command != INFO)) {
		fputs(usage, stderr);
		return EXIT_ERROR;
	}
	parse_words(&req, words - 1, argv + 1);
	if (req.command == LIST)
		ret = show_list(req.json, &msg) ? complain(&msg) : 0;
	else
		ret = req.command == INFO ? info(&req) : serve_opened(&req);
	if (req.file)
		fclose(req.file);
	return ret;
}
