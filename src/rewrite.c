// SPDX-License-Identifier: GPL-2.0
/*
 * Pure edits on header bytes. Nothing here knows of sk_buffs, so that the proof
 * runs the very code of the fast path on a copy of a packet's headers, and so
 * that the file builds in user space too, for unit tests and fuzzing.
 */
#include "rewrite.h"

#include <linux/string.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/inet_ecn.h>

#include "hot.h"

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

/* Of one address */
static unsigned int addr_words(bool v6)
{
	return v6 ? 4 : 1;
}

static __wsum delta_addr(__wsum delta, const __be32 *from, const __be32 *to,
			 unsigned int words)
{
	unsigned int i;

	for (i = 0; i < words; i++)
		delta = delta32(delta, from[i], to[i]);
	return delta;
}

/* IPv6's addresses are in its last 32 bytes. Headers are 4 byte aligned or on a
 * machine that does not mind.
 */
static __be32 *ip_saddr(void *ip, bool v6)
{
	return v6 ? ((struct ipv6hdr *)ip)->saddr.s6_addr32
		  : &((struct iphdr *)ip)->saddr;
}

static __be32 *ip_daddr(void *ip, bool v6)
{
	return v6 ? ((struct ipv6hdr *)ip)->daddr.s6_addr32
		  : &((struct iphdr *)ip)->daddr;
}

static void *ip_payload(void *ip, bool v6)
{
	return ip + (v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr));
}

/**
 * ftun_nat_init() - work out the checksum deltas of a NAT mapping
 * @nat: the new addresses and ports, filled in; the deltas are written
 * @ip:  header of a packet before NAT, with its ports behind it
 * @v6:  it is IPv6, not IPv4
 */
void ftun_nat_init(struct ftun_nat *nat, const void *ip, bool v6)
{
	const __be16 *ports = ip_payload((void *)ip, v6);
	__wsum delta = 0;

	delta = delta_addr(delta, ip_saddr((void *)ip, v6), nat->addr,
			   addr_words(v6));
	delta = delta_addr(delta, ip_daddr((void *)ip, v6),
			   nat->addr + addr_words(v6), addr_words(v6));
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
	/* None, even if a device is to fill in one of a header further in. */
	if (!udph->check)
		return;
	l4_csum_apply(&udph->check, nat, csum_partial);
	if (!udph->check)
		udph->check = CSUM_MANGLED_0;
}

static void set_addr(__be32 *to, const __be32 *from, bool v6)
{
	memcpy(to, from, v6 ? 16 : 4);
}

/**
 * ftun_rewrite_nat() - replace addresses and ports
 * @ip:           header of a TCP or UDP packet with no options; the transport
 *                header, all of UDP's or 20 bytes of TCP's, follows it
 * @v6:           it is IPv6, not IPv4
 * @nat:          what to write
 * @csum_partial: the transport checksum is still to be completed
 *
 * Does what nf_nat_ipv4_manip_pkt(), nf_nat_ipv6_manip_pkt() and
 * l4proto_manip_pkt() do.
 */
