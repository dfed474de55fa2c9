/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file may have a limit, stop growing, refuse to be cut, or be a device that is always full. What
 * a writer answered and counted is all that is known here of what has to be in it.
 */
#include "fuzz/captures.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/clock.h"
#include "capture/reader.h"
#include "capture/writer.h"
#include "fuzz/target.h"

#define PACKETS	   1024u
#define FLOOD	   80u /* packets of FLOOD_LEN: more than a ring takes */
#define FLOOD_LEN  65536u
#define HEADS_MAX  256u /* of a file without packets, with its statistics */
#define DATA_BYTES (PCAPNG_PACKET_MAX + 512)

enum file_kind {
	FILE_PLAIN,
	FILE_FIXED, /* it cannot grow */
	FILE_RIGID, /* nor be cut */
	FILE_FULL,  /* /dev/full */
	FILE_KINDS
};

struct expected {
	unsigned int interface;
	bool commented, accepted;
	enum pcapng_direction direction;
	size_t len, wire_len;
};

static uint8_t data[DATA_BYTES];
static char long_text[PCAPNG_TEXT_MAX + 2];
/* Packet N has time N, and its data begin N bytes into @data. */
static struct expected expected[PACKETS];
static unsigned int packets, interfaces;
static size_t snap;
static enum file_kind kind;
static int fd; /* shares its position with the writer's */
static char path[32];

static void make_data(void)
{
	if (data[1])
		return;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31 + (i >> 8));
	memset(long_text, 'x', sizeof(long_text) - 1);
}

