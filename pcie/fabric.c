/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory requests of functions. A transfer is cut into runs (bytes that take one route, looked up
 * once) and a run into TLPs. Each TLP is encoded and traced; to a function of this fabric it is
 * delivered as decoded from those bytes; to the host the bytes of a run go in one call. Where the
 * TLPs of a run differ only by their place in it, and no fault waits for one of them, they go as
 * bursts: the first is encoded, and the trace and the completer know how many there are.
 *
 * A TLP is traced before it is delivered: whoever learns of the delivery and then sets a mark finds
 * the TLP before the mark.
 */
#include "pcie/fabric.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

#include "base/clock.h"
#include "pcie/burst.h"
#include "pcie/transfer.h"

struct pcie_fabric *pcie_fabric_new(struct tlp_trace *trace)
{
	struct pcie_fabric *fabric = calloc(1, sizeof(*fabric));

	if (!fabric)
		return NULL;
	fabric->trace = trace;
	pthread_mutex_init(&fabric->delivery, NULL);
	return fabric;
}

void pcie_fabric_free(struct pcie_fabric *fabric)
{
	if (!fabric)
		return;
	pthread_mutex_destroy(&fabric->delivery);
	free(fabric);
}

int pcie_fabric_add(struct pcie_fabric *fabric, struct pcie_function *fn)
{
	for (unsigned int i = 0; i < fabric->count; i++)
		if (!strcmp(fabric->function[i]->name, fn->name) ||
		    (fabric->function[i]->machine == fn->machine &&
		     fabric->function[i]->id == fn->id))
			return -EEXIST;
	if (fabric->count == PCIE_FABRIC_FUNCTIONS)
		return -ENOSPC;
	fn->fabric = fabric;
	fn->index = fabric->count;
	fabric->function[fabric->count++] = fn;
	if (fabric->trace)
		tlp_trace_function(fabric->trace, fn->index, fn->name);
	return 0;
}

void pcie_fabric_trace_each(struct pcie_fabric *fabric, bool each)
{
	fabric->each = each;
}

struct pcie_function *pcie_fabric_find(struct pcie_fabric *fabric, const char *name)
{
	for (unsigned int i = 0; i < fabric->count; i++)
		if (!strcmp(fabric->function[i]->name, name))
			return fabric->function[i];
	return NULL;
}

void pcie_function_connect(struct pcie_function *fn, const struct pcie_host_ops *host_ops,
			   void *host)
{
	fn->host = host;
	__atomic_store_n(&fn->host_ops, host_ops, __ATOMIC_RELEASE);
}

bool pcie_may_master(const struct pcie_function *fn)
{
	return atomic_load(&fn->bus_master) && !atomic_load(&fn->silent);
}

const struct pcie_host_ops *pcie_host_of(const struct pcie_function *fn)
{
	return __atomic_load_n(&fn->host_ops, __ATOMIC_ACQUIRE);
}

/* Whether the map is the BAR at @address (0: not decoded) or what of it the host maps. */
static bool is_bar(const struct pcie_bar *bar, uint64_t address, uint64_t base, uint64_t size)
{
	if (!address)
		return false;
	return (base == address && size == bar->size) ||
	       (bar->mmap_size && base == address + bar->mmap_offset && size == bar->mmap_size);
}

/* A BAR that @requester reaches. */
static bool find_bar(const struct pcie_function *requester, uint64_t base, uint64_t size,
		     struct pcie_run *run)
{
	const struct pcie_fabric *fabric = requester->fabric;

	for (unsigned int i = 0; fabric && i < fabric->count; i++) {
		struct pcie_function *fn = fabric->function[i];

		if (fn->machine != requester->machine)
			continue;
		for (unsigned int bar = 0; fn->ops->memory_request && bar < PCIE_BARS; bar++) {
			/* Read once: the guest may move the BAR meanwhile. */
			uint64_t address = pcie_bar_address(fn, bar);

			if (!is_bar(&fn->bar[bar], address, base, size))
				continue;
			run->target = fn;
			run->bar = bar;
			run->bar_base = address;
			return true;
		}
	}
	return false;
}

/* An Extended ST travels with a prefix that a completer without support of either reports. */
static bool refuses_prefix(const struct pcie_function *target, const struct tlp *tlp)
{
	return tlp->hint.th && tlp->hint.extended &&
	       (pcie_completer(target) != PCIE_TPH_COMPLETER_EXTENDED ||
		!pcie_end_end_prefix(target));
}

