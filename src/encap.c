// SPDX-License-Identifier: GPL-2.0
/* Outer headers: off one packet, on to another. */
#include "encap.h"

#include <linux/skbuff.h>
#include <net/gre.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_tunnel.h>
#include <net/ip_tunnels.h>
#include <net/udp.h>

#include "hot.h"
#include "parse.h"
#include "path.h"
#include "rewrite.h"
#include "tunnel.h"

/* What a device vouched for are the outer checksums first, and a checksum that was
 * yet to be filled in went with its header: __skb_decr_checksum_unnecessary(),
 * skb_postpull_rcsum().
 */
static void pull_csum(struct sk_buff *skb, const struct ftun_packet *pkt)
{
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		if (skb_checksum_start_offset(skb) < 0)
			skb->ip_summed = CHECKSUM_NONE;
	} else if (pkt->csums && skb->ip_summed == CHECKSUM_UNNECESSARY) {
		if (skb->csum_level >= pkt->csums) {
			skb->csum_level -= pkt->csums;
		} else {
			skb->csum_level = 0;
			skb->ip_summed = CHECKSUM_NONE;
		}
	}
}

static void pull_tos(struct sk_buff *skb, const struct ftun_packet *pkt,
		     const struct ftun_path *path)
{
	u8 tos = pkt->tos;

	if (pkt->outer_tos & INET_ECN_MASK)
		tos = ftun_rewrite_ecn_tos(tos, pkt->outer_tos);
	if (path->what & FTUN_PATH_DSCP_COPY)
		tos = ftun_rewrite_copy_dscp(tos, pkt->outer_tos);
	if (tos != pkt->tos)
		ftun_rewrite_set_tos(skb->data,
				     ftun_tuple_inner6(&pkt->tuple), tos);
}

/**
 * ftun_encap_pull() - take the outer header off
 * @skb:  tunnelled packet, in a buffer of its own
 * @pkt:  what parsing found out about it
 * @path: its path, with FTUN_PATH_DECAP
 *
 * Does what ip_local_deliver(), ip_tunnel_rcv(), ipip6_rcv() and __ip6_tnl_rcv() do.
 *
 * Context: BH off, RCU read side.
 */
__ftun_hot void ftun_encap_pull(struct sk_buff *skb, const struct ftun_packet *pkt,
				const struct ftun_path *path)
{
	if (path->what & FTUN_PATH_SEQ_IN)
		ftun_tunnel_seq_seen(path->way->tun_in,
				     ftun_tuple_outer6(&pkt->tuple),
				     pkt->gre_seq);
	skb_set_delivery_time(skb, 0, 0);
	__skb_pull(skb, pkt->inner);
	skb->protocol = ftun_tuple_inner6(&pkt->tuple) ? htons(ETH_P_IPV6)
						       : htons(ETH_P_IP);
	pull_csum(skb, pkt);
	skb_clear_hash_if_not_l4(skb);
	skb_set_queue_mapping(skb, 0);
	skb->skb_iif = path->way->tun_in->ifindex;
	iptunnel_pull_offloads(skb);
	pull_tos(skb, pkt, path);
}

/* Is there a GRE header with a checksum? */
bool ftun_encap_has_gre_csum(const struct ftun_outer *outer)
{
	const struct gre_base_hdr *greh = (const void *)outer->hdr + outer->gre;

	return outer->gre && greh->flags & GRE_CSUM;
}

static int gso_type(const struct ftun_outer *outer)
{
	int udp = 0;

	if (outer->udp)
		udp = outer->rules & FTUN_OUTER_UDP_CSUM ?
			SKB_GSO_UDP_TUNNEL_CSUM : SKB_GSO_UDP_TUNNEL;
	if (!outer->gre)
		return udp | (outer->v6 ? SKB_GSO_IPXIP6 : SKB_GSO_IPXIP4);
	return udp | (ftun_encap_has_gre_csum(outer) ? SKB_GSO_GRE_CSUM
						     : SKB_GSO_GRE);
}

/* gre_build_header(): the device below fills the checksum in, or has to do so for
 * the inner one, whose sum is known then. Segmentation sees to its own.
 */
static void push_gre_csum(struct sk_buff *skb, struct gre_base_hdr *greh)
{
	__sum16 *check = (__sum16 *)(greh + 1);

	if (skb_shinfo(skb)->gso_type & (SKB_GSO_GRE | SKB_GSO_GRE_CSUM))
		return;
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		*check = csum_fold(lco_csum(skb));
		return;
	}
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = sizeof(*greh);
}

/* The template has no checksum and no sequence number; the latter comes last. */
static void push_gre(struct sk_buff *skb, const struct ftun_path *path)
{
	const struct ftun_outer *outer = &path->way->outer;
	struct gre_base_hdr *greh = (void *)skb->data + outer->gre;

	skb_set_transport_header(skb, outer->gre);
	skb_set_inner_protocol(skb, greh->protocol);
	if (greh->flags & GRE_SEQ)
		*(__be32 *)(skb->data + outer->len - 4) =
			htonl(ftun_tunnel_next_seq(path->way->tun_out, outer->v6));
	if (greh->flags & GRE_CSUM)
		push_gre_csum(skb, greh);
}

static void push_udp_csum(struct sk_buff *skb, bool v6, u16 len)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	const struct iphdr *iph = ip_hdr(skb);

	if (v6)
		udp6_set_csum(false, skb, &ip6h->saddr, &ip6h->daddr, len);
	else
		udp_set_csum(false, skb, iph->saddr, iph->daddr, len);
}

/* fou_build_udp(). The port is in the template: an automatic one has been asked for
 * when the packet was checked. There is no checksum in it.
 */
