// SPDX-License-Identifier: GPL-2.0
/*
 * The fast path: one packet in; the same packet, changed, out to its neighbour,
 * or back to the stack with a reason and not a bit different.
 */
#include "ingress.h"

#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/neighbour.h>
#include <net/tcp.h>
#include <net/udp.h>

#include "compat/netdev.h"
#include "compat/skbuff.h"
#include "encap.h"
#include "hop.h"
#include "hot.h"
#include "metadata.h"
#include "parse.h"
#include "path.h"
#include "policy.h"
#include "renew.h"
#include "rewrite.h"
#include "route.h"
#include "second.h"
#include "settings.h"
#include "stranger.h"
#include "table.h"
#include "tunnel.h"
#include "window.h"
#include "witness.h"
#include "xmit.h"

/* What GRO and virtual devices may hand us as one packet. */
#define GSO_TYPES	(SKB_GSO_TCPV4 | SKB_GSO_TCPV6 | SKB_GSO_TCP_ECN | \
			 SKB_GSO_DODGY | SKB_GSO_TCP_FIXEDID | \
			 SKB_GSO_PARTIAL | SKB_GSO_UDP_L4)

/* What TCP or UDP carries */
static u32 payload_len(const struct ftun_packet *pkt)
{
	return pkt->inner_len - (pkt->l4 - pkt->inner) - pkt->l4_hlen;
}

/* How many segments is it? Who is not trusted has not said, or nobody believes it:
 * qdisc_pkt_len_segs_init(), tcp_gso_segment(), __udp_gso_segment().
 */
static u32 gso_segs(const struct sk_buff *skb, const struct ftun_packet *pkt)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);

	return shinfo->gso_type & SKB_GSO_DODGY ?
		DIV_ROUND_UP(payload_len(pkt), shinfo->gso_size) :
		shinfo->gso_segs;
}

static u32 inner_gso_type(const struct ftun_packet *pkt)
{
	if (pkt->tuple.l4proto == IPPROTO_UDP)
		return SKB_GSO_UDP_L4;
	return ftun_tuple_inner6(&pkt->tuple) ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4;
}

/* In front of a tunnel, what somebody says of a packet is put to the test, and what does
 * not pass is dropped: tcp_gso_segment(), __udp_gso_segment(). The sum of TCP is made anew.
 */
static bool gso_is_sound(const struct sk_buff *skb, const struct ftun_packet *pkt)
{
	if (skb->ip_summed == CHECKSUM_PARTIAL ?
	    skb_checksum_start_offset(skb) != pkt->l4 :
	    pkt->tuple.l4proto != IPPROTO_TCP)
		return false;
	return skb_shinfo(skb)->gso_type & inner_gso_type(pkt) &&
	       payload_len(pkt) > skb_shinfo(skb)->gso_size;
}

/* What the tunnel device can do with such packets: gso_features_check(). Ids that are all
 * the same stay so, but only where nobody will ever look at them.
 */
static netdev_features_t tunnel_features(const struct sk_buff *skb,
					 const struct ftun_packet *pkt,
					 const struct net_device *dev)
{
	netdev_features_t features = dev->features | NETIF_F_GSO_ROBUST;
	const struct iphdr *iph = (const void *)skb->data + pkt->inner;

	if (!ftun_tuple_inner6(&pkt->tuple) && !(iph->frag_off & htons(IP_DF)))
		features &= ~NETIF_F_TSO_MANGLEID;
	return features;
}

/* Would the tunnel device take it whole? netif_needs_gso(). With a checksum by
 * metadata the kernels do not agree on what is to become of it: gre_fb_xmit().
 */
