// SPDX-License-Identifier: GPL-2.0
/*
 * From what the slow path did with one packet, work out a path; then do with the
 * packet as it came in what the fast path would, and compare. Only if not a bit
 * is different does the path go into the table.
 */
#include "proof.h"

#include <linux/slab.h>
#include <linux/udp.h>
#include <net/gre.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/neighbour.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_acct.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "ask.h"
#include "encap.h"
#include "flow.h"
#include "hop.h"
#include "metadata.h"
#include "policy.h"
#include "route.h"
#include "second.h"
#include "settings.h"
#include "tunnel.h"
#include "witness.h"
#include "xmit.h"

/* A packet can differ for a reason of its own; this many in a row cannot. */
#define PROOF_TRIES	3
/* How long a path without packets keeps its place. */
#define PATH_IN_USE	HZ

/* ip_forward() or ip6_forward(), tnl_update_pmtu() or ip6_tnl_xmit(), and
 * ip_finish_output() or ip6_finish_output() each have their limit. What is larger
 * than the least of them is the slow path's business.
 */
static u16 path_mtu(const struct ftun_path *path)
{
	u32 mtu = ftun_route_forward_mtu(&path->way->route, ftun_path_inner6(path));

	if (path->what & FTUN_PATH_ENCAP) {
		mtu = min(mtu, ftun_route_mtu(&path->way->route));
		mtu = min(mtu, ftun_route_mtu(&path->way->outer_route) -
			       path->way->outer.len);
	}
	return min_t(u32, mtu, U16_MAX);
}

/* Bytes in front of the inner header */
static u16 path_headroom(const struct ftun_path *path)
{
	const struct dst_entry *dst = ftun_path_wire_route(path)->dst;

	return LL_RESERVED_SPACE(dst->dev) + dst->header_len +
	       ftun_path_push(path);
}

static enum ftun_stat path_hold_neigh(struct ftun_path *path,
				      const struct sk_buff *skb)
{
	const struct ftun_route *route = ftun_path_wire_route(path);
	bool v6 = ftun_path_wire6(path);
	struct neighbour *neigh;

	if (!v6 && ftun_route_crosses(route))
		return FTUN_STAT_refuse_route;
	neigh = ftun_route_neigh(route, skb_network_header(skb), v6);
	if (IS_ERR_OR_NULL(neigh) ||
	    !(READ_ONCE(neigh->nud_state) & NUD_VALID) ||
	    !refcount_inc_not_zero(&neigh->refcnt))
		return FTUN_STAT_wait_neigh;
	path->way->neigh = neigh;
	path->way->asks_ct = ftun_xmit_asks_ct(neigh->dev);
	return FTUN_OK;
}

/* Does @ct change addresses or ports of packets of this direction? */
static bool is_natted(const struct nf_conn *ct, u8 index)
{
	const struct nf_conntrack_tuple *tuple = &ct->tuplehash[index].tuple;
	const struct nf_conntrack_tuple *reply = &ct->tuplehash[!index].tuple;

	return !nf_inet_addr_cmp(&tuple->src.u3, &reply->dst.u3) ||
	       !nf_inet_addr_cmp(&tuple->dst.u3, &reply->src.u3) ||
	       tuple->src.u.all != reply->dst.u.all ||
	       tuple->dst.u.all != reply->src.u.all;
}

/* What @ct makes of the packet whose header is at @ip. */
static void path_set_nat(struct ftun_path *path, const struct nf_conn *ct,
			 u8 index, const void *ip)
{
	const struct nf_conntrack_tuple *reply = &ct->tuplehash[!index].tuple;
	struct ftun_nat *nat = ftun_path_nat(path);
	bool v6 = ftun_path_inner6(path);
	size_t len = v6 ? sizeof(struct in6_addr) : sizeof(struct in_addr);

	if (!is_natted(ct, index))
		return;
	path->what |= FTUN_PATH_NAT;
	memcpy(ftun_nat_saddr(nat), &reply->dst.u3, len);
	memcpy(ftun_nat_daddr(nat, v6), &reply->src.u3, len);
	nat->sport = reply->dst.u.all;
	nat->dport = reply->src.u.all;
	ftun_nat_init(nat, ip, v6);
}

