// SPDX-License-Identifier: GPL-2.0
/* Command line over vfiobar.h, for scripts: look at a BAR, fill it, compare it, try a hint on it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vfiobar.h"

#define CHUNK	   65536
#define EXIT_EQUAL 0
#define EXIT_DIFF  1
#define EXIT_ERROR 2

static const char usage[] =
	"usage: vfiobar info BDF\n"
	"       vfiobar fill BDF BAR OFFSET LENGTH BYTE\n"
	"       vfiobar compare BDF BAR OFFSET FILE [LENGTH]\n"
	"       vfiobar read BDF BAR OFFSET LENGTH > FILE\n"
	"       vfiobar hint BDF BAR OFFSET LENGTH st=<0-255>,st_ext=<0-65535>,ph=<0-3>\n"
	"       vfiobar reset BDF\n"
	"       vfiobar [--by iommufd|group] [--registers] COMMAND...\n"
	"\n"
	"BDF is domain:bus:dev.fn of a function bound to vfio-pci. Numbers are decimal, or hex "
	"with 0x.\n"
	"--by opens BDF by its character device and iommufd, or by its group; without it, by the\n"
	"first of them that there is.\n"
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

static const char *completer_text(enum vfiobar_completer completer)
{
	static const char *const text[] = {
		[VFIOBAR_COMPLETER_NONE] = "none",
		[VFIOBAR_COMPLETER_TPH] = "TPH",
		[VFIOBAR_COMPLETER_RESERVED] = "reserved",
		[VFIOBAR_COMPLETER_TPH_EXT] = "TPH and Extended TPH",
	};

	return text[completer];
}

static int do_info(struct vfiobar *dev)
{
	static const char *const msix_name[] = { "MSI-X table", "MSI-X PBA" };
	const struct vfiobar_layout *layout = vfiobar_layout(dev);
	int hint = vfiobar_probe_hint(dev);

	printf("device: %s %04x:%04x class %06x\n", layout->bdf, layout->vendor, layout->device,
	       layout->class_code);
	printf("access: %s\n", vfiobar_access(dev));
	printf("completer: %s\n", completer_text(layout->completer));
	printf("hints: %s\n", hint ? vfiobar_errno_name(-hint) : "ok");
	for (unsigned int bar = 0; bar < VFIOBAR_BARS; bar++)
		if (layout->bar_size[bar])
			printf("BAR %u: size 0x%llx\n", bar,
			       (unsigned long long)layout->bar_size[bar]);
	for (unsigned int i = 0; i < 2; i++)
		if (layout->msix[i].length)
			printf("%s: BAR %u offset 0x%llx length 0x%llx\n", msix_name[i],
			       layout->msix[i].bar, (unsigned long long)layout->msix[i].offset,
			       (unsigned long long)layout->msix[i].length);
	return 0;
}

static int do_hint(struct vfiobar *dev, unsigned int bar, uint64_t offset, uint64_t length,
		   const struct vfiobar_hint *hint)
{
	struct vfiobar_msg msg;
	int fd, ret;

	fd = vfiobar_export(dev, bar, offset, length, &msg);
	if (fd < 0)
		return complain_bar(fd, &msg);
	ret = vfiobar_set_hint(dev, fd, hint);
	close(fd);
	printf("hint: %s\n", ret ? vfiobar_errno_name(-ret) : "ok");
	if (!ret)
		return 0;
	vfiobar_say(&msg, "%s BAR %u: attaching the steering hint failed: %s (%s)",
		    vfiobar_layout(dev)->bdf, bar, strerror(-ret), vfiobar_errno_name(-ret));
	return complain(&msg);
}

static int access_failed(struct vfiobar *dev, const char *what, uint64_t offset, int err)
{
	fprintf(stderr, "vfiobar: %s: %s at offset 0x%llx failed: %s (%s)\n",
		vfiobar_layout(dev)->bdf, what, (unsigned long long)offset, strerror(err),
		vfiobar_errno_name(err));
	return EXIT_ERROR;
}

static int do_fill(struct vfiobar *dev, const struct vfiobar_window *window, uint8_t byte)
{
	static uint8_t chunk[CHUNK];

	memset(chunk, byte, sizeof(chunk));
	for (uint64_t pos = 0; pos < window->length; pos += CHUNK) {
		uint64_t left = window->length - pos;
		int ret = vfiobar_window_write(window, pos, chunk, left < CHUNK ? left : CHUNK);

		if (ret)
			return access_failed(dev, "writing", pos, -ret);
	}
	return 0;
}

static int do_read(struct vfiobar *dev, const struct vfiobar_window *window)
{
	static uint8_t chunk[CHUNK];

	for (uint64_t pos = 0; pos < window->length; pos += CHUNK) {
		size_t n = window->length - pos < CHUNK ? window->length - pos : CHUNK;
		int ret = vfiobar_window_read(window, pos, chunk, n);

		if (ret)
			return access_failed(dev, "reading", pos, -ret);
		if (fwrite(chunk, 1, n, stdout) != n)
			return access_failed(dev, "output of what was read", pos, errno);
	}
	return fflush(stdout) ? access_failed(dev, "output of what was read", 0, errno) : 0;
}

static int do_compare(struct vfiobar *dev, const struct vfiobar_window *window, uint64_t offset,
		      FILE *file)
{
	static uint8_t have[CHUNK], want[CHUNK];

	for (uint64_t pos = 0; pos < window->length; pos += CHUNK) {
		size_t n = window->length - pos < CHUNK ? window->length - pos : CHUNK;
		int ret = vfiobar_window_read(window, pos, have, n);

		if (ret)
			return access_failed(dev, "reading", offset + pos, -ret);
		if (fread(want, 1, n, file) != n)
			return access_failed(dev, "reading the file", pos,
					     ferror(file) ? errno : ENODATA);
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
	printf("equal: %llu bytes\n", (unsigned long long)window->length);
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

enum command { INFO, FILL, COMPARE, READ, HINT, RESET, COMMANDS };

/* Words behind BDF. */
static const struct {
	const char *name;
	int min, max;
} commands[COMMANDS] = {
	[INFO] = { "info", 0, 0 }, [FILL] = { "fill", 4, 4 }, [COMPARE] = { "compare", 3, 4 },
	[READ] = { "read", 3, 3 }, [HINT] = { "hint", 4, 4 }, [RESET] = { "reset", 0, 0 },
};

