// SPDX-License-Identifier: GPL-2.0-only
#define _FILE_OFFSET_BITS 64
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "show.h"

#define DEVICES "/sys/bus/pci/devices"

/* A BAR without two holes, for table and pending bits, has three pieces. */
#define PIECES 3

static const char *completer_text(uint32_t completer)
{
	static const char *const text[] = {
		[VFIOBAR_COMPLETER_NONE] = "none",
		[VFIOBAR_COMPLETER_TPH] = "TPH",
		[VFIOBAR_COMPLETER_RESERVED] = "reserved",
		[VFIOBAR_COMPLETER_TPH_EXT] = "TPH and Extended TPH",
	};

	return text[completer & 3];
}

/* The pages of the BAR without those of MSI-X. */
static unsigned int pieces(const struct vfiobar_layout *layout, unsigned int bar,
			   struct vfiobar_range piece[PIECES])
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), at = 0;
	uint64_t size = layout->bar_size[bar] & ~(page - 1);
	unsigned int n = 0;

	if (vfiobar_check_memory(layout, bar, NULL))
		return 0;
	while (at < size) {
		uint64_t next = size, behind = size;

		/* The first hole from here on. */
		for (unsigned int i = 0; i < 2; i++) {
			const struct vfiobar_range *msix = &layout->msix[i];
			uint64_t first = msix->offset & ~(page - 1);
			uint64_t end = (msix->offset + msix->length + page - 1) & ~(page - 1);

			if (layout->msix_bar[i] != bar || !msix->length || end <= at ||
			    first >= next)
				continue;
			next = first;
			behind = end;
		}
		if (next > at)
			piece[n++] = (struct vfiobar_range){ .offset = at, .length = next - at };
		at = behind;
	}
	return n;
}

static void show_text(const struct vfiobar_layout *layout, struct vfiobar *dev)
{
	static const char *const msix_name[] = { "MSI-X table", "MSI-X PBA" };

	printf("device: %s %04x:%04x class %06x\n", layout->bdf, layout->vendor, layout->device,
	       layout->class_code);
	if (dev)
		printf("access: %s\n", vfiobar_access(dev));
	printf("completer: %s\n", completer_text(layout->completer));
	if (dev) {
		int hint = vfiobar_probe_hint(dev, NULL);

		printf("hints: %s\n", hint ? vfiobar_errno_name(-hint) : "ok");
	}
	for (unsigned int bar = 0; bar < VFIOBAR_BARS; bar++) {
		struct vfiobar_range piece[PIECES];
		unsigned int n = pieces(layout, bar, piece);

		if (!layout->bar_size[bar])
			continue;
		printf("BAR %u: size 0x%llx, %s", bar, (unsigned long long)layout->bar_size[bar],
		       vfiobar_check_memory(layout, bar, NULL) ? "registers"
		       : n				       ? "exportable"
							       : "smaller than a page");
		for (unsigned int i = 0; i < n; i++)
			printf(" 0x%llx..0x%llx", (unsigned long long)piece[i].offset,
			       (unsigned long long)(piece[i].offset + piece[i].length - 1));
		putchar('\n');
	}
	for (unsigned int i = 0; i < 2; i++)
		if (layout->msix[i].length)
			printf("%s: BAR %u offset 0x%llx length 0x%llx\n", msix_name[i],
			       layout->msix_bar[i], (unsigned long long)layout->msix[i].offset,
			       (unsigned long long)layout->msix[i].length);
}

static void json_bar(const struct vfiobar_layout *layout, unsigned int bar)
{
	struct vfiobar_range piece[PIECES];
	unsigned int n = pieces(layout, bar, piece);

	printf("{\"bar\":%u,\"size\":%llu,\"registers\":%s,\"exportable\":[", bar,
	       (unsigned long long)layout->bar_size[bar],
	       vfiobar_check_memory(layout, bar, NULL) ? "true" : "false");
	for (unsigned int i = 0; i < n; i++)
		printf("%s{\"offset\":%llu,\"length\":%llu}", i ? "," : "",
		       (unsigned long long)piece[i].offset, (unsigned long long)piece[i].length);
	printf("]}");
}

