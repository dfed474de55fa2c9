/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TLPs in a capture for Wireshark, alone or with the packets of InfiniBand ports in order of time.
 * PCI Express has no link type with a layout for such captures (of those of tcpdump.org), so they
 * are of LINKTYPE_USER0, 147, in this layout, which pcie/tlp.lua dissects. All in network order:
 *
 *      0  1 byte   version, 1
 *      1  1 byte   1: a TLP, 2: a mark
 *      2  1 byte   enum pcie_route
 *      3  1 byte   number of the BAR, with route FUNCTION
 *      4  1 byte   bytes of the source's name
 *      5  1 byte   bytes of the target's name; 0: it is no function
 *      6  1 byte   bytes of the TLP's header; of a mark's name
 *      7  1 byte   0
 *      8  8 bytes  offset in the BAR, with route FUNCTION
 *     16           the source's name, the target's, and the header as it travels, its prefix first
 *
 * A trace has no payload, so that a capture has none. The name of a mark is the comment of its
 * frame, too.
 */
#ifndef PCIE_PCAP_H
#define PCIE_PCAP_H

#include <stdbool.h>

#include "pcie/reader.h"

#define TLP_PCAP_HEAD	  16u
#define TLP_PCAP_FRAME	  (TLP_PCAP_HEAD + 3 * (TLP_TEXT - 1))
#define TLP_PCAP_CAPTURES 16u

struct tlp_pcap;

/*
 * A new file at @path. NULL with errno as pcapng_open(). A capture's time is that of the day as far
 * as @reader, which outlives the result, knows it.
 */
struct tlp_pcap *tlp_pcap_open(const char *path, const struct tlp_reader *reader);
/*
 * The packets of the capture at @path shall be between the TLPs. Before the first of these. Returns
 * 0; errno of pcapng_reader_open() negated; -ENOSPC: TLP_PCAP_CAPTURES, or more interfaces than
 * a capture has; or why writing has stopped.
 */
int tlp_pcap_merge(struct tlp_pcap *pcap, const char *path);
/*
 * The next TLP or mark, behind the packets of its time and before. -ENODATA: there are packets to
 * be merged, and the trace does not say the time of the day; -EPROTO, -EMSGSIZE: a capture is
 * broken; or why writing has stopped.
 */
int tlp_pcap_add(struct tlp_pcap *pcap, const struct tlp_entry *entry);
/* Packets that come later than all TLPs, up to the end of the interval. Returns as tlp_pcap_add().
 */
int tlp_pcap_rest(struct tlp_pcap *pcap);
/* The path of the capture that -EPROTO and -EMSGSIZE are about, else of the file. */
const char *tlp_pcap_subject(const struct tlp_pcap *pcap);
/* Returns 0, or why writing has stopped. NULL is fine. */
int tlp_pcap_close(struct tlp_pcap *pcap);

#endif
