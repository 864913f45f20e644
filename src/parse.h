/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_PARSE_H
#define _FTUN_PARSE_H

#include <linux/skbuff.h>

#include "stats.h"
#include "tuple.h"

struct ftun_fou;

/* An IPv6 header's option that says how many more tunnels are allowed, and padding:
 * RFC 2473 section 4.1.1
 */
#define FTUN_ENCAP_LIMIT_LEN	8

/**
 * struct ftun_packet - what parsing found out about a packet
 * @tuple:     the key of its flow
 * @inner:     offset of the inner IP header from skb->data; 0 if it is plain
 * @l4:        offset of the inner transport header
 * @udp:       offset of the outer UDP header; 0 if there is none
 * @gre:       offset of the GRE header; 0 if there is none
 * @outer_len: total length of the outermost IP packet, without link padding
 * @inner_len: total length of the inner IP packet
 * @l4_hlen:   length of the transport header
 * @tos:       TOS or traffic class of the inner header
 * @ttl:       its TTL or hop limit
 * @outer_tos: TOS or traffic class of the outer header; 0 if it is plain
 * @csums:     checksums that stand between the device and the inner packet's: UDP's,
 *             used or not, and GRE's
 * @tcp_flags: flags byte of TCP; 0 for UDP
 * @gre_seq:   with FTUN_SHAPE_GRE_SEQ
 */
struct ftun_packet {
	struct ftun_tuple	tuple;
	u16			inner;
	u16			l4;
	u16			udp;
	u16			gre;
	u16			outer_len;
	u16			inner_len;
	u8			l4_hlen;
	u8			tos;
	u8			ttl;
	u8			outer_tos;
	u8			csums;
	u8			tcp_flags;
	u32			gre_seq;
};

/**
 * ftun_parse_vouched() - has anybody answered for a checksum?
 * @skb:    packet at a netdev ingress hook
 * @off:    offset of what the checksum is over
 * @before: how many checksums are in front of it, for which a device vouches first
 *
 * The device has, as it mostly does, or the sender on this machine, or GRO.
 * skb->csum_valid is what a tunnel before this one said about its own.
 */
static inline bool ftun_parse_vouched(const struct sk_buff *skb, u32 off,
				      unsigned int before)
{
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		return skb_checksum_start_offset(skb) >= (int)off;
	return skb->ip_summed == CHECKSUM_UNNECESSARY &&
	       skb->csum_level >= before;
}

enum ftun_stat ftun_parse(struct sk_buff *skb, u32 iif,
			  const struct ftun_fou *fou, struct ftun_packet *pkt);
bool ftun_parse_l4_csum_ok(const struct sk_buff *skb,
			   const struct ftun_packet *pkt);
bool ftun_parse_udp_csum_ok(const struct sk_buff *skb,
			    const struct ftun_packet *pkt);
bool ftun_parse_gre_csum_ok(const struct sk_buff *skb,
			    const struct ftun_packet *pkt);

#endif /* _FTUN_PARSE_H */
