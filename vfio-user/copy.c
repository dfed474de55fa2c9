/* SPDX-License-Identifier: GPL-2.0-only */
#include "vfio-user/copy.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#define FAULT_PAGE UINT64_C(4096)

/* The client's bytes on one side of a copy; @first > @last: none. */
struct range {
	volatile uintptr_t first, last;
};

/* The copy that this thread is in the middle of. */
struct guard {
	sigjmp_buf out;
	struct range from, to;
};

static _Thread_local struct guard guard = { .from.first = 1, .to.first = 1 };
static struct sigaction before;

/* A fault comes again as soon as the handler is gone; what somebody sent does not. */
static void pass_on(const siginfo_t *info)
{
	sigaction(SIGBUS, &before, NULL);
	if (info->si_code <= 0)
		raise(SIGBUS);
}

/* What the handler blocks is let through again: saving that for each copy would be a system call.
 */
static void leave_copy(const ucontext_t *at_fault)
{
	pthread_sigmask(SIG_SETMASK, &at_fault->uc_sigmask, NULL);
	siglongjmp(guard.out, 1);
}

static bool touches(const struct range *range, uintptr_t page)
{
	return range->first <= range->last && page + (FAULT_PAGE - 1) >= range->first &&
	       page <= range->last;
}

static void on_sigbus(int signal, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr & ~(FAULT_PAGE - 1);

	(void)signal;
	if (info->si_code > 0 && (touches(&guard.from, at) || touches(&guard.to, at)))
		leave_copy(context);
	pass_on(info);
}

void vfio_user_copy_init(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct sigaction ours = { .sa_flags = SA_SIGINFO }, now;

	ours.sa_sigaction = on_sigbus;
	pthread_mutex_lock(&lock);
	if (!sigaction(SIGBUS, NULL, &now) && now.sa_sigaction != on_sigbus) {
		before = now;
		sigaction(SIGBUS, &ours, NULL);
	}
	pthread_mutex_unlock(&lock);
}

static void set_range(struct range *range, const void *memory, size_t len)
{
	if (!memory)
		return;
	range->last = (uintptr_t)memory + (len - 1);
	range->first = (uintptr_t)memory;
}

/* NULL: no client's memory. */
static void open_guard(const void *to, const void *from, size_t len)
{
	set_range(&guard.to, to, len);
	set_range(&guard.from, from, len);
	atomic_signal_fence(memory_order_seq_cst);
}

static void close_guard(void)
{
	atomic_signal_fence(memory_order_seq_cst);
	guard.to.last = guard.from.last = 0;
	guard.to.first = guard.from.first = 1;
}

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER
#endif
#elif defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZER
#endif

#ifdef THREAD_SANITIZER
/*
 * Its memcpy() and its atomics cannot be jumped out of; and who orders accesses to a guest's memory
 * is the guest.
 */
__attribute__((no_sanitize("thread"))) static void move(void *to, const void *from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((volatile uint8_t *)to)[i] = ((const volatile uint8_t *)from)[i];
}

#define read_shared  move
#define write_shared move
#define move_shared  move
#else
static bool is_word(uintptr_t at, size_t len)
{
	return len <= 8 && !(len & (len - 1)) && !(at & (len - 1));
}

static void load(void *to, const void *from, size_t len)
{
	uint8_t b;
	uint16_t w;
	uint32_t d;
	uint64_t q;

	switch (len) {
	case 1:
		b = __atomic_load_n((const uint8_t *)from, __ATOMIC_ACQUIRE);
		memcpy(to, &b, len);
		break;
	case 2:
		w = __atomic_load_n((const uint16_t *)from, __ATOMIC_ACQUIRE);
		memcpy(to, &w, len);
		break;
	case 4:
		d = __atomic_load_n((const uint32_t *)from, __ATOMIC_ACQUIRE);
		memcpy(to, &d, len);
		break;
	default:
		q = __atomic_load_n((const uint64_t *)from, __ATOMIC_ACQUIRE);
		memcpy(to, &q, len);
		break;
	}
}

static void store(void *to, const void *from, size_t len)
{
	uint8_t b;
	uint16_t w;
	uint32_t d;
	uint64_t q;

	switch (len) {
	case 1:
		memcpy(&b, from, len);
		__atomic_store_n((uint8_t *)to, b, __ATOMIC_RELEASE);
		break;
	case 2:
		memcpy(&w, from, len);
		__atomic_store_n((uint16_t *)to, w, __ATOMIC_RELEASE);
		break;
	case 4:
		memcpy(&d, from, len);
		__atomic_store_n((uint32_t *)to, d, __ATOMIC_RELEASE);
		break;
	default:
		memcpy(&q, from, len);
		__atomic_store_n((uint64_t *)to, q, __ATOMIC_RELEASE);
		break;
	}
}

static void read_shared(void *to, const void *from, size_t len)
{
	if (is_word((uintptr_t)from, len))
		load(to, from, len);
	else
		memcpy(to, from, len);
}

static size_t tail_of(const void *to, size_t len)
{
	size_t tail = 8;

	while (tail > len || !is_word((uintptr_t)to + len - tail, tail))
		tail /= 2;
	return tail;
}

static void write_shared(void *to, const void *from, size_t len)
{
	size_t tail = tail_of(to, len);

	memcpy(to, from, len - tail);
	store((char *)to + len - tail, (const char *)from + len - tail, tail);
}

static void move_shared(void *to, const void *from, size_t len)
{
	size_t tail = tail_of(to, len);
	uint64_t last;

	memcpy(&last, (const char *)from + len - tail, tail);
	memmove(to, from, len - tail);
	store((char *)to + len - tail, &last, tail);
}
#endif

bool vfio_user_copy_from(void *to, const void *from, size_t len)
{
	if (sigsetjmp(guard.out, 0)) {
		close_guard();
		return false;
	}
	open_guard(NULL, from, len);
	read_shared(to, from, len);
	close_guard();
	return true;
}

bool vfio_user_copy_to(void *to, const void *from, size_t len)
{
	if (sigsetjmp(guard.out, 0)) {
		close_guard();
		return false;
	}
	open_guard(to, NULL, len);
	write_shared(to, from, len);
	close_guard();
	return true;
}

bool vfio_user_copy_between(void *to, const void *from, size_t len)
{
	if (sigsetjmp(guard.out, 0)) {
		close_guard();
		return false;
	}
	open_guard(to, from, len);
	move_shared(to, from, len);
	close_guard();
	return true;
}
