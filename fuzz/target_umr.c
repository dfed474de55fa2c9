/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory keys that change: CREATE_MKEY with odd contexts, UMRs by an RC QP, by one that may
 * register fast, and by the driver's own QP, lists in WQEs and in memory; and after each the key is
 * used, near the edges of what it covers, as lkey and as rkey.
 */
#include "fuzz/queues.h"
#include "fuzz/target.h"
#include "hca/data.h"
#include "hca/memic.h"
#include "hca/mkc.h"

#define KEYS	  16u
#define PAGE	  4096u
#define PAGES	  8u	 /* of the user's memory; what is around it is nobody's */
#define LISTS	  16384u /* octwords of memory for lists */
#define OPS	  24u
#define SIGNALLED 0x08u

/* What was last asked of a key, granted or not: where to look for its edges. */
struct known {
	uint32_t number;
	uint8_t mode, log_page;
	uint64_t start, len;
};

struct state {
	struct world *w;
	struct world_port *a, *b;
	uint32_t pd, pd_fre, pd_kernel, pd_victim, pd_b;
	struct queue_qp user, fast, kernel; /* of a */
	struct queue_qp user_b, fast_b;
	uint64_t mem, lists, mem_b; /* addresses */
	uint32_t lists_lkey, lists_kernel, lists_fast, key_b, key_b_fast;
	uint64_t memic;
	struct known key[KEYS];
	unsigned int keys;
	bool near;	    /* the last one changed its key a little */
	unsigned int large; /* UMRs that load much, so far */
};

/* Bits of mkey_mask that the model knows (umr.c), and some that it does not. */
static const uint8_t mask_bits[] = { 0,	 1,  6,	 7,  8,	 9,  12, 13, 14, 17, 18,
				     19, 20, 21, 23, 25, 29, 42, 47, 2,	 63 };

static void remember(struct state *s, struct input *in, uint32_t number,
		     const struct queue_key *key)
{
	unsigned int at = s->keys < KEYS ? s->keys++ : input_below(in, KEYS);

	if (number)
		s->key[at] = (struct known){ number, (uint8_t)(key->bits >> 8 & 3), key->log_page,
					     key->start, key->len };
}

static uint32_t any_key(struct state *s, struct input *in)
{
	static const uint32_t special[] = { 0, HCA_KEY_END, HCA_KEY_DUMP, HCA_KEY_NULL,
					    HCA_KEY_STRIDED };
	uint8_t which = input_u8(in);

	if (which >= 0xf0)
		return special[which % 5];
	return s->keys ? s->key[which % s->keys].number : 0;
}

static uint64_t any_address(struct state *s, struct input *in)
{
	uint64_t base[] = { s->mem,   s->mem + PAGE,	s->mem + PAGES * PAGE, 0,
			    s->memic, HCA_MEMIC_OFFSET, (uint64_t)1 << 40,     s->lists };
	uint8_t which = input_u8(in);

	return which < 0xe0 ? base[which & 7] + (which >> 3) % 4 * (PAGE / 2 - 1)
			    : input_number(in);
}

/* Entries of a translation table, or of a list of keys. */
static void fill_list(struct state *s, struct input *in, uint8_t *xlt, uint32_t octwords, bool keys)
{
	uint8_t kind = input_u8(in);
	uint32_t given = octwords < 8 ? octwords : 1 + input_below(in, 8);

	for (uint32_t i = 0; i < given; i++) {
		uint8_t *entry = xlt + 16 * (size_t)i;

		if (!keys) {
			be64_put(entry, 0, (s->mem + PAGE * input_below(in, PAGES)) | (kind & 3));
			be64_put(entry, 8, (s->mem + PAGE * input_below(in, PAGES)) | (kind & 3));
		} else if (!i && kind & 0x80) { /* the head of a strided list */
			be32_put(entry, 0, 1 + (kind & 0x3f));
			be32_put(entry, 4, HCA_KEY_STRIDED);
			be32_put(entry, 8, (uint32_t)input_number(in));
			be16_put(entry, 12, (uint16_t)input_number(in));
			be16_put(entry, 14, (uint16_t)(octwords - 1));
		} else {
			uint32_t count = (uint32_t)(kind & 0x80 ? input_u8(in) : input_number(in));

			if (kind & 0x80)
				count = count << 16 | (1 + input_below(in, 4));
			be32_put(entry, 0, count);
			be32_put(entry, 4, any_key(s, in));
			be64_put(entry, 8, any_address(s, in));
		}
	}
	/* The rest repeats them. */
	for (uint32_t i = given; i < octwords; i++)
		memcpy(xlt + 16 * (size_t)i,
		       xlt + 16 * (size_t)(given > 1 ? 1 + i % (given - 1) : 0), 16);
}

