/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_TUPLE_H
#define _FTUN_TUPLE_H

#include <linux/types.h>

/**
 * enum ftun_encap - the outer header a packet carries
 * @FTUN_ENCAP_NONE: none, the packet is plain IPv4
 * @FTUN_ENCAP_IPIP: IPv4 in IPv4 (RFC 2003)
 */
enum ftun_encap {
	FTUN_ENCAP_NONE,
	FTUN_ENCAP_IPIP,
};

/**
 * struct ftun_tuple - what names a flow's packets as they come in
 * @iif:         device whose ingress hook sees the packet
 * @encap:       enum ftun_encap
 * @l4proto:     IPPROTO_TCP or IPPROTO_UDP, of the inner packet
 * @pad:         always zero, since the tuple is hashed and compared as words
 * @saddr:       inner source, before any NAT
 * @daddr:       inner destination, before any NAT
 * @sport:       inner source port
 * @dport:       inner destination port
 * @outer_saddr: outer source; zero with FTUN_ENCAP_NONE
 * @outer_daddr: outer destination; zero with FTUN_ENCAP_NONE
 *
 * The outer addresses are part of the key: a packet with the right inner header
 * from the wrong tunnel end point, or with no tunnel at all, is no match.
 */
struct ftun_tuple {
	u32	iif;
	u8	encap;
	u8	l4proto;
	u16	pad;
	__be32	saddr;
	__be32	daddr;
	__be16	sport;
	__be16	dport;
	__be32	outer_saddr;
	__be32	outer_daddr;
};

#define FTUN_TUPLE_WORDS	(sizeof(struct ftun_tuple) / sizeof(u32))

#endif /* _FTUN_TUPLE_H */
