// SPDX-License-Identifier: GPL-2.0
/*
 * From what the slow path did with one packet, work out a path; then do with the
 * packet as it came in what the fast path would, and compare. Only if not a bit
 * is different does the path go into the table.
 */
#include "proof.h"

#include <linux/slab.h>
#include <net/arp.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/neighbour.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_zones.h>
#include <net/route.h>

#include "flow.h"
#include "policy.h"
#include "tunnel.h"
#include "witness.h"

/* A packet can differ for a reason of its own; this many in a row cannot. */
#define PROOF_TRIES	3
/* How long a path without packets keeps its place. */
#define PATH_IN_USE	HZ

/**
 * ftun_proof_check_route() - can packets on this route be sent by the fast path?
 * @rt: a route that the slow path used
 *
 * Return: FTUN_OK or why not.
 */
enum ftun_stat ftun_proof_check_route(const struct rtable *rt)
{
#ifdef CONFIG_XFRM
	if (rt->dst.xfrm)
		return FTUN_STAT_refuse_ipsec;
#endif
	if (rt->rt_type != RTN_UNICAST || rt->dst.lwtstate ||
	    rt->rt_gw_family == AF_INET6)
		return FTUN_STAT_refuse_route;
	return FTUN_OK;
}

static bool tuple_is(const struct ftun_tuple *tuple,
		     const struct nf_conntrack_tuple *ct)
{
	return tuple->saddr == ct->src.u3.ip &&
	       tuple->daddr == ct->dst.u3.ip &&
	       tuple->sport == ct->src.u.all &&
	       tuple->dport == ct->dst.u.all &&
	       tuple->l4proto == ct->dst.protonum;
}

static void path_hold_route(struct ftun_path *path,
			    const struct ftun_observation *seen)
{
	dst_hold(&seen->rt->dst);
	path->rt = seen->rt;
	path->pmtu = seen->rt->rt_pmtu;
	if (!seen->outer_rt)
		return;
	dst_hold(&seen->outer_rt->dst);
	path->outer_rt = seen->outer_rt;
	path->outer_pmtu = seen->outer_rt->rt_pmtu;
}

/* ip_forward(), tnl_update_pmtu() and ip_finish_output() each have their limit.
 * What is larger than the least of them is the slow path's business.
 */
static u16 path_mtu(const struct ftun_path *path)
{
	u32 mtu = ip_dst_mtu_maybe_forward(&path->rt->dst, true);

	if (path->what & FTUN_PATH_ENCAP) {
		mtu = min(mtu, dst_mtu(&path->rt->dst));
		mtu = min_t(u32, mtu, dst_mtu(&path->outer_rt->dst) -
				      sizeof(struct iphdr));
	}
	return min_t(u32, mtu, 0xffff);
}

static enum ftun_stat path_hold_neigh(struct ftun_path *path,
				      const struct sk_buff *skb)
{
	const struct rtable *rt = path->outer_rt ?: path->rt;
	struct neighbour *neigh;

	neigh = ip_neigh_gw4(rt->dst.dev, rt_nexthop(rt, ip_hdr(skb)->daddr));
	if (IS_ERR(neigh) || !(READ_ONCE(neigh->nud_state) & NUD_VALID) ||
	    !refcount_inc_not_zero(&neigh->refcnt))
		return FTUN_STAT_wait_neigh;
	path->neigh = neigh;
	return FTUN_OK;
}

static void path_set_nat(struct ftun_path *path, const struct nf_conn *ct,
			 u8 index, const struct iphdr *iph)
{
	const struct nf_conntrack_tuple *reply = &ct->tuplehash[!index].tuple;
	const struct ftun_tuple *tuple = &path->tuple;
	struct ftun_nat *nat = &path->nat;

	nat->saddr = reply->dst.u3.ip;
	nat->daddr = reply->src.u3.ip;
	nat->sport = reply->dst.u.all;
	nat->dport = reply->src.u.all;
	if (nat->saddr == tuple->saddr && nat->daddr == tuple->daddr &&
	    nat->sport == tuple->sport && nat->dport == tuple->dport)
		return;
	path->what |= FTUN_PATH_NAT;
	ftun_nat_init(nat, iph, (const __be16 *)(iph + 1));
}

/* What the slow path just set the timeout to is how long a packet is good for. */
static u32 ct_timeout(const struct nf_conn *ct)
{
	s32 left = READ_ONCE(ct->timeout) - nfct_time_stamp;

	if (nf_ct_protonum(ct) == IPPROTO_TCP || left < 0)
		return 0;
	return left;
}

