/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/writer.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "capture/block.h"
#include "capture/clock.h"

static_assert((CAPTURE_RING & (CAPTURE_RING - 1)) == 0, "positions are masked");

struct capture {
	uint16_t link_type;
	char *name;
	atomic_bool on;
	pthread_t writer;
	/* For all that follows, but not for bytes between @tail and @head: they are the writer's.
	 */
	pthread_mutex_t lock;
	pthread_cond_t filled, written;
	bool ended;
	int fd; /* -1: not on */
	char *path;
	size_t snap;			   /* bytes of a packet, 0: all */
	uint64_t next_limit, limit, bytes; /* of the file; @bytes: those that wait included */
	struct capture_status status;
	/* Whole blocks, [@tail, @head). They count for ever. */
	uint64_t head, tail;
	uint8_t *ring;
};

static uint64_t statistics_size(void)
{
	struct block block;

	block_statistics(&block, 0, 0, 0, 0);
	return block_size(&block);
}

static uint32_t word_at(const struct capture *c, uint64_t at)
{
	uint32_t word;

	/* Blocks are whole words, and so is the ring. */
	memcpy(&word, c->ring + (at & (CAPTURE_RING - 1)), sizeof(word));
	return le32toh(word);
}

/* --- the writer's thread ------------------------------------------------------------------- */

/* Bytes [@from, @to) to the file; @from becomes where it stopped. Returns 0 or an errno. */
static int write_range(const struct capture *c, int fd, uint64_t *from, uint64_t to)
{
	while (*from < to) {
		size_t at = *from & (CAPTURE_RING - 1), len = (size_t)(to - *from);
		size_t first = len < CAPTURE_RING - at ? len : CAPTURE_RING - at;
		struct iovec part[] = { { c->ring + at, first }, { c->ring, len - first } };
		ssize_t n = writev(fd, part, len > first ? 2 : 1);

		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0)
			*from += (uint64_t)n;
	}
	return 0;
}

/*
 * With the lock: a write failed at @at. What is there of a block is cut off, and all that waits is
 * lost. What is no file cannot be mended.
 */
static void fail(struct capture *c, int error, uint64_t at)
{
	off_t end = lseek(c->fd, 0, SEEK_CUR);
	uint64_t block = c->tail;

	while (block < c->head && block + word_at(c, block + 4) <= at)
		block += word_at(c, block + 4);
	if (at > block && end >= (off_t)(at - block) && ftruncate(c->fd, end - (off_t)(at - block)))
		fprintf(stderr, "%s: the last packet is there in part\n", c->path);
	for (; block < c->head; block += word_at(c, block + 4))
		c->status.lost += word_at(c, block) == BLOCK_PACKET;
	c->status.error = error;
	fprintf(stderr, "%s: the capture ends here: %s\n", c->path, strerror(error));
	c->tail = c->head;
}

