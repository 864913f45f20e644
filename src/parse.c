// SPDX-License-Identifier: GPL-2.0
/*
 * From bytes to a key and offsets. Nothing in a packet is believed before it has
 * been checked to be there, and to say what the stack and conntrack insist on.
 *
 * Every packet of a device comes by here. What most of them need is inlined by
 * force: as calls, it took 100 instructions more.
 */
#include "parse.h"

#include <linux/if_ether.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ip6_tunnel.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/gre.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "fou.h"
#include "hot.h"

/**
 * struct ip_header - an IP header of either version, parsed
 * @len:   total length of its packet
 * @hlen:  length of the header
 * @proto: what comes next
 * @tos:   TOS or traffic class
 * @ttl:   TTL or hop limit
 */
struct ip_header {
	u32	len;
	u8	hlen;
	u8	proto;
	u8	tos;
	u8	ttl;
};

/* A switch has forwarded it already: ip_forward_finish(). */
static bool skb_is_copy(const struct sk_buff *skb)
{
#ifdef CONFIG_NET_SWITCHDEV
	return skb->offload_fwd_mark | skb->offload_l3_fwd_mark;
#else
	return false;
#endif
}

/* Something before us took hold of the packet: leave it to who did. The socket
 * of a sender on this machine is none of that, ip_rcv_core() lets go of it too.
 */
static bool skb_irregular(struct sk_buff *skb)
{
	return skb_shared(skb) || (skb->sk && skb_sk_is_prefetched(skb)) ||
	       skb->_skb_refdst | skb->_nfct || skb_vlan_tag_present(skb) ||
	       skb_sec_path(skb) || skb_is_copy(skb);
}

/* ip_rcv_core()'s tests on a header, and that it has no options and is no fragment. Its
 * 20 bytes are in the linear part.
 */
static __always_inline enum ftun_stat parse_ipv4(const struct iphdr *iph,
						 u32 room, struct ip_header *ip)
{
	if (iph->version != 4 || iph->ihl < 5)
		return FTUN_STAT_pass_header;
	if (iph->ihl > 5)
		return FTUN_STAT_pass_options;
	if (ip_is_fragment(iph))
		return FTUN_STAT_pass_fragment;
	if (ip_fast_csum((const u8 *)iph, 5))
		return FTUN_STAT_pass_ip_csum;
	ip->len = ntohs(iph->tot_len);
	if (ip->len > room || ip->len < sizeof(*iph))
		return FTUN_STAT_pass_header;
	ip->hlen = sizeof(*iph);
	ip->proto = iph->protocol;
	ip->tos = iph->tos;
	ip->ttl = iph->ttl;
	return FTUN_OK;
}

/* ip6_rcv_core()'s tests, but for those of addresses: a flow's are proven. Jumbo
 * packets, which say that they have no length, are not for us.
 */
static __always_inline enum ftun_stat parse_ipv6(const struct ipv6hdr *ip6h,
						 u32 room, struct ip_header *ip)
{
	if (ip6h->version != 6)
		return FTUN_STAT_pass_header;
	ip->len = ntohs(ip6h->payload_len) + sizeof(*ip6h);
	if (ip->len > room || ip->len > U16_MAX)
		return FTUN_STAT_pass_header;
	ip->hlen = sizeof(*ip6h);
	ip->proto = ip6h->nexthdr;
	ip->tos = ipv6_get_dsfield(ip6h);
	ip->ttl = ip6h->hop_limit;
	return FTUN_OK;
}

static __always_inline u32 ip_hlen(bool v6)
{
	return v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
}

/* The header at @off, of a packet that has @room bytes at most. */
static __always_inline enum ftun_stat parse_ip(struct sk_buff *skb, bool v6,
					       u32 off, u32 room,
					       struct ip_header *ip)
{
	if (room < ip_hlen(v6) || !pskb_may_pull(skb, off + ip_hlen(v6)))
		return FTUN_STAT_pass_header;
	return v6 ? parse_ipv6((const void *)skb->data + off, room, ip)
		  : parse_ipv4((const void *)skb->data + off, room, ip);
}

/* udp_error() of conntrack wants UDP's length to be within the packet. */
static enum ftun_stat parse_udp(const struct udphdr *udph, u16 room,
				struct ftun_packet *pkt)
{
	u16 len = ntohs(udph->len);

	if (len < sizeof(*udph) || len > room)
		return FTUN_STAT_pass_header;
	pkt->l4_hlen = sizeof(*udph);
	pkt->tcp_flags = 0;
	return FTUN_OK;
}