static void acct_set(struct ftun_acct *acct, struct nf_conn *ct, u8 dir)
{
	acct->ct = ct;
	acct->dir = dir;
	acct->timeout = ct_timeout(ct);
}

static void path_hold_outer_in(struct ftun_path *path, struct net *net,
			       const struct ftun_witness *witness)
{
	struct nf_conntrack_tuple_hash *hash;
	struct nf_conntrack_zone zone;

	if (!witness->outer_tracked)
		return;
	nf_ct_zone_init(&zone, witness->outer_zone, NF_CT_DEFAULT_ZONE_DIR, 0);
	hash = nf_conntrack_find_get(net, &zone, &witness->outer_tuple);
	if (hash)
		acct_set(&path->outer_in, nf_ct_tuplehash_to_ctrack(hash),
			 witness->outer_dir);
}

static void path_hold_outer_out(struct ftun_path *path,
				const struct sk_buff *skb)
{
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct;

	ct = nf_ct_get(skb, &ctinfo);
	if (!ct || nf_ct_is_template(ct))
		return;
	nf_conntrack_get(&ct->ct_general);
	acct_set(&path->outer_out, ct, CTINFO2DIR(ctinfo));
}

/* ip_forward() derives the priority from the TOS, unless a rule of the user's or
 * a sysctl has the last word.
 */
static void path_set_meta(struct ftun_path *path, const struct net *net,
			  const struct sk_buff *skb, u8 tos)
{
	path->mark = skb->mark;
	path->priority = skb->priority;
	if (READ_ONCE(net->ipv4.sysctl_ip_fwd_update_priority) &&
	    skb->priority == rt_tos2priority(tos))
		path->what |= FTUN_PATH_PRIO_BY_TOS;
}

/* The template is the header that the slow path wrote, less what the rules of
 * this tunnel say about it.
 */
static enum ftun_stat path_set_outer(struct ftun_path *path,
				     const struct ftun_observation *seen)
{
	struct ftun_tunnel tunnel;
	enum ftun_stat reason;

	reason = ftun_tunnel_read(seen->tun_out, &tunnel);
	if (reason != FTUN_OK)
		return reason;
	if (ip_mtu_locked(&seen->outer_rt->dst)) {
		tunnel.rules &= ~FTUN_OUTER_DF_INHERIT;
		tunnel.df = 0;
	}
	path->outer.hdr = *ip_hdr(seen->skb);
	path->outer.hdr.frag_off = tunnel.df;
	path->outer.rules = tunnel.rules;
	return FTUN_OK;
}

static enum ftun_stat path_encap(struct ftun_path *path,
				 const struct ftun_observation *seen)
{
	enum ftun_stat reason;

	if (!seen->outer_rt)
		return FTUN_OK;
	path->what |= FTUN_PATH_ENCAP;
	path->tun_out = seen->tun_out;
	reason = ftun_proof_check_route(seen->outer_rt);
	if (reason != FTUN_OK)
		return reason;
	path_hold_outer_out(path, seen->skb);
	return path_set_outer(path, seen);
}

static void path_decap(struct ftun_path *path, struct net *net,
		       const struct ftun_observation *seen)
{
	if (seen->witness->pkt.tuple.encap == FTUN_ENCAP_NONE)
		return;
	path->what |= FTUN_PATH_DECAP;
	path->tun_in = seen->in;
	path_hold_outer_in(path, net, seen->witness);
}

/* All that can be known from one packet about the packets like it. */
static enum ftun_stat path_build(struct ftun_path *path, struct ftun_flow *flow,
				 u8 index, const struct ftun_observation *seen)
{
	const struct ftun_witness *witness = seen->witness;
	struct net *net = flow->fn->net;
	const struct iphdr *iph;
	enum ftun_stat reason;

	iph = (const struct iphdr *)(witness->bytes + witness->pkt.inner);
	path->tuple = witness->pkt.tuple;
	path->flow = flow;
	path->used = jiffies;
	path->generation = witness->generations.ftun;
	path->nft_generation = witness->generations.nft;
	path->dscp = iph->tos & ~INET_ECN_MASK;
	path->outer_dscp = witness->pkt.outer_tos & ~INET_ECN_MASK;
	acct_set(&path->inner, flow->ct, index);
	path_set_nat(path, flow->ct, index, iph);
	path_hold_route(path, seen);
	path_set_meta(path, net, seen->skb,
		      ftun_rewrite_ecn_tos(iph->tos, witness->pkt.outer_tos));
	path_decap(path, net, seen);
	reason = path_encap(path, seen);
	if (reason != FTUN_OK)
		return reason;
	path->mtu = path_mtu(path);
	return path_hold_neigh(path, seen->skb);
}