static void fill_context(struct state *s, struct input *in, struct queue_key *key)
{
	static const uint8_t page[] = { 12, 12, 13, 0, 11, 21, 31, 43, 63, 1, 5, 12 };
	uint8_t flags = input_u8(in);
	uint32_t pds[] = { s->pd,	 s->pd,	       s->pd, s->pd_fre,
			   s->pd_kernel, s->pd_victim, s->pd, s->pd_fre };

	key->bits = (uint32_t)(input_u8(in) & 0x1f) << 10;
	if (!(flags & 1))
		key->bits = KEY_ALL;
	key->length64 = flags & 2;
	key->pd = pds[flags >> 2 & 7];
	key->start = any_address(s, in);
	key->len = flags & 0x20 ? input_number(in) : PAGE * (1 + input_below(in, 4)) - (flags >> 7);
	key->log_page = page[input_below(in, sizeof(page))];
	if (flags & 0x40)
		key->bits |= KEY_FREE;
}

static void make_key(struct state *s, struct input *in)
{
	static const uint8_t modes[] = { 1, 1, 2, 2, 3, 5, 0, 4 };
	static uint8_t xlt[16 * 1024];
	static const uint16_t counts[] = { 0, 1, 2, 4, 16, 1024 };
	uint8_t mode = modes[input_below(in, 8)], size = input_u8(in);
	struct queue_key key = { .xlt = xlt, .octwords = counts[(size & 7) % 6] };

	fill_context(s, in, &key);
	/* A plain address key of all memory grants all of it. */
	if (mode == 0 && key.length64)
		key.pd = s->pd_victim;
	key.bits |= KEY_MODE(mode) | KEY_UMR;
	key.declared = size & 8 ? (uint32_t)input_number(in) : 0;
	memset(xlt, 0, 16 * (size_t)key.octwords);
	fill_list(s, in, xlt, key.octwords, mode >= 2);
	remember(s, in, queue_key(s->a, &key), &key);
}

static void revive(struct queue_qp *qp)
{
	if (queue_state(qp) != HCA_QP_RTS || (uint16_t)(qp->sq_pi + 16) < 16)
		queue_revive(qp);
}

/*
 * What the key has, but for one field that is a little more or less, or one right more. Returns the
 * mask of that field.
 */
static uint64_t neighbour(struct input *in, const struct known *key, struct queue_key *context)
{
	static const int64_t steps[] = { 1, 16, 100, PAGE, -1, -16, -PAGE, 2 * PAGE };
	uint8_t what = input_u8(in);

	context->start = key->start;
	context->len = key->len;
	context->log_page = key->log_page;
	context->length64 = false;
	context->bits = KEY_ALL;
	switch (what & 3) {
	case 0:
	case 1:
		context->len += (uint64_t)steps[what >> 2 & 7];
		return 1;
	case 2:
		context->start += (uint64_t)steps[what >> 2 & 7];
		return 1 << 6;
	default:
		if (what & 0x80)
			return 1u << (17 + (what >> 2 & 7) % 5);
		context->log_page += what & 4 ? 1 : -1;
		return 1 << 1;
	}
}

