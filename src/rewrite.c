// SPDX-License-Identifier: GPL-2.0
/*
 * Pure edits on header bytes. Nothing here knows of sk_buffs, so that the proof
 * runs the very code of the fast path on a copy of a packet's headers, and so
 * that the file builds in user space too, for unit tests and fuzzing.
 */
#include "rewrite.h"

#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/inet_ecn.h>

static __wsum delta32(__wsum delta, __be32 from, __be32 to)
{
	return csum_add(csum_sub(delta, (__force __wsum)from),
			(__force __wsum)to);
}

static __wsum delta16(__wsum delta, __be16 from, __be16 to)
{
	return csum_add(csum_sub(delta, (__force __wsum)from),
			(__force __wsum)to);
}

/**
 * ftun_nat_init() - work out the checksum deltas of a NAT mapping
 * @nat:   the new addresses and ports, filled in; the deltas are written
 * @iph:   header of a packet before NAT
 * @ports: its source and destination port
 */
void ftun_nat_init(struct ftun_nat *nat, const struct iphdr *iph,
		   const __be16 *ports)
{
	__wsum delta = 0;

	delta = delta32(delta, iph->saddr, nat->saddr);
	delta = delta32(delta, iph->daddr, nat->daddr);
	nat->l3_delta = delta;
	delta = delta16(delta, ports[0], nat->sport);
	delta = delta16(delta, ports[1], nat->dport);
	nat->l4_delta = delta;
}

static void csum_apply(__sum16 *sum, __wsum delta)
{
	*sum = csum_fold(csum_add(~csum_unfold(*sum), delta));
}

/* With CHECKSUM_PARTIAL the field holds the folded pseudo header, not inverted
 * and without ports: see inet_proto_csum_replace4().
 */
static void csum_apply_partial(__sum16 *sum, __wsum delta)
{
	*sum = ~csum_fold(csum_add(csum_unfold(*sum), delta));
}

static void l4_csum_apply(__sum16 *sum, const struct ftun_nat *nat,
			  bool csum_partial)
{
	if (csum_partial)
		csum_apply_partial(sum, nat->l3_delta);
	else
		csum_apply(sum, nat->l4_delta);
}

/* A UDP checksum of zero means that there is none, RFC 768. */
static void udp_csum_apply(struct udphdr *udph, const struct ftun_nat *nat,
			   bool csum_partial)
{
	if (!udph->check && !csum_partial)
		return;
	l4_csum_apply(&udph->check, nat, csum_partial);
	if (!udph->check)
		udph->check = CSUM_MANGLED_0;
}

/**
 * ftun_rewrite_nat() - replace addresses and ports
 * @iph:          header of a TCP or UDP packet, 20 bytes long; the transport
 *                header, all of UDP's or 20 bytes of TCP's, follows it
 * @nat:          what to write
 * @csum_partial: the transport checksum is still to be completed
 *
 * Does what nf_nat_ipv4_manip_pkt() and l4proto_manip_pkt() do.
 */
void ftun_rewrite_nat(struct iphdr *iph, const struct ftun_nat *nat,
		      bool csum_partial)
{
	__be16 *ports = (__be16 *)(iph + 1);

	iph->saddr = nat->saddr;
	iph->daddr = nat->daddr;
	csum_apply(&iph->check, nat->l3_delta);
	ports[0] = nat->sport;
	ports[1] = nat->dport;
	if (iph->protocol == IPPROTO_UDP)
		udp_csum_apply((struct udphdr *)ports, nat, csum_partial);
	else
		l4_csum_apply(&((struct tcphdr *)ports)->check, nat,
			      csum_partial);
}

/**
 * ftun_rewrite_ttl() - take one from the time to live
 * @iph: header with a TTL of at least 1
 *
 * Does what ip_decrease_ttl() does, RFC 1141.
 */
void ftun_rewrite_ttl(struct iphdr *iph)
{
	u32 check = (__force u32)iph->check;

	check += (__force u32)htons(0x0100);
	iph->check = (__force __sum16)(check + (check >= 0xFFFF));
	iph->ttl--;
}

