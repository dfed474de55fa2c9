// SPDX-License-Identifier: GPL-2.0-only OR Linux-OpenIB
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <infiniband/verbs.h>

#include "bar_memory.h"

#define ACCESS (IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ)

static const char *const policies[] = { [IBV_DMABUF_TPH_AUTO] = "auto",
					[IBV_DMABUF_TPH_REQUIRE] = "require",
					[IBV_DMABUF_TPH_IGNORE] = "ignore" };
#define POLICIES (sizeof(policies) / sizeof(policies[0]))

static bool parse_policy(struct bar_memory *mem, const char *arg)
{
	for (uint32_t i = 0; i < POLICIES; i++) {
		if (strcmp(arg, policies[i]))
			continue;
		mem->policy = i;
		mem->policy_name = policies[i];
		return true;
	}
	warnx("-r %s: neither require, auto nor ignore", arg);
	return false;
}

bool bar_memory_option(struct bar_memory *mem, int opt, const char *arg)
{
	char bdf[VFIOBAR_BDF_LEN];
	uint64_t value = 0;
	bool good = true;

	switch (opt) {
	case 'd':
		mem->bdf = arg;
		good = !vfiobar_parse_bdf(arg, bdf, NULL);
		if (!good)
			warnx("-d %s: not an address of a PCI function, [domain:]bus:dev.fn", arg);
		break;
	case 'b':
		good = bar_number(opt, arg, 0, VFIOBAR_BARS - 1, &value);
		mem->bar = (unsigned int)value;
		mem->bar_given = true;
		break;
	case 'o':
		good = bar_number(opt, arg, 0, UINT64_MAX / 2, &mem->offset);
		mem->bar_given = true;
		break;
	case 'l':
		good = bar_number(opt, arg, 1, UINT32_MAX, &mem->length);
		break;
	case 't':
		good = bar_number(opt, arg, 0, 0xff, &value);
		mem->hint.st = (uint8_t)value;
		mem->hint.has_st = true;
		break;
	case 'T':
		good = bar_number(opt, arg, 0, 0xffff, &value);
		mem->hint.st_ext = (uint16_t)value;
		mem->hint.has_st_ext = true;
		break;
	case 'P':
		good = bar_number(opt, arg, 0, 3, &value);
		mem->hint.ph = (uint8_t)value;
		mem->ph_given = true;
		break;
	case 'r':
		good = parse_policy(mem, arg);
		break;
	case 'm':
		mem->host = true;
		break;
	case 'v':
		mem->verify = true;
		break;
	default:
		good = false;
	}
	return good;
}

bool bar_memory_options_done(struct bar_memory *mem, unsigned int slices)
{
	bool tag = mem->hint.has_st || mem->hint.has_st_ext;

	mem->slices = slices;
	if (mem->host && (mem->bdf || mem->bar_given || tag || mem->ph_given || mem->policy_name)) {
		warnx("-m: host memory, which has no BAR and no hint: not with -d, -b, -o, -t, -T, "
		      "-P or -r");
		return false;
	}
	if (!mem->host && !mem->bdf) {
		warnx("-d: which function? (-m for host memory)");
		return false;
	}
	if (!tag && mem->ph_given) {
		warnx("-P %u: a PH needs a tag, -t or -T", mem->hint.ph);
		return false;
	}
	if (!tag && mem->policy_name && mem->policy == IBV_DMABUF_TPH_REQUIRE) {
		warnx("-r require: there is no hint to insist on; -t or -T gives one");
		return false;
	}
	if (mem->hint.has_st && mem->hint.st + slices - 1 > 0xff) {
		warnx("-t %u: %u clients with a tag each need tags above 255", mem->hint.st,
		      slices);
		return false;
	}
	if (mem->hint.has_st_ext && mem->hint.st_ext + slices - 1 > 0xffff) {
		warnx("-T %u: %u clients with a tag each need tags above 65535", mem->hint.st_ext,
		      slices);
		return false;
	}
	if (tag && !mem->policy_name)
		parse_policy(mem, "require");
	return true;
}

/* The dma-buf of a slice. Its descriptor, or -1. */
static int export(struct bar_memory *mem, unsigned int slice)
{
	struct vfiobar_hint hint = mem->hint;
	struct vfiobar_msg msg;
	int fd;

	fd = vfiobar_export(mem->dev, mem->bar, mem->offset + slice * mem->length, mem->length,
			    &msg);
	if (fd < 0) {
		warnx("-d %s -b %u -o %llu -l %llu: %s", mem->bdf, mem->bar,
		      (unsigned long long)mem->offset, (unsigned long long)mem->length, msg.text);
		return -1;
	}
	if (!hint.has_st && !hint.has_st_ext)
		return fd;
	hint.size = sizeof(hint);
	if (hint.has_st)
		hint.st = (uint8_t)(hint.st + slice);
	if (hint.has_st_ext)
		hint.st_ext = (uint16_t)(hint.st_ext + slice);
	if (!vfiobar_set_hint(mem->dev, fd, &hint, &msg))
		return fd;
	warnx("-d %s%s%s: %s", mem->bdf, hint.has_st ? " -t" : "", hint.has_st_ext ? " -T" : "",
	      msg.text);
	if (mem->policy != IBV_DMABUF_TPH_REQUIRE)
		return fd;
	close(fd);
	return -1;
}

