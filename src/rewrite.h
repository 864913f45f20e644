/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_REWRITE_H
#define _FTUN_REWRITE_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/types.h>

/**
 * struct ftun_nat - new addresses and ports of a flow's packets
 * @sport:    source port to write
 * @dport:    destination port to write
 * @l3_delta: what the addresses change in a checksum over them
 * @l4_delta: what the addresses and ports change in a checksum over them
 * @addr:     source and destination address to write: two words for IPv4, eight for
 *            IPv6
 */
struct ftun_nat {
	__be16	sport;
	__be16	dport;
	__wsum	l3_delta;
	__wsum	l4_delta;
	__be32	addr[];
};

#define FTUN_NAT_WORDS4		2
#define FTUN_NAT_WORDS6		8

static inline __be32 *ftun_nat_saddr(struct ftun_nat *nat)
{
	return nat->addr;
}

static inline __be32 *ftun_nat_daddr(struct ftun_nat *nat, bool v6)
{
	return nat->addr + (v6 ? FTUN_NAT_WORDS6 : FTUN_NAT_WORDS4) / 2;
}

/* Where a field of the outer header comes from if not from the template. */
#define FTUN_OUTER_TTL_INHERIT	0x01	/* inner TTL, after forwarding */
#define FTUN_OUTER_TOS_INHERIT	0x02	/* inner DSCP */
#define FTUN_OUTER_DF_INHERIT	0x04	/* inner DF, if not set by the template */
#define FTUN_OUTER_LABEL_INHERIT 0x08	/* inner flow label, unless it is 0 */
#define FTUN_OUTER_LABEL_AUTO	0x10	/* flow label by the packet's hash */
#define FTUN_OUTER_ECN_AS_IS	0x20	/* ECN bits like the DSCP, not by RFC 6040 */

#define FTUN_OUTER_SPORT_AUTO	0x40	/* UDP source port by the packet's hash */
#define FTUN_OUTER_UDP_CSUM	0x80	/* UDP checksum */

/* IPv6 header, encapsulation limit, UDP, GUE, GRE header with all there is */
#define FTUN_OUTER_MAX		(40 + 8 + 8 + 4 + 16)

/**
 * struct ftun_outer - an outer header and how it follows the inner one
 * @len:   bytes up to the inner header
 * @v6:    they begin with an IPv6 header, not IPv4
 * @udp:   offset of the UDP header; 0 if there is none
 * @gre:   offset of the GRE header; 0 if there is none
 * @rules: FTUN_OUTER_*
 * @hdr:   the bytes; lengths, IPv4's id, checksum and the ECN bits are written per
 *         packet
 */
struct ftun_outer {
	u8	len;
	u8	v6;
	u8	udp;
	u8	gre;
	u8	rules;
	u8	hdr[FTUN_OUTER_MAX] __aligned(4);
};

/**
 * ftun_rewrite_tos() - TOS or traffic class of a header
 * @ip: the header
 * @v6: it is IPv6, not IPv4
 */
static inline u8 ftun_rewrite_tos(const void *ip, bool v6)
{
	/* The upper half of the first word but for the version: 8 bits of traffic
	 * class, 4 of the flow label.
	 */
	if (v6)
		return ntohs(*(const __be16 *)ip) >> 4;
	return ((const struct iphdr *)ip)->tos;
}

/**
 * ftun_rewrite_ttl() - take one from the time to live
 * @ip: header with a TTL or hop limit of at least 1
 * @v6: it is IPv6, not IPv4
 *
 * Does what ip_decrease_ttl() does, RFC 1141, and ip6_forward().
 */
static inline void ftun_rewrite_ttl(void *ip, bool v6)
{
	struct iphdr *iph = ip;
	u32 check;

	if (v6) {
		((struct ipv6hdr *)ip)->hop_limit--;
		return;
	}
	check = (__force u32)iph->check + (__force u32)htons(0x0100);
	iph->check = (__force __sum16)(check + (check >= 0xFFFF));
	iph->ttl--;
}

void ftun_nat_init(struct ftun_nat *nat, const void *ip, bool v6);
bool ftun_rewrite_ecn_fits(u8 outer_tos, u8 inner_tos);
u8 ftun_rewrite_ecn_tos(u8 inner_tos, u8 outer_tos);
u8 ftun_rewrite_copy_dscp(u8 tos, u8 from);
void ftun_rewrite_set_tos(void *ip, bool v6, u8 tos);
void ftun_rewrite_dscp(void *ip, bool v6, u8 dscp);
void ftun_rewrite_nat(void *ip, bool v6, const struct ftun_nat *nat,
		      bool csum_partial);
void ftun_rewrite_outer(void *to, const struct ftun_outer *outer,
			const void *inner, bool inner6, u16 len, __be16 id);
void ftun_rewrite_label(struct ipv6hdr *ip6h, __be32 label);

#endif /* _FTUN_REWRITE_H */