/* Returns the key that the UMR was for. */
static struct known *umr(struct state *s, struct input *in)
{
	struct queue_qp *qps[] = { &s->user, &s->user, &s->fast, &s->kernel };
	uint32_t lists[] = { s->lists_lkey, s->lists_lkey, s->lists_fast, s->lists_kernel };
	uint8_t where = input_u8(in);
	unsigned int who = where & 3, copies = (unsigned int[]){ 1, 1, 3, 7 }[where >> 2 & 3];
	struct queue_qp *qp = qps[who];
	struct known *key = &s->key[input_below(in, s->keys)];
	struct queue_key context = { 0 };
	uint8_t wqe[1024] = { 0 }, *ctrl = wqe + 16, *mkc = wqe + 64;
	uint8_t flags = input_u8(in), masks = input_u8(in), list = input_u8(in);
	uint64_t mask = 0;
	size_t len = 128;

	if (masks & 0x10) /* a single one */
		mask = (uint64_t)1 << mask_bits[masks >> 5];
	for (unsigned int i = 0; !(masks & 0x10) && i < (masks & 7u); i++)
		mask |= (uint64_t)1 << mask_bits[input_below(in, sizeof(mask_bits))];
	/* What a driver sends. */
	if (masks & 8)
		mask |= 0x200002043;
	fill_context(s, in, &context);
	s->near = where & 0x80;
	if (s->near)
		mask = neighbour(in, key, &context);
	be32_put(mkc, 0, context.bits);
	be32_put(mkc, 4, 0xffffff00 | KEY_BYTE);
	be32_put(mkc, 12, (context.length64 ? 1u << 31 : 0) | context.pd);
	be64_put(mkc, 0x10, context.start);
	be64_put(mkc, 0x18, context.len);
	be32_put(mkc, 14 * 4, context.log_page);
	segment_ctrl(wqe, HCA_OP_UMR, SIGNALLED, key->number ^ ((flags & 7) == 7 ? 0x11 : 0));
	ctrl[0] = flags & HCA_UMR_OFFSET_EN;
	if (flags & 0x80) /* on a condition */
		ctrl[0] |= flags & (HCA_UMR_CHECK_QPN | HCA_UMR_MUST_FREE | HCA_UMR_MUST_LIVE);
	be64_put(ctrl, 8, mask);
	if (ctrl[0] & HCA_UMR_OFFSET_EN) {
		uint32_t offset = (uint32_t)input_number(in);

		be16_put(ctrl, 6, (uint16_t)offset);
		be32_put(ctrl, 0x10, offset >> 16);
	}
	if ((list & 3) == 1) { /* in the WQE */
		uint32_t octwords = 4 + (list >> 2 & 3) * 4;

		ctrl[0] |= HCA_UMR_INLINE;
		be16_put(ctrl, 4, (uint16_t)octwords);
		fill_list(s, in, wqe + len, octwords, key->mode >= 2);
		len += 16 * octwords;
	} else if ((list & 3) == 2) { /* in memory */
		static const uint16_t counts[] = { 1, 4, 64, LISTS };
		uint32_t octwords = counts[list >> 2 & 3];
		/* The same again, up to more than a UMR may load, a few times in an input. */
		unsigned int segments = s->large++ < 2 ? 1 + (list >> 4 & 7) % 5 : 1;

		be16_put(ctrl, 4, (uint16_t)octwords);
		fill_list(s, in, world_at(s->w, s->lists, 16 * LISTS), octwords, key->mode >= 2);

		for (unsigned int i = 0; i < segments; i++, len += 16)
			segment_data(wqe + len, s->lists, lists[who], 16 * octwords);
	} else {
		ctrl[0] |= HCA_UMR_INLINE;
	}
	revive(qp);
	/* Several at once are more than a turn may do. */
	if (s->large > 2)
		copies = 1;
	for (unsigned int i = 0; i < copies && (i + 1) * ((len + 63) / 64) <= qp->sq_wqebbs; i++)
		queue_send(qp, wqe, len);
	world_poll(s->w, copies > 1 ? 8 : 4);
	if (mask & 1)
		key->len = context.len;
	if (mask & 1 << 6)
		key->start = context.start;
	if (mask & 2)
		key->log_page = context.log_page;
	return key;
}