/* TOS of a packet inside the router */
static u8 path_inner_tos(const struct ftun_path *path,
			 const struct ftun_packet *pkt)
{
	u8 tos = ftun_rewrite_ecn_tos(pkt->tos, pkt->outer_tos);

	return path->what & FTUN_PATH_DSCP_COPY ?
		ftun_rewrite_copy_dscp(tos, pkt->outer_tos) : tos;
}

/* Those of protocols that conntrack does not know never are. */
static bool can_be_assured(const struct nf_conn *ct)
{
	if (READ_ONCE(ct->status) & (IPS_ASSURED | IPS_NAT_CLASH))
		return false;
	switch (nf_ct_protonum(ct)) {
	case IPPROTO_GRE:
		return IS_ENABLED(CONFIG_NF_CT_PROTO_GRE);
	case IPPROTO_UDP:
		return true;
	default:
		return false;
	}
}

static void acct_set(struct ftun_acct *acct, struct nf_conn *ct, u8 dir)
{
	acct->ct = ct;
	acct->dir = dir;
	acct->mark = ftun_ct_mark(ct);
	acct->counted = nf_conn_acct_find(ct);
	acct->unassured = can_be_assured(ct);
}

static bool way_hold_outer_in(struct ftun_way *way, struct net *net,
			      const struct ftun_witness *witness)
{
	struct nf_conntrack_tuple_hash *hash;

	if (!witness->outer_tracked)
		return true;
	hash = nf_conntrack_find_get(net, &witness->outer_zone,
				     &witness->outer_tuple);
	if (!hash)
		return false;
	acct_set(&way->outer_in, nf_ct_tuplehash_to_ctrack(hash),
		 witness->outer_dir);
	return true;
}

/* Our hook may come before the one that confirms entries. Until then an entry has no
 * end, and may have to give way to another CPU's.
 */
static bool way_hold_outer_out(struct ftun_way *way, const struct sk_buff *skb)
{
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct;

	ct = nf_ct_get(skb, &ctinfo);
	if (!ct || nf_ct_is_template(ct))
		return true;
	if (!nf_ct_is_confirmed(ct))
		return false;
	nf_conntrack_get(&ct->ct_general);
	acct_set(&way->outer_out, ct, CTINFO2DIR(ctinfo));
	return true;
}

/* ip_forward() derives the priority from the TOS, unless a rule of the user's or
 * a sysctl has the last word. ip6_forward() does not.
 */
static void path_set_meta(struct ftun_path *path, const struct net *net,
			  const struct sk_buff *skb, u8 tos)
{
	path->way->mark = skb->mark;
	path->way->priority = skb->priority;
	if (!ftun_path_inner6(path) &&
	    READ_ONCE(net->ipv4.sysctl_ip_fwd_update_priority) &&
	    skb->priority == rt_tos2priority(tos))
		path->what |= FTUN_PATH_PRIO_BY_TOS;
}

/* Does the tunnel write a DF bit of its own? iptunnel_xmit(), ipip6_tunnel_xmit() */
static __be16 outer_df(const struct ftun_path *path,
		       const struct ftun_tunnel *tunnel)
{
	if (ip_mtu_locked(path->way->outer_route.dst))
		return 0;
	if (tunnel->flags & FTUN_TUNNEL_SIT6 &&
	    ftun_route_mtu(&path->way->outer_route) - sizeof(struct iphdr) <
	    IPV6_MIN_MTU)
		return 0;
	return tunnel->df;
}

/* With the encapsulation limit, if there is one */
static u8 outer_ip_len(const struct ftun_outer *outer)
{
	const struct ipv6hdr *ip6h = (const struct ipv6hdr *)outer->hdr;

	if (!outer->v6)
		return sizeof(struct iphdr);
	return sizeof(*ip6h) + (ip6h->nexthdr == NEXTHDR_DEST ? 8 : 0);
}

/* The DSCP stays, of which a path knows only one: routes are asked for with it. */
static u8 template_tos(u8 tos, u8 rules)
{
	if (rules & FTUN_OUTER_ECN_AS_IS && !(rules & FTUN_OUTER_TOS_INHERIT))
		return tos;
	return tos & ~INET_ECN_MASK;
}