/* tcp_error() of conntrack wants all of the header to be within the packet, and
 * its window tracking reads the options. In line, UDP would pay for it.
 */
static noinline __ftun_hot enum ftun_stat parse_tcp(struct sk_buff *skb, u32 off,
						    u16 room, struct ftun_packet *pkt)
{
	const struct tcphdr *tcph = (const void *)skb->data + off;

	if (tcph->doff * 4 < sizeof(*tcph) || tcph->doff * 4 > room ||
	    !pskb_may_pull(skb, off + tcph->doff * 4))
		return FTUN_STAT_pass_header;
	tcph = (const void *)skb->data + off;
	pkt->l4_hlen = tcph->doff * 4;
	pkt->tcp_flags = tcp_flag_byte(tcph);
	return FTUN_OK;
}

static __always_inline enum ftun_stat parse_l4(struct sk_buff *skb, u16 room,
					       struct ftun_packet *pkt)
{
	bool udp = pkt->tuple.l4proto == IPPROTO_UDP;
	u16 hlen = udp ? sizeof(struct udphdr) : sizeof(struct tcphdr);

	if (room < hlen || !pskb_may_pull(skb, pkt->l4 + hlen))
		return FTUN_STAT_pass_header;
	if (udp)
		return parse_udp((void *)skb->data + pkt->l4, room, pkt);
	return parse_tcp(skb, pkt->l4, room, pkt);
}

/* Extension headers: ours to name, not to handle. */
static enum ftun_stat refuse_proto(u8 proto)
{
	switch (proto) {
	case NEXTHDR_FRAGMENT:
		return FTUN_STAT_pass_fragment;
	case NEXTHDR_HOP:
	case NEXTHDR_ROUTING:
	case NEXTHDR_DEST:
		return FTUN_STAT_pass_options;
	default:
		return FTUN_NOT_OURS;
	}
}

/* Both addresses of a header, side by side in it; in pairs, as they are read again. */
static __always_inline __be32 *put_addrs(__be32 *to, const void *ip,
					 bool v6)
{
	if (v6) {
		memcpy(to, &((const struct ipv6hdr *)ip)->addrs, 32);
		return to + 8;
	}
	memcpy(to, &((const struct iphdr *)ip)->addrs, 8);
	return to + 2;
}

/* The header at pkt->inner and its ports are in the linear part by now. */
static __always_inline void fill_tuple(const struct sk_buff *skb,
				       struct ftun_packet *pkt)
{
	struct ftun_tuple *tuple = &pkt->tuple;
	__be32 *end;

	end = put_addrs(tuple->addr, skb->data + pkt->inner,
			ftun_tuple_inner6(tuple));
	if (tuple->encap != FTUN_ENCAP_NONE)
		end = put_addrs(end, skb->data, ftun_tuple_outer6(tuple));
	if (tuple->shape & FTUN_SHAPE_GRE_KEY)
		*end++ = *(const __be32 *)(skb->data + pkt->gre +
				(tuple->shape & FTUN_SHAPE_GRE_CSUM ? 8 : 4));
	if (pkt->udp)
		*end++ = *(const __be32 *)(skb->data + pkt->udp);
	*end = 0;	/* the last word may be half of a pair */
	ftun_tuple_head_put(tuple, (end - (__be32 *)tuple + 1) & ~1,
			    (const void *)skb->data + pkt->l4);
}

/* What @ip, the header at pkt->inner, is in front of. */
static __always_inline enum ftun_stat parse_payload(struct sk_buff *skb,
						    const struct ip_header *ip,
						    struct ftun_packet *pkt)
{
	enum ftun_stat reason;

	if (ip->proto != IPPROTO_TCP && ip->proto != IPPROTO_UDP)
		return ftun_tuple_inner6(&pkt->tuple) ?
			refuse_proto(ip->proto) : FTUN_NOT_OURS;
	pkt->tuple.l4proto = ip->proto;
	pkt->l4 = pkt->inner + ip->hlen;
	pkt->inner_len = ip->len;
	pkt->tos = ip->tos;
	pkt->ttl = ip->ttl;
	reason = parse_l4(skb, ip->len - ip->hlen, pkt);
	if (reason == FTUN_OK)
		fill_tuple(skb, pkt);
	return reason;
}

/* The encapsulation limit that Linux and others put in, RFC 2473 section 4.1.1. It
 * says nothing to who takes the packet out. Anything else there is left alone.
 */
static enum ftun_stat parse_encap_limit(struct sk_buff *skb,
					struct ip_header *ip)
{
	const u8 *opt;