struct pcie_run pcie_find_run(const struct pcie_transfer *t, uint64_t addr, size_t len)
{
	struct pcie_run run = { .addr = addr, .len = len, .route = PCIE_ROUTE_NONE };
	uint64_t base, size = 0;
	bool direct;

	if (!t->host_ops)
		return run;
	if (!t->host_ops->resolve(t->fn->host, addr, &base, &size, &direct)) {
		/* As far as there is no map, the host may know what is there. */
		run.route = PCIE_ROUTE_MESSAGE;
		if (size && size < len)
			run.len = size;
		return run;
	}
	if (len > size - (addr - base))
		run.len = size - (addr - base);
	if (direct)
		run.route = PCIE_ROUTE_MEMORY;
	else if (!find_bar(t->fn, base, size, &run))
		run.route = PCIE_ROUTE_MESSAGE;
	else if (!refuses_prefix(run.target, &t->tlp) && !pcie_inject_gone(run.target))
		run.route = PCIE_ROUTE_FUNCTION;
	return run;
}

int pcie_transfer_init(struct pcie_transfer *t, struct pcie_function *fn, enum tlp_type type,
		       uint64_t addr, size_t len, const struct tlp_hint *hint, uint64_t time_ns)
{
	uint8_t header[TLP_MAX_HEADER];

	if (!pcie_may_master(fn))
		return -EACCES;
	*t = (struct pcie_transfer){ .fn = fn, .host_ops = pcie_host_of(fn) };
	t->trace = fn->fabric ? fn->fabric->trace : NULL;
	t->max = type == TLP_MWR ? pcie_max_payload(fn) : pcie_max_read_request(fn);
	t->tlp = (struct tlp){ .type = type, .requester = fn->id };
	if (hint && hint->th && !(type == TLP_MRD && (addr % 4 || len % 4)))
		t->tlp.hint = *hint;
	if (len && addr + (len - 1) < addr)
		return -EINVAL;
	/* One trial tells whether the hint fits; all other fields are set here. */
	tlp_set_range(&t->tlp, 0, 4);
	if (t->tlp.hint.th && tlp_encode(&t->tlp, header) < 0)
		return -EINVAL;
	if (t->trace)
		t->time_ns = time_ns ? time_ns : clock_now_ns();
	return 0;
}

/* What a completer that is a function here (else NULL) notes of a write that it dropped. */
static void note_dropped(struct pcie_function *completer, enum pcie_fault fault)
{
	if (!completer)
		return;
	switch (fault) {
	case PCIE_FAULT_UR:
		pcie_config_note(completer, 0, PCI_EXP_DEVSTA_NFED | PCI_EXP_DEVSTA_URD);
		break;
	case PCIE_FAULT_CA:
		pcie_config_note(completer, PCI_STATUS_SIG_TARGET_ABORT, PCI_EXP_DEVSTA_NFED);
		break;
	default:
		pcie_config_note(completer, PCI_STATUS_DETECTED_PARITY, PCI_EXP_DEVSTA_NFED);
		break;
	}
}

void pcie_record(const struct pcie_transfer *t, const struct tlp_record *record, int len)
{
	if (len > 0)
		tlp_trace_encoded(t->trace, record, 1);
	else
		tlp_trace_record(t->trace, record);
}

/*
 * Encodes and traces the request at t->tlp for @n bytes; @decoded is what its bytes say. Returns 0,
 * or -EINVAL when no header can say it: then the trace counts it, and it goes nowhere.
 */
static int issue(const struct pcie_transfer *t, const struct pcie_run *run, uint64_t addr, size_t n,
		 struct tlp *decoded)
{
	struct tlp tlp = t->tlp;
	struct tlp_record record = {
		.time_ns = t->time_ns,
		.kind = TLP_RECORD_TLP,
		.route = run->route,
		.source = t->fn->index,
	};

	int len;

