/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_REWRITE_H
#define _FTUN_REWRITE_H

#include <linux/ip.h>
#include <linux/types.h>

/**
 * struct ftun_nat - new addresses and ports of a flow's packets
 * @saddr:    source address to write
 * @daddr:    destination address to write
 * @sport:    source port to write
 * @dport:    destination port to write
 * @l3_delta: what the addresses change in a checksum over them
 * @l4_delta: what the addresses and ports change in a checksum over them
 */
struct ftun_nat {
	__be32	saddr;
	__be32	daddr;
	__be16	sport;
	__be16	dport;
	__wsum	l3_delta;
	__wsum	l4_delta;
};

/* Where a field of the outer header comes from if not from the template. */
#define FTUN_OUTER_TTL_INHERIT	0x01	/* inner TTL, after forwarding */
#define FTUN_OUTER_TOS_INHERIT	0x02	/* inner DSCP */
#define FTUN_OUTER_DF_INHERIT	0x04	/* inner DF, if not set by the template */

/**
 * struct ftun_outer - an outer IPv4 header and how it follows the inner one
 * @hdr:   the header; tot_len, id, check and the ECN bits are written per packet
 * @rules: FTUN_OUTER_*
 */
struct ftun_outer {
	struct iphdr	hdr;
	u8		rules;
};

void ftun_nat_init(struct ftun_nat *nat, const struct iphdr *iph,
		   const __be16 *ports);
bool ftun_rewrite_ecn_fits(u8 outer_tos, u8 inner_tos);
u8 ftun_rewrite_ecn_tos(u8 inner_tos, u8 outer_tos);
void ftun_rewrite_ecn(struct iphdr *inner, u8 outer_tos);
void ftun_rewrite_ttl(struct iphdr *iph);
void ftun_rewrite_nat(struct iphdr *iph, const struct ftun_nat *nat,
		      bool csum_partial);
void ftun_rewrite_outer(struct iphdr *iph, const struct ftun_outer *outer,
			const struct iphdr *inner, u16 len, __be16 id);

#endif /* _FTUN_REWRITE_H */