/* What each packet has of its own is no part of the template: it is zero, so that the
 * templates of all connections are the same.
 */
static void template_ipv4(struct iphdr *iph, u8 rules)
{
	iph->tos = template_tos(iph->tos, rules);
	iph->tot_len = 0;
	iph->id = 0;
	iph->check = 0;
	if (rules & FTUN_OUTER_TTL_INHERIT)
		iph->ttl = 0;
}

static void template_ipv6(struct ipv6hdr *ip6h, u8 rules, bool label)
{
	ftun_rewrite_set_tos(ip6h, true,
			     template_tos(ftun_rewrite_tos(ip6h, true), rules));
	ip6h->payload_len = 0;
	if (rules & FTUN_OUTER_TTL_INHERIT)
		ip6h->hop_limit = 0;
	if (!label)
		ftun_rewrite_label(ip6h, 0);
}

static void template_udp(struct udphdr *udph)
{
	udph->len = 0;
	udph->check = 0;
}

/* Key and the like stay; the sequence number comes last. */
static void template_gre(struct ftun_outer *outer)
{
	struct gre_base_hdr *greh;

	greh = (struct gre_base_hdr *)(outer->hdr + outer->gre);
	if (greh->flags & GRE_CSUM)
		*(__be32 *)(greh + 1) = 0;
	if (greh->flags & GRE_SEQ)
		*(__be32 *)(outer->hdr + outer->len - 4) = 0;
}

/* An automatic label is the path's, see push_label(). One that is inherited is none by
 * the hash, and is always written over, see path_bind_label().
 */
static void path_set_label(struct ftun_path *path)
{
	struct ftun_outer *outer = &path->way->outer;
	struct ipv6hdr *ip6h = (struct ipv6hdr *)outer->hdr;
	bool inherit = outer->rules & FTUN_OUTER_LABEL_INHERIT && path->label;

	if (inherit)
		outer->rules &= ~FTUN_OUTER_LABEL_AUTO;
	if (outer->rules & FTUN_OUTER_LABEL_AUTO)
		path->outer_label = ip6_flowlabel(ip6h);
	template_ipv6(ip6h, outer->rules,
		      !inherit && !(outer->rules & FTUN_OUTER_LABEL_AUTO));
}

/* The header as the slow path wrote it, less what differs between packets. */
static void path_set_template(struct ftun_path *path,
			      const struct ftun_tunnel *tunnel)
{
	struct ftun_outer *outer = &path->way->outer;
	struct iphdr *iph = (struct iphdr *)outer->hdr;
	u8 at = outer_ip_len(outer);

	outer->rules = tunnel->rules;
	if (outer->v6) {
		path_set_label(path);
	} else {
		iph->frag_off = outer_df(path, tunnel);
		if (ip_mtu_locked(path->way->outer_route.dst))
			outer->rules &= ~FTUN_OUTER_DF_INHERIT;
		template_ipv4(iph, outer->rules);
	}
	if (tunnel->flags & FTUN_TUNNEL_UDP) {
		outer->udp = at;
		template_udp((struct udphdr *)(outer->hdr + at));
		at += sizeof(struct udphdr) +
		      (tunnel->flags & FTUN_TUNNEL_GUE ? 4 : 0);
	}
	if (tunnel->encap == FTUN_ENCAP_GRE) {
		outer->gre = at;
		template_gre(outer);
	}
}

/* Was it the route's metadata that an external tunnel made this header of? Nobody could
 * have put other metadata in its place, and the header is what that asks for.
 */
static bool is_routes_own(const struct ftun_observation *seen,
			  const struct ftun_outer *outer,
			  const struct ftun_tunnel *tunnel)
{
	return !ftun_tunnel_meddled_out(seen->tun_out) &&
	       ftun_metadata_wrote(ftun_metadata(seen->dst), outer, tunnel);
}

/* The driver asks its neighbour where to, after NAT. */
static void path_set_hop(struct ftun_path *path)
{
	const struct nf_conntrack_tuple *reply =
		&path->ct->tuplehash[!ftun_path_dir(path)].tuple;

	path->what |= FTUN_PATH_BY_NEIGH;
	ftun_hop_set(&path->way->hop, &path->way->route, ftun_path_inner6(path),
		     &reply->src.u3);
}