	if (!t->trace && run->route != PCIE_ROUTE_FUNCTION)
		return 0;
	/* TH implies full byte enables; a host map may cut an aligned read within a DW. */
	if (tlp.type == TLP_MRD && (addr % 4 || n % 4))
		tlp.hint = (struct tlp_hint){ 0 };
	len = tlp_set_range(&tlp, addr, n);
	if (!len)
		len = tlp_encode(&tlp, record.header);
	if (len > 0)
		record.header_len = len;
	if (run->route == PCIE_ROUTE_FUNCTION) {
		record.target = run->target->index;
		record.bar = run->bar;
		record.offset = addr - run->bar_base;
		tlp_decode(record.header, record.header_len, decoded);
	}
	if (t->trace)
		pcie_record(t, &record, len);
	return len < 0 ? len : 0;
}

/* What @completer, a function here, understands of a header. */
void pcie_hide_hint(const struct pcie_function *completer, struct tlp *tlp)
{
	enum pcie_tph_completer kind = pcie_completer(completer);

	if (kind != PCIE_TPH_COMPLETER_TPH && kind != PCIE_TPH_COMPLETER_EXTENDED)
		tlp->hint = (struct tlp_hint){ 0 };
}

/* Hands a request to its completer, as the completer understands it. */
void pcie_deliver(const struct pcie_run *run, struct tlp *tlp, void *data)
{
	uint64_t addr;
	size_t n = tlp_range(tlp, &addr);

	pcie_hide_hint(run->target, tlp);
	run->target->ops->memory_request(run->target, run->bar, addr - run->bar_base, tlp, data, n);
}

/* What a host's error means to the requester: access rights are the completer's matter, too. */
int pcie_host_error(int rc)
{
	if (rc == 0)
		return 0;
	return rc == -ENODEV || rc == -EACCES ? -ENODEV : -EIO;
}

/* The fault of the request for @n bytes at @addr that is to be issued next, see inject.h. */
static enum pcie_fault fault_of(const struct pcie_transfer *t, const struct pcie_run *run,
				uint64_t addr, size_t n)
{
	bool write = t->tlp.type == TLP_MWR;
	enum pcie_fault fault;

	fault = pcie_inject_request(t->fn, PCIE_FAULT_REQUESTS, write, addr, n);
	if (!fault && run->route == PCIE_ROUTE_FUNCTION)
		fault = pcie_inject_request(run->target, PCIE_FAULT_INTO, write,
					    addr - run->bar_base, n);
	return fault;
}

/* --- writes ---------------------------------------------------------------------------------- */

/* Bytes [@from, @to) of a run. */
static int write_host(const struct pcie_transfer *t, const struct pcie_run *run,
		      const uint8_t *data, size_t from, size_t to)
{
	if (from == to)
		return 0;
	return pcie_host_error(
		t->host_ops->write(t->fn->host, run->addr + from, data + from, to - from));
}

static int write_run(struct pcie_transfer *t, const struct pcie_run *run, const uint8_t *data)
{
	size_t n, written = 0;
	struct tlp decoded;
	int rc = 0;

	if (run->route == PCIE_ROUTE_FUNCTION)
		pthread_mutex_lock(&t->fn->fabric->delivery);
	for (size_t done = 0; !rc && done < run->len; done += n) {
		enum pcie_fault fault;

		n = tlp_split(run->addr + done, run->len - done, t->max);
		fault = fault_of(t, run, run->addr + done, n);
		t->tlp.poisoned = fault == PCIE_FAULT_POISONED;
		rc = issue(t, run, run->addr + done, n, &decoded);
		if (!rc && run->route == PCIE_ROUTE_NONE)
			rc = -ENODEV;
		if (!rc && fault) {
			/* Posted: the completer drops it, and nobody tells the requester. */
			note_dropped(run->target, fault);
			if (run->route != PCIE_ROUTE_FUNCTION)
				rc = write_host(t, run, data, written, done);
			written = done + n;
		} else if (!rc && run->route == PCIE_ROUTE_FUNCTION) {
			pcie_deliver(run, &decoded, (void *)(data + done));
		}
	}
	t->tlp.poisoned = false;
	if (run->route == PCIE_ROUTE_FUNCTION)
		pthread_mutex_unlock(&t->fn->fabric->delivery);
	if (rc || run->route == PCIE_ROUTE_FUNCTION)
		return rc;
	return write_host(t, run, data, written, run->len);
}