static void open_file(struct input *in)
{
	kind = (enum file_kind)input_below(in, FILE_KINDS);
	if (kind == FILE_FULL) {
		fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
		strcpy(path, "/dev/full");
	} else {
		fd = memfd_create("capture", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (fd < 0)
		finding("no file: %d", errno);
}

/* Of @size bytes, and of that size it stays. */
static void seal(size_t size)
{
	int seals = F_SEAL_GROW | (kind == FILE_RIGID ? F_SEAL_SHRINK : 0);

	if (kind != FILE_FIXED && kind != FILE_RIGID)
		return;
	if (ftruncate(fd, (off_t)size) || fcntl(fd, F_ADD_SEALS, seals))
		finding("a file of %zu bytes: %d", size, errno);
}

/* The next packet, as the input has it; what no writer takes among them. */
static struct pcapng_packet take_packet(struct input *in)
{
	uint8_t flags = input_u8(in);
	struct pcapng_packet packet = {
		.time_ns = packets,
		.direction = (enum pcapng_direction)(flags & 3),
		.data = data + packets % 256,
		.len = flags & 4 ? input_u16(in) : input_u8(in),
	};

	if (flags & 8)
		packet.wire_len = input_u16(in);
	if (flags & 16)
		packet.comment = "a comment";
	switch (flags >> 5) {
	case 1:
		packet.len = PCAPNG_PACKET_MAX + 1;
		break;
	case 2:
		packet.len = PCAPNG_PACKET_MAX;
		break;
	case 3:
		packet.comment = long_text;
		break;
	case 4:
		packet.wire_len = (size_t)UINT32_MAX + 1;
		break;
	}
	return packet;
}

static void expect(const struct pcapng_packet *packet, unsigned int interface, bool accepted)
{
	struct expected *e = &expected[packets++];
	size_t wire_len = packet->wire_len > packet->len ? packet->wire_len : packet->len;

	*e = (struct expected){
		.interface = interface,
		.commented = packet->comment,
		.accepted = accepted,
		.direction = packet->direction,
		.len = snap && packet->len > snap ? snap : packet->len,
		.wire_len = wire_len,
	};
}

/* --- what is read back --------------------------------------------------------------------- */

static void check_packet(unsigned int number, unsigned int interface,
			 const struct pcapng_packet *packet)
{
	const struct expected *e = &expected[number];

	if (number >= packets || !e->accepted)
		finding("packet %u was not written", number);
	if (interface != e->interface || packet->len != e->len || packet->wire_len != e->wire_len ||
	    packet->direction != e->direction || !packet->comment != !e->commented ||
	    memcmp(packet->data, data + number % 256, e->len))
		finding("packet %u is another one", number);
	if (packet->comment && strcmp(packet->comment, "a comment"))
		finding("packet %u has the comment \"%s\"", number, packet->comment);
}

/* @count packets; the file has @lost in its statistics, unless that is negative. */
static void check_file(uint64_t first_time, uint64_t count, int64_t lost)
{
	struct pcapng_reader *reader;
	struct pcapng_packet packet;
	unsigned int interface;
	uint64_t next = 0, n = 0;
	int rc;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reader = pcapng_reader_open(path);
	if (!reader) {
		if (count || errno != EPROTO)
			finding("%lu packets cannot be read: %d", count, errno);
		return;
	}
	while ((rc = pcapng_reader_next(reader, &interface, &packet)) > 0) {
		uint64_t number = packet.time_ns - first_time;

		if (number < next || number >= packets)
			finding("packet %lu comes after packet %lu", number, next);
		check_packet((unsigned int)number, interface, &packet);
		next = number + 1;
		n++;
	}
	if (rc || n != count)
		finding("%lu of %lu packets are there, then %d", n, count, rc);
	if (lost >= 0 && pcapng_reader_lost(reader) != (uint64_t)lost)
		finding("%lu are lost, not %ld", pcapng_reader_lost(reader), lost);
	pcapng_reader_close(reader);
}

/* With the statistics that end it; the heads are there in any case. */
static void check_limit(uint64_t limit)
{
	struct stat st;

	if (fstat(fd, &st) || (uint64_t)st.st_size > limit)
		finding("a file of %ld bytes, %lu allowed", (long)st.st_size, limit);
}

/* What is behind the last byte that was written was there before. */
static void cut_rest(void)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	struct stat st;

	if (at < 0 || fstat(fd, &st) || (st.st_size > at && ftruncate(fd, at)))
		finding("a file of %ld bytes: %d", (long)at, errno);
}

/* --- the writer with a thread -------------------------------------------------------------- */

static struct capture *capture;

static void capture_one(struct pcapng_packet *packet)
{
	expect(packet, 0, !pcapng_fault(packet));
	capture_packet(capture, packet);
}

static void flood(void)
{
	for (unsigned int i = 0; i < FLOOD && packets < PACKETS; i++) {
		struct pcapng_packet packet = { .time_ns = packets,
						.data = data + packets % 256,
						.len = FLOOD_LEN };

		capture_one(&packet);
	}
}

static void capture_all(struct input *in)
{
	struct capture_status status;
	struct pcapng_packet packet;

	while (!input_done(in) && packets < PACKETS) {
		switch (input_u8(in) & 15) {
		case 0:
			flood();
			break;
		case 1:
			if (capture_start(capture, fd, path) != -EBUSY)
				finding("it starts twice");
			break;
		case 2:
			status = capture_status(capture);
			if (!status.on || status.packets != packets || status.lost > packets)
				finding("%lu packets, not %u", status.packets, packets);
			break;
		default:
			packet = take_packet(in);
			capture_one(&packet);
			break;
		}
	}
}

static void write_by_thread(struct input *in)
{
	uint8_t how = input_u8(in);
	struct capture_status status;
	uint64_t limit;
	int own, rc;

	if (!capture)
		capture = capture_new(PCAPNG_ETHERNET, "fuzz");
	if (!capture)
		return;
	snap = how & 1 ? input_u8(in) : 0;
	capture_snap(capture, snap);
	limit = how & 2 ? input_u16(in) : PCAPNG_LIMIT;
	capture_limit(capture, limit);
	seal(input_u16(in));
	own = dup(fd);
	if (capture_start(capture, own, path) || !capture_on(capture))
		finding("it does not start");
	capture_all(in);
	rc = how & 4 ? capture_stop(capture) : 0;
	if (!(how & 4)) {
		capture_free(capture);
		capture = NULL;
		/* Nobody tells any more what is there. */
		return;
	}
	status = capture_status(capture);
	if (rc != -status.error || status.packets != packets || capture_on(capture) ||
	    capture_stop(capture) != -ENOENT)
		finding("%d at the end, %d before", rc, status.error);
	if (kind == FILE_FULL && rc != -ENOSPC)
		finding("a full device gives %d", rc);
	if (kind == FILE_FULL || kind == FILE_RIGID)
		return;
	cut_rest();
	check_limit(limit > HEADS_MAX ? limit : HEADS_MAX);
	check_file(capture_clock_offset(), packets - status.lost,
		   !rc || rc == -EFBIG ? (int64_t)status.lost : -1);
}

/* --- the writer without -------------------------------------------------------------------- */

static void check_answer(int rc, bool fault, int *stopped)
{
	if (fault && rc != -EINVAL)
		finding("what cannot be written gives %d", rc);
	if (!fault && *stopped && rc != *stopped)
		finding("%d after %d", rc, *stopped);
	if (!fault && rc < 0)
		*stopped = rc;
}

static void add_interface(struct input *in, struct pcapng *file, int *stopped)
{
	bool fault = input_u8(in) == 0xff;
	int rc = pcapng_interface(file, input_u16(in), fault ? long_text : "port");

	if (!fault && interfaces == PCAPNG_INTERFACES) {
		if (rc != -ENOSPC)
			finding("an interface too many gives %d", rc);
		return;
	}
	check_answer(rc, fault, stopped);
	if (rc >= 0 && (unsigned int)rc != interfaces++)
		finding("interface %d of %u", rc, interfaces);
}

static void add_packet(struct input *in, struct pcapng *file, int *stopped)
{
	unsigned int interface = input_below(in, interfaces + 1);
	struct pcapng_packet packet = take_packet(in);
	int rc = pcapng_packet(file, interface, &packet);

	check_answer(rc, interface == interfaces || pcapng_fault(&packet), stopped);
	expect(&packet, interface, !rc);
}

static void write_directly(struct input *in)
{
	uint8_t how = input_u8(in);
	struct pcapng *file = pcapng_open(path);
	uint64_t limit = PCAPNG_LIMIT;
	int stopped = 0, rc;

	if (!file)
		finding("%s does not open: %d", path, errno);
	seal(0);
	if (how & 1)
		limit = input_u16(in);
	pcapng_limit(file, limit);
	while (!input_done(in) && packets < PACKETS) {
		switch (input_u8(in) & 15) {
		case 0:
		case 1:
			add_interface(in, file, &stopped);
			break;
		case 2:
			check_answer(pcapng_flush(file), false, &stopped);
			if (kind != FILE_PLAIN && !stopped)
				finding("it says that all is in the file");
			break;
		default:
			add_packet(in, file, &stopped);
			break;
		}
	}
	rc = pcapng_close(file);
	check_answer(rc, false, &stopped);
	if (kind != FILE_PLAIN ? !rc : rc && rc != -EFBIG)
		finding("%d at the end", rc);
	if (kind == FILE_PLAIN) {
		uint64_t accepted = 0;

		for (unsigned int i = 0; i < packets; i++)
			accepted += expected[i].accepted;
		check_limit(limit > HEADS_MAX ? limit : HEADS_MAX);
		check_file(0, accepted, 0);
	}
}

void captures_write(struct input *in, bool threaded)
{
	make_data();
	packets = interfaces = 0;
	snap = 0;
	open_file(in);
	if (threaded)
		write_by_thread(in);
	else
		write_directly(in);
	close(fd);
}