	if (ip->len < ip->hlen + FTUN_ENCAP_LIMIT_LEN ||
	    !pskb_may_pull(skb, ip->hlen + FTUN_ENCAP_LIMIT_LEN))
		return FTUN_STAT_pass_header;
	opt = skb->data + ip->hlen;
	if (opt[1] || opt[2] != IPV6_TLV_TNL_ENCAP_LIMIT || opt[3] != 1 ||
	    opt[5] != IPV6_TLV_PADN || opt[6] != 1 || opt[7])
		return FTUN_STAT_pass_options;
	ip->proto = opt[0];
	ip->hlen += FTUN_ENCAP_LIMIT_LEN;
	return FTUN_OK;
}

/* gre_parse_header(), with no field that is not of RFC 2784 or RFC 2890. Its part
 * of the header's length is added to ip->hlen; ip->proto becomes what is inside.
 */
static enum ftun_stat parse_gre(struct sk_buff *skb, struct ip_header *ip,
				struct ftun_packet *pkt)
{
	const struct gre_base_hdr *greh;
	u32 hlen = sizeof(*greh);

	if (ip->len < ip->hlen + hlen || !pskb_may_pull(skb, ip->hlen + hlen))
		return FTUN_STAT_pass_header;
	greh = (const struct gre_base_hdr *)(skb->data + ip->hlen);
	if (greh->flags & ~(GRE_CSUM | GRE_KEY | GRE_SEQ))
		return FTUN_STAT_pass_encap;
	if (greh->protocol != htons(ETH_P_IP) &&
	    greh->protocol != htons(ETH_P_IPV6))
		return FTUN_NOT_OURS;
	ip->proto = greh->protocol == htons(ETH_P_IP) ? IPPROTO_IPIP
						      : IPPROTO_IPV6;
	pkt->tuple.encap = FTUN_ENCAP_GRE;
	pkt->gre = ip->hlen;
	if (greh->flags & GRE_CSUM)
		pkt->tuple.shape |= FTUN_SHAPE_GRE_CSUM, hlen += 4, pkt->csums++;
	if (greh->flags & GRE_KEY)
		pkt->tuple.shape |= FTUN_SHAPE_GRE_KEY, hlen += 4;
	if (greh->flags & GRE_SEQ)
		pkt->tuple.shape |= FTUN_SHAPE_GRE_SEQ, hlen += 4;
	if (ip->len < ip->hlen + hlen || !pskb_may_pull(skb, ip->hlen + hlen))
		return FTUN_STAT_pass_header;
	ip->hlen += hlen;
	if (pkt->tuple.shape & FTUN_SHAPE_GRE_SEQ)
		pkt->gre_seq = ntohl(*(const __be32 *)(skb->data + ip->hlen - 4));
	return FTUN_OK;
}

/* All of a GUE header that is not to be zero */
#define GUE_PROTO	0x00ff0000

/* fou_udp_recv(), gue_udp_recv(). What UDP says of its length is the packet's, and a
 * GUE header has nothing in it but a protocol number: Linux sends no other.
 */
static enum ftun_stat parse_fou(struct sk_buff *skb, struct ip_header *ip,
				const struct ftun_fou_port *port,
				struct ftun_packet *pkt)
{
	u32 hlen = sizeof(struct udphdr) + (port->proto ? 0 : 4);
	const struct udphdr *udph;
	u8 shape = FTUN_SHAPE_UDP;
	const __be32 *gue;

	if (ip->len < ip->hlen + hlen || !pskb_may_pull(skb, ip->hlen + hlen))
		return FTUN_STAT_pass_header;
	udph = (const struct udphdr *)(skb->data + ip->hlen);
	if (ntohs(udph->len) != ip->len - ip->hlen)
		return FTUN_STAT_pass_header;
	pkt->udp = ip->hlen;
	pkt->csums++;
	if (udph->check)
		shape |= FTUN_SHAPE_UDP_CSUM;
	ip->hlen += hlen;
	ip->proto = port->proto;
	if (!port->proto) {
		gue = (const __be32 *)(udph + 1);
		if (*gue & ~htonl(GUE_PROTO))
			return FTUN_STAT_pass_encap;
		shape |= FTUN_SHAPE_GUE;
		ip->proto = ntohl(*gue) >> 16;
	}
	pkt->tuple.shape |= shape;
	return FTUN_OK;
}