/* The template is what the slow path put in front of the inner packet. */
static enum ftun_stat path_set_outer(struct ftun_path *path,
				     const struct ftun_observation *seen)
{
	u32 len = seen->skb->len - seen->witness->pkt.inner_len;
	struct ftun_outer *outer = &path->way->outer;
	struct ftun_tunnel tunnel;
	enum ftun_stat reason;

	reason = ftun_tunnel_read(seen->tun_out, ftun_path_inner6(path),
				  &tunnel);
	if (reason == FTUN_OK)
		reason = ftun_metadata_read(seen->dst, &tunnel);
	if (reason != FTUN_OK)
		return reason;
	outer->v6 = !!(tunnel.flags & FTUN_TUNNEL_OUTER6);
	if (seen->skb->len < seen->witness->pkt.inner_len ||
	    len < (outer->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr)) ||
	    len > FTUN_OUTER_MAX ||
	    skb_copy_bits(seen->skb, 0, outer->hdr, len))
		return FTUN_STAT_wait_merged;
	outer->len = len;
	if (tunnel.flags & FTUN_TUNNEL_EXTERNAL &&
	    !is_routes_own(seen, outer, &tunnel))
		return FTUN_STAT_refuse_metadata;
	path_set_template(path, &tunnel);
	if (tunnel.flags & FTUN_TUNNEL_BY_NEIGH)
		path_set_hop(path);
	return FTUN_OK;
}

static enum ftun_stat path_encap(struct ftun_path *path,
				 const struct ftun_observation *seen)
{
	enum ftun_stat reason;
	bool v6;

	if (!seen->outer_dst)
		return FTUN_OK;
	path->what |= FTUN_PATH_ENCAP;
	path->way->tun_out = seen->tun_out;
	v6 = seen->skb->protocol == htons(ETH_P_IPV6);
	path->way->udp = ftun_tunnel_udp(seen->tun_out, v6);
	if (seen->outer_dst->lwtstate)
		return FTUN_STAT_refuse_route;
	reason = ftun_route_check(seen->outer_dst, v6);
	if (reason != FTUN_OK)
		return reason;
	if (!ftun_route_get(&path->way->outer_route, seen->outer_dst, v6) ||
	    !way_hold_outer_out(path->way, seen->skb))
		return FTUN_STAT_wait_change;
	return path_set_outer(path, seen);
}

/* Which flow labels are as good as this packet's? They can have a say in the route; an
 * automatic port goes by a hash that they are part of; and an outer label that is
 * inherited is another one if there is none inside, see ip6_make_flowlabel().
 */
static void path_bind_label(struct ftun_path *path, const struct net *net)
{
	u32 rules = path->what & FTUN_PATH_ENCAP ? path->way->outer.rules : 0;

	if (!ftun_path_inner6(path))
		return;
	if (rules & FTUN_OUTER_SPORT_AUTO ||
	    ftun_route_by_label(net, &path->way->route))
		path->what |= FTUN_PATH_LABEL;
	else if (rules & FTUN_OUTER_LABEL_INHERIT)
		path->what |= FTUN_PATH_LABEL_OR_NONE;
}

static bool path_decap(struct ftun_path *path, struct net *net,
		       const struct ftun_observation *seen)
{
	struct ftun_tunnel tunnel;

	if (path->head.encap == FTUN_ENCAP_NONE)
		return true;
	path->what |= FTUN_PATH_DECAP;
	path->way->tun_in = seen->in;
	path->way->delivered = dev_get_by_index_rcu(net, seen->witness->delivered);
	if (!way_hold_outer_in(path->way, net, seen->witness))
		return false;
	ftun_tunnel_read(seen->in, ftun_path_inner6(path), &tunnel);
	if (tunnel.flags & FTUN_TUNNEL_DSCP_COPY)
		path->what |= FTUN_PATH_DSCP_COPY;
	if (tunnel.flags & FTUN_TUNNEL_SEQ_IN)
		path->what |= FTUN_PATH_SEQ_IN;
	return true;
}

