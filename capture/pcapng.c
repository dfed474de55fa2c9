/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/pcapng.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/block.h"

struct pcapng {
	FILE *file;
	uint64_t bytes, limit;
	unsigned int interfaces;
	int error;
	char *path;
};

static int stop(struct pcapng *capture, int error)
{
	capture->error = error;
	fprintf(stderr, "%s: the capture ends here: %s\n", capture->path, strerror(error));
	return -error;
}

static int write_block(struct pcapng *capture, const struct block *block, const void *data)
{
	static const uint8_t zeroes[4];
	size_t total = block_size(block), pad = block_pad(block);

	if (capture->error)
		return -capture->error;
	if (total > capture->limit - capture->bytes)
		return stop(capture, EFBIG);
	if (fwrite(block->head, block->head_len, 1, capture->file) != 1 ||
	    (block->len && fwrite(data, block->len, 1, capture->file) != 1) ||
	    (pad && fwrite(zeroes, pad, 1, capture->file) != 1) ||
	    fwrite(block->tail, block->tail_len, 1, capture->file) != 1)
		return stop(capture, errno);
	capture->bytes += total;
	return 0;
}

/* Who closes the capture does not close standard output. */
static FILE *open_file(const char *path)
{
	FILE *file;
	int fd;

	if (strcmp(path, "-"))
		return fopen(path, "wbe");
	fd = dup(STDOUT_FILENO);
	file = fd < 0 ? NULL : fdopen(fd, "wb");
	if (!file && fd >= 0)
		close(fd);
	return file;
}

struct pcapng *pcapng_open(const char *path)
{
	struct pcapng *capture = calloc(1, sizeof(*capture));
	struct block block;
	int error;

	if (!capture)
		return NULL;
	capture->limit = PCAPNG_LIMIT;
	capture->path = strdup(path);
	capture->file = capture->path ? open_file(path) : NULL;
	if (!capture->file) {
		error = errno;
		free(capture->path);
		free(capture);
		errno = error;
		return NULL;
	}
	block_section(&block);
	write_block(capture, &block, NULL);
	return capture;
}

int pcapng_close(struct pcapng *capture)
{
	int error;

	if (!capture)
		return 0;
	if (fclose(capture->file) && !capture->error)
		stop(capture, errno);
	error = capture->error;
	free(capture->path);
	free(capture);
	return -error;
}

int pcapng_flush(struct pcapng *capture)
{
	if (!capture->error && fflush(capture->file))
		stop(capture, errno);
	return -capture->error;
}

void pcapng_limit(struct pcapng *capture, uint64_t bytes)
{
	capture->limit = bytes > capture->bytes ? bytes : capture->bytes;
}

int pcapng_interface(struct pcapng *capture, uint16_t link_type, const char *name)
{
	struct block block;
	int rc;

	if (strlen(name) > PCAPNG_TEXT_MAX)
		return -EINVAL;
	if (capture->interfaces == PCAPNG_INTERFACES)
		return -ENOSPC;
	block_interface(&block, link_type, name);
	rc = write_block(capture, &block, NULL);
	return rc ? rc : (int)capture->interfaces++;
}

bool pcapng_fault(const struct pcapng_packet *packet)
{
	return packet->len > PCAPNG_PACKET_MAX || packet->wire_len > UINT32_MAX ||
	       (packet->comment && strlen(packet->comment) > PCAPNG_TEXT_MAX);
}

int pcapng_packet(struct pcapng *capture, unsigned int interface,
		  const struct pcapng_packet *packet)
{
	struct block block;

	if (interface >= capture->interfaces || pcapng_fault(packet))
		return -EINVAL;
	block_packet(&block, interface, packet);
	return write_block(capture, &block, packet->data);
}
