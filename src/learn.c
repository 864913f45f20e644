// SPDX-License-Identifier: GPL-2.0
/*
 * The watchers. They see what the slow path did with a packet, and hand what they
 * saw to the proof:
 *
 *	ingress hook		witness.c keeps the packet as it came in
 *	INPUT, last		... and what conntrack made of its outer header
 *	POSTROUTING, last	the inner packet has passed every chain; if it leaves
 *				by a plain device this is the end of it
 *	POSTROUTING, last	the same packet again in its new outer header
 *
 * All on one CPU, the two POSTROUTINGs back to back.
 */
#include "learn.h"

#include <linux/netfilter_ipv4.h>
#include <linux/percpu.h>
#include <linux/udp.h>
#include <net/gre.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack_helper.h>
#include <net/netfilter/nf_conntrack_seqadj.h>

#include "devices.h"
#include "flow.h"
#include "metadata.h"
#include "proof.h"
#include "route.h"
#include "settings.h"
#include "socket.h"
#include "stranger.h"
#include "tunnel.h"
#include "witness.h"

/**
 * struct pending - an inner packet that is just entering a tunnel
 * @skb:     the packet; only ever compared, it may be another buffer when it comes
 *           out. NULL if there is none
 * @ct:      its conntrack entry; only ever compared
 * @dir:     its direction
 * @dst:     its route, which the direction keeps; only ever compared
 * @iif:     index of the device it came in on
 * @tunnel:  index of the tunnel device
 * @witness: what it was like when it came in
 */
struct pending {
	const struct sk_buff	*skb;
	const struct nf_conn	*ct;
	u8			dir;
	const struct dst_entry	*dst;
	u32			iif;
	u32			tunnel;
	struct ftun_witness	witness;
};

/* Used by its own CPU only, with BH off. */
static DEFINE_PER_CPU(struct pending, pending);

/* ICMP, SCTP and the like stay on the slow path. */
static bool ct_has_ports(const struct nf_conn *ct)
{
	return nf_ct_protonum(ct) == IPPROTO_TCP ||
	       nf_ct_protonum(ct) == IPPROTO_UDP;
}

/* The connection has been answered and is not about to end. */
static bool ct_settled(const struct nf_conn *ct)
{
	if (!nf_ct_is_confirmed(ct) || nf_ct_is_dying(ct) ||
	    !test_bit(IPS_SEEN_REPLY_BIT, &ct->status))
		return false;
	if (nf_ct_protonum(ct) == IPPROTO_UDP)
		return true;
	return test_bit(IPS_ASSURED_BIT, &ct->status) &&
	       READ_ONCE(ct->proto.tcp.state) == TCP_CONNTRACK_ESTABLISHED;
}

static bool in_vrf(const struct net_device *dev)
{
	return netif_is_l3_master(dev) || netif_is_l3_slave(dev);
}

/* It keeps states, timers and counters of its own, by what it sees of a connection. */
static bool is_ipvs(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_IP_VS)
	return skb->ipvs_property;
#else
	return false;
#endif
}

/* What rules a direction out, be its tunnels fine or not. */
static enum ftun_stat check_connection(const struct nf_conn *ct,
				       const struct sk_buff *skb,
				       const struct nf_hook_state *state,
				       struct ftun_tunnel *out)
{
	enum ftun_stat reason;

	if (out->flags & FTUN_TUNNEL_MUTE)
		return FTUN_STAT_refuse_nbma;
	if (nfct_help(ct) || nfct_seqadj(ct) || is_ipvs(skb) ||
	    test_bit(IPS_FIXED_TIMEOUT_BIT, &ct->status))
		return FTUN_STAT_refuse_helper;
	if (state->in == state->out &&
	    ftun_route_redirects(state->in, state->pf == NFPROTO_IPV6))
		return FTUN_STAT_refuse_hairpin;
	if (in_vrf(state->in) || in_vrf(state->out))
		return FTUN_STAT_refuse_vrf;
	if (skb_sec_path(skb))
		return FTUN_STAT_refuse_ipsec;
	if (!skb_valid_dst(skb))
		return FTUN_STAT_refuse_metadata;
	reason = ftun_route_check(skb_dst(skb), state->pf == NFPROTO_IPV6);
	if (reason != FTUN_OK)
		return reason;
	return ftun_metadata_read(skb_dst(skb), out);
}