static void path_set_tuple(struct ftun_path *path,
			   const struct ftun_tuple *tuple)
{
	unsigned int inner = ftun_tuple_inner_pairs(&tuple->head);

	path->head = tuple->head;
	path->way->iif = tuple->iif;
	memcpy(path->addr, tuple->addr, (inner - 1) * sizeof(u64));
	memcpy(path->way->words, tuple->addr + 2 * (inner - 1),
	       (tuple->words / 2 - inner) * sizeof(u64));
}

static void path_set_ct(struct ftun_path *path, struct nf_conn *ct, u8 index)
{
	path->ct = ct;
	path->ct_mark = ftun_ct_mark(ct);
	if (nf_conn_acct_find(ct))
		path->what |= FTUN_PATH_ACCT;
	if (index == IP_CT_DIR_REPLY)
		path->what |= FTUN_PATH_REPLY;
}

static void way_set_generations(struct ftun_way *way,
				const struct ftun_generations *generations)
{
	way->generation = generations->ftun;
	way->nft_generation = generations->nft;
}

/* Which families' routes did the packet ask for? */
static void path_set_routes(struct ftun_path *path,
			    const struct ftun_generations *generations)
{
	bool decap = path->what & FTUN_PATH_DECAP;
	bool encap = path->what & FTUN_PATH_ENCAP;
	bool in6 = ftun_path_outer6(path);
	bool inner6 = ftun_path_inner6(path);
	struct ftun_way *way = path->way;
	bool out6 = way->outer.v6;

	if (!inner6 || (decap && !in6) || (encap && !out6))
		way->mask4 = U32_MAX;
	if (inner6 || (decap && in6) || (encap && out6))
		way->mask6 = U32_MAX;
	path->routes = ftun_way_routes(way, generations->routes4,
				       generations->routes6);
}

static bool inner_several(const struct ftun_path *path, struct net *net,
			  const struct ftun_observation *seen)
{
	const struct nf_conntrack_tuple_hash *hash = path->ct->tuplehash;
	u8 dir = ftun_path_dir(path);
	struct ftun_question ask = {
		.saddr	= &hash[dir].tuple.src.u3.ip,
		.daddr	= &hash[!dir].tuple.src.u3.ip,
		.tos	= path_inner_tos(path, &seen->witness->pkt),
		.dev	= seen->in,
	};

	return ftun_path_inner6(path) ? ftun_route_several6(path->way->route.dst) :
		ftun_ask4_input_several(net, &ask, seen->skb->mark);
}

static bool outer_several(const struct ftun_path *path, struct net *net)
{
	if (!(path->what & FTUN_PATH_ENCAP))
		return false;
	return path->way->outer.v6 ?
		ftun_route_several6(path->way->outer_route.dst) :
		ftun_ask4_output_several(net, path->way);
}

static void path_set_several(struct ftun_path *path, struct net *net,
			     const struct ftun_observation *seen)
{
	if (!inner_several(path, net, seen) && !outer_several(path, net))
		return;
	path->what |= FTUN_PATH_SEVERAL;
	path->way->second = ftun_second();
}

/* Has the packet come with a hash that it still has when the outer header is put on? */
static bool witness_hash(const struct ftun_path *path,
			 const struct ftun_witness *witness)
{
	return path->what & FTUN_PATH_DECAP ? witness->hash_l4
					    : witness->hashed;
}

/* The device that the packet leaves by may go by its hash, as its port or label does. Has it come
 * with one, or has the slow path given it one?
 */
static void path_set_hash(struct ftun_path *path,
			  const struct ftun_observation *seen)
{
	const struct sk_buff *skb = seen->skb;
	struct ftun_way *way = path->way;
	bool taken;

	if (!(path->what & FTUN_PATH_ENCAP))
		return;
	taken = ftun_xmit_takes_hash(way->neigh->dev);
	if (way->outer.rules & FTUN_OUTER_SPORT_AUTO)
		path->what |= FTUN_PATH_AUTO_PORT;
	if (witness_hash(path, seen->witness)) {
		if (taken || way->outer.rules & (FTUN_OUTER_SPORT_AUTO |
						 FTUN_OUTER_LABEL_AUTO))
			path->what |= FTUN_PATH_HASHED;
		return;
	}
	if (!taken || !(skb->l4_hash || skb->sw_hash))
		return;
	if (!way->outer.v6 || way->outer.rules & FTUN_OUTER_SPORT_AUTO) {
		way->hash_by = FTUN_HASH_INNER;
		return;
	}
	way->hash_by = FTUN_HASH_OUTER;
	way->hash = skb->hash;
	way->hash_l4 = skb->l4_hash;
}