__ftun_hot void ftun_rewrite_nat(void *ip, bool v6, const struct ftun_nat *nat,
				 bool csum_partial)
{
	u8 proto = v6 ? ((struct ipv6hdr *)ip)->nexthdr
		      : ((struct iphdr *)ip)->protocol;
	__be16 *ports = ip_payload(ip, v6);

	set_addr(ip_saddr(ip, v6), nat->addr, v6);
	set_addr(ip_daddr(ip, v6), nat->addr + addr_words(v6), v6);
	if (!v6)
		csum_apply(&((struct iphdr *)ip)->check, nat->l3_delta);
	ports[0] = nat->sport;
	ports[1] = nat->dport;
	if (proto == IPPROTO_UDP)
		udp_csum_apply((struct udphdr *)ports, nat, csum_partial);
	else
		l4_csum_apply(&((struct tcphdr *)ports)->check, nat,
			      csum_partial);
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
 * ftun_rewrite_copy_dscp() - the DSCP of one TOS with the ECN bits of another
 * @tos:  gives the ECN bits
 * @from: gives the DSCP
 */
u8 ftun_rewrite_copy_dscp(u8 tos, u8 from)
{
	return (from & ~INET_ECN_MASK) | (tos & INET_ECN_MASK);
}

/* By the word, as ftun_rewrite_label() does, which can come next. */
static void ipv6_set_tos(struct ipv6hdr *ip6h, u8 tos)
{
	__be32 *word = (__be32 *)ip6h;

	*word = (*word & htonl(0xf00fffff)) | htonl(tos << 20);
}

/**
 * ftun_rewrite_set_tos() - change TOS or traffic class of a header
 * @ip:  the header
 * @v6:  it is IPv6, not IPv4
 * @tos: what it becomes
 *
 * Does what ipv4_change_dsfield() and ipv6_change_dsfield() do, with nothing kept.
 */
void ftun_rewrite_set_tos(void *ip, bool v6, u8 tos)
{
	struct iphdr *iph = ip;

	if (v6) {
		ipv6_set_tos(ip, tos);
		return;
	}
	if (tos == iph->tos)
		return;
	csum_apply(&iph->check, delta16(0, htons(iph->tos), htons(tos)));
	iph->tos = tos;
}

/**
 * ftun_rewrite_dscp() - set the DSCP of a header
 * @ip:   IPv4 or IPv6 header
 * @v6:   which of them
 * @dscp: DSCP bits, as they are in a TOS
 */
void ftun_rewrite_dscp(void *ip, bool v6, u8 dscp)
{
	u8 ecn = ftun_rewrite_tos(ip, v6) & INET_ECN_MASK;

	ftun_rewrite_set_tos(ip, v6, dscp | ecn);
}

/* RFC 6040 section 4.1 "normal mode", but CE becomes ECT(0) as in RFC 3168:
 * INET_ECN_encapsulate().
 */
static u8 ecn_encapsulate(u8 inner)
{
	return inner == INET_ECN_CE ? INET_ECN_ECT_0 : inner;
}

static __ftun_hot u8 outer_tos(const struct ftun_outer *outer, u8 inner_tos)
{
	u8 tos = outer->rules & FTUN_OUTER_TOS_INHERIT ?
		 inner_tos : ftun_rewrite_tos(outer->hdr, outer->v6);

	if (outer->rules & FTUN_OUTER_ECN_AS_IS)
		return tos;
	return (tos & ~INET_ECN_MASK) |
	       ecn_encapsulate(inner_tos & INET_ECN_MASK);
}

static u8 inner_ttl(const void *inner, bool inner6)
{
	return inner6 ? ((const struct ipv6hdr *)inner)->hop_limit
		      : ((const struct iphdr *)inner)->ttl;
}

/* The pseudo header's sum has the addresses, length and protocol in it as this one does.
 * Nothing that was written a moment ago is read: the processor would wait for it.
 */
static void outer_ipv4(struct iphdr *iph, const struct ftun_outer *outer,
		       const void *inner, bool inner6, u16 len, __be16 id)
{
	const struct iphdr *template = (const struct iphdr *)outer->hdr;
	u8 tos = outer_tos(outer, ftun_rewrite_tos(inner, inner6));
	__be16 frag_off = template->frag_off;
	u8 ttl = template->ttl;
	u32 sum;

	if (outer->rules & FTUN_OUTER_DF_INHERIT && !inner6)
		frag_off |= ((const struct iphdr *)inner)->frag_off &
			    htons(0x4000);
	if (outer->rules & FTUN_OUTER_TTL_INHERIT)
		ttl = inner_ttl(inner, inner6);
	sum = (__force u32)htons(0x4500 | tos) + (__force u32)id +
	      (__force u32)frag_off + (__force u32)htons(ttl << 8);
	iph->tos = tos;
	iph->tot_len = htons(len);
	iph->id = id;
	iph->frag_off = frag_off;
	iph->ttl = ttl;
	iph->check = csum_tcpudp_magic(template->saddr, template->daddr, len,
				       template->protocol,
				       (__force __wsum)sum);
}

/**
 * ftun_rewrite_label() - write a flow label
 * @ip6h:  where to
 * @label: 20 bits of it
 */
void ftun_rewrite_label(struct ipv6hdr *ip6h, __be32 label)
{
	__be32 *word = (__be32 *)ip6h;

	*word = (*word & ~htonl(0x000fffff)) | label;
}

/* The template has the flow label that goes with an inner one of zero. */
static void inherit_label(struct ipv6hdr *ip6h, const void *inner)
{
	__be32 label = *(const __be32 *)inner & htonl(0x000fffff);

	if (label)
		ftun_rewrite_label(ip6h, label);
}

static void outer_ipv6(struct ipv6hdr *ip6h, const struct ftun_outer *outer,
		       const void *inner, bool inner6, u16 len)
{
	ipv6_set_tos(ip6h, outer_tos(outer, ftun_rewrite_tos(inner, inner6)));
	ip6h->payload_len = htons(len - sizeof(*ip6h));
	if (outer->rules & FTUN_OUTER_LABEL_INHERIT && inner6)
		inherit_label(ip6h, inner);
	if (outer->rules & FTUN_OUTER_TTL_INHERIT)
		ip6h->hop_limit = inner_ttl(inner, inner6);
}

/**
 * ftun_rewrite_outer() - write an outer header
 * @to:     where to, outer->len bytes
 * @outer:  template and rules
 * @inner:  IP header of the packet inside, as it leaves the router
 * @inner6: it is IPv6, not IPv4
 * @len:    length of the packet with the outer header
 * @id:     IPv4 identification
 *
 * Does what ip_tunnel_xmit(), ipip6_tunnel_xmit() and ip6_tnl_xmit() do. What they
 * leave to others is left to the caller: a GRE header's checksum and sequence
 * number, all of UDP's but its destination, and the flow label with
 * FTUN_OUTER_LABEL_AUTO.
 */
__ftun_hot void ftun_rewrite_outer(void *to, const struct ftun_outer *outer,
				   const void *inner, bool inner6, u16 len, __be16 id)
{
	memcpy(to, outer->hdr, outer->len);
	if (outer->v6)
		outer_ipv6(to, outer, inner, inner6, len);
	else
		outer_ipv4(to, outer, inner, inner6, len, id);
}