/* A refused direction may have a second chance, unless its proof failed. */
#define RETRY_AFTER	(30 * HZ)

static bool refusal_may_end(const struct ftun_net *fn,
			    const struct ftun_dir *dir)
{
	if (dir->reason == FTUN_STAT_refuse_mismatch)
		return false;
	if (dir->reason == FTUN_STAT_refuse_denied &&
	    ftun_settings_changed_since(fn, dir->since))
		return true;
	return !time_before32((u32)jiffies, dir->since + RETRY_AFTER);
}

/* A second chance after a while, since routes and settings change; but a proof that
 * failed again and again says that something is not understood here.
 */
static bool dir_may_learn(const struct ftun_net *fn, struct ftun_dir *dir)
{
	if (dir->state == FTUN_DEAD)
		return false;
	if (dir->state != FTUN_REFUSED)
		return true;
	if (!refusal_may_end(fn, dir))
		return false;
	dir->state = FTUN_LEARNING;
	dir->since = jiffies;
	return true;
}

static void dir_wait(struct ftun_flow *flow, struct ftun_dir *dir,
		     enum ftun_stat reason)
{
	ftun_stat_inc(flow->fn->stats, reason);
	dir->reason = reason;
}

/* No ingress hook saw the packet. One that did and wants no proof leaves no witness
 * either, but then the direction is armed.
 */
static void want_hook(struct ftun_flow *flow, struct ftun_dir *dir, u32 iif)
{
	if (dir->state == FTUN_ARMED)
		return;
	dir_wait(flow, dir, FTUN_STAT_wait_unseen);
	ftun_devices_want(flow->fn, iif);
}

/* Return: false if the route is about to be freed. */
static bool dir_keep_route(struct ftun_dir *dir, struct dst_entry *dst)
{
	if (dir->dst == dst)
		return true;
	if (!dst_hold_safe(dst))
		return false;
	dst_release(dir->dst);
	dir->dst = dst;
	return true;
}

/* The packet comes by here again in a moment, with its outer header on. */
static void watch_encap(const struct nf_conn *ct, u8 dir,
			const struct sk_buff *skb,
			const struct nf_hook_state *state,
			const struct ftun_witness *witness)
{
	struct pending *pend = this_cpu_ptr(&pending);

	pend->skb = skb;
	pend->ct = ct;
	pend->dir = dir;
	pend->dst = skb_dst(skb);
	pend->iif = state->in->ifindex;
	pend->tunnel = state->out->ifindex;
	pend->witness = *witness;
}

/* A witness is found by the packet's address, which may have been another one's: was
 * this one in it?
 */
static bool carries(const struct ftun_witness *witness, u32 at,
		    const struct nf_conntrack_tuple *inner)
{
	u32 len = inner->src.l3num == AF_INET6 ? sizeof(struct in6_addr)
					       : sizeof(struct in_addr);

	for (; at + 2 * len <= witness->len; at += sizeof(__be32))
		if (!memcmp(witness->bytes + at, &inner->src.u3, len) &&
		    !memcmp(witness->bytes + at + len, &inner->dst.u3, len))
			return true;
	return false;
}

/* A packet that came out of a tunnel and was taken for one of a plain UDP flow: it
 * was in FOU or GUE. The next one will be known for what it is.
 */