/* All that can be known from one packet about the packets like it. */
static enum ftun_stat path_build(struct ftun_path *path, struct ftun_flow *flow,
				 u8 index, const struct ftun_observation *seen)
{
	const struct ftun_witness *witness = seen->witness;
	const struct ftun_packet *pkt = &witness->pkt;
	const void *inner = witness->bytes + pkt->inner;
	struct net *net = flow->fn->net;
	enum ftun_stat reason;
	bool v6;

	path_set_tuple(path, &pkt->tuple);
	path->used = jiffies;
	way_set_generations(path->way, &witness->generations);
	path->dscp = pkt->tos & ~INET_ECN_MASK;
	path->outer_dscp = pkt->outer_tos & ~INET_ECN_MASK;
	v6 = ftun_path_inner6(path);
	if (v6)
		path->label = ip6_flowlabel(inner);
	path_set_ct(path, flow->ct, index);
	path_set_nat(path, flow->ct, index, inner);
	if (!ftun_route_get(&path->way->route, seen->dst, v6))
		return FTUN_STAT_wait_change;
	if (seen->dst->dev == seen->in)
		path->what |= FTUN_PATH_HAIRPIN;
	if (!path_decap(path, net, seen))
		return FTUN_STAT_wait_change;
	path->way->mark_in = witness->mark;
	path->way->priority_in = witness->priority;
	path_set_meta(path, net, seen->skb, path_inner_tos(path, pkt));
	reason = path_encap(path, seen);
	if (reason != FTUN_OK)
		return reason;
	path_bind_label(path, net);
	path_set_routes(path, &witness->generations);
	path_set_several(path, net, seen);
	path->way->mtu = path_mtu(path);
	path->way->headroom = path_headroom(path);
	reason = path_hold_neigh(path, seen->skb);
	if (reason == FTUN_OK)
		path_set_hash(path, seen);
	return reason;
}

/* The UDP header, its checksum taken over, and its source port if that goes by a
 * hash that came with the packet.
 */
static void apply_udp(const struct ftun_path *path,
		      const struct ftun_witness *witness, u8 *bytes,
		      const u8 *slow)
{
	const struct ftun_outer *outer = &path->way->outer;
	struct udphdr *udph = (struct udphdr *)(bytes + outer->udp);

	udph->len = htons(witness->pkt.inner_len + outer->len - outer->udp);
	memcpy(&udph->check, slow + outer->udp + 6, 2);
	if (outer->rules & FTUN_OUTER_SPORT_AUTO && witness_hash(path, witness))
		udph->source = ftun_encap_sport(nf_ct_net(path->ct), witness->hash);
}

/* What is another with each packet, and not foreseen, is taken over from @slow:
 * IPv4's identification, and GRE's checksum and sequence number.
 */
static void apply_outer(const struct ftun_path *path,
			const struct ftun_witness *witness, u8 *bytes,
			const u8 *slow)
{
	const struct ftun_outer *outer = &path->way->outer;
	const struct gre_base_hdr *greh = (void *)bytes + outer->gre;
	const struct net *net = nf_ct_net(path->ct);

	ftun_rewrite_outer(bytes, outer, bytes + outer->len,
			   ftun_path_inner6(path),
			   witness->pkt.inner_len + outer->len,
			   ((const struct iphdr *)slow)->id);
	if (outer->rules & FTUN_OUTER_LABEL_AUTO)
		ftun_rewrite_label((struct ipv6hdr *)bytes,
				   witness_hash(path, witness) ?
				   ftun_encap_label(net, witness->hash) :
				   path->outer_label);
	if (outer->udp)
		apply_udp(path, witness, bytes, slow);
	if (outer->gre && greh->flags & GRE_CSUM)
		memcpy(bytes + outer->gre + 4, slow + outer->gre + 4, 2);
	if (outer->gre && greh->flags & GRE_SEQ)
		memcpy(bytes + outer->len - 4, slow + outer->len - 4, 4);
}

