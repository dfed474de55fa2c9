// SPDX-License-Identifier: GPL-2.0-only
/* Checks of read-back and wire; see evidence.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evidence.h"

#define WRITE_BYTES 4096u

struct vfiobar_hint hint_of(unsigned int width, uint16_t tag, uint8_t ph)
{
	return width == 16 ? mr_st_ext(tag, ph) : mr_st((uint8_t)tag, ph);
}

struct ib_uverbs_mr_tph tph_applied(struct wire_hint hint, unsigned int policy)
{
	return (struct ib_uverbs_mr_tph){ .flags = IB_UVERBS_MR_TPH_APPLIED,
					  .steering_tag = hint.st,
					  .ph = hint.ph,
					  .st_width = hint.width,
					  .source = IB_UVERBS_MR_TPH_SOURCE_DMABUF,
					  .policy = (uint8_t)policy };
}

struct ib_uverbs_mr_tph tph_none(unsigned int policy)
{
	return (struct ib_uverbs_mr_tph){ .policy = (uint8_t)policy };
}

struct ib_uverbs_mr_tph tph_fallback(unsigned int reason, unsigned int policy)
{
	return (struct ib_uverbs_mr_tph){ .flags = IB_UVERBS_MR_TPH_FALLBACK,
					  .policy = (uint8_t)policy,
					  .reason = (uint8_t)reason };
}

struct wire_hint tph_wire(const struct ib_uverbs_mr_tph *tph)
{
	if (!(tph->flags & IB_UVERBS_MR_TPH_APPLIED))
		return (struct wire_hint){ .th = false };
	return (struct wire_hint){
		.th = true, .ph = tph->ph, .width = tph->st_width, .st = tph->steering_tag
	};
}

void check_tph(const struct mr_hca *hca, const struct mr *mr,
	       const struct ib_uverbs_mr_tph *expected)
{
	struct mr_info info;
	static const uint8_t zero[sizeof(info.tph.reserved)];

	if (!CHECK_EQUAL(0, mr_query(hca, mr, &info)) || !CHECK(info.has_tph))
		return;
	CHECK_EQUAL(mr->lkey, info.lkey);
	CHECK_EQUAL(mr->rkey, info.rkey);
	CHECK_EQUAL(mr->length, info.length);
	CHECK_EQUAL(mr->iova, info.iova);
	CHECK_EQUAL(expected->flags, info.tph.flags);
	CHECK_EQUAL(expected->steering_tag, info.tph.steering_tag);
	CHECK_EQUAL(expected->ph, info.tph.ph);
	CHECK_EQUAL(expected->st_width, info.tph.st_width);
	CHECK_EQUAL(expected->source, info.tph.source);
	CHECK_EQUAL(expected->policy, info.tph.policy);
	CHECK_EQUAL(expected->reason, info.tph.reason);
	CHECK(!memcmp(zero, info.tph.reserved, sizeof(zero)));
}

void check_arrived(const char *endpoint, struct wire_hint hint, uint64_t bytes)
{
	struct control_count count[8];
	int n = control_counts(endpoint, count, 8);

	if (!CHECK_EQUAL(1, n)) {
		for (int i = 0; i < n && i < 8; i++)
			ktap_note("TH %d ST %u/%u PH %u: %llu bytes written, %llu read",
				  count[i].th, count[i].st, count[i].width, count[i].ph,
				  (unsigned long long)count[i].write_bytes,
				  (unsigned long long)count[i].read_bytes);
		return;
	}
	CHECK_EQUAL(hint.th, count[0].th);
	CHECK_EQUAL(hint.st, count[0].st);
	CHECK_EQUAL(hint.ph, count[0].ph);
	CHECK_EQUAL(hint.width, count[0].width);
	CHECK_EQUAL(bytes, count[0].write_bytes);
	CHECK_EQUAL(0, count[0].reads);
}

void check_nothing_arrived(const char *endpoint)
{
	struct control_count count;

	CHECK_EQUAL(0, control_counts(endpoint, &count, 1));
}

void check_write(struct mr_link *link, const struct mr *mr, const char *endpoint,
		 struct wire_hint hint)
{
	CHECK_EQUAL(0, control_reset_counts(endpoint));
	if (CHECK_EQUAL(IBV_WC_SUCCESS, mr_link_write(link, mr, 0, WRITE_BYTES)))
		check_arrived(endpoint, hint, WRITE_BYTES);
	else
		CHECK_EQUAL(0, mr_link_reconnect(link));
}

/* Each in a page of its own: the DMA API's debugging wants no page mapped more than 8 times. */
static int hold(struct table *table, unsigned int place, struct mr *mr)
{
	struct mr_request request = mr_request(-1, MR_PAGE, IB_UVERBS_MR_TPH_REQUIRE);
	uint16_t tag = (uint16_t)(TABLE_FIRST_TAG + place);
	int ret;

	request.fd = mr_bar_export_hinted(table->bar, table->bar->length - (place + 1) * MR_PAGE,
					  MR_PAGE, hint_of(table->width, tag, 1));
	if (request.fd < 0)
		return request.fd;
	ret = mr_reg_dmabuf(table->hca, &request, mr);
	close(request.fd);
	return ret;
}

void table_open(struct table *table, const struct mr_hca *hca, struct mr_bar *bar)
{
	struct mr_tph_caps caps;
	int ret = mr_tph_caps(hca, &caps);

	if (ret)
		ktap_bail("QUERY_TPH_CAPS: %d", ret);
	*table = (struct table){
		.hca = hca, .bar = bar, .width = caps.st_width, .max_tags = caps.max_tags
	};
	if (!table->max_tags)
		return;
	table->mr = calloc(table->max_tags, sizeof(*table->mr));
	if (!table->mr)
		ktap_bail("no memory for the table");
	while (table->count < table->max_tags - 1) {
		ret = table_fill(table);
		if (ret)
			ktap_bail("tag %u of %u: %d", table->count, table->max_tags, ret);
	}
}

void table_close(struct table *table)
{
	while (table->count)
		table_unfill(table);
	free(table->mr);
	*table = (struct table){ 0 };
}

int table_fill(struct table *table)
{
	int ret;

	if (!table->max_tags)
		return 0;
	ret = hold(table, table->count, &table->mr[table->count]);
	table->count += !ret;
	return ret;
}

int table_unfill(struct table *table)
{
	return table->count ? mr_dereg(table->hca, &table->mr[--table->count]) : 0;
}

void table_check(struct table *table)
{
	struct mr mr;

	if (!table->max_tags)
		return;
	if (!CHECK_EQUAL(0, table_fill(table)))
		return;
	CHECK_EQUAL(-ENOSPC, hold(table, table->max_tags, &mr));
	CHECK_EQUAL(0, table_unfill(table));
}