static bool learn_fou(const struct ftun_flow *flow, u8 index,
		      const struct ftun_witness *witness,
		      const struct ftun_tunnel *in)
{
	const struct ftun_tuple *tuple = &witness->pkt.tuple;
	struct ftun_fou_port port = {
		.dport	= tuple->dport,
		.sport	= tuple->sport,
		.iif	= witness->iif,
		.v6	= ftun_tuple_inner6(tuple),
	};
	u32 data = witness->pkt.l4 + sizeof(struct udphdr);

	if (in->encap == FTUN_ENCAP_NONE || tuple->encap != FTUN_ENCAP_NONE ||
	    tuple->l4proto != IPPROTO_UDP || witness->len < data + 4)
		return false;
	memcpy(port.daddr, ftun_tuple_daddr(tuple), port.v6 ? 16 : 4);
	memcpy(port.saddr, ftun_tuple_saddr(tuple), port.v6 ? 16 : 4);
	if (!carries(witness, data, &flow->ct->tuplehash[index].tuple) ||
	    !ftun_fou_guess(&port, witness->bytes + data))
		return true;
	port.cookie = ftun_socket_find(flow->fn->net, &port);
	if (port.cookie)
		ftun_fou_add(&flow->fn->fou, &port);
	return true;
}

/* No hook saw it. What came out of a tunnel came by another device; which one is to
 * be seen from now on if the tunnel is in UDP, see learn_local_in().
 */
static void learn_unseen(struct ftun_flow *flow, struct ftun_dir *dir,
			 const struct nf_hook_state *state,
			 const struct ftun_tunnel *in)
{
	if (in->encap == FTUN_ENCAP_NONE)
		want_hook(flow, dir, state->in->ifindex);
	else if (in->flags & FTUN_TUNNEL_UDP)
		WRITE_ONCE(flow->fn->fou.wanted, true);
}

static bool comes_shared(const struct ftun_net *fn,
			 const struct ftun_witness *witness)
{
	struct net_device *dev = dev_get_by_index_rcu(fn->net, witness->iif);

	return dev && ftun_devices_shares(dev);
}

/* An inner packet of a connection that qualifies: who saw it come in? A witness of
 * another device saw what the packet was in when it came out of something that is
 * no tunnel of ours, such as GRETAP.
 */
static void learn_dir(struct ftun_flow *flow, u8 index, struct sk_buff *skb,
		      const struct nf_hook_state *state,
		      const struct ftun_tunnel *in,
		      const struct ftun_tunnel *out)
{
	struct ftun_dir *dir = &flow->dir[index];
	struct ftun_witness witness;

	lockdep_assert_held(&flow->lock);
	if (!ftun_witness_find(flow->fn, skb, &witness)) {
		learn_unseen(flow, dir, state, in);
		return;
	}
	if (in->encap == FTUN_ENCAP_NONE &&
	    witness.iif != state->in->ifindex) {
		want_hook(flow, dir, state->in->ifindex);
		return;
	}
	if (in->encap != FTUN_ENCAP_NONE && witness.ipsec) {
		ftun_flow_refuse(flow, dir, FTUN_STAT_refuse_ipsec);
		return;
	}
	if (!witness.complete) {
		want_hook(flow, dir, witness.iif);
		return;
	}
	if (learn_fou(flow, index, &witness, in))
		return;
	if (comes_shared(flow->fn, &witness)) {
		ftun_flow_refuse(flow, dir, FTUN_STAT_refuse_shared);
		return;
	}
	if (out->encap != FTUN_ENCAP_NONE) {
		if (dir_keep_route(dir, skb_dst(skb)))
			watch_encap(flow->ct, index, skb, state, &witness);
		else
			dir_wait(flow, dir, FTUN_STAT_wait_change);
		return;
	}
	ftun_proof_try(flow, index, &(struct ftun_observation) {
		.witness	= &witness,
		.skb		= skb,
		.same		= true,
		.dst		= skb_dst(skb),
		.in		= state->in,
	});
}

/* For who asks; a path knows better. */
static void dir_saw_devices(struct ftun_dir *dir,
			    const struct nf_hook_state *state)
{
	if (dir->path)
		return;
	dir->in = state->in->ifindex;
	dir->out = state->out->ifindex;
}

static void touch(struct ftun_flow *flow)
{
	u32 now = jiffies;

	if (READ_ONCE(flow->seen) != now)
		WRITE_ONCE(flow->seen, now);
}