static noinline __ftun_hot bool tunnel_takes_gso(const struct sk_buff *skb,
						 const struct ftun_packet *pkt,
						 const struct ftun_path *path)
{
	const struct net_device *dev = path->way->tun_out;
	netdev_features_t features = tunnel_features(skb, pkt, dev);
	u32 len = pkt->inner_len;

	if (!gso_is_sound(skb, pkt))
		return false;
	if (ftun_encap_has_gre_csum(&path->way->outer) &&
	    ftun_metadata(path->way->route.dst))
		return false;
	/* Its header is there by then: ipgre_header(). */
	if (path->what & FTUN_PATH_BY_NEIGH)
		len += ftun_path_push(path);
	if (gso_segs(skb, pkt) > READ_ONCE(dev->gso_max_segs) ||
	    len >= dev_gso_max_size(dev, ftun_path_inner6(path)))
		return false;
	if (skb_has_frag_list(skb) && !(features & NETIF_F_FRAGLIST))
		return false;
	return net_gso_ok(features, skb_shinfo(skb)->gso_type & GSO_TYPES);
}

/* Datagrams that GRO or their sender put together, of which each is one for the tunnel:
 * udp_unexpected_gso() takes them apart.
 */
static bool gso_of_outer(const struct sk_buff *skb)
{
	u32 type = skb_shinfo(skb)->gso_type;

	return type & SKB_GSO_UDP_L4 ||
	       !(type & (SKB_GSO_UDP_TUNNEL | SKB_GSO_UDP_TUNNEL_CSUM));
}

/* What an aggregated packet can be, beside what is inside, in this encapsulation. */
static u32 outer_gso_types(const struct ftun_packet *pkt)
{
	u32 udp = pkt->udp ? SKB_GSO_UDP_TUNNEL | SKB_GSO_UDP_TUNNEL_CSUM : 0;

	if (pkt->tuple.encap == FTUN_ENCAP_GRE)
		return udp | (pkt->tuple.shape & FTUN_SHAPE_GRE_CSUM ?
			      SKB_GSO_GRE_CSUM : SKB_GSO_GRE);
	return udp | (ftun_tuple_outer6(&pkt->tuple) ?
		      SKB_GSO_IPXIP6 : SKB_GSO_IPXIP4);
}

static enum ftun_stat check_gso(const struct sk_buff *skb,
				const struct ftun_packet *pkt,
				const struct ftun_path *path)
{
	u32 allowed = GSO_TYPES;
	u32 len;

	if (path->what & FTUN_PATH_DECAP)
		allowed |= outer_gso_types(pkt);
	else if (skb->encapsulation)
		return FTUN_STAT_pass_gso;
	if (!skb_shinfo(skb)->gso_type ||
	    skb_shinfo(skb)->gso_type & ~allowed)
		return FTUN_STAT_pass_gso;
	if (pkt->udp && gso_of_outer(skb))
		return FTUN_STAT_pass_gso;
	if (path->what & FTUN_PATH_ENCAP && !tunnel_takes_gso(skb, pkt, path))
		return FTUN_STAT_pass_gso;
	len = pkt->l4 - pkt->inner + pkt->l4_hlen + skb_shinfo(skb)->gso_size;
	return len > path->way->mtu ? FTUN_STAT_pass_mtu : FTUN_OK;
}

static enum ftun_stat check_size(const struct sk_buff *skb,
				 const struct ftun_packet *pkt,
				 const struct ftun_path *path)
{
	if (pkt->inner_len + ftun_path_push(path) > U16_MAX)
		return FTUN_STAT_pass_mtu;
	if (skb_is_gso(skb))
		return check_gso(skb, pkt, path);
	return pkt->inner_len > path->way->mtu ? FTUN_STAT_pass_mtu : FTUN_OK;
}

static enum ftun_stat check_dscp(const struct ftun_packet *pkt,
				 const struct ftun_path *path)
{
	u8 differ = (pkt->tos ^ path->dscp) | (pkt->outer_tos ^ path->outer_dscp);

	return differ & ~INET_ECN_MASK ? FTUN_STAT_pass_dscp : FTUN_OK;
}

static enum ftun_stat check_ct(const struct nf_conn *ct, u32 mark)
{
	if (READ_ONCE(ct->status) & (IPS_DYING | IPS_FIXED_TIMEOUT))
		return FTUN_STAT_pass_dying;
	return ftun_ct_mark(ct) == mark ? FTUN_OK : FTUN_STAT_pass_stale;
}

/* A UDP stream becomes assured two seconds after it began, when conntrack sees a
 * packet of it: nf_conntrack_udp_packet().
 */