/* What the fast path does to a packet's headers, done to a copy of them. */
static void path_apply(struct ftun_path *path,
		       const struct ftun_witness *witness, u8 *bytes, u32 len,
		       const u8 *slow)
{
	const struct ftun_packet *pkt = &witness->pkt;
	u32 push = ftun_path_push(path);
	bool v6 = ftun_path_inner6(path);
	void *inner = bytes + push;

	memcpy(inner, witness->bytes + pkt->inner, len - push);
	if (path->what & FTUN_PATH_DECAP)
		ftun_rewrite_set_tos(inner, v6, path_inner_tos(path, pkt));
	if (path->what & FTUN_PATH_NAT)
		ftun_rewrite_nat(inner, v6, ftun_path_nat(path),
				 witness->csum_partial);
	ftun_rewrite_ttl(inner, v6);
	if (path->dscp_set)
		ftun_rewrite_dscp(inner, v6, path->dscp_out);
	if (push)
		apply_outer(path, witness, bytes, slow);
}

static void keep_mismatch(struct ftun_flow *flow, u8 index,
			  const struct ftun_mismatch *compared)
{
	lockdep_assert_held(&flow->lock);
	if (!flow->mismatch)
		flow->mismatch = kcalloc(IP_CT_DIR_MAX, sizeof(*compared),
					 GFP_ATOMIC);
	if (flow->mismatch && !ftun_flow_mismatch(flow, index))
		flow->mismatch[index] = *compared;
}

/* Have rules changed the DSCP of what left as @inner? */
static void path_set_dscp(struct ftun_path *path, const struct ftun_packet *pkt,
			  const void *inner)
{
	u8 left = ftun_rewrite_tos(inner, ftun_path_inner6(path));

	path->dscp_out = left & ~INET_ECN_MASK;
	path->dscp_set = path->dscp_out !=
			 (path_inner_tos(path, pkt) & ~INET_ECN_MASK);
}

/* NAT of outer packets, and rules, have the last word on a port that goes by a hash. They
 * had none if it is what the hash says, which the packet has been given by now.
 */
static bool sport_fits(const struct ftun_path *path, const struct sk_buff *skb,
		       const u8 *slow)
{
	const struct ftun_outer *outer = &path->way->outer;
	const struct udphdr *udph = (const void *)(slow + outer->udp);

	return !(path->what & FTUN_PATH_ENCAP) ||
	       !(outer->rules & FTUN_OUTER_SPORT_AUTO) ||
	       !(skb->l4_hash || skb->sw_hash) ||
	       udph->source == ftun_encap_sport(nf_ct_net(path->ct), skb->hash);
}

static enum ftun_stat path_compare(struct ftun_path *path, struct ftun_flow *flow,
				   u8 index, const struct ftun_observation *seen)
{
	const struct ftun_witness *witness = seen->witness;
	u32 push = ftun_path_push(path);
	struct ftun_mismatch compared;
	u32 len;

	len = min_t(u32, witness->len - witness->pkt.inner,
		    witness->pkt.inner_len);
	len = min_t(u32, len + push, FTUN_PROOF_BYTES);
	if (seen->skb->len != witness->pkt.inner_len + push ||
	    skb_copy_bits(seen->skb, 0, compared.slow, len))
		return FTUN_STAT_wait_merged;
	compared.len = len;
	path_set_dscp(path, &witness->pkt, compared.slow + push);
	path_apply(path, witness, compared.fast, len, compared.slow);
	if (!memcmp(compared.fast, compared.slow, len) &&
	    sport_fits(path, seen->skb, compared.slow))
		return FTUN_OK;
	if (!seen->same)
		return FTUN_STAT_wait_merged;
	keep_mismatch(flow, index, &compared);
	return FTUN_STAT_refuse_mismatch;
}

static enum ftun_stat path_prove(struct ftun_path *path, struct ftun_flow *flow,
				 u8 index, const struct ftun_observation *seen)
{
	enum ftun_stat reason;

	reason = path_build(path, flow, index, seen);
	if (reason == FTUN_OK)
		reason = path_compare(path, flow, index, seen);
	if (reason == FTUN_OK)
		reason = ftun_settings_admit(flow->fn, path);
	if (reason != FTUN_OK)
		return reason;
	path->way = ftun_way_share(flow->fn, path->way);
	return ftun_flow_arm(flow, &flow->dir[index], path);
}