/* One use of @key at @va: as the buffer of a SEND, a WRITE or a READ, or as what the other side
 * names. */
static void use(struct state *s, uint8_t how, uint32_t key, uint64_t va, uint64_t len)
{
	bool fast = how & 8;
	struct queue_qp *qp = fast ? &s->fast : &s->user, *peer = fast ? &s->fast_b : &s->user_b;
	uint32_t far = fast ? s->key_b_fast : s->key_b;
	uint8_t wqe[64], seg[16];

	revive(qp);
	revive(peer);
	switch (how & 7) {
	case 0: /* read locally */
		segment_data(seg, s->mem_b, far, 4 * PAGE);
		queue_recv(peer, seg, sizeof(seg));
		segment_ctrl(wqe, HCA_OP_SEND, SIGNALLED, 0);
		segment_data(wqe + 16, va, key, (uint32_t)len);
		queue_send(qp, wqe, 32);
		break;
	case 1:
	case 2: /* read, written locally */
		segment_ctrl(wqe, (how & 7) == 1 ? HCA_OP_WRITE : HCA_OP_READ, SIGNALLED, 0);
		segment_raddr(wqe + 16, s->mem_b, far);
		segment_data(wqe + 32, va, key, (uint32_t)len);
		queue_send(qp, wqe, 48);
		break;
	case 3:
	case 4: /* written, read from afar */
		segment_ctrl(wqe, (how & 7) == 3 ? HCA_OP_WRITE : HCA_OP_READ, SIGNALLED, 0);
		segment_raddr(wqe + 16, va, key);
		segment_data(wqe + 32, s->mem_b, far, (uint32_t)len);
		queue_send(peer, wqe, 48);
		break;
	case 5:
		segment_ctrl(wqe, HCA_OP_ATOMIC_FA, SIGNALLED, 0);
		segment_raddr(wqe + 16, va & ~(uint64_t)7, key);
		memset(wqe + 32, 1, 16);
		segment_data(wqe + 48, s->mem_b, far, 8);
		queue_send(peer, wqe, 64);
		break;
	case 6: /* written by what arrives */
		segment_data(seg, va, key, (uint32_t)len);
		queue_recv(qp, seg, sizeof(seg));
		segment_ctrl(wqe, HCA_OP_SEND, SIGNALLED, 0);
		segment_data(wqe + 16, s->mem_b, far, (uint32_t)len);
		queue_send(peer, wqe, 32);
		break;
	default: /* and invalidated */
		segment_data(seg, s->mem, s->key[0].number, 64);
		queue_recv(qp, seg, sizeof(seg));
		segment_ctrl(wqe, HCA_OP_SEND_INV, SIGNALLED, key);
		segment_data(wqe + 16, s->mem_b, far, 32);
		queue_send(peer, wqe, 32);
		break;
	}
	world_poll(s->w, 6);
}

static void use_anyhow(struct state *s, struct input *in, const struct known *key)
{
	uint8_t how = input_u8(in), where = input_u8(in);
	uint64_t page = (uint64_t)1 << (key->log_page & 31);
	/* Addresses of device memory count from 0. */
	uint64_t start = key->start >= HCA_MEMIC_OFFSET && key->start < 1u << 24 ? 0 : key->start;
	uint64_t at[] = { start,
			  start - 1,
			  start + key->len - 1,
			  start + key->len - 16,
			  start + key->len,
			  start + page,
			  start + PAGE - 8,
			  0 };
	uint64_t len = (where & 0x30) == 0x10 ? input_number(in) & 0x7fffffff : 16;

	use(s, how, key->number, (where & 7) == 7 ? any_address(s, in) : at[where & 7], len);
}

/* Every kind of use at each of its edges. */
static void sweep(struct state *s, uint8_t fast, const struct known *key)
{
	uint64_t at[] = { key->start + key->len - 16, key->start + PAGE - 16, key->start - 8 };

	for (unsigned int i = 0; i < 3; i++)
		for (uint8_t how = 0; how < 5; how++)
			use(s, (uint8_t)(how | fast), key->number, at[i], 16);
}