/* A connection that is not selected is none that takes up room. */
static struct ftun_flow *flow_get(struct ftun_net *fn, struct nf_conn *ct,
				  enum ftun_stat wait)
{
	struct ftun_flow *flow = ftun_flow_find(fn, ct);
	enum ftun_stat reason;

	if (flow)
		return flow;
	if (wait != FTUN_OK) {
		ftun_stat_inc(fn->stats, wait);
		return NULL;
	}
	if (test_bit(IPS_OFFLOAD_BIT, &ct->status)) {
		ftun_stat_inc(fn->stats, FTUN_STAT_refuse_owned);
		return NULL;
	}
	flow = ftun_flow_create(fn, ct, &reason);
	if (!flow)
		ftun_stat_inc(fn->stats, reason);
	return flow;
}

/* What comes in this second need not be looked at, here or at an ingress hook. */
static void stay_slow(struct ftun_net *fn, struct sk_buff *skb,
		      const struct nf_conn *ct, u8 dir, bool v6)
{
	u64 known = ftun_stranger_hash_ct(ct, dir);

	ftun_witness_judge(fn, skb, FTUN_VERDICT_STRANGER);
	ftun_stranger_add(fn, known, ftun_stranger_tag(fn, known, v6));
}

/* Has that been said of the direction in this second? */
static bool stays_slow(struct ftun_net *fn, struct sk_buff *skb, bool v6)
{
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	if (!ct || !ftun_stranger_any(fn) ||
	    !ftun_stranger_known(fn, ftun_stranger_hash_ct(ct, CTINFO2DIR(ctinfo)), v6))
		return false;
	ftun_witness_judge(fn, skb, FTUN_VERDICT_STRANGER);
	return true;
}

/* An inner packet at the end of its way through the router. */
static noinline void learn_inner(struct ftun_net *fn, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	enum ip_conntrack_info ctinfo;
	struct ftun_tunnel in, out;
	enum ftun_stat reason, wait;
	struct ftun_flow *flow;
	struct ftun_dir *dir;
	struct nf_conn *ct;
	bool inner6;

	ct = nf_ct_get(skb, &ctinfo);
	if (!ct || nf_ct_is_template(ct))
		return;
	inner6 = state->pf == NFPROTO_IPV6;
	reason = ftun_tunnel_read(state->in, inner6, &in);
	if (reason == FTUN_OK)
		reason = ftun_tunnel_read(state->out, inner6, &out);
	if (reason == FTUN_OK && in.encap == FTUN_ENCAP_NONE &&
	    out.encap == FTUN_ENCAP_NONE && !ftun_settings_plain(fn)) {
		stay_slow(fn, skb, ct, CTINFO2DIR(ctinfo), inner6);
		return;
	}
	ftun_witness_judge(fn, skb, FTUN_VERDICT_TUNNEL);
	if (!ct_has_ports(ct)) {
		ftun_stat_inc(fn->stats, FTUN_STAT_refuse_proto);
		return;
	}
	if (!ct_settled(ct))
		return;
	wait = ftun_settings_select(fn, ct, &skb->mark);
	flow = flow_get(fn, ct, wait);
	if (!flow)
		return;
	touch(flow);
	spin_lock(&flow->lock);
	dir = &flow->dir[CTINFO2DIR(ctinfo)];
	if (!dir_may_learn(fn, dir)) {
		if (dir->state == FTUN_REFUSED)
			stay_slow(fn, skb, ct, CTINFO2DIR(ctinfo), inner6);
		goto unlock;
	}
	dir_saw_devices(dir, state);
	if (wait == FTUN_OK && !ftun_settings_seen_enough(fn, &dir->seen))
		wait = FTUN_STAT_wait_packets;
	if (wait != FTUN_OK) {
		dir_wait(flow, dir, wait);
		goto unlock;
	}
	if (reason == FTUN_OK)
		reason = check_connection(ct, skb, state, &out);
	if (reason == FTUN_OK)
		learn_dir(flow, CTINFO2DIR(ctinfo), skb, state, &in, &out);
	else
		ftun_flow_refuse(flow, dir, reason);
unlock:
	spin_unlock(&flow->lock);
}

