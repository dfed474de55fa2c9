/* SPDX-License-Identifier: GPL-2.0-only */
#include "fuzz/world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/reader.h"
#include "fuzz/oracle.h"

#define MAILBOXES     0x10000u /* up to HEAP */
#define HEAP	      0x140000u
#define MAILBOX_DATA  512u
#define MAILBOX_NEXT  0x230u
#define MAILBOX_BLOCK 0x238u
#define MAILBOX_TOKEN 0x23du
#define TOKEN	      0x5a
#define TURN_NS	      20000u

void world_broken(const char *format, ...)
{
	va_list args;

	fputs("fuzz: the target is broken: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

/* --- time ------------------------------------------------------------------------------------ */

static uint64_t now_ns;

/* In the place of the model's clock, see CMakeLists.txt. */
uint64_t __wrap_clock_now_ns(void);
uint64_t __wrap_clock_now_ns(void)
{
	return now_ns;
}

void world_sleep(uint64_t ns)
{
	now_ns += ns;
}

/* Where what the model has to say goes: that it says it is tested, too. */
static FILE *nowhere(void)
{
	static FILE *out;

	if (!out)
		out = fopen("/dev/null", "w");
	if (!out)
		world_broken("/dev/null: %s", strerror(errno));
	return out;
}

/* --- the host -------------------------------------------------------------------------------- */

static bool in_memory(const struct world *w, uint64_t addr, size_t len)
{
	if (addr >= WORLD_MEMORY || len > WORLD_MEMORY - addr)
		return false;
	return !(w->hole_size && addr < w->hole + w->hole_size && w->hole < addr + len);
}

static void dirty(struct world *w, uint64_t end)
{
	if (end > w->dirty)
		w->dirty = end;
}

static int host_read(void *host, uint64_t addr, void *buf, size_t len)
{
	struct world_port *port = host;
	struct world *w = port->world;

	if (!in_memory(w, addr, len))
		return -ENODEV;
	memcpy(buf, w->memory + addr, len);
	oracle_read(port, addr, buf, len);
	for (unsigned int i = 0; i < WORLD_FLIPS; i++) {
		struct world_flip *flip = &w->flip[i];

		if (!flip->armed || flip->addr - addr >= len)
			continue;
		flip->armed = false;
		w->memory[flip->addr] = flip->value;
		dirty(w, flip->addr + 1);
	}
	return 0;
}

static int host_write(void *host, uint64_t addr, const void *buf, size_t len)
{
	struct world_port *port = host;
	struct world *w = port->world;

	if (!in_memory(w, addr, len))
		return -ENODEV;
	oracle_write(port, addr, buf, len);
	memcpy(w->memory + addr, buf, len);
	dirty(w, addr + len);
	return 0;
}

static bool host_resolve(void *host, uint64_t addr, uint64_t *base, uint64_t *size, bool *direct)
{
	const struct world *w = ((struct world_port *)host)->world;
	uint64_t end = w->hole_size ? w->hole + w->hole_size : 0;

	if (!in_memory(w, addr, 1)) {
		/* Behind the hole there is memory again. */
		*size = addr < end && end < WORLD_MEMORY ? end - addr : 0;
		return false;
	}
	*base = end && addr >= end ? end : 0;
	*size = (end && addr < w->hole ? w->hole : WORLD_MEMORY) - *base;
	if (*base + *size > WORLD_MEMORY)
		*size = WORLD_MEMORY - *base;
	*direct = true;
	return true;
}

/* The oracle sees a read when it may begin, and a write when its bytes are there. */
static bool host_hold(void *host, uint64_t addr, size_t len, bool write, struct pcie_held *held)
{
	struct world_port *port = host;
	struct world *w = port->world;

	if (!in_memory(w, addr, len))
		return false;
	if (w->holds == WORLD_HOLDS)
		oracle_violation(port, "more than %u pieces are held", WORLD_HOLDS);
	*held = (struct pcie_held){ .memory = w->memory + addr, .cookie = w->holds };
	w->hold[w->holds++] = (struct world_hold){ .len = len, .write = write };
	if (!write)
		oracle_read(port, addr, held->memory, len);
	return true;
}

static void host_release(void *host, const struct pcie_held *held)
{
	struct world_port *port = host;
	struct world *w = port->world;
	struct world_hold *hold = &w->hold[held->cookie];
	uint64_t addr = (uint64_t)(held->memory - w->memory);

	if (!hold->len)
		oracle_violation(port, "released twice: 0x%lx", addr);
	if (hold->write) {
		oracle_write(port, addr, held->memory, hold->len);
		dirty(w, addr + hold->len);
	}
	hold->len = 0;
	while (w->holds && !w->hold[w->holds - 1].len)
		w->holds--;
}

static bool host_copy(void *to, const void *from, size_t len)
{
	memmove(to, from, len);
	return true;
}

static void host_interrupt(void *host, unsigned int vector)
{
	if (vector >= WORLD_VECTORS)
		oracle_violation(host, "interrupt vector %u", vector);
	((struct world_port *)host)->interrupts++;
}

static const struct pcie_host_ops host_ops = {
	.read = host_read,
	.write = host_write,
	.resolve = host_resolve,
	.interrupt = host_interrupt,
	.hold = host_hold,
	.release = host_release,
	.copy = host_copy,
};

uint64_t world_alloc(struct world *w, size_t size, size_t align)
{
	uint64_t addr = (w->brk + align - 1) & ~(uint64_t)(align - 1);

	if (addr > WORLD_MEMORY || size > WORLD_MEMORY - addr)
		return 0;
	w->brk = addr + size;
	return addr;
}

uint8_t *world_at(struct world *w, uint64_t addr, size_t len)
{
	if (addr >= WORLD_MEMORY || len > WORLD_MEMORY - addr)
		return NULL;
	dirty(w, addr + len);
	return w->memory + addr;
}

/* --- life ------------------------------------------------------------------------------------ */

static void ignore_wake(void *arg)
{
	(void)arg;
}

static void probe(struct world_port *port)
{
	static const uint8_t command[2] = { 0x06, 0x00 }; /* memory space, bus master */

	/* TPH Requester Enable [9:8] of the TPH control register: 8-bit tags, 16-bit ones */
	const uint8_t enable =
		port->fn->config.tph ? (port->hca->params.st_width == 16 ? 3 : 1) : 0;

	pcie_config_write(port->fn, 0x04, command, sizeof(command));
	if (enable)
		pcie_config_write(port->fn, port->fn->config.tph + 9, &enable, 1);
	world_write(port, 0x10, 4, port->queue >> 32);
	world_write(port, 0x14, 4, port->queue);
	world_simple(port, 0x104, 0, 0);
	world_simple(port, 0x102, 0, 0);
	port->kernel_uar = world_simple(port, 0x802, 0, 0);
	world_simple(port, 0x800, 0, 0);
	port->uar = world_simple(port, 0x802, 0, 0);
}

static struct capture *capture_of(unsigned int port, bool ethernet)
{
	static struct capture *all[2][WORLD_PORTS];
	struct capture **capture = &all[ethernet][port];

	if (!*capture)
		*capture = capture_new(ethernet ? PCAPNG_ETHERNET : PCAPNG_INFINIBAND, "port");
	if (!*capture)
		world_broken("capture: %s", strerror(errno));
	return *capture;
}

static struct world *make_world(struct tlp_trace *trace, bool ethernet)
{
	/* Kept between programs, zeroed as far as they wrote: making it anew takes longer than they
	 * do. */
	static uint8_t *memory;
	static const char *const names[WORLD_PORTS] = { "hca0", "hca1" };
	struct world *w = calloc(1, sizeof(*w));
	const char *spec = getenv("TPH_TEST_IMPAIRMENT");
	char message[IMPAIRMENT_TEXT];

	if (!memory)
		memory = calloc(1, WORLD_MEMORY);
	if (!w || !memory)
		world_broken("no memory");
	now_ns = 1000000000;
	w->memory = memory;
	w->brk = HEAP;
	w->fabric = pcie_fabric_new(trace);
	w->subnet = subnet_new();
	w->bridge = ethernet ? bridge_new() : NULL;
	if (!w->fabric || !w->subnet || (ethernet && !w->bridge))
		world_broken("no memory");
	for (unsigned int i = 0; i < WORLD_PORTS; i++) {
		struct world_port *port = &w->port[i];
		struct hca_params params = {
			.name = names[i],
			.id = (uint16_t)(0x0010 + 8 * i),
			.device_id = i ? 0x1023 : 0x1021,
			.lid = (uint16_t)(ethernet ? 0 : i + 1),
			.guid = 0x0200000000000001u + i,
			.st_mode = HCA_ST_TABLE,
			.st_width = i ? 16 : 8,
			.st_entries = 16,
			.vectors = WORLD_VECTORS,
			.memory = WORLD_BUDGET,
			.impaired = spec,
			.capture = capture_of(i, ethernet),
			.bridge = w->bridge,
			.mac = { 2, 0, 0, 0, 0, (uint8_t)(i + 1) },
		};

		if (spec && impairment_parse(spec, &params.impairment, message))
			world_broken("TPH_TEST_IMPAIRMENT");
		port->world = w;
		port->index = i;
		port->capture = params.capture;
		port->captured = -1;
		port->queue = 0x1000u * (i + 1);
		port->hca = hca_new(&params, w->subnet, ignore_wake, NULL);
		if (!port->hca)
			world_broken("hca_new");
		hca_log_commands(port->hca, nowhere());
		port->fn = hca_function(port->hca);
		if (pcie_fabric_add(w->fabric, port->fn))
			world_broken("pcie_fabric_add");
		pcie_function_connect(port->fn, &host_ops, port);
	}
	w->oracle = oracle_new(w);
	for (unsigned int i = 0; i < WORLD_PORTS; i++)
		probe(&w->port[i]);
	return w;
}

struct world *world_new(struct tlp_trace *trace)
{
	return make_world(trace, false);
}

struct world *world_new_ethernet(void)
{
	return make_world(NULL, true);
}

void world_free(struct world *w)
{
	oracle_finish(w);
	for (unsigned int i = 0; i < WORLD_PORTS; i++) {
		struct world_port *port = &w->port[i];

		if (port->captured >= 0)
			world_capture(port, 0);
		pcie_function_reset(port->fn, PCIE_RESET_CONVENTIONAL);
		hca_poll(port->hca);
		oracle_after_reset(port);
		pcie_function_connect(port->fn, NULL, NULL);
	}
	oracle_free(w->oracle);
	for (unsigned int i = 0; i < WORLD_PORTS; i++) {
		hca_print_unmodelled(w->port[i].hca, nowhere());
		hca_free(w->port[i].hca);
	}
	subnet_free(w->subnet);
	bridge_free(w->bridge);
	pcie_fabric_free(w->fabric);
	memset(w->memory, 0, w->dirty);
	free(w);
}

/* --- captures -------------------------------------------------------------------------------- */

static void read_back(struct world_port *port, uint64_t expected)
{
	struct pcapng_packet packet;
	struct pcapng_reader *reader;
	unsigned int interface;
	uint64_t packets = 0;
	char path[32];
	int ret;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", port->captured);
	reader = pcapng_reader_open(path);
	if (!reader)
		oracle_violation(port, "a capture cannot be read: %s", strerror(errno));
	while ((ret = pcapng_reader_next(reader, &interface, &packet)) == 1)
		packets++;
	if (ret || packets != expected)
		oracle_violation(port, "%lu of %lu packets are in a capture: %d", packets, expected,
				 ret);
	pcapng_reader_close(reader);
}

void world_capture(struct world_port *port, size_t snap)
{
	struct capture_status status;

	if (port->captured < 0) {
		port->captured = memfd_create("capture", MFD_CLOEXEC);
		capture_snap(port->capture, snap);
		if (port->captured < 0 ||
		    capture_start(port->capture, dup(port->captured), "capture"))
			world_broken("capture");
		return;
	}
	status = capture_status(port->capture);
	if (capture_stop(port->capture))
		oracle_violation(port, "a capture ended early");
	read_back(port, status.packets - status.lost);
	close(port->captured);
	port->captured = -1;
}

/* --- registers and turns ---------------------------------------------------------------------- */

void world_write(struct world_port *port, uint64_t offset, unsigned int size, uint64_t value)
{
	uint64_t bytes = size == 8 ? htobe64(value) : size == 4 ? htobe32((uint32_t)value) : value;
	uint64_t page = offset / HCA_UAR_PAGE;

	oracle_register(port, offset, size, value);
	/* UAR pages that the guest has are memory. */
	if (page < HCA_UAR_PAGES && hca_table_get(&port->hca->uars, (uint32_t)page))
		memcpy((uint8_t *)port->hca->uar_memory + (offset - HCA_SHARED_OFFSET), &bytes,
		       size);
	else
		port->fn->ops->bar_write(port->fn, 0, offset, size, bytes);
}

static bool turn(struct world_port *port)
{
	bool busy;

	oracle_turn(port);
	busy = hca_poll(port->hca);
	oracle_turn_end(port);
	if (port->world->holds)
		oracle_violation(port, "%u pieces are held after the turn", port->world->holds);
	return busy;
}

void world_poll(struct world *w, unsigned int turns)
{
	bool busy = true;

	while (busy && turns--) {
		busy = false;
		now_ns += TURN_NS;
		for (unsigned int i = 0; i < WORLD_PORTS; i++)
			busy |= turn(&w->port[i]);
		busy |= subnet_poll(w->subnet, now_ns);
	}
}

/* --- commands --------------------------------------------------------------------------------- */

/* A chain of mailboxes for the @len bytes after the inline ones. Returns 0 without memory. */
static uint64_t chain(struct world *w, uint64_t *brk, const uint8_t *data, uint32_t len,
		      const struct world_mailbox *odd)
{
	uint64_t first = 0, previous = 0;
	uint32_t done, number = 0;

	for (done = 0; done < len; done += MAILBOX_DATA, number++) {
		uint64_t addr = *brk;
		uint32_t n = len - done < MAILBOX_DATA ? len - done : MAILBOX_DATA;
		uint8_t *block = world_at(w, addr, 1024);

		if (addr + 1024 > HEAP)
			return 0;
		*brk += 1024;
		memset(block, 0, 1024);
		if (data)
			memcpy(block, data + done, n);
		be32_put(block, MAILBOX_BLOCK, number);
		block[MAILBOX_TOKEN] = TOKEN;
		if (odd && odd->corrupt && odd->output == !data && odd->block == number)
			block[odd->where % 576] = odd->value;
		if (previous)
			be64_put(world_at(w, previous, 1024), MAILBOX_NEXT, addr);
		else
			first = addr;
		previous = addr;
	}
	return first;
}

bool world_post(struct world_port *port, const void *in, uint32_t ilen, uint32_t olen,
		const struct world_mailbox *odd)
{
	struct world *w = port->world;
	unsigned int slot = odd ? odd->slot % 32 : 0;
	/* Each slot of each port has its own mailboxes; slot 0 has most. */
	uint64_t brk = MAILBOXES + port->index * 0x80000ull + (slot ? 0x70000 + slot * 0x800 : 0);
	uint64_t in_ptr = 0, out_ptr = 0;
	uint8_t *entry = world_at(w, port->queue + 64 * slot, 64);

	if (!entry)
		return false;
	if (ilen > 16 && !(in_ptr = chain(w, &brk, (const uint8_t *)in + 16, ilen - 16, odd)))
		return false;
	if (olen > 16 && !(out_ptr = chain(w, &brk, NULL, olen - 16, odd)))
		return false;
	memset(entry, 0, 64);
	entry[0] = 7;
	be32_put(entry, 0x04, ilen);
	be64_put(entry, 0x08, in_ptr);
	memcpy(entry + 0x10, in, ilen < 16 ? ilen : 16);
	be64_put(entry, 0x30, out_ptr);
	be32_put(entry, 0x38, olen);
	entry[0x3c] = TOKEN;
	entry[0x3f] = 1;
	if (odd && odd->entry_where)
		entry[odd->entry_where & 63] = odd->entry_value;
	world_write(port, 0x18, 4, 1u << slot);
	return true;
}

int world_result(struct world_port *port, unsigned int slot, void *out, uint32_t olen)
{
	struct world *w = port->world;
	const uint8_t *entry = world_at(w, port->queue + 64 * slot, 64);
	uint64_t block = entry ? be64_at(entry, 0x30) : 0;
	uint32_t done = olen < 16 ? olen : 16;

	if (!entry || entry[0x3f])
		return -1;
	memcpy(out, entry + 0x20, done);
	while (done < olen) {
		uint32_t n = olen - done < MAILBOX_DATA ? olen - done : MAILBOX_DATA;
		const uint8_t *from = world_at(w, block, 1024);

		if (!from)
			return -1;
		memcpy((uint8_t *)out + done, from, n);
		block = be64_at(from, MAILBOX_NEXT);
		done += n;
	}
	return entry[0x20];
}

int world_cmd(struct world_port *port, const void *in, uint32_t ilen, void *out, uint32_t olen)
{
	static uint8_t scratch[8192];
	uint8_t status[1];

	if (!world_post(port, in, ilen, olen, NULL))
		return -1;
	/* The other function has nothing to say to it. A large one takes several turns. */
	for (unsigned int i = 0; i < 64 && turn(port) && world_result(port, 0, status, 1) < 0; i++)
		;
	return world_result(port, 0, out ? out : scratch, out ? olen : 16);
}

uint32_t world_must(struct world_port *port, const void *in, uint32_t ilen)
{
	uint8_t out[16] = { 0 };
	int status = world_cmd(port, in, ilen, out, sizeof(out));

	if (status)
		world_broken("command 0x%x: status %d, syndrome 0x%x", be16_at(in, 0), status,
			     be32_at(out, 4));
	return be32_at(out, 8) & 0xffffff;
}

uint32_t world_simple(struct world_port *port, uint16_t op, uint32_t dw2, uint32_t dw3)
{
	uint8_t in[16] = { 0 };

	be16_put(in, 0, op);
	be32_put(in, 8, dw2);
	be32_put(in, 12, dw3);
	return world_must(port, in, sizeof(in));
}
