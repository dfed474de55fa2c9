/* SPDX-License-Identifier: GPL-2.0-only */
#include "hca/inbox.h"

#include "hca/budget.h"
#include "hca/capture.h"

static bool has_room(const struct hca_inbox *inbox, size_t bytes)
{
	return inbox->packets < HCA_INBOX_PACKETS && bytes <= HCA_INBOX_BYTES - inbox->bytes;
}

void hca_ud_queue(struct hca *hca, const struct subnet_packet *packet, uint32_t sender)
{
	size_t bytes = SUBNET_GRH_LEN + packet->len;
	struct hca_inbox *inbox = &hca->inbox;
	struct hca_datagram *datagram = NULL;
	bool idle = !inbox->head;

	if (has_room(inbox, bytes))
		datagram = hca_alloc(hca, sizeof(*datagram) + bytes);
	if (!datagram) {
		inbox->lost.packets++;
		inbox->lost.octets += packet->len;
		return;
	}
	datagram->packet = *packet;
	datagram->packet.data = datagram->data;
	datagram->sender = sender;
	memcpy(datagram->data, packet->data, bytes);
	*(idle ? &inbox->head : &inbox->tail->next) = datagram;
	inbox->tail = datagram;
	inbox->packets++;
	inbox->bytes += bytes;
	if (idle && hca->wake)
		hca->wake(hca->wake_arg);
}

void hca_ud_deliver(void *owner, const struct subnet_packet *packet)
{
	hca_capture_datagram(owner, PCAPNG_IN, packet);
	hca_ud_queue(owner, packet, 0);
}

void hca_ud_leaves(void *owner, const struct subnet_packet *packet)
{
	hca_capture_datagram(owner, PCAPNG_OUT, packet);
}

void hca_ud_pop(struct hca *hca)
{
	struct hca_inbox *inbox = &hca->inbox;
	struct hca_datagram *head = inbox->head;

	inbox->head = head->next;
	inbox->packets--;
	inbox->bytes -= SUBNET_GRH_LEN + head->packet.len;
	inbox->qpn = 0;
	hca->mcg.cursor = 0;
	hca_release(hca, head);
}

void hca_ud_drop(struct hca *hca)
{
	while (hca->inbox.head)
		hca_ud_pop(hca);
}