/* Asked with BH on as well, of what a process sends or a queue gives back. Should that
 * move to another CPU just then, a packet is not learned from, no more.
 */
static bool is_pending(void)
{
	return this_cpu_read(pending.skb);
}

/* Whatever was about to enter a tunnel has done so by now, or never will. */
static bool forget_pending(void)
{
	if (!is_pending())
		return false;
	this_cpu_write(pending.skb, NULL);
	return true;
}

/* The packet that just entered the tunnel which @state->in names. */
static noinline void learn_outer(struct ftun_net *fn, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	struct pending *pend = this_cpu_ptr(&pending);
	struct ftun_flow *flow;
	bool same;

	same = pend->skb == skb;
	if (!forget_pending() || pend->tunnel != state->in->ifindex ||
	    pend->witness.fn != fn)
		return;
	flow = ftun_flow_find(fn, pend->ct);
	if (!flow)
		return;
	spin_lock(&flow->lock);
	/* Another CPU may keep another route by now. */
	if (dir_may_learn(fn, &flow->dir[pend->dir]) &&
	    flow->dir[pend->dir].dst == pend->dst)
		ftun_proof_try(flow, pend->dir, &(struct ftun_observation) {
			.witness	= &pend->witness,
			.skb		= skb,
			.same		= same,
			.dst		= flow->dir[pend->dir].dst,
			.outer_dst	= skb_dst(skb),
			.in		= dev_get_by_index_rcu(fn->net,
							       pend->iif),
			.tun_out	= state->in,
		});
	spin_unlock(&flow->lock);
}

/* ip6_rcv_core() notes where a packet came in, ip6tunnel_xmit() forgets it. */
static bool was_forwarded(const struct sk_buff *skb, bool v6)
{
	return v6 ? IP6CB(skb)->iif : IPCB(skb)->flags & IPSKB_FORWARDED;
}

/* Reassembled packets are none that the fast path sees. */
static bool was_reassembled(const struct sk_buff *skb, bool v6)
{
	return v6 ? IP6CB(skb)->frag_max_size : IPCB(skb)->frag_max_size;
}

/* Forwarded from what is surely no tunnel to what is none either: as most packets are,
 * none of which is to pay for the others.
 */
static bool passes_by(const struct ftun_net *fn, const struct nf_hook_state *state)
{
	return state->in && !ftun_tunnel_maybe(state->in) &&
	       !ftun_tunnel_maybe(state->out) && !ftun_settings_plain(fn);
}

/* Most of those that enter a tunnel, nobody waits for. */
static void watch_outer(struct ftun_net *fn, struct sk_buff *skb,
			const struct nf_hook_state *state)
{
	if (!is_pending())
		return;
	local_bh_disable();
	learn_outer(fn, skb, state);
	local_bh_enable();
}

static void watch_inner(struct ftun_net *fn, struct sk_buff *skb,
			const struct nf_hook_state *state, bool v6)
{
	forget_pending();
	if (!state->in || was_reassembled(skb, v6) || stays_slow(fn, skb, v6))
		return;
	local_bh_disable();
	learn_inner(fn, skb, state);
	local_bh_enable();
}

static noinline void learn_packet(struct ftun_net *fn, struct sk_buff *skb,
				  const struct nf_hook_state *state)
{
	bool v6 = state->pf == NFPROTO_IPV6;

	if (state->in && !was_forwarded(skb, v6))
		watch_outer(fn, skb, state);
	else
		watch_inner(fn, skb, state, v6);
}

static unsigned int learn_postrouting(void *priv, struct sk_buff *skb,
				      const struct nf_hook_state *state)
{
	struct ftun_net *fn = priv;

	if (passes_by(fn, state))
		ftun_witness_judge(fn, skb, FTUN_VERDICT_STRANGER);
	else if (ftun_settings_armed(fn))
		learn_packet(fn, skb, state);
	return NF_ACCEPT;
}