int bar_memory_open(struct bar_memory *mem)
{
	uint64_t length = mem->slices * mem->length;
	struct vfiobar_msg msg;

	for (unsigned int i = 0; i < mem->slices; i++)
		mem->fd[i] = -1;
	if (mem->host) {
		mem->buf = aligned_alloc(4096, (length + 4095) & ~4095ull);
		if (!mem->buf) {
			warn("-l %llu", (unsigned long long)mem->length);
			return -1;
		}
		/* Peers read it. */
		memset(mem->buf, 0, length);
		return 0;
	}
	if (vfiobar_open(mem->bdf, &mem->dev, &msg)) {
		warnx("-d %s: %s", mem->bdf, msg.text);
		mem->dev = NULL;
		return -1;
	}
	if (mem->verify &&
	    vfiobar_window_open(mem->dev, mem->bar, mem->offset, length, &mem->window, &msg)) {
		warnx("-v -d %s -b %u -o %llu -l %llu: %s", mem->bdf, mem->bar,
		      (unsigned long long)mem->offset, (unsigned long long)mem->length, msg.text);
		goto err;
	}
	for (unsigned int i = 0; i < mem->slices; i++) {
		mem->fd[i] = export(mem, i);
		if (mem->fd[i] < 0)
			goto err;
	}
	return 0;
err:
	bar_memory_close(mem);
	return -1;
}

void bar_memory_close(struct bar_memory *mem)
{
	for (unsigned int i = 0; i < mem->slices; i++)
		if (mem->fd[i] >= 0)
			close(mem->fd[i]);
	vfiobar_window_close(mem->window);
	vfiobar_close(mem->dev);
	free(mem->buf);
	mem->slices = 0;
	mem->window = NULL;
	mem->dev = NULL;
	mem->buf = NULL;
}

bool bar_memory_request(const struct bar_memory *mem, const struct rdma_cm_event *event,
			const char *client, struct bar_job *job, struct bar_refusal *refusal)
{
	const struct rdma_conn_param *conn = &event->param.conn;

	*refusal = (struct bar_refusal){ .header = bar_header(BAR_REFUSAL) };
	if (!bar_is(BAR_REQUEST, conn->private_data, conn->private_data_len) ||
	    !bar_job(conn->private_data, job))
		snprintf(refusal->text, sizeof(refusal->text), "no client of this service");
	else if (job->size > mem->length)
		snprintf(refusal->text, sizeof(refusal->text),
			 "messages of %u bytes do not fit into %llu", job->size,
			 (unsigned long long)mem->length);
	else
		return true;
	warnx("client %s: turned away: %s", client, refusal->text);
	return false;
}

/* Why a registration failed with @err. */
static void why(const struct bar_memory *mem, struct ibv_context *context, int err, char *text,
		size_t size)
{
	struct ibv_tph_caps caps = { 0 };
	bool require = mem->policy == IBV_DMABUF_TPH_REQUIRE;

	if (require && ibv_query_tph_caps(context, &caps))
		caps.st_width = 0;
	if (require && err == ENODATA)
		snprintf(text, size, "it sends %u-bit tags, and there is none, see -%c",
			 caps.st_width, caps.st_width == 8 ? 't' : 'T');
	else if (require && err == ENOSPC)
		snprintf(text, size,
			 "it has no room for another tag, it takes up to %u of a program",
			 caps.max_tags);
	else if (require && err == ERANGE)
		snprintf(text, size, "the largest tag for its memory keys is %u", caps.max_tag);
	else if (require && err == EOPNOTSUPP)
		snprintf(text, size, "device, driver or kernel cannot send hints of dma-bufs");
	else
		snprintf(text, size, "%s", strerror(err));
}

static struct ibv_mr *reg(const struct bar_memory *mem, unsigned int slice, struct ibv_pd *pd)
{
	struct ibv_mr_init_attr attr = { .comp_mask =
						 IBV_REG_MR_MASK_FD | IBV_REG_MR_MASK_FD_OFFSET |
						 IBV_REG_MR_MASK_IOVA | IBV_REG_MR_MASK_DMABUF_TPH,
					 .length = mem->length,
					 .access = ACCESS,
					 .fd = mem->fd[slice],
					 .dmabuf_tph_policy = mem->policy };

	if (mem->host)
		return ibv_reg_mr(pd, mem->buf + slice * mem->length, mem->length, ACCESS);
	return ibv_reg_mr_ex(pd, &attr);
}

