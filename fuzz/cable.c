/* SPDX-License-Identifier: GPL-2.0-only */
#include "fuzz/cable.h"

#include "fuzz/oracle.h"

/* What a report says of the packets that were sent adds up. */
static void check_report(struct world_port *port)
{
	static struct hca_impairment report;

	if (!hca_impairment(port->hca, &report))
		return;
	if (report.events > IMPAIRMENT_LOG || report.events > report.all_events)
		oracle_violation(port, "%u events of %lu", report.events, report.all_events);
	for (unsigned int i = 0; i < HCA_PACKET_KINDS; i++) {
		const struct impairment_counts *counts = &report.counts[i];

		if (counts->lost > counts->packets || counts->doubled > counts->packets)
			oracle_violation(port, "%s: %lu lost, %lu doubled of %lu",
					 hca_packet_kinds[i], counts->lost, counts->doubled,
					 counts->packets);
	}
}

void cable(struct world *w, struct input *in)
{
	uint8_t what = input_u8(in);
	struct world_port *port = &w->port[what & 1];
	struct impairment_spec spec;

	switch (what >> 1 & 7) {
	case 0:
		hca_impair(port->hca, NULL);
		break;
	case 1:
		check_report(port);
		break;
	case 2:
		hca_set_link(port->hca, what & 0x10);
		break;
	case 3:
	case 4:
		world_capture(port, what & 0x10 ? input_u8(in) * 8u : 0);
		break;
	default:
		spec = input_spec(in);
		hca_impair(port->hca, &spec);
		break;
	}
	if (what & 0x80)
		check_report(port);
	world_poll(w, what >> 5 & 3);
}