static uint64_t alloc_memic(struct world_port *port, uint32_t size)
{
	uint8_t in[0x20] = { 0 }, out[16];

	be16_put(in, 0, 0x205);
	be64_put(in, 0x10, HCA_MEMIC_OFFSET);
	be32_put(in, 0x18, HCA_MEMIC_SIZE);
	be32_put(in, 0x1c, size);
	return world_cmd(port, in, sizeof(in), out, sizeof(out)) ? 0 : be64_at(out, 8);
}

static void free_memic(struct state *s)
{
	uint8_t in[0x20] = { 0 };

	be16_put(in, 0, 0x206);
	be64_put(in, 0x10, s->memic);
	be32_put(in, 0x18, PAGE);
	if (!world_cmd(s->a, in, sizeof(in), NULL, 8))
		s->memic = alloc_memic(s->a, PAGE);
}

static void destroy_key(struct state *s, struct input *in)
{
	uint8_t cmd[16] = { 0 };

	be16_put(cmd, 0, 0x202);
	be32_put(cmd, 8, s->key[input_below(in, s->keys)].number >> 8);
	world_cmd(s->a, cmd, sizeof(cmd), NULL, 8);
}

static struct queue_qp connected(struct world_port *port, uint32_t pd, uint32_t cqn, bool fre)
{
	struct queue_qp qp = { .port = port, .type = HCA_QP_RC, .pd = pd, .cqn = cqn, .fre = fre };

	queue_qp(&qp);
	return qp;
}

/* Keys as drivers have them, for a start. */
static void first_keys(struct state *s)
{
	uint8_t xlt[64] = { 0 };
	struct queue_key keys[] = {
		{ .bits = KEY_ALL | KEY_MODE(1), .start = s->mem, .len = 2 * PAGE, .octwords = 1 },
		{ .bits = KEY_LOCAL_READ | KEY_MODE(1),
		  .start = 0,
		  .len = PAGE - 100,
		  .octwords = 1 },
		{ .bits = KEY_ALL | KEY_MODE(2), .start = 0, .len = 2 * PAGE, .octwords = 2 },
		{ .bits = KEY_ALL | KEY_MODE(5), .start = s->memic, .len = PAGE },
		{ .bits = KEY_FREE | KEY_MODE(1), .declared = 16 },
		{ .bits = KEY_ALL | KEY_MODE(1), .start = s->mem, .len = 2 * PAGE, .octwords = 1 },
		{ .bits = KEY_ALL | KEY_MODE(1),
		  .start = s->mem,
		  .len = 2 * PAGE - 100,
		  .octwords = 1 },
		{ .bits = KEY_ALL | KEY_MODE(3),
		  .start = 0,
		  .len = PAGE,
		  .octwords = 1,
		  .log_page = 10 },
		/* Of the user, on pages that have more than they give. */
		{ .bits = KEY_ALL | KEY_MODE(1), .start = s->mem, .len = PAGE, .octwords = 1 },
		{ .bits = KEY_ALL | KEY_MODE(1),
		  .start = s->mem + 100,
		  .len = 2 * PAGE - 200,
		  .octwords = 1 },
	};
	uint32_t pds[] = { s->pd,	 s->pd,	    s->pd, s->pd, s->pd_kernel,
			   s->pd_victim, s->pd_fre, s->pd, s->pd, s->pd };
	struct input none = { 0 };

	for (unsigned int i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		bool list = i == 2 || i == 7;

		keys[i].pd = pds[i];
		keys[i].bits |= KEY_UMR;
		keys[i].log_page = keys[i].log_page ? keys[i].log_page : 12;
		keys[i].xlt = xlt;
		memset(xlt, 0, sizeof(xlt));
		for (unsigned int e = 0; e < 2; e++) {
			if (!list) {
				/* The victim's pages are others. */
				be64_put(xlt, 8 * e,
					 s->mem + PAGE * (e + (i == 5 ? PAGES + 2 : i)));
				continue;
			}
			be32_put(xlt, 16 * e, PAGE);
			be32_put(xlt, 16 * e + 4, s->key[0].number);
			be64_put(xlt, 16 * e + 8, s->mem + PAGE * e);
		}
		remember(s, &none, queue_key(s->a, &keys[i]), &keys[i]);
	}
}