/* What the fast path does to a packet's headers, done to a copy of them. */
static void path_apply(const struct ftun_path *path,
		       const struct ftun_witness *witness, u8 *bytes, u32 len,
		       __be16 id)
{
	u32 push = path->what & FTUN_PATH_ENCAP ? sizeof(struct iphdr) : 0;
	struct iphdr *inner = (struct iphdr *)(bytes + push);

	memcpy(inner, witness->bytes + witness->pkt.inner, len - push);
	if (path->what & FTUN_PATH_DECAP)
		ftun_rewrite_ecn(inner, witness->pkt.outer_tos);
	if (path->what & FTUN_PATH_NAT)
		ftun_rewrite_nat(inner, &path->nat, witness->csum_partial);
	ftun_rewrite_ttl(inner);
	if (push)
		ftun_rewrite_outer((struct iphdr *)bytes, &path->outer, inner,
				   witness->pkt.inner_len + push, id);
}

static void keep_mismatch(struct ftun_dir *dir,
			  const struct ftun_mismatch *compared)
{
	if (!dir->mismatch)
		dir->mismatch = kmemdup(compared, sizeof(*compared),
					GFP_ATOMIC);
}

static enum ftun_stat path_compare(const struct ftun_path *path,
				   const struct ftun_observation *seen,
				   struct ftun_dir *dir)
{
	const struct ftun_witness *witness = seen->witness;
	u32 push = path->what & FTUN_PATH_ENCAP ? sizeof(struct iphdr) : 0;
	struct ftun_mismatch compared;
	u32 len;

	len = min_t(u32, witness->len - witness->pkt.inner,
		    witness->pkt.inner_len);
	len = min_t(u32, len + push, FTUN_PROOF_BYTES);
	if (seen->skb->len != witness->pkt.inner_len + push ||
	    skb_copy_bits(seen->skb, 0, compared.slow, len))
		return FTUN_STAT_wait_merged;
	compared.len = len;
	path_apply(path, witness, compared.fast, len, ip_hdr(seen->skb)->id);
	if (!memcmp(compared.fast, compared.slow, len))
		return FTUN_OK;
	keep_mismatch(dir, &compared);
	return FTUN_STAT_refuse_mismatch;
}

static enum ftun_stat path_prove(struct ftun_path *path, struct ftun_flow *flow,
				 u8 index, const struct ftun_observation *seen)
{
	struct ftun_dir *dir = &flow->dir[index];
	enum ftun_stat reason;

	reason = path_build(path, flow, index, seen);
	if (reason == FTUN_OK)
		reason = path_compare(path, seen, dir);
	if (reason != FTUN_OK)
		return reason;
	dir->state = FTUN_PROVEN;
	ftun_stat_inc(flow->fn->stats, FTUN_STAT_flow_proven);
	return ftun_flow_arm(flow, dir, path);
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
	case FTUN_STAT_wait_tuple:
		ftun_stat_inc(flow->fn->stats, reason);
	}
	dir->state = dir->path ? FTUN_STALE : FTUN_LEARNING;
	dir->reason = reason;
}

/* Is the witness about this packet, and about one that we know how to send? */
static bool observation_fits(const struct ftun_flow *flow, u8 index,
			     const struct ftun_observation *seen)
{
	const struct ftun_packet *pkt = &seen->witness->pkt;
	struct ftun_tunnel in;

	if (!tuple_is(&pkt->tuple, &flow->ct->tuplehash[index].tuple))
		return false;
	return seen->in && ftun_tunnel_read(seen->in, &in) == FTUN_OK &&
	       in.encap == pkt->tuple.encap;
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
	return path && ftun_policy_current(flow->fn, path) &&
	       memcmp(&path->tuple, tuple, sizeof(*tuple)) &&
	       time_before(jiffies, READ_ONCE(path->used) + PATH_IN_USE);
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
	path = ftun_path_alloc();
	if (!path) {
		ftun_flow_refuse(flow, dir, FTUN_STAT_refuse_nomem);
		return;
	}
	reason = path_prove(path, flow, index, seen);
	if (reason == FTUN_OK)
		return;
	ftun_path_free(path);
	not_proven(flow, dir, reason);
}
