/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ServiceRecords (IBA 1.5, 15.2.5.14): a port says which services it has, for a time. Ports
 * register their own ones only. A record is named by service ID, GID and partition.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "subnet/internal.h"

#define RID_NEEDS (SERVICE_HAS_ID | SERVICE_HAS_GID | SERVICE_HAS_P_KEY)
#define FOREVER	  UINT32_MAX
#define SECOND	  1000000000ull

struct service {
	struct service *next;
	uint64_t end_ns; /* FOREVER: 0 */
	uint8_t record[SERVICE_LEN];
};

static bool same(const uint8_t *a, const uint8_t *b)
{
	return !memcmp(a, b, SERVICE_P_KEY) &&
	       (be16_at(a, SERVICE_P_KEY) & 0x7fff) == (be16_at(b, SERVICE_P_KEY) & 0x7fff);
}

/* The link to the record with the name in @asked, or to the end. @count: those before. */
static struct service **find(struct subnet_port *port, const uint8_t *asked, unsigned int *count)
{
	struct service **link = &port->services;

	for (*count = 0; *link && !same((*link)->record, asked); ++*count)
		link = &(*link)->next;
	return link;
}

static bool owns(const struct subnet_port *port, const uint8_t *gid)
{
	unsigned int i;

	for (i = 0; i < SUBNET_GUIDS; i++) {
		if (port->guid[i] && be64_at(gid, 0) == port->end.prefix &&
		    be64_at(gid, 8) == port->guid[i])
			return true;
	}
	return false;
}

static uint16_t check(const struct subnet_port *from, const struct sa_mad *mad)
{
	if ((mad->components & RID_NEEDS) != RID_NEEDS)
		return MAD_INSUFFICIENT;
	if (!owns(from, mad->data + SERVICE_GID))
		return MAD_INVALID_GID;
	if ((be16_at(mad->data, SERVICE_P_KEY) & 0x7fff) != (SUBNET_P_KEY & 0x7fff))
		return MAD_INVALID;
	return MAD_OK;
}

/* The key that a record was made with has to be there when it is changed. */
static bool has_key(const struct service *service, const struct sa_mad *mad)
{
	static const uint8_t none[SERVICE_KEY_LEN];
	const uint8_t *key = mad->components & SERVICE_HAS_KEY ? mad->data + SERVICE_KEY : none;

	return !memcmp(service->record + SERVICE_KEY, key, SERVICE_KEY_LEN);
}

/* As others see it: without its key, with what is left of the lease. */
static void fill(const struct subnet *subnet, const struct service *service, uint8_t *record)
{
	memcpy(record, service->record, SERVICE_LEN);
	memset(record + SERVICE_KEY, 0, SERVICE_KEY_LEN);
	if (service->end_ns)
		be32_put(record, SERVICE_LEASE,
			 (uint32_t)((service->end_ns - subnet->poll_ns + SECOND - 1) / SECOND));
}

uint16_t service_set(struct subnet_port *from, const struct sa_mad *mad, uint8_t *record)
{
	uint16_t status = check(from, mad);
	struct service **link, *service;
	uint32_t lease =
		mad->components & SERVICE_HAS_LEASE ? be32_at(mad->data, SERVICE_LEASE) : FOREVER;
	unsigned int count;

	if (status)
		return status;
	if (!lease)
		return MAD_INVALID;
	link = find(from, mad->data, &count);
	service = *link;
	if (service && !has_key(service, mad))
		return MAD_INVALID;
	if (!service) {
		service = count < SUBNET_PORT_SERVICES ? calloc(1, sizeof(*service)) : NULL;
		if (!service)
			return MAD_NO_RESOURCES;
		*link = service;
	}
	memcpy(service->record, mad->data, SERVICE_LEN);
	be32_put(service->record, SERVICE_LEASE, lease);
	if (!(mad->components & SERVICE_HAS_KEY))
		memset(service->record + SERVICE_KEY, 0, SERVICE_KEY_LEN);
	service->end_ns = lease == FOREVER ? 0 : from->subnet->poll_ns + lease * SECOND;
	fill(from->subnet, service, record);
	return MAD_OK;
}

static void drop(struct service **link)
{
	struct service *service = *link;

	*link = service->next;
	free(service);
}

uint16_t service_delete(struct subnet_port *from, const struct sa_mad *mad, uint8_t *record)
{
	uint16_t status = check(from, mad);
	struct service **link;
	unsigned int count;

	if (status)
		return status;
	link = find(from, mad->data, &count);
	if (!*link)
		return MAD_NO_RECORDS;
	if (!has_key(*link, mad))
		return MAD_INVALID;
	fill(from->subnet, *link, record);
	drop(link);
	return MAD_OK;
}

void service_records(struct subnet *subnet, struct records *records)
{
	uint8_t record[RECORD_MAX];
	unsigned int i;

	for (i = 0; i < SUBNET_PORTS; i++) {
		const struct service *service = subnet->port[i] ? subnet->port[i]->services : NULL;

		for (; service; service = service->next) {
			fill(subnet, service, record);
			records_offer(records, record);
		}
	}
}

void service_forget(struct subnet_port *port)
{
	while (port->services)
		drop(&port->services);
}

void service_poll(struct subnet_port *port, uint64_t now_ns)
{
	struct service **link = &port->services;

	while (*link) {
		if ((*link)->end_ns && now_ns >= (*link)->end_ns)
			drop(link);
		else
			link = &(*link)->next;
	}
}