static void *write_blocks(void *arg)
{
	struct capture *c = arg;

	pthread_mutex_lock(&c->lock);
	while (!c->ended) {
		uint64_t from = c->tail, to = c->head;
		int fd = c->fd, error;

		if (from == to) {
			pthread_cond_wait(&c->filled, &c->lock);
			continue;
		}
		pthread_mutex_unlock(&c->lock);
		error = write_range(c, fd, &from, to);
		pthread_mutex_lock(&c->lock);
		if (error)
			fail(c, error, from);
		else
			c->tail = to;
		pthread_cond_broadcast(&c->written);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* --- packets ------------------------------------------------------------------------------- */

static void put(struct capture *c, const void *data, size_t len)
{
	size_t at = c->head & (CAPTURE_RING - 1);
	size_t first = len < CAPTURE_RING - at ? len : CAPTURE_RING - at;

	if (first)
		memcpy(c->ring + at, data, first);
	if (len > first)
		memcpy(c->ring, (const uint8_t *)data + first, len - first);
	c->head += len;
}

/* With the lock. False when there is no room for it. */
static bool append(struct capture *c, const struct block *block, const void *data)
{
	static const uint8_t zeroes[4];
	size_t size = block_size(block);

	if (size > CAPTURE_RING - (c->head - c->tail))
		return false;
	if (c->head == c->tail)
		pthread_cond_signal(&c->filled);
	put(c, block->head, block->head_len);
	put(c, data, block->len);
	put(c, zeroes, block_pad(block));
	put(c, block->tail, block->tail_len);
	c->bytes += size;
	return true;
}

bool capture_on(const struct capture *capture)
{
	return capture && atomic_load_explicit(&capture->on, memory_order_relaxed);
}

/* With the lock, while it is on. */
static bool take(struct capture *c, const struct pcapng_packet *packet)
{
	struct pcapng_packet timed = *packet;
	struct block block;

	if (c->status.error || pcapng_fault(packet))
		return false;
	timed.time_ns += capture_clock_offset();
	if (c->snap && timed.len > c->snap) {
		timed.wire_len = timed.wire_len > timed.len ? timed.wire_len : timed.len;
		timed.len = c->snap;
	}
	block_packet(&block, 0, &timed);
	if (c->bytes + block_size(&block) + statistics_size() > c->limit) {
		c->status.error = EFBIG;
		fprintf(stderr, "%s: the capture ends here: %s\n", c->path, strerror(EFBIG));
		return false;
	}
	return append(c, &block, packet->data);
}

void capture_packet(struct capture *capture, const struct pcapng_packet *packet)
{
	if (!capture_on(capture))
		return;
	pthread_mutex_lock(&capture->lock);
	if (capture->status.on) {
		capture->status.packets++;
		capture->status.lost += !take(capture, packet);
	}
	pthread_mutex_unlock(&capture->lock);
}

struct capture_status capture_status(struct capture *capture)
{
	struct capture_status status;

	pthread_mutex_lock(&capture->lock);
	status = capture->status;
	pthread_mutex_unlock(&capture->lock);
	return status;
}

/* --- its life ------------------------------------------------------------------------------ */

static void release(struct capture *c)
{
	pthread_cond_destroy(&c->written);
	pthread_cond_destroy(&c->filled);
	pthread_mutex_destroy(&c->lock);
	free(c->ring);
	free(c->name);
	free(c);
}

struct capture *capture_new(uint16_t link_type, const char *name)
{
	struct capture *c = calloc(1, sizeof(*c));
	int error = ENOMEM;

	if (!c)
		return NULL;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->filled, NULL);
	pthread_cond_init(&c->written, NULL);
	c->link_type = link_type;
	c->fd = -1;
	c->next_limit = PCAPNG_LIMIT;
	c->name = strdup(name);
	c->ring = malloc(CAPTURE_RING);
	if (c->name && c->ring)
		error = pthread_create(&c->writer, NULL, write_blocks, c);
	if (!error)
		return c;
	release(c);
	errno = error;
	return NULL;
}

void capture_free(struct capture *capture)
{
	if (!capture)
		return;
	capture_stop(capture);
	pthread_mutex_lock(&capture->lock);
	capture->ended = true;
	pthread_cond_signal(&capture->filled);
	pthread_mutex_unlock(&capture->lock);
	pthread_join(capture->writer, NULL);
	release(capture);
}

void capture_limit(struct capture *capture, uint64_t bytes)
{
	capture->next_limit = bytes;
}

void capture_snap(struct capture *capture, size_t bytes)
{
	pthread_mutex_lock(&capture->lock);
	capture->snap = bytes;
	pthread_mutex_unlock(&capture->lock);
}

int capture_start(struct capture *capture, int fd, const char *path)
{
	char *copy = strdup(path);
	struct block block;
	int rc = 0;

	if (!copy)
		return -ENOMEM;
	pthread_mutex_lock(&capture->lock);
	if (capture->status.on) {
		free(copy);
		rc = -EBUSY;
	} else {
		capture->status = (struct capture_status){ .on = true };
		capture->fd = fd;
		capture->path = copy;
		capture->bytes = 0;
		capture->limit = capture->next_limit;
		block_section(&block);
		append(capture, &block, NULL);
		block_interface(&block, capture->link_type, capture->name);
		append(capture, &block, NULL);
		atomic_store(&capture->on, true);
	}
	pthread_mutex_unlock(&capture->lock);
	return rc;
}

/* With the lock: the last block. Room was left for it below the limit. */
static void say_statistics(struct capture *c)
{
	struct timespec now;
	struct block block;

	clock_gettime(CLOCK_MONOTONIC, &now);
	block_statistics(&block, 0,
			 (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec +
				 capture_clock_offset(),
			 c->status.packets, c->status.lost);
	append(c, &block, NULL);
}

/* With the lock: until the writer has nothing to do. */
static void drain(struct capture *c)
{
	while (c->head != c->tail)
		pthread_cond_wait(&c->written, &c->lock);
}

int capture_stop(struct capture *capture)
{
	struct capture *c = capture;
	int error;

	pthread_mutex_lock(&c->lock);
	if (!c->status.on) {
		pthread_mutex_unlock(&c->lock);
		return -ENOENT;
	}
	atomic_store(&c->on, false);
	c->status.on = false;
	drain(c);
	if (!c->status.error || c->status.error == EFBIG)
		say_statistics(c);
	drain(c);
	if (close(c->fd) && !c->status.error)
		c->status.error = errno;
	c->fd = -1;
	error = c->status.error;
	if (c->status.lost)
		fprintf(stderr, "%s: %llu of %llu packets are not in the capture\n", c->path,
			(unsigned long long)c->status.lost, (unsigned long long)c->status.packets);
	free(c->path);
	c->path = NULL;
	pthread_mutex_unlock(&c->lock);
	return -error;
}