static bool udp_due(const struct nf_conn *ct, u8 l4proto)
{
	return l4proto == IPPROTO_UDP &&
	       !(READ_ONCE(ct->status) & (IPS_ASSURED | IPS_NAT_CLASH)) &&
	       time_after(jiffies, ct->proto.udp.stream_ts);
}

/* GRE, and UDP with a tunnel in it, are answered too: nf_conntrack_gre_packet() needs
 * no more than a packet after that.
 */
static noinline bool outer_due(const struct ftun_acct *acct)
{
	return READ_ONCE(acct->ct->status) & IPS_SEEN_REPLY &&
	       (nf_ct_protonum(acct->ct) == IPPROTO_GRE ||
		udp_due(acct->ct, IPPROTO_UDP));
}

static __always_inline enum ftun_stat check_acct(const struct ftun_acct *acct)
{
	enum ftun_stat reason;

	if (!acct->ct)
		return FTUN_OK;
	reason = check_ct(acct->ct, acct->mark);
	if (reason == FTUN_OK && acct->unassured && outer_due(acct))
		reason = FTUN_STAT_pass_assured;
	return reason;
}

static enum ftun_stat check_conntrack(const struct ftun_path *path)
{
	enum ftun_stat reason;

	reason = check_ct(path->ct, path->ct_mark);
	if (reason == FTUN_OK)
		reason = check_acct(&path->way->outer_in);
	if (reason == FTUN_OK)
		reason = check_acct(&path->way->outer_out);
	if (reason == FTUN_OK && udp_due(path->ct, path->head.l4proto))
		reason = FTUN_STAT_pass_assured;
	return reason;
}

static bool routes_current(const struct ftun_path *path)
{
	const struct ftun_way *way = path->way;

	return ftun_route_current(&way->route, ftun_path_inner6(path)) &&
	       (!(path->what & FTUN_PATH_ENCAP) ||
		ftun_route_current(&way->outer_route, way->outer.v6));
}

/* tc and netdev chains on the device may have given the packet a mark, which rules and
 * routes can ask for, or a priority; so may a VLAN's tag.
 */
static bool came_alike(const struct sk_buff *skb, const struct ftun_way *way)
{
	return skb->mark == way->mark_in && skb->priority == way->priority_in;
}

/* Is all that the proof stood on still so? */
static enum ftun_stat check_proof(struct ftun_net *fn,
				  struct sk_buff *skb,
				  const struct ftun_packet *pkt,
				  struct ftun_path *path)
{
	if (!ftun_policy_current(fn, path->way) ||
	    !ftun_renew_current(fn, skb, pkt, path) ||
	    !routes_current(path) || !came_alike(skb, path->way))
		return FTUN_STAT_pass_stale;
	return path->way->neigh->dead ? FTUN_STAT_pass_neigh : FTUN_OK;
}

static enum ftun_stat check_tunnel_in(const struct sk_buff *skb,
				      const struct ftun_packet *pkt,
				      const struct ftun_path *path)
{
	if (ftun_tunnel_watched_in(path->way->tun_in))
		return FTUN_STAT_pass_watched;
	if (path->what & FTUN_PATH_SEQ_IN &&
	    ftun_tunnel_seq_late(path->way->tun_in, ftun_tuple_outer6(&pkt->tuple),
				 pkt->gre_seq))
		return FTUN_STAT_pass_gre_seq;
	if (pkt->tuple.shape & FTUN_SHAPE_UDP_CSUM &&
	    !ftun_parse_udp_csum_ok(skb, pkt))
		return FTUN_STAT_pass_udp_csum;
	if (pkt->tuple.shape & FTUN_SHAPE_GRE_CSUM &&
	    !ftun_parse_gre_csum_ok(skb, pkt))
		return FTUN_STAT_pass_gre_csum;
	if (pkt->outer_tos & INET_ECN_MASK &&
	    !ftun_rewrite_ecn_fits(pkt->outer_tos, pkt->tos))
		return FTUN_STAT_pass_ecn;
	return FTUN_OK;
}

static noinline enum ftun_stat check_hop(const struct ftun_way *way)
{
	const struct iphdr *iph = (const void *)way->outer.hdr;

	return ftun_hop_check(&way->hop, way->tun_out, iph->daddr);
}