struct request {
	enum command command;
	unsigned int bar;
	uint64_t offset, length;
	uint8_t byte;
	FILE *file;
	struct vfiobar_hint hint;
};

/* Fills the request from the words behind BDF; exits with 2 on a bad one. */
static void parse_request(struct request *req, int words, char **word)
{
	uint64_t file_size = 0;
	struct vfiobar_msg msg;

	if (!words)
		return;
	req->bar = (unsigned int)number("BAR", word[0], VFIOBAR_BARS - 1);
	req->offset = number("OFFSET", word[1], UINT64_MAX);
	if (req->command == COMPARE) {
		req->file = open_file(word[2], &file_size);
		req->length = words == 4 ? number("LENGTH", word[3], file_size) : file_size;
		return;
	}
	req->length = number("LENGTH", word[2], UINT64_MAX);
	if (req->command == FILL)
		req->byte = (uint8_t)number("BYTE", word[3], 0xff);
	if (req->command == HINT && vfiobar_parse_hint(word[3], &req->hint, &msg))
		exit(complain(&msg));
}

static int serve(struct vfiobar *dev, const struct request *req)
{
	struct vfiobar_window window;
	struct vfiobar_msg msg;
	int ret;

	switch (req->command) {
	case INFO:
		return do_info(dev);
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
		ret = do_fill(dev, &window, req->byte);
	else if (req->command == READ)
		ret = do_read(dev, &window);
	else
		ret = do_compare(dev, &window, req->offset, req->file);
	vfiobar_window_close(&window);
	return ret;
}

/* The word behind --by; exits with 2 on another one. */
static enum vfiobar_way parse_way(const char *text)
{
	if (!strcmp(text, "iommufd"))
		return VFIOBAR_IOMMUFD;
	if (!strcmp(text, "group"))
		return VFIOBAR_GROUP;
	fprintf(stderr, "vfiobar: --by '%s': neither iommufd nor group\n", text);
	exit(EXIT_ERROR);
}

int main(int argc, char **argv)
{
	struct request req = { .command = COMMANDS };
	enum vfiobar_way way = VFIOBAR_ANY;
	struct vfiobar_msg msg;
	struct vfiobar *dev;
	bool registers = false;
	int ret, words;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	for (; argc > 2; argc -= words, argv += words) {
		if (!strcmp(argv[1], "--by")) {
			way = parse_way(argv[2]);
			words = 2;
		} else if (!strcmp(argv[1], "--registers")) {
			registers = true;
			words = 1;
		} else {
			break;
		}
	}
	for (int i = 0; argc > 2 && i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			req.command = (enum command)i;
	if (req.command == COMMANDS || argc - 3 < commands[req.command].min ||
	    argc - 3 > commands[req.command].max) {
		fputs(usage, stderr);
		return EXIT_ERROR;
	}
	parse_request(&req, argc - 3, argv + 3);

	if (vfiobar_open_by(argv[2], way, &dev, &msg))
		return complain(&msg);
	if (registers)
		vfiobar_allow_registers(dev);
	ret = serve(dev, &req);
	vfiobar_close(dev);
	if (req.file)
		fclose(req.file);
	return ret;
}