static void set_up(struct state *s)
{
	uint32_t cqn, cqn_b;

	s->w = world_new(NULL);
	s->a = &s->w->port[0];
	s->b = &s->w->port[1];
	s->pd = world_simple(s->a, 0x800, 0, 0);
	s->pd_fre = world_simple(s->a, 0x800, 0, 0);
	s->pd_kernel = world_simple(s->a, 0x800, 0, 0);
	s->pd_victim = world_simple(s->a, 0x800, 0, 0);
	s->pd_b = world_simple(s->b, 0x800, 0, 0);
	cqn = queue_cq(s->a, queue_eq(s->a, 0, 0));
	cqn_b = queue_cq(s->b, queue_eq(s->b, 0, 0));
	s->user = connected(s->a, s->pd, cqn, false);
	s->fast = connected(s->a, s->pd_fre, cqn, true);
	s->user_b = connected(s->b, s->pd_b, cqn_b, false);
	s->fast_b = connected(s->b, s->pd_b, cqn_b, true);
	s->kernel = (struct queue_qp){
		.port = s->a, .type = HCA_QP_REG_UMR, .pd = s->pd_kernel, .cqn = cqn
	};
	queue_qp(&s->kernel);
	queue_connect(&s->user, &s->user_b);
	queue_connect(&s->user_b, &s->user);
	queue_connect(&s->fast, &s->fast_b);
	queue_connect(&s->fast_b, &s->fast);
	queue_connect(&s->kernel, &s->kernel);
	s->mem = world_alloc(s->w, (PAGES + 8) * PAGE, 16 * PAGE);
	s->lists = world_alloc(s->w, 16 * LISTS, PAGE);
	s->mem_b = world_alloc(s->w, 4 * PAGE, PAGE);
	memset(world_at(s->w, s->mem, (PAGES + 8) * PAGE), 0xa7, (PAGES + 8) * PAGE);
	memset(world_at(s->w, s->mem_b, 4 * PAGE), 0xb7, 4 * PAGE);
	s->lists_lkey = queue_plain_key(s->a, s->pd, KEY_LOCAL_READ, s->lists, 16 * LISTS);
	s->lists_fast = queue_plain_key(s->a, s->pd_fre, KEY_LOCAL_READ, s->lists, 16 * LISTS);
	s->lists_kernel = queue_plain_key(s->a, s->pd_kernel, KEY_LOCAL_READ, s->lists, 16 * LISTS);
	s->key_b = s->key_b_fast = queue_plain_key(s->b, s->pd_b, KEY_ALL, s->mem_b, 4 * PAGE);
	s->memic = alloc_memic(s->a, PAGE);
	first_keys(s);
}

void target_input(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	struct state s = { 0 };

	set_up(&s);
	for (unsigned int op = 0; op < OPS && !input_done(&in); op++) {
		uint8_t what = input_u8(&in);

		switch (what % 8) {
		case 0:
			make_key(&s, &in);
			use_anyhow(&s, &in, &s.key[s.keys - 1]);
			break;
		case 1:
		case 2:
		case 3: {
			const struct known *key = umr(&s, &in);

			if (what & 0x20 || s.near)
				sweep(&s, what >> 3 & 8, key);
			for (unsigned int i = 0; i < 1 + (what >> 3 & 3u); i++)
				use_anyhow(&s, &in, key);
			break;
		}
		case 4:
		case 5:
			use_anyhow(&s, &in, &s.key[input_below(&in, s.keys)]);
			break;
		case 6:
			destroy_key(&s, &in);
			break;
		default: {
			struct world_flip *flip = &s.w->flip[what >> 3 & 7];

			if (what & 0x80)
				free_memic(&s);
			flip->addr = s.lists + input_u8(&in);
			flip->value = input_u8(&in);
			flip->armed = true;
			break;
		}
		}
	}
	world_free(s.w);
}