static enum ftun_stat check_tunnel_out(const struct ftun_path *path)
{
	const struct ftun_way *way = path->way;

	if (ftun_tunnel_watched_out(way->tun_out))
		return FTUN_STAT_pass_watched;
	if (ftun_tunnel_has_error(way->tun_out, way->outer.v6))
		return FTUN_STAT_pass_tunnel_error;
	if (way->udp != ftun_tunnel_udp(way->tun_out, way->outer.v6))
		return FTUN_STAT_pass_stale;
	return path->what & FTUN_PATH_BY_NEIGH ? check_hop(way) : FTUN_OK;
}

/* Of a packet that its sender on this machine put into another tunnel, the drivers take TTL,
 * TOS and length from what is in that: iptunnel_handle_offloads().
 */
static enum ftun_stat check_tunnels(const struct sk_buff *skb,
				    const struct ftun_packet *pkt,
				    const struct ftun_path *path)
{
	enum ftun_stat reason = FTUN_OK;

	if (path->what & FTUN_PATH_DECAP)
		reason = check_tunnel_in(skb, pkt, path);
	else if (path->what & FTUN_PATH_ENCAP && skb->encapsulation)
		reason = FTUN_STAT_pass_encap;
	if (reason == FTUN_OK && path->what & FTUN_PATH_ENCAP)
		reason = check_tunnel_out(path);
	return reason;
}

static bool label_fits(const struct sk_buff *skb, const struct ftun_packet *pkt,
		       const struct ftun_path *path)
{
	const struct ipv6hdr *ip6h = (const void *)skb->data + pkt->inner;

	if (path->what & FTUN_PATH_LABEL)
		return ip6_flowlabel(ip6h) == path->label;
	return !ip6_flowlabel(ip6h) == !path->label;
}

/* ip6_forward() */
static enum ftun_stat check_ipv6(const struct net *net,
				 const struct sk_buff *skb,
				 const struct ftun_packet *pkt,
				 const struct ftun_path *path)
{
	if (!READ_ONCE(net->ipv6.devconf_all->forwarding))
		return FTUN_STAT_pass_forwarding;
	if (path->what & (FTUN_PATH_LABEL | FTUN_PATH_LABEL_OR_NONE) &&
	    !label_fits(skb, pkt, path))
		return FTUN_STAT_pass_label;
	return FTUN_OK;
}

/* With link padding goes what the device was to fill in there:
 * pskb_trim_rcsum_slow() does not allow it.
 */
static bool sums_behind(const struct sk_buff *skb, const struct ftun_packet *pkt)
{
	return skb->ip_summed == CHECKSUM_PARTIAL &&
	       skb_checksum_start_offset(skb) + skb->csum_offset +
	       sizeof(__sum16) > pkt->inner + pkt->inner_len;
}

static bool l4_csum_known(const struct sk_buff *skb,
			  const struct ftun_packet *pkt)
{
	return ftun_parse_vouched(skb, pkt->inner, pkt->csums) &&
	       !sums_behind(skb, pkt);
}

/* The packet itself: what the slow path would not simply send on. */
static enum ftun_stat check_packet(const struct ftun_net *fn,
				   const struct sk_buff *skb,
				   const struct ftun_packet *pkt)
{
	if (pkt->ttl <= 1)
		return FTUN_STAT_pass_ttl;
	if (l4_csum_known(skb, pkt))
		return FTUN_OK;
	if (sums_behind(skb, pkt))
		return FTUN_STAT_pass_header;
	if (READ_ONCE(fn->net->ct.sysctl_checksum) &&
	    !ftun_parse_l4_csum_ok(skb, pkt))
		return FTUN_STAT_pass_l4_csum;
	return FTUN_OK;
}

static enum ftun_stat check_tcp(const struct ftun_packet *pkt)
{
	if (pkt->tuple.l4proto != IPPROTO_TCP)
		return FTUN_OK;
	if (pkt->tcp_flags & (TCPHDR_SYN | TCPHDR_FIN | TCPHDR_RST) ||
	    !(pkt->tcp_flags & TCPHDR_ACK))
		return FTUN_STAT_pass_tcp_flags;
	return FTUN_OK;
}