/* Wait for a better packet, or give up. */
static void not_proven(struct ftun_flow *flow, struct ftun_dir *dir,
		       enum ftun_stat reason)
{
	switch (reason) {
	case FTUN_STAT_refuse_mismatch:
		if (++dir->tries < PROOF_TRIES)
			break;
		fallthrough;
	default:
		ftun_flow_refuse(flow, dir, reason);
		return;
	case FTUN_STAT_wait_merged:
	case FTUN_STAT_wait_neigh:
	case FTUN_STAT_wait_change:
	case FTUN_STAT_wait_tuple:
		ftun_stat_inc(flow->fn->stats, reason);
	}
	if (dir->path) {
		ftun_flow_stale(flow, dir, reason);
		return;
	}
	dir->state = FTUN_LEARNING;
	dir->reason = reason;
}

/* Is it of the family that the tunnel puts outside? Packets that it did not send, such as
 * nf_dup_ipv4()'s, are said to come from its device too.
 */
static bool outer_fits(const struct ftun_observation *seen)
{
	struct ftun_tunnel out;

	ftun_tunnel_read(seen->tun_out, false, &out);
	return !(out.flags & FTUN_TUNNEL_OUTER6) ==
	       (seen->skb->protocol == htons(ETH_P_IP));
}

/* Is the witness about this packet, and about one that we know how to send? */
static bool observation_fits(const struct ftun_flow *flow, u8 index,
			     const struct ftun_observation *seen)
{
	const struct ftun_packet *pkt = &seen->witness->pkt;
	struct ftun_tunnel in;

	if (seen->tun_out && !outer_fits(seen))
		return false;
	if (!ftun_witness_saw(seen->witness, flow->ct, index) ||
	    (pkt->tuple.encap == FTUN_ENCAP_NONE &&
	     pkt->tuple.shape & FTUN_SHAPE_UDP))
		return false;
	return seen->in &&
	       ftun_tunnel_read(seen->in, ftun_tuple_inner6(&pkt->tuple),
				&in) == FTUN_OK &&
	       in.encap == pkt->tuple.encap &&
	       (in.encap == FTUN_ENCAP_NONE ||
		!(in.flags & FTUN_TUNNEL_OUTER6) ==
		!ftun_tuple_outer6(&pkt->tuple));
}

/* A packet of the connection that came another way, perhaps forged, must not take
 * the place of a path that is in use.
 */
static bool path_in_use(const struct ftun_flow *flow,
			const struct ftun_dir *dir,
			const struct ftun_tuple *tuple)
{
	const struct ftun_path *path = dir->path;

	lockdep_assert_held(&flow->lock);
	return path && ftun_policy_current(flow->fn, path->way) &&
	       !ftun_path_is(path, tuple) &&
	       time_before32((u32)jiffies, READ_ONCE(path->used) + PATH_IN_USE);
}

/**
 * ftun_proof_try() - arm a direction if what was seen can be done the fast way
 * @flow:  the connection, locked
 * @index: its direction
 * @seen:  what the slow path did with a packet of it
 *
 * Context: BH off, RCU read side.
 */
void ftun_proof_try(struct ftun_flow *flow, u8 index,
		    const struct ftun_observation *seen)
{
	struct ftun_dir *dir = &flow->dir[index];
	struct ftun_path *path;
	enum ftun_stat reason;

	lockdep_assert_held(&flow->lock);
	if (!observation_fits(flow, index, seen) ||
	    path_in_use(flow, dir, &seen->witness->pkt.tuple))
		return;
	path = ftun_path_alloc(ftun_tuple_inner6(&seen->witness->pkt.tuple) &&
			       is_natted(flow->ct, index));
	if (!path) {
		ftun_flow_refuse(flow, dir, FTUN_STAT_refuse_nomem);
		return;
	}
	reason = path_prove(path, flow, index, seen);
	if (reason == FTUN_OK)
		return;
	ftun_path_free(flow->fn, path);
	not_proven(flow, dir, reason);
}