/* GRETAP and the like, of which packets come out that nobody here knows. */
static noinline bool has_ethernet(const struct sk_buff *skb, bool v6)
{
	const struct gre_base_hdr *greh;
	struct gre_base_hdr buf;

	greh = skb_header_pointer(skb, v6 ? sizeof(struct ipv6hdr)
					  : ip_hdrlen(skb), sizeof(buf), &buf);
	return greh && greh->protocol == htons(ETH_P_TEB);
}

/* What comes after an encapsulation limit is looked at by parsing only. */
static bool is_tunnelled(const struct sk_buff *skb, u8 proto, bool v6)
{
	if (proto == IPPROTO_GRE && has_ethernet(skb, v6))
		return false;
	return ftun_tunnel_is_proto(proto) || proto == IPPROTO_UDP ||
	       (v6 && proto == NEXTHDR_DEST);
}

static noinline void learn_tunnelled(struct ftun_net *fn, const struct sk_buff *skb,
				     const struct nf_hook_state *state, u8 proto)
{
	if (!is_tunnelled(skb, proto, state->pf == NFPROTO_IPV6) ||
	    !ftun_settings_armed(fn))
		return;
	local_bh_disable();
	ftun_witness_local_in(fn, skb, state->in->ifindex);
	local_bh_enable();
}

/* Not in a tunnel, as most is that comes for the router itself. */
static bool is_plain(const struct ftun_net *fn, u8 proto)
{
	return proto == IPPROTO_TCP ||
	       (proto == IPPROTO_UDP && !READ_ONCE(fn->fou.wanted));
}

static __always_inline unsigned int learn_local_in(struct ftun_net *fn,
						   struct sk_buff *skb,
						   const struct nf_hook_state *state,
						   u8 proto)
{
	if (is_plain(fn, proto))
		ftun_witness_judge(fn, skb, FTUN_VERDICT_MAYBE);
	else
		learn_tunnelled(fn, skb, state, proto);
	return NF_ACCEPT;
}

static unsigned int learn_local_in4(void *priv, struct sk_buff *skb,
				    const struct nf_hook_state *state)
{
	return learn_local_in(priv, skb, state, ip_hdr(skb)->protocol);
}

static unsigned int learn_local_in6(void *priv, struct sk_buff *skb,
				    const struct nf_hook_state *state)
{
	return learn_local_in(priv, skb, state, ipv6_hdr(skb)->nexthdr);
}

static const struct nf_hook_ops learn_ops[] = {
	{
		.hook		= learn_postrouting,
		.pf		= NFPROTO_IPV4,
		.hooknum	= NF_INET_POST_ROUTING,
		.priority	= INT_MAX,
	},
	{
		.hook		= learn_local_in4,
		.pf		= NFPROTO_IPV4,
		.hooknum	= NF_INET_LOCAL_IN,
		.priority	= INT_MAX,
	},
	{
		.hook		= learn_postrouting,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_POST_ROUTING,
		.priority	= INT_MAX,
	},
	{
		.hook		= learn_local_in6,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_LOCAL_IN,
		.priority	= INT_MAX,
	},
};

/* Each namespace has its own, which are told where they are. */
int ftun_learn_net_init(struct ftun_net *fn)
{
	unsigned int i;

	BUILD_BUG_ON(ARRAY_SIZE(learn_ops) != FTUN_LEARN_HOOKS);
	for (i = 0; i < FTUN_LEARN_HOOKS; i++) {
		fn->learn_ops[i] = learn_ops[i];
		fn->learn_ops[i].priv = fn;
	}
	return nf_register_net_hooks(fn->net, fn->learn_ops, FTUN_LEARN_HOOKS);
}

/* A grace period after this nothing is learned any more, and nobody looks at the hooks. */
void ftun_learn_net_pre_exit(struct ftun_net *fn)
{
	nf_unregister_net_hooks(fn->net, fn->learn_ops, FTUN_LEARN_HOOKS);
}