/* To be asked last, since conntrack is told of the packet with it. */
static enum ftun_stat check_window(const struct sk_buff *skb,
				   const struct ftun_packet *pkt,
				   const struct ftun_path *path)
{
	if (pkt->tuple.l4proto != IPPROTO_TCP ||
	    ftun_window_track(path->ct, ftun_path_dir(path),
			      (const struct tcphdr *)(skb->data + pkt->l4),
			      payload_len(pkt)))
		return FTUN_OK;
	return FTUN_STAT_pass_window;
}

/* Which of several next hops the slow path chooses depends on whether their neighbours
 * answer, and it keeps account of its choices: nexthop_select_path(). So it is given a
 * packet each second, and all while the chosen one does not answer.
 */
static enum ftun_stat check_several(const struct ftun_way *way)
{
	if (way->second != ftun_second())
		return FTUN_STAT_pass_stale;
	return READ_ONCE(way->neigh->nud_state) & NUD_VALID ?
		FTUN_OK : FTUN_STAT_pass_neigh;
}

/* An automatic port goes by the packet's hash, and the outer conntrack entry by the port. How
 * packets without a hash leave is known from one that had none.
 */
static bool hash_fits(struct net *net, struct sk_buff *skb,
		      const struct ftun_path *path)
{
	const struct ftun_outer *outer = &path->way->outer;
	const struct udphdr *udph = (const void *)outer->hdr + outer->udp;

	if (!skb->l4_hash && (!skb->sw_hash || path->what & FTUN_PATH_DECAP))
		return !(path->what & FTUN_PATH_HASHED);
	return !(outer->rules & FTUN_OUTER_SPORT_AUTO) ||
	       udph->source == udp_flow_src_port(net, skb, 0, 0, false);
}

static noinline __ftun_hot enum ftun_stat
check_special(struct net *net, struct sk_buff *skb, const struct ftun_path *path)
{
	if (path->what & FTUN_PATH_HAIRPIN &&
	    ftun_route_redirects(path->way->route.dst->dev, false))
		return FTUN_STAT_pass_redirect;
	if (path->what & (FTUN_PATH_HASHED | FTUN_PATH_AUTO_PORT) &&
	    !hash_fits(net, skb, path))
		return FTUN_STAT_pass_stale;
	return path->what & FTUN_PATH_SEVERAL ? check_several(path->way) :
						FTUN_OK;
}

/* The first reason, if there is any, why this packet cannot go by this path. */
static enum ftun_stat check(struct ftun_net *fn, struct sk_buff *skb,
			    const struct ftun_packet *pkt,
			    struct ftun_path *path)
{
	enum ftun_stat reason;

	reason = check_proof(fn, skb, pkt, path);
	if (reason == FTUN_OK)
		reason = check_conntrack(path);
	if (reason == FTUN_OK)
		reason = check_tcp(pkt);
	if (reason == FTUN_OK)
		reason = check_tunnels(skb, pkt, path);
	if (reason == FTUN_OK)
		reason = check_dscp(pkt, path);
	if (reason == FTUN_OK)
		reason = check_size(skb, pkt, path);
	if (reason == FTUN_OK && ftun_path_inner6(path))
		reason = check_ipv6(fn->net, skb, pkt, path);
	if (reason == FTUN_OK)
		reason = check_packet(fn, skb, pkt);
	if (reason == FTUN_OK && path->what & FTUN_PATH_SPECIAL)
		reason = check_special(fn->net, skb, path);
	return reason;
}

/* Is it the path's fault, so that this packet should prove it anew? */
static bool wants_proof(const struct ftun_path *path, enum ftun_stat reason)
{
	switch (reason) {
	case FTUN_STAT_pass_stale:
	case FTUN_STAT_pass_neigh:
	case FTUN_STAT_pass_dying:
	case FTUN_STAT_pass_assured:
	case FTUN_STAT_pass_dscp:
	case FTUN_STAT_pass_label:
		return true;
	case FTUN_STAT_pass_mtu:
		/* What was learned of the path may have expired. */
		return ftun_route_learned_mtu(&path->way->route,
					      ftun_path_inner6(path)) ||
		       ftun_route_learned_mtu(&path->way->outer_route,
					      path->way->outer.v6);
	default:
		return false;
	}
}