/* Is this UDP packet to a place where others are taken out of it? */
static __always_inline const struct ftun_fou_port *
fou_port(struct sk_buff *skb, const struct ip_header *ip, bool v6,
	 const struct ftun_fou *fou)
{
	const struct udphdr *udph;
	const void *daddr;

	if (ip->proto != IPPROTO_UDP || !READ_ONCE(fou->count) ||
	    !pskb_may_pull(skb, ip->hlen + sizeof(*udph)))
		return NULL;
	udph = (const struct udphdr *)(skb->data + ip->hlen);
	daddr = skb->data + (v6 ? offsetof(struct ipv6hdr, daddr)
				: offsetof(struct iphdr, daddr));
	return ftun_fou_find(fou, daddr, v6, udph->dest);
}

/* UDP behind an encapsulation limit is FOU or GUE, to a place not known yet. It is
 * no plain packet: its shape says so.
 */
static __always_inline enum ftun_stat parse_plain(struct sk_buff *skb,
						  const struct ip_header *ip,
						  struct ftun_packet *pkt)
{
	if (pkt->tuple.shape & FTUN_SHAPE_OUTER6)
		pkt->tuple.shape = FTUN_SHAPE_INNER6;
	if (ip->hlen > sizeof(struct ipv6hdr)) {
		if (ip->proto != IPPROTO_UDP)
			return FTUN_STAT_pass_options;
		pkt->tuple.shape |= FTUN_SHAPE_UDP;
	}
	pkt->outer_tos = 0;
	return parse_payload(skb, ip, pkt);
}

/* The outer header is @outer; what it is in front of is a tunnel's. */
static enum ftun_stat parse_tunnelled(struct sk_buff *skb,
				      struct ip_header *outer,
				      const struct ftun_fou_port *port,
				      struct ftun_packet *pkt)
{
	enum ftun_stat reason = FTUN_OK;
	struct ip_header inner __uninitialized;

	pkt->outer_tos = outer->tos;
	pkt->tuple.encap = FTUN_ENCAP_IP;
	if (port)
		reason = parse_fou(skb, outer, port, pkt);
	if (reason == FTUN_OK && outer->proto == IPPROTO_GRE)
		reason = parse_gre(skb, outer, pkt);
	if (reason != FTUN_OK)
		return reason;
	if (outer->proto == IPPROTO_IPV6)
		pkt->tuple.shape |= FTUN_SHAPE_INNER6;
	else if (outer->proto != IPPROTO_IPIP)
		return FTUN_NOT_OURS;
	pkt->inner = outer->hlen;
	reason = parse_ip(skb, ftun_tuple_inner6(&pkt->tuple), pkt->inner,
			  outer->len - outer->hlen, &inner);
	return reason == FTUN_OK ? parse_payload(skb, &inner, pkt) : reason;
}

/* Could this be anything for us? Asked of every packet of the device. */
static bool is_candidate(u8 proto, bool v6)
{
	switch (proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
	case IPPROTO_GRE:
		return true;
	case NEXTHDR_DEST:
	case NEXTHDR_FRAGMENT:
		return v6;
	default:
		return false;
	}
}

static u8 first_proto(const struct sk_buff *skb, bool v6)
{
	return v6 ? ((const struct ipv6hdr *)skb->data)->nexthdr
		  : ((const struct iphdr *)skb->data)->protocol;
}

/**
 * ftun_parse() - find out what flow a packet could belong to
 * @skb: IP packet at a netdev ingress hook: data at the network header
 * @iif: index of the device
 * @fou: where tunnelled packets in UDP come to
 * @pkt: filled in on FTUN_OK
 *
 * May make more of the packet linear; changes no byte of it.
 *
 * Context: softirq or process with BH off, RCU read side.
 * Return: FTUN_OK; FTUN_NOT_OURS if it is neither TCP nor UDP, plain or in a
 * known tunnel; or the reason why such a packet is left to the slow path.
 */
