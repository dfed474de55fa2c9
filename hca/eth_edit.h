/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes of a frame on its way: into a tunnel, out of one, other addresses. Pure functions, as
 * those of eth_frame.h. Tunnels that are known are VXLAN (RFC 7348), GRE (RFC 2784, 2890) and
 * Geneve (RFC 8926), over UDP ports 4789 and 6081 and IP protocol 47.
 */
#ifndef HCA_ETH_EDIT_H
#define HCA_ETH_EDIT_H

#include "hca/eth_frame.h"

#define HCA_EDIT_MAX 9996u /* bytes of a changed frame: the longest that a port sends */

struct hca_edit {
	const uint8_t *bytes;
	size_t len;
	struct hca_frame frame; /* hca_frame_parse() of them */
	uint8_t *room;		/* HCA_EDIT_MAX bytes, which are @bytes once it has changed */
};

/*
 * hca_edit_encap() - @header of @len bytes comes in front of the frame, @of_ip: of its IP header,
 * in the place of what is before. Lengths in it, and the checksum of its IPv4 header, become those
 * of the new frame; a UDP header has no checksum over IPv4. Returns false, and nothing has changed,
 * when the frame has no IP header and needs one, or would be longer than HCA_EDIT_MAX.
 */
bool hca_edit_encap(struct hca_edit *edit, const uint8_t *header, size_t len, bool of_ip);
/*
 * hca_edit_decap() - the frame in the tunnel is left; with @len not 0: the IP packet in it, behind
 * @header. Returns false, and nothing has changed, when there is no tunnel with such a thing in it.
 */
bool hca_edit_decap(struct hca_edit *edit, const uint8_t *header, size_t len);

/* The action is one that can be done: a field of this model, and bits that it has. */
bool hca_edit_can_set(const uint8_t action[8]);
/*
 * hca_edit_set() - do @action (set_action_in of mlx5_ifc.h), which hca_edit_can_set(). A field that
 * the frame does not have stays away. Checksums that were right are right afterwards.
 */
void hca_edit_set(struct hca_edit *edit, const uint8_t action[8]);

#endif