/* A connection that was idle for too long is over as soon as someone looks at its entry:
 * nf_ct_gc_expired(). Of those in use garbage collection moves the timeout.
 */
static bool path_touch(struct ftun_path *path)
{
	u32 now = jiffies, used = READ_ONCE(path->used);

	if (used == now)
		return true;
	if (now - used > HZ && nf_ct_is_expired(path->ct))
		return false;
	WRITE_ONCE(path->used, now);
	return true;
}

/* For who asks why; other CPUs read what is next to it. */
static void path_passed(struct ftun_path *path, enum ftun_stat reason)
{
	u32 now = jiffies;

	if (READ_ONCE(path->passed) != reason)
		WRITE_ONCE(path->passed, reason);
	if (READ_ONCE(path->passed_at) != now)
		WRITE_ONCE(path->passed_at, now);
}

/* A packet of a flow, but not for its path: let conntrack have it. */
static unsigned int pass(struct ftun_net *fn, const struct sk_buff *skb,
			 const struct ftun_packet *pkt,
			 struct ftun_path *path, enum ftun_stat reason)
{
	ftun_stat_inc(fn->stats, reason);
	path_passed(path, reason);
	if (wants_proof(path, reason))
		ftun_witness_take(fn, skb, pkt);
	return NF_ACCEPT;
}

/* Room for the new headers, in a buffer that nobody shares. */
static bool make_room(struct sk_buff *skb, const struct ftun_packet *pkt,
		      const struct ftun_path *path)
{
	unsigned int headroom = path->way->headroom;

	return !skb_cow(skb, headroom > pkt->inner ? headroom - pkt->inner : 0);
}

/* Off with link padding, as ip_rcv_core() does. A sum over all that came in is of
 * no use any more: skb_forward_csum().
 */
static bool trim(struct sk_buff *skb, unsigned int len)
{
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->ip_summed = CHECKSUM_NONE;
	return !pskb_trim(skb, len);
}

static void set_headers(struct sk_buff *skb, const struct ftun_packet *pkt)
{
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, pkt->l4 - pkt->inner);
}

/* nf_nat, ip_forward(), ip6_forward(): the inner packet on its way through the
 * router.
 */
static void forward(struct sk_buff *skb, struct ftun_path *path)
{
	bool v6 = ftun_path_inner6(path);
	u8 tos;

	if (path->what & FTUN_PATH_NAT)
		ftun_rewrite_nat(skb->data, v6, ftun_path_nat(path),
				 skb->ip_summed == CHECKSUM_PARTIAL);
	ftun_rewrite_ttl(skb->data, v6);
	skb_clear_tstamp(skb);
	skb->mark = path->way->mark;
	skb->priority = path->way->priority;
	if (path->what & FTUN_PATH_PRIO_BY_TOS) {
		tos = ftun_rewrite_tos(skb->data, v6);
		skb->priority = rt_tos2priority(tos);
	}
	if (path->dscp_set)
		ftun_rewrite_dscp(skb->data, v6, path->dscp_out);
}

static enum ftun_stat path_stat(const struct ftun_path *path)
{
	static const u8 stats[] = {
		[0]					= FTUN_STAT_fast_plain,
		[FTUN_PATH_DECAP]			= FTUN_STAT_fast_decap,
		[FTUN_PATH_ENCAP]			= FTUN_STAT_fast_encap,
		[FTUN_PATH_DECAP | FTUN_PATH_ENCAP]	= FTUN_STAT_fast_transit,
	};

	return stats[path->what & (FTUN_PATH_DECAP | FTUN_PATH_ENCAP)];
}

static void path_count(struct ftun_path *path, u32 len)
{
	WRITE_ONCE(path->packets, path->packets + 1);
	WRITE_ONCE(path->bytes, path->bytes + len);
}

