/* SPDX-License-Identifier: GPL-2.0-only */
#include "hca/eth_inbox.h"

#include "hca/budget.h"

static void queue(struct hca *hca, const uint8_t *frame, size_t len, uint32_t td)
{
	struct hca_eth_inbox *inbox = &hca->eth->inbox;
	struct hca_eth_waiting *waiting = NULL;
	bool idle = !inbox->head;

	if (len + HCA_ETH_FCS > hca_eth_mtu(hca)) {
		hca->eth->rx_long++;
		return;
	}
	if (inbox->frames < HCA_ETH_INBOX_FRAMES && len <= HCA_ETH_INBOX_BYTES - inbox->bytes)
		waiting = hca_alloc(hca, sizeof(*waiting) + len);
	if (!waiting) {
		hca->eth->rx_lost++;
		return;
	}
	waiting->td = td;
	waiting->len = len;
	memcpy(waiting->bytes, frame, len);
	*(idle ? &inbox->head : &inbox->tail->next) = waiting;
	inbox->tail = waiting;
	inbox->frames++;
	inbox->bytes += len;
	if (idle && hca->wake)
		hca->wake(hca->wake_arg);
}

void hca_eth_deliver(void *owner, const uint8_t *frame, size_t len)
{
	queue(owner, frame, len, 0);
}

void hca_eth_loop(struct hca *hca, const uint8_t *frame, size_t len, uint32_t td)
{
	queue(hca, frame, len, td);
}

void hca_eth_pop(struct hca *hca)
{
	struct hca_eth_inbox *inbox = &hca->eth->inbox;
	struct hca_eth_waiting *head = inbox->head;

	inbox->head = head->next;
	inbox->frames--;
	inbox->bytes -= head->len;
	inbox->rqn = 0;
	hca_release(hca, head);
}

void hca_eth_drop(struct hca *hca)
{
	while (hca->eth->inbox.head)
		hca_eth_pop(hca);
}
