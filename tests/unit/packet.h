/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_PACKET_H
#define _UNIT_PACKET_H

#include "twin.h"

#define PACKET_MAX	2048

/* Plain, in each kind of tunnel, in each kind in UDP; and these with everything that
 * varies besides.
 */
#define PACKET_SHAPES	(2 + 54 + 96)
#define PACKET_KINDS	(8 * PACKET_SHAPES)

/**
 * struct packet - a valid packet, to be spoiled by whoever wants to
 * @bytes:  its bytes
 * @len:    their number, with @pad
 * @tunnel: there is an outer header
 * @outer6: which is IPv6
 * @limit:  and has an encapsulation limit behind it
 * @udp:    there is a UDP header in front of what is in the tunnel
 * @summed: which has a checksum
 * @gue:    and a GUE header behind it
 * @greh:   there is a GRE header
 * @bits:   which has these, GRE_C, GRE_K, GRE_S
 * @inner6: the (inner) header is IPv6
 * @proto:  P_TCP or P_UDP
 * @l4opts: bytes of TCP options
 * @data:   bytes of payload
 * @pad:    bytes behind the packet
 * @udph:   where the outer UDP header is; 0 if there is none
 * @gre:    where the GRE header is; 0 if there is none
 * @inner:  where the inner header is; 0 if there is no tunnel
 * @l4:     where the transport header is
 * @fou:    the place that it comes to, if it is in UDP
 */
struct packet {
	u8	bytes[PACKET_MAX];
	u32	len;
	bool	tunnel;
	bool	outer6;
	bool	limit;
	bool	udp;
	bool	summed;
	bool	gue;
	bool	greh;
	u8	bits;
	bool	inner6;
	u8	proto;
	u32	l4opts;
	u32	data;
	u32	pad;
	u32	udph;
	u32	gre;
	u32	inner;
	u32	l4;
	struct ftun_fou fou;
};

void packet_shape(struct packet *p, u32 n);
void packet_some(struct packet *p, u32 n);
void packet_fill(struct packet *p);
void packet_fix(struct packet *p);
void packet_fix_outer(const struct packet *p, u8 *bytes);
void packet_put_len(struct packet *p, u32 len);
bool packet_first6(const struct packet *p);
struct sk_buff *packet_skb(const struct packet *p, u32 linear);

#endif /* _UNIT_PACKET_H */
