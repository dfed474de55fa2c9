/* SPDX-License-Identifier: GPL-2.0-only */
/* The subnet administrator: one MAD in, at most one answer out. */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "subnet/internal.h"

const char *const subnet_counter_names[SUBNET_COUNTERS] = {
	[SUBNET_QUERIES] = "queries", [SUBNET_LENGTH] = "length", [SUBNET_VERSION] = "version",
	[SUBNET_CLASS] = "class",     [SUBNET_METHOD] = "method", [SUBNET_RMPP] = "rmpp",
	[SUBNET_KEY] = "key",	      [SUBNET_BUSY] = "busy",	  [SUBNET_STANDBY] = "standby",
	[SUBNET_SMP] = "smp",
};

/* Groups passed by in a search are cheaper than records that are compared. */
#define GROUPS_A_RECORD 32u

void sa_count(struct subnet *subnet, enum subnet_counter counter)
{
	pthread_mutex_lock(&subnet->lock);
	subnet->counter[counter]++;
	pthread_mutex_unlock(&subnet->lock);
}

uint64_t subnet_count(struct subnet *subnet, enum subnet_counter counter)
{
	uint64_t value;

	pthread_mutex_lock(&subnet->lock);
	value = subnet->counter[counter];
	pthread_mutex_unlock(&subnet->lock);
	return value;
}

/* Records for Get, GetTable. A GetTable of none is an answer without records, a Get an error. */
static uint16_t collect(struct subnet *subnet, const struct sa_mad *mad, struct records *records)
{
	records->kind = record_kind(mad->attribute);
	records->query = mad;
	if (!records->kind)
		return MAD_BAD_ATTRIBUTE;
	if (mad->attribute == MAD_MC_MEMBER_RECORD)
		group_records(subnet, mad->sm_key == SM_KEY || mad->components & MC_HAS_PORT_GID,
			      records);
	else if (mad->attribute == MAD_SERVICE_RECORD)
		service_records(subnet, records);
	else
		records_collect(subnet, records);
	if (records->failed)
		return MAD_NO_RESOURCES;
	if (mad->method == MAD_GET_TABLE)
		return MAD_OK;
	/* Of paths, any is as good as the others. */
	if (records->count > 1 && mad->attribute != MAD_PATH_RECORD)
		return MAD_TOO_MANY;
	return records->count ? MAD_OK : MAD_NO_RECORDS;
}

static uint16_t execute(struct subnet_port *from, const struct sa_mad *mad, struct records *records,
			struct sa_mad *answer)
{
	uint16_t status;

	switch (mad->method) {
	case MAD_GET:
		if (mad->attribute == MAD_CLASS_PORT_INFO) {
			record_class_port_info(answer->data);
			return MAD_OK;
		}
		status = collect(from->subnet, mad, records);
		if (!status)
			memcpy(answer->data, records->data, record_stride(records->kind));
		return status;
	case MAD_GET_TABLE:
		return collect(from->subnet, mad, records);
	case MAD_SET:
		if (mad->attribute == MAD_SERVICE_RECORD)
			return service_set(from, mad, answer->data);
		return mad->attribute == MAD_MC_MEMBER_RECORD ? group_join(from, mad, answer->data)
							      : MAD_BAD_ATTRIBUTE;
	case MAD_DELETE:
		if (mad->attribute == MAD_SERVICE_RECORD)
			return service_delete(from, mad, answer->data);
		return mad->attribute == MAD_MC_MEMBER_RECORD ? group_leave(from, mad, answer->data)
							      : MAD_BAD_ATTRIBUTE;
	default:
		return MAD_BAD_METHOD;
	}
}

void sa_receive(struct subnet_port *from, const struct subnet_packet *packet)
{
	struct subnet *subnet = from->subnet;
	struct records records = { 0 };
	const struct record_kind *kind;
	struct sa_mad mad, answer;
	uint8_t raw[MAD_LEN];
	enum subnet_counter verdict;

	verdict = packet->q_key == SUBNET_QP1_Q_KEY
			  ? sa_mad_decode(packet->data + SUBNET_GRH_LEN, packet->len, &mad)
			  : SUBNET_KEY;
	if (verdict == SUBNET_QUERIES && mad.sm_key && mad.sm_key != SM_KEY)
		verdict = SUBNET_KEY;
	if (verdict == SUBNET_QUERIES && subnet->sm_state != SM_MASTER)
		verdict = SUBNET_STANDBY;
	/* An answer to an answer would change what is being sent. */
	if (verdict == SUBNET_QUERIES && (!from->work || subnet->replying))
		verdict = SUBNET_BUSY;
	if (verdict != SUBNET_QUERIES) {
		sa_count(subnet, verdict);
		return;
	}
	from->work--;
	if (mad.rmpp_flags & MAD_RMPP_ACTIVE) {
		rmpp_receive(from, packet, &mad);
		return;
	}
	sa_count(subnet, SUBNET_QUERIES);
	answer = mad;
	answer.rmpp_flags = 0;
	answer.rmpp_type = MAD_RMPP_NONE;
	answer.status = execute(from, &mad, &records, &answer);
	records.looked_at += subnet->groups_end / GROUPS_A_RECORD;
	from->work -= from->work < records.looked_at ? from->work : records.looked_at;
	answer.method = mad.method == MAD_DELETE      ? MAD_DELETE | MAD_RESPONSE
			: mad.method == MAD_GET_TABLE ? MAD_GET_TABLE | MAD_RESPONSE
						      : MAD_GET | MAD_RESPONSE;
	kind = record_kind(mad.attribute);
	answer.record_octets = kind ? (uint16_t)(record_stride(kind) / 8) : 0;
	if (mad.method == MAD_GET_TABLE && !answer.status) {
		rmpp_answer(from, packet, &answer, &records);
		return;
	}
	free(records.data);
	sa_mad_encode(&answer, raw);
	subnet_reply(from, packet, raw);
}
