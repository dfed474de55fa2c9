/* SPDX-License-Identifier: GPL-2.0-only */
/* MADs for a target: of each class, mostly such that they get past the first check. */
#ifndef FUZZ_MADS_H
#define FUZZ_MADS_H

#include "fuzz/input.h"

#define MADS_PORTS 3u /* of the target's own, with LIDs from MADS_LID on */
#define MADS_LID   100u
#define MADS_GUID  0x300u

/* A request of port @sender for the administrator, or for performance management. @mad: 256 bytes,
 * zero. */
void mads_request(struct input *in, unsigned int sender, uint8_t *mad);
/* A step of the dialog that @last, a MAD of the administrator, belongs to. */
void mads_rmpp(struct input *in, const uint8_t *last, uint8_t *mad);
/*
 * An SMP as who sends it fills it in. @last: the SMP that came last, whose data a Set may take.
 * @packet_lid: where it is to be sent.
 */
void mads_smp(struct input *in, const uint8_t *last, uint8_t *mad, uint16_t *packet_lid);

#endif