/* From here on the packet is ours. What can still fail is for lack of memory. */
static void go(struct ftun_net *fn, struct sk_buff *skb,
	       const struct ftun_packet *pkt, struct ftun_path *path)
{
	ftun_stat_inc(fn->stats, path_stat(path));
	path_count(path, pkt->inner_len);
	ftun_xmit_count_in(fn->net, skb, pkt, path);
	skb_orphan(skb);
	/* As soon as we have seen it: __netif_receive_skb_core(). */
	skb_reset_redirect(skb);
	if (!trim(skb, pkt->inner + pkt->inner_len)) {
		ftun_xmit_count_discard(fn->net, skb);
		kfree_skb_nomem(skb);
		return;
	}
	if (path->what & FTUN_PATH_DECAP)
		ftun_encap_pull(skb, pkt, path);
	set_headers(skb, pkt);
	forward(skb, path);
	if (path->what & FTUN_PATH_ENCAP && skb_is_gso(skb))
		skb_shinfo(skb)->gso_segs = gso_segs(skb, pkt);
	if (path->what & FTUN_PATH_ENCAP &&
	    !ftun_encap_push(fn->net, skb, path)) {
		DEV_STATS_INC(path->way->tun_out, tx_errors);
		kfree_skb_nomem(skb);
		return;
	}
	ftun_xmit(fn->net, skb, path);
}

/* A function of its own, so that what is not IP does not pay for its stack. All of
 * @pkt that counts is written by parsing; compilers that clear variables need not.
 */
static noinline __ftun_hot unsigned int ingress_ip(const struct ftun_device *fdev,
						   struct sk_buff *skb)
{
	struct ftun_net *fn = fdev->fn;
	struct ftun_packet pkt __uninitialized;
	struct ftun_path *path;
	enum ftun_stat reason;

	reason = ftun_parse(skb, fdev->iif, &fn->fou, &pkt);
	if (reason == FTUN_NOT_OURS)
		return NF_ACCEPT;
	if (reason != FTUN_OK) {
		ftun_stat_inc(fn->stats, reason);
		return NF_ACCEPT;
	}
	path = ftun_table_find(fn, &pkt.tuple);
	if (!path) {
		ftun_stat_inc(fn->stats, FTUN_STAT_miss);
		ftun_witness_take(fn, skb, &pkt);
		return NF_ACCEPT;
	}
	reason = check(fn, skb, &pkt, path);
	if (reason == FTUN_OK && !make_room(skb, &pkt, path))
		reason = FTUN_STAT_pass_nomem;
	if (reason == FTUN_OK)
		reason = check_window(skb, &pkt, path);
	if (reason == FTUN_OK && !path_touch(path))
		reason = FTUN_STAT_pass_dying;
	if (reason != FTUN_OK)
		return pass(fn, skb, &pkt, path, reason);
	go(fn, skb, &pkt, path);
	return NF_STOLEN;
}

static __always_inline unsigned int ingress(const struct ftun_device *fdev,
					    struct sk_buff *skb, bool v6)
{
	if (ftun_stranger_is(fdev->fn, skb, fdev->where, v6)) {
		ftun_stat_inc(fdev->fn->stats, FTUN_STAT_miss);
		return NF_ACCEPT;
	}
	return ftun_settings_armed(fdev->fn) ? ingress_ip(fdev, skb) : NF_ACCEPT;
}

/* Hashes by a call, which IPv4 need not make room for. */
static noinline __ftun_hot unsigned int ingress_ipv6(const struct ftun_device *fdev,
						     struct sk_buff *skb)
{
	return ingress(fdev, skb, true);
}

/**
 * ftun_ingress() - netdev ingress hook
 * @priv:  struct ftun_device
 * @skb:   a packet, after GRO, taps and tc, data at the network header
 * @state: unused
 *
 * Context: BH off, RCU read side.
 * Return: NF_STOLEN for a packet that went by the fast path, else NF_ACCEPT.
 */
__ftun_hot unsigned int ftun_ingress(void *priv, struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	WARN_ON_ONCE(!rcu_read_lock_held());
	if (skb->protocol == htons(ETH_P_IP))
		return ingress(priv, skb, false);
	if (skb->protocol == htons(ETH_P_IPV6))
		return ingress_ipv6(priv, skb);
	return NF_ACCEPT;
}