__ftun_hot enum ftun_stat ftun_parse(struct sk_buff *skb, u32 iif,
				     const struct ftun_fou *fou, struct ftun_packet *pkt)
{
	bool v6 = skb->protocol == htons(ETH_P_IPV6);
	const struct ftun_fou_port *port;
	enum ftun_stat reason;
	struct ip_header ip __uninitialized;

	/* What others have too is not moved: pskb_expand_head() does not let us. */
	if (unlikely(skb_headlen(skb) < ip_hlen(v6)) && skb_shared(skb))
		return FTUN_STAT_pass_irregular;
	if (!pskb_may_pull(skb, ip_hlen(v6)))
		return FTUN_STAT_pass_header;
	if (!is_candidate(first_proto(skb, v6), v6))
		return FTUN_NOT_OURS;
	if (skb_irregular(skb))
		return FTUN_STAT_pass_irregular;
	if (skb->pkt_type != PACKET_HOST)
		return FTUN_STAT_pass_otherhost;
	reason = v6 ? parse_ipv6((const void *)skb->data, skb->len, &ip)
		    : parse_ipv4((const void *)skb->data, skb->len, &ip);
	if (reason != FTUN_OK)
		return reason;
	pkt->tuple.iif = iif;
	pkt->tuple.encap = FTUN_ENCAP_NONE;
	pkt->tuple.shape = v6 ? FTUN_SHAPE_OUTER6 : 0;
	pkt->outer_len = ip.len;
	pkt->inner = 0;
	pkt->l4 = 0;	/* so that all four are one number */
	pkt->udp = 0;
	pkt->gre = 0;
	pkt->csums = 0;
	if (ip.proto == NEXTHDR_FRAGMENT)
		return FTUN_STAT_pass_fragment;
	if (ip.proto == NEXTHDR_DEST) {
		reason = parse_encap_limit(skb, &ip);
		if (reason != FTUN_OK)
			return reason;
	}
	port = fou_port(skb, &ip, v6, fou);
	if (!port && (ip.proto == IPPROTO_TCP || ip.proto == IPPROTO_UDP))
		return parse_plain(skb, &ip, pkt);
	return parse_tunnelled(skb, &ip, port, pkt);
}

/* The sum over the packet from @off on, as far as the device or we can tell. Bytes
 * after the packet spoil CHECKSUM_COMPLETE.
 */
static __wsum sum_from(const struct sk_buff *skb, u32 off, u32 len)
{
	if (skb->ip_summed == CHECKSUM_COMPLETE && off + len == skb->len)
		return csum_sub(skb->csum, csum_partial(skb->data, off, 0));
	return skb_checksum(skb, off, len, 0);
}

/* With the pseudo header; both addresses from @addrs on. */
static __sum16 l4_csum(const __be32 *addrs, bool v6, u32 len, u8 proto,
		       __wsum sum)
{
	if (v6)
		return csum_ipv6_magic((const struct in6_addr *)addrs,
				       (const struct in6_addr *)(addrs + 4),
				       len, proto, sum);
	return csum_tcpudp_magic(addrs[0], addrs[1], len, proto, sum);
}

/**
 * ftun_parse_l4_csum_ok() - would conntrack accept the transport checksum?
 * @skb: packet at a netdev ingress hook
 * @pkt: what ftun_parse() made of it
 *
 * Does what nf_ip_checksum() and nf_ip6_checksum() do at PREROUTING, with no
 * regard to the sysctl nf_conntrack_checksum, but leaves the packet alone.
 */
bool ftun_parse_l4_csum_ok(const struct sk_buff *skb,
			   const struct ftun_packet *pkt)
{
	u32 len = pkt->inner_len - (pkt->l4 - pkt->inner);

	if (ftun_parse_vouched(skb, pkt->inner, pkt->csums))
		return true;
	if (pkt->tuple.l4proto == IPPROTO_UDP &&
	    !((const struct udphdr *)(skb->data + pkt->l4))->check)
		return true;
	return !l4_csum(ftun_tuple_saddr(&pkt->tuple),
			ftun_tuple_inner6(&pkt->tuple), len,
			pkt->tuple.l4proto, sum_from(skb, pkt->l4, len));
}

/**
 * ftun_parse_udp_csum_ok() - would UDP accept the outer checksum?
 * @skb: packet at a netdev ingress hook
 * @pkt: what ftun_parse() made of it, with FTUN_SHAPE_UDP_CSUM
 *
 * Does what udp4_csum_init() and udp6_csum_init() do, but leaves the packet alone.
 */
bool ftun_parse_udp_csum_ok(const struct sk_buff *skb,
			    const struct ftun_packet *pkt)
{
	u32 len = pkt->outer_len - pkt->udp;

	if (ftun_parse_vouched(skb, pkt->udp, 0))
		return true;
	return !l4_csum(ftun_tuple_outer_saddr(&pkt->tuple),
			ftun_tuple_outer6(&pkt->tuple), len, IPPROTO_UDP,
			sum_from(skb, pkt->udp, len));
}

/**
 * ftun_parse_gre_csum_ok() - would GRE accept its checksum?
 * @skb: packet at a netdev ingress hook
 * @pkt: what ftun_parse() made of it, with FTUN_SHAPE_GRE_CSUM
 *
 * Does what gre_parse_header() does, but leaves the packet alone.
 */
bool ftun_parse_gre_csum_ok(const struct sk_buff *skb,
			    const struct ftun_packet *pkt)
{
	if (ftun_parse_vouched(skb, pkt->gre, !!pkt->udp))
		return true;
	return !csum_fold(sum_from(skb, pkt->gre, pkt->outer_len - pkt->gre));
}