int pcie_write(struct pcie_function *fn, uint64_t addr, const void *buf, size_t len,
	       const struct tlp_hint *hint)
{
	struct pcie_transfer t;
	int rc = pcie_transfer_init(&t, fn, TLP_MWR, addr, len, hint, 0);

	addr = pcie_inject_address(fn, true, addr, len);
	for (size_t done = 0; !rc && done < len;) {
		struct pcie_run run = pcie_find_run(&t, addr + done, len - done);

		if (pcie_is_burst(&t, &run))
			rc = pcie_write_burst(&t, &run, (const uint8_t *)buf + done);
		else
			rc = write_run(&t, &run, (const uint8_t *)buf + done);
		done += run.len;
	}
	return rc;
}

/* --- reads ----------------------------------------------------------------------------------- */

/* Traces the completions of the request for @n bytes at @addr. */
void pcie_complete(const struct pcie_transfer *t, const struct pcie_run *run, uint64_t addr,
		   size_t n, uint16_t tag, enum tlp_status status, bool poisoned)
{
	const struct pcie_function *from = run->target ? run->target : t->fn;
	size_t max = pcie_max_payload(from), piece;
	struct tlp tlp = {
		.type = status == TLP_SC ? TLP_CPLD : TLP_CPL,
		.requester = t->fn->id,
		.tag = tag,
		.completer = run->target ? run->target->id : PCIE_ROOT_COMPLEX,
		.status = status,
		.poisoned = poisoned,
	};
	struct tlp_record record = {
		.time_ns = t->time_ns,
		.kind = TLP_RECORD_TLP,
		.route = run->target ? PCIE_ROUTE_FUNCTION : run->route,
		.source = from->index,
		.target = run->target ? t->fn->index : 0,
	};
	int len;

	for (size_t done = 0; t->trace && done < n; done += piece) {
		piece = tlp_completion_piece(&tlp, addr, n, done, max);
		if (status != TLP_SC) {
			tlp.length = 0;
			piece = n;
		}
		len = tlp_encode(&tlp, record.header);
		record.header_len = len < 0 ? 0 : len;
		pcie_record(t, &record, len);
	}
}

/* The read of @n bytes at @addr is answered with @fault: what both sides note, and its errno. */
static int complete_fault(const struct pcie_transfer *t, const struct pcie_run *run, uint64_t addr,
			  size_t n, uint16_t tag, enum pcie_fault fault)
{
	switch (fault) {
	case PCIE_FAULT_UR:
		pcie_complete(t, run, addr, n, tag, TLP_UR, false);
		pcie_config_note(t->fn, PCI_STATUS_REC_MASTER_ABORT, 0);
		if (run->target)
			pcie_config_note(run->target, 0, PCI_EXP_DEVSTA_NFED | PCI_EXP_DEVSTA_URD);
		return -ENODEV;
	case PCIE_FAULT_CA:
		pcie_complete(t, run, addr, n, tag, TLP_CA, false);
		pcie_config_note(t->fn, PCI_STATUS_REC_TARGET_ABORT, 0);
		if (run->target)
			pcie_config_note(run->target, PCI_STATUS_SIG_TARGET_ABORT,
					 PCI_EXP_DEVSTA_NFED);
		return -EIO;
	case PCIE_FAULT_POISONED:
		pcie_complete(t, run, addr, n, tag, TLP_SC, true);
		pcie_config_note(t->fn, PCI_STATUS_DETECTED_PARITY, PCI_EXP_DEVSTA_NFED);
		return -EBADMSG;
	default:
		/* The requester waits for its completion time-out; here no time passes. */
		pcie_config_note(t->fn, 0, PCI_EXP_DEVSTA_NFED);
		return -ETIMEDOUT;
	}
}

unsigned int pcie_take_tags(struct pcie_function *fn, unsigned int count)
{
	return atomic_fetch_add(&fn->fabric->next_tag[fn->index], count);
}

/*
 * One round of reads: at most as many as there are tags. To the host all requests go out before the
 * first completion; a function answers one by one.
 */