/* Why the MR has no hint though there is one, as the end of a sentence. */
static const char *why_not(const struct ibv_mr_tph_attr *tph)
{
	static const char *const reasons[] = {
		[IBV_MR_TPH_REASON_NONE] = ", which it cannot have",
		[IBV_MR_TPH_REASON_WIDTH] = ", which it cannot have: the tag is of the other width",
		[IBV_MR_TPH_REASON_RANGE] = ", which it cannot have: the tag is too large",
		[IBV_MR_TPH_REASON_SPACE] = ", which it cannot have: no room for another tag",
		[IBV_MR_TPH_REASON_WRITE] = ", which it cannot have: the device took no tag",
		[IBV_MR_TPH_REASON_KEY] = ", which it cannot have: the device refused such a key",
		[IBV_MR_TPH_REASON_OFF] = ", which it cannot have: TPH was turned off",
	};

	if (!(tph->flags & IBV_MR_TPH_FALLBACK))
		return "";
	return reasons[tph->reason < sizeof(reasons) / sizeof(reasons[0]) ? tph->reason : 0];
}

/* Prints what the memory key has. A kernel that cannot say is none with hints. */
static void describe(struct ibv_mr *mr, const char *client, struct bar_offer *offer)
{
	static const char *const sources[] = { [IBV_MR_TPH_SOURCE_NONE] = "none",
					       [IBV_MR_TPH_SOURCE_DMAH] = "DMA handle",
					       [IBV_MR_TPH_SOURCE_DMABUF] = "dma-buf" };
	struct ibv_mr_tph_attr tph = { 0 };
	char hint[64] = "no hint";

	if (ibv_query_mr_tph(mr, &tph))
		memset(&tph, 0, sizeof(tph));
	if (tph.flags & IBV_MR_TPH_APPLIED) {
		snprintf(hint, sizeof(hint), "tag %u, PH %u, %u-bit, from %s", tph.steering_tag,
			 tph.ph, tph.st_width, tph.source < 3 ? sources[tph.source] : "elsewhere");
		offer->flags = BAR_OFFER_TPH | (tph.st_width == 16 ? BAR_OFFER_TAG_16 : 0);
		offer->tag = htobe16(tph.steering_tag);
		offer->ph = tph.ph;
	}
	printf("client %s: %s: memory key 0x%x: %s%s\n", client,
	       ibv_get_device_name(mr->context->device), mr->rkey, hint, why_not(&tph));
}

struct ibv_mr *bar_memory_register(struct bar_memory *mem, unsigned int slice, struct ibv_pd *pd,
				   const char *client, struct bar_offer *offer,
				   struct bar_refusal *refusal)
{
	const char *device = ibv_get_device_name(pd->context->device);
	struct ibv_mr *mr = reg(mem, slice, pd);
	int err = errno;

	if (!mr) {
		char cause[96];

		*refusal = (struct bar_refusal){ .header = bar_header(BAR_REFUSAL) };
		why(mem, pd->context, err, cause, sizeof(cause));
		snprintf(refusal->text, sizeof(refusal->text), "%s: %s (%s)", device, cause,
			 vfiobar_errno_name(err));
		if (mem->host)
			warnx("client %s: -m: no registration: %s", client, refusal->text);
		else
			warnx("client %s: -d %s%s%s: no registration: %s", client, mem->bdf,
			      mem->policy_name ? " -r " : "",
			      mem->policy_name ? mem->policy_name : "", refusal->text);
		return NULL;
	}
	*offer = (struct bar_offer){
		.header = bar_header(BAR_OFFER),
		/* The address of a dma-buf's region is the one asked for, which is 0. */
		.addr = htobe64(mem->host ? (uintptr_t)mr->addr : 0),
		.rkey = htobe32(mr->rkey),
		.len = htobe32((uint32_t)mem->length),
	};
	describe(mr, client, offer);
	return mr;
}

int bar_memory_verify(struct bar_memory *mem, unsigned int slice, const struct bar_job *job,
		      const char *client)
{
	uint32_t len = (uint32_t)mem->length, slots = bar_slots(job, len);
	struct vfiobar_msg msg;
	uint8_t *want, *have;
	int ret = -1;

	if (!mem->verify)
		return 0;
	want = malloc(job->size);
	have = malloc(job->size);
	if (!want || !have) {
		warn("client %s: -v", client);
		goto out;
	}
	for (uint32_t slot = 0; slot < slots; slot++) {
		uint64_t at = slice * mem->length + (uint64_t)slot * job->size;
		uint32_t differs;
		int err = 0;

		bar_fill(job, bar_last(job, len, slot), want);
		if (mem->host)
			memcpy(have, mem->buf + at, job->size);
		else
			err = vfiobar_window_read(mem->window, at, have, job->size, &msg);
		if (err) {
			warnx("client %s: -v: %s", client, msg.text);
			goto out;
		}
		differs = bar_differs(want, have, job->size);
		if (differs < job->size) {
			warnx("client %s: -v: byte %llu is 0x%02x, not 0x%02x", client,
			      (unsigned long long)slot * job->size + differs, have[differs],
			      want[differs]);
			goto out;
		}
	}
	printf("client %s: verified: %llu bytes\n", client, (unsigned long long)slots * job->size);
	ret = 0;
out:
	free(want);
	free(have);
	return ret;
}
