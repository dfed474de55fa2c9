/* SPDX-License-Identifier: GPL-2.0-only */
/* What QP1 of the switch sends back. */
#include <string.h>

#include "base/bits.h"
#include "subnet/internal.h"

#define GRH_NEXT_IB 0x1bu
#define GRH_EXTRA   (12u + 8u + 4u) /* BTH, DETH, ICRC */

void subnet_reply(struct subnet_port *to, const struct subnet_packet *request,
		  const uint8_t mad[MAD_LEN])
{
	uint8_t data[SUBNET_GRH_LEN + MAD_LEN] = { 0 };
	struct subnet_packet packet = {
		.slid = to->subnet->sw.end[0].lid,
		.dlid = request->slid,
		.sl = request->sl,
		.p_key = SUBNET_P_KEY,
		.src_qpn = SUBNET_QP1,
		.dest_qpn = request->src_qpn,
		.q_key = SUBNET_QP1_Q_KEY,
		.grh = request->grh,
		.data = data,
		.len = MAD_LEN,
	};

	if (request->grh) {
		be32_put(data, 0, 6u << 28);
		be16_put(data, 4, MAD_LEN + GRH_EXTRA);
		data[6] = GRH_NEXT_IB;
		be64_put(data, 8, SUBNET_GID_PREFIX);
		be64_put(data, 16, SM_GUID);
		memcpy(data + 24, request->data + 8, 16);
	}
	memcpy(data + SUBNET_GRH_LEN, mad, MAD_LEN);
	if (!subnet_link(to))
		return;
	to->subnet->replying = true;
	to->attr.deliver(to->attr.owner, &packet);
	to->subnet->replying = false;
}