static int read_round(struct pcie_transfer *t, const struct pcie_run *run, uint8_t *data,
		      unsigned int tags)
{
	enum pcie_fault fault = PCIE_FAULT_NONE;
	unsigned int first = 0, i;
	size_t done, answered, n;
	struct tlp decoded;
	int rc = 0;

	if (t->fn->fabric)
		first = pcie_take_tags(t->fn, (run->len + t->max - 1) / t->max + 1);
	if (pcie_is_burst(t, run)) {
		t->tlp.tag = first % tags;
		return pcie_read_burst(t, run, data);
	}
	for (done = 0, i = 0; done < run->len; done += n, i++) {
		n = tlp_split(run->addr + done, run->len - done, t->max);
		t->tlp.tag = (first + i) % tags;
		fault = fault_of(t, run, run->addr + done, n);
		rc = issue(t, run, run->addr + done, n, &decoded);
		if (rc)
			return rc;
		if (run->route == PCIE_ROUTE_NONE) {
			pcie_complete(t, run, run->addr + done, n, t->tlp.tag, TLP_UR, false);
			return -ENODEV;
		}
		/* What would follow it is not asked for any more. */
		if (fault)
			break;
		if (run->route == PCIE_ROUTE_FUNCTION) {
			pcie_deliver(run, &decoded, data + done);
			pcie_complete(t, run, run->addr + done, n, t->tlp.tag, TLP_SC, false);
		}
	}
	answered = done;
	if (run->route != PCIE_ROUTE_FUNCTION && answered)
		rc = pcie_host_error(t->host_ops->read(t->fn->host, run->addr, data, answered));
	/* A broken connection answers nothing. */
	for (done = 0, i = 0; run->route != PCIE_ROUTE_FUNCTION && rc != -EIO && done < answered;
	     done += n, i++) {
		n = tlp_split(run->addr + done, run->len - done, t->max);
		pcie_complete(t, run, run->addr + done, n, (first + i) % tags, rc ? TLP_UR : TLP_SC,
			      false);
	}
	if (fault && !rc) {
		n = tlp_split(run->addr + answered, run->len - answered, t->max);
		rc = complete_fault(t, run, run->addr + answered, n, t->tlp.tag, fault);
	}
	return rc;
}

static int read_run(struct pcie_transfer *t, const struct pcie_run *run, uint8_t *data)
{
	unsigned int tags = pcie_tags(t->fn);
	struct pcie_run round = *run;
	int rc = 0;

	if (run->route == PCIE_ROUTE_FUNCTION)
		pthread_mutex_lock(&t->fn->fabric->delivery);
	for (size_t done = 0; !rc && done < run->len; done += round.len) {
		round.addr = run->addr + done;
		/* A round that starts on a multiple of its size has one request per tag. */
		round.len = tlp_split(round.addr, run->len - done, t->max * tags);
		rc = read_round(t, &round, data + done, tags);
	}
	if (run->route == PCIE_ROUTE_FUNCTION)
		pthread_mutex_unlock(&t->fn->fabric->delivery);
	return rc;
}

int pcie_read(struct pcie_function *fn, uint64_t addr, void *buf, size_t len,
	      const struct tlp_hint *hint)
{
	struct pcie_transfer t;
	int rc = pcie_transfer_init(&t, fn, TLP_MRD, addr, len, hint, 0);

	addr = pcie_inject_address(fn, false, addr, len);
	for (size_t done = 0; !rc && done < len;) {
		struct pcie_run run = pcie_find_run(&t, addr + done, len - done);

		rc = read_run(&t, &run, (uint8_t *)buf + done);
		done += run.len;
	}
	return rc;
}

int pcie_peek(struct pcie_function *fn, uint64_t addr, void *buf, size_t len)
{
	const struct pcie_host_ops *host_ops = pcie_host_of(fn);
	uint64_t base, size;
	bool direct;

	if (!pcie_may_master(fn))
		return -EACCES;
	if (!host_ops)
		return -ENODEV;
	if (len && addr + (len - 1) < addr)
		return -ENODEV;
	for (size_t done = 0; done < len; done += size - (addr + done - base))
		if (!host_ops->resolve(fn->host, addr + done, &base, &size, &direct) || !direct)
			return -ENODEV;
	return len ? pcie_host_error(host_ops->read(fn->host, addr, buf, len)) : 0;
}

void pcie_interrupt(struct pcie_function *fn, unsigned int vector)
{
	if (pcie_inject_interrupt(fn, vector))
		pcie_raise(fn, vector);
}

void pcie_raise(struct pcie_function *fn, unsigned int vector)
{
	const struct pcie_host_ops *host_ops = pcie_host_of(fn);

	if (host_ops && pcie_may_master(fn))
		host_ops->interrupt(fn->host, vector);
}