static void push_udp(struct sk_buff *skb, const struct ftun_outer *outer)
{
	u16 len = skb->len - outer->udp;
	struct udphdr *udph;

	skb_set_transport_header(skb, outer->udp);
	udph = udp_hdr(skb);
	udph->len = htons(len);
	if (outer->rules & FTUN_OUTER_UDP_CSUM)
		push_udp_csum(skb, outer->v6, len);
}

/**
 * ftun_encap_sport() - the automatic source port of an outer UDP header
 * @net:  where
 * @hash: the packet's hash
 */
__be16 ftun_encap_sport(struct net *net, u32 hash)
{
	struct sk_buff skb = {
		.l4_hash	= 1,
		.hash		= hash,
	};

	return udp_flow_src_port(net, &skb, 0, 0, false);
}

/**
 * ftun_encap_label() - the automatic flow label of an outer header
 * @net:  where
 * @hash: the packet's hash
 *
 * What ip6_make_flowlabel() makes of it.
 */
__be32 ftun_encap_label(const struct net *net, u32 hash)
{
	__be32 label;

	label = (__force __be32)rol32(hash, 16) & IPV6_FLOWLABEL_MASK;
	if (READ_ONCE(net->ipv6.sysctl.flowlabel_state_ranges))
		label |= IPV6_FLOWLABEL_STATELESS_FLAG;
	return label;
}

/* A packet that came without a hash gets the label of all such packets in this
 * tunnel, which the path has.
 */
static void push_label(const struct net *net, struct sk_buff *skb,
		       const struct ftun_path *path)
{
	__be32 label = path->outer_label;

	if (!(path->way->outer.rules & FTUN_OUTER_LABEL_AUTO))
		return;
	if (skb->l4_hash || skb->sw_hash)
		label = ftun_encap_label(net, skb->hash);
	ftun_rewrite_label((struct ipv6hdr *)skb->data, label);
}

/* Somebody on the slow path asks for a hash: ip_tunnel_xmit(), udp_flow_src_port(), or
 * ip6_make_flowlabel(), which makes one that no packet has a part in. The device below
 * finds what has been asked for.
 */
static void push_hash(struct sk_buff *skb, const struct ftun_way *way)
{
	if (way->hash_by == FTUN_HASH_INNER)
		skb_get_hash(skb);
	else if (!skb->l4_hash && !skb->sw_hash)
		__skb_set_sw_hash(skb, way->hash, way->hash_l4);
}

static u16 next_id(struct net *net, const struct ftun_outer *outer, int count)
{
	struct iphdr iph;

	memcpy(&iph, outer->hdr, sizeof(iph));
	__ip_select_ident(net, &iph, count);
	return ntohs(iph.id);
}

/* Where the header says "don't fragment" nobody will ever look at the id (RFC 6864),
 * so it need not cost a siphash: a path takes those of 64 packets at once from the
 * kernel. Two CPUs that share it may use one twice.
 */
static __be16 select_id(struct net *net, const struct sk_buff *skb,
			struct ftun_path *path)
{
	const struct iphdr *iph = (const void *)path->way->outer.hdr;
	u16 segs = skb_shinfo(skb)->gso_segs ?: 1;
	u16 id;

	if (!(iph->frag_off & htons(IP_DF)) || segs > FTUN_PATH_IDS)
		return htons(next_id(net, &path->way->outer, segs));
	if (path->ids < segs) {
		path->ids = FTUN_PATH_IDS * segs;
		path->id = next_id(net, &path->way->outer, path->ids);
	}
	id = path->id;
	path->id += segs;
	path->ids -= segs;
	return htons(id);
}

static void push_header(struct net *net, struct sk_buff *skb,
			struct ftun_path *path)
{
	const struct ftun_outer *outer = &path->way->outer;
	const void *inner = skb->data;
	bool inner6 = skb->protocol == htons(ETH_P_IPV6);

	__skb_push(skb, outer->len);
	skb_reset_network_header(skb);
	ftun_rewrite_outer(skb->data, outer, inner, inner6, skb->len,
			   outer->v6 ? 0 : select_id(net, skb, path));
	skb->protocol = outer->v6 ? htons(ETH_P_IPV6) : htons(ETH_P_IP);
}

/**
 * ftun_encap_push() - put an outer header on
 * @net:  where
 * @skb:  packet as it leaves the router, in a buffer of its own with headroom
 * @path: its path, with FTUN_PATH_ENCAP
 *
 * Does what ip_tunnel_xmit(), ipip6_tunnel_xmit(), ip6_tnl_xmit() and, for them or
 * before them, ipgre_xmit(), ip6gre_tunnel_xmit() and ip_tunnel_encap() do.
 *
 * Context: BH off, RCU read side.
 * Return: false for lack of memory.
 */
__ftun_hot bool ftun_encap_push(struct net *net, struct sk_buff *skb,
				struct ftun_path *path)
{
	const struct ftun_outer *outer = &path->way->outer;
	bool inner6 = skb->protocol == htons(ETH_P_IPV6);

	if (iptunnel_handle_offloads(skb, gso_type(outer)))
		return false;
	if (!outer->gre)
		skb_set_inner_ipproto(skb, inner6 ? IPPROTO_IPV6 : IPPROTO_IPIP);
	skb->skb_iif = 0;
	skb_set_queue_mapping(skb, 0);
	if (path->way->hash_by != FTUN_HASH_NONE)
		push_hash(skb, path->way);
	push_header(net, skb, path);
	if (outer->v6)
		push_label(net, skb, path);
	if (outer->gre)
		push_gre(skb, path);
	if (outer->udp)
		push_udp(skb, outer);
	if (!outer->v6)
		skb_clear_hash_if_not_l4(skb);
	return true;
}