/**
 * ftun_rewrite_ecn_fits() - can this packet be decapsulated without comment?
 * @outer_tos: TOS of the outer header
 * @inner_tos: TOS of the inner header
 *
 * RFC 6040 wants an inner packet that is not ECN capable dropped if its outer
 * header says congestion experienced, and the slow path logs the other
 * combinations of a capable outer and an incapable inner header.
 */
bool ftun_rewrite_ecn_fits(u8 outer_tos, u8 inner_tos)
{
	return (inner_tos & INET_ECN_MASK) != INET_ECN_NOT_ECT ||
	       (outer_tos & INET_ECN_MASK) == INET_ECN_NOT_ECT;
}

static u8 ecn_decapsulate(u8 outer, u8 inner)
{
	if (inner == INET_ECN_NOT_ECT)
		return inner;
	if (outer == INET_ECN_CE)
		return INET_ECN_CE;
	if (outer == INET_ECN_ECT_1 && inner == INET_ECN_ECT_0)
		return INET_ECN_ECT_1;
	return inner;
}

/**
 * ftun_rewrite_ecn_tos() - the inner TOS after decapsulation
 * @inner_tos: before
 * @outer_tos: TOS of the outer header
 *
 * What INET_ECN_decapsulate() leaves, RFC 6040 section 4.2.
 */
u8 ftun_rewrite_ecn_tos(u8 inner_tos, u8 outer_tos)
{
	return (inner_tos & ~INET_ECN_MASK) |
	       ecn_decapsulate(outer_tos & INET_ECN_MASK,
			       inner_tos & INET_ECN_MASK);
}

/**
 * ftun_rewrite_ecn() - carry the outer header's ECN over to the inner one
 * @inner:     header that becomes the packet's
 * @outer_tos: TOS of the header that is taken away
 */
void ftun_rewrite_ecn(struct iphdr *inner, u8 outer_tos)
{
	u8 tos = ftun_rewrite_ecn_tos(inner->tos, outer_tos);

	if (tos == inner->tos)
		return;
	csum_apply(&inner->check,
		   delta16(0, htons(inner->tos), htons(tos)));
	inner->tos = tos;
}

/* RFC 6040 section 4.1 "normal mode", but CE becomes ECT(0) as in RFC 3168:
 * INET_ECN_encapsulate().
 */
static u8 ecn_encapsulate(u8 inner)
{
	return inner == INET_ECN_CE ? INET_ECN_ECT_0 : inner;
}

static u8 outer_tos(const struct ftun_outer *outer, u8 inner_tos)
{
	u8 tos = outer->rules & FTUN_OUTER_TOS_INHERIT ? inner_tos
						       : outer->hdr.tos;

	return (tos & ~INET_ECN_MASK) |
	       ecn_encapsulate(inner_tos & INET_ECN_MASK);
}

/**
 * ftun_rewrite_outer() - write an outer header
 * @iph:   where to
 * @outer: template and rules
 * @inner: header of the packet inside, as it leaves the router
 * @len:   length of the packet with the outer header
 * @id:    IPv4 identification
 *
 * Does what ip_tunnel_xmit() and iptunnel_xmit() do.
 */
void ftun_rewrite_outer(struct iphdr *iph, const struct ftun_outer *outer,
			const struct iphdr *inner, u16 len, __be16 id)
{
	*iph = outer->hdr;
	iph->tos = outer_tos(outer, inner->tos);
	iph->tot_len = htons(len);
	iph->id = id;
	if (outer->rules & FTUN_OUTER_DF_INHERIT)
		iph->frag_off |= inner->frag_off & htons(0x4000);
	if (outer->rules & FTUN_OUTER_TTL_INHERIT)
		iph->ttl = inner->ttl;
	iph->check = 0;
	iph->check = ip_fast_csum((u8 *)iph, 5);
}