static void show_json(const struct vfiobar_layout *layout, struct vfiobar *dev)
{
	static const char *const msix_name[] = { "msix_table", "msix_pba" };
	bool comma = false;

	printf("{\"bdf\":\"%s\",\"vendor\":\"%04x\",\"device\":\"%04x\",\"class\":\"%06x\","
	       "\"completer\":\"%s\"",
	       layout->bdf, layout->vendor, layout->device, layout->class_code,
	       completer_text(layout->completer));
	if (dev) {
		int hint = vfiobar_probe_hint(dev, NULL);

		printf(",\"access\":\"%s\",\"hints\":\"%s\"", vfiobar_access(dev),
		       hint ? vfiobar_errno_name(-hint) : "ok");
	}
	printf(",\"bars\":[");
	for (unsigned int bar = 0; bar < VFIOBAR_BARS; bar++) {
		if (!layout->bar_size[bar])
			continue;
		if (comma)
			putchar(',');
		comma = true;
		json_bar(layout, bar);
	}
	putchar(']');
	for (unsigned int i = 0; i < 2; i++)
		if (layout->msix[i].length)
			printf(",\"%s\":{\"bar\":%u,\"offset\":%llu,\"length\":%llu}", msix_name[i],
			       layout->msix_bar[i], (unsigned long long)layout->msix[i].offset,
			       (unsigned long long)layout->msix[i].length);
	putchar('}');
}

void show_function(const struct vfiobar_layout *layout, struct vfiobar *dev, bool json)
{
	if (json) {
		show_json(layout, dev);
		putchar('\n');
	} else {
		show_text(layout, dev);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a directory that are PCI addresses, sorted; -errno, or how many. */
static int addresses(DIR *dir, char ***out)
{
	struct dirent *entry;
	char **names = NULL;
	size_t n = 0;

	while ((entry = readdir(dir))) {
		char bdf[VFIOBAR_BDF_LEN], **more;

		if (vfiobar_parse_bdf(entry->d_name, bdf, NULL))
			continue;
		more = realloc(names, (n + 1) * sizeof(*names));
		if (more)
			names = more;
		if (!more || !(names[n] = strdup(bdf))) {
			while (n)
				free(names[--n]);
			free(names);
			return -ENOMEM;
		}
		n++;
	}
	if (n)
		qsort(names, n, sizeof(*names), by_name);
	*out = names;
	return (int)n;
}

int show_list(bool json, struct vfiobar_msg *msg)
{
	DIR *dir = opendir(DEVICES);
	char **names = NULL;
	int n, shown = 0, left_out = 0, failed = 0;

	n = dir ? addresses(dir, &names) : -errno;
	if (dir)
		closedir(dir);
	if (n < 0) {
		snprintf(msg->text, sizeof(msg->text), "%s: %s (%s)", DEVICES, strerror(-n),
			 vfiobar_errno_name(-n));
		return n;
	}
	if (json)
		putchar('[');
	for (int i = 0; i < n; i++) {
		struct vfiobar_layout layout = { .size = sizeof(layout) };
		int ret = vfiobar_read_layout(names[i], &layout, msg);

		free(names[i]);
		/* Not on vfio-pci, or gone since the directory was read. */
		if (ret == -ENXIO || ret == -ENODEV)
			continue;
		if (ret) {
			fprintf(stderr, "vfiobar: %s\n", msg->text);
			left_out++;
			failed = ret;
			continue;
		}
		if (shown++)
			fputs(json ? ",\n" : "\n", stdout);
		if (json)
			show_json(&layout, NULL);
		else
			show_text(&layout, NULL);
	}
	if (json)
		puts("]");
	free(names);
	if (left_out)
		snprintf(msg->text, sizeof(msg->text), "list: functions that are left out: %d",
			 left_out);
	return failed;
}
