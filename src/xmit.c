// SPDX-License-Identifier: GPL-2.0
/*
 * Out to the neighbour, and the counters which the stack would have moved on the
 * way there.
 */
#include "xmit.h"

#include <linux/skbuff.h>
#include <net/inet_ecn.h>
#include <net/ip_tunnels.h>
#include <net/neighbour.h>
#include <net/netfilter/nf_conntrack_acct.h>
#include <net/route.h>

#include "compat/ip_stats.h"
#include "flow.h"
#include "parse.h"

static const struct rtable *wire_route(const struct ftun_path *path)
{
	return path->what & FTUN_PATH_ENCAP ? path->outer_rt : path->rt;
}

/**
 * ftun_xmit_headroom() - bytes wanted in front of the inner header
 * @path: where the packet goes
 */
unsigned int ftun_xmit_headroom(const struct ftun_path *path)
{
	const struct dst_entry *dst = &wire_route(path)->dst;
	unsigned int len = LL_RESERVED_SPACE(dst->dev) + dst->header_len;

	return path->what & FTUN_PATH_ENCAP ? len + sizeof(struct iphdr) : len;
}

static void acct(const struct ftun_acct *acct, u32 len)
{
	if (acct->ct)
		nf_ct_acct_add(acct->ct, acct->dir, 1, len);
}

/* ip_rcv_core() counts octets before it trims. */
static void count_receive(struct net *net, u32 len, u8 tos, u16 segs)
{
	__IP_UPD_PO_STATS(net, IPSTATS_MIB_IN, len);
	__IP_ADD_STATS(net, IPSTATS_MIB_NOECTPKTS + (tos & INET_ECN_MASK),
		       max_t(u16, 1, segs));
}

static void count_decap(struct net *net, const struct ftun_packet *pkt,
			const struct ftun_path *path, u16 segs)
{
	u32 len = pkt->outer_len - pkt->inner;

	acct(&path->outer_in, pkt->outer_len);
	__IP_INC_STATS(net, IPSTATS_MIB_INDELIVERS);
	dev_sw_netstats_rx_add(path->tun_in, len);
	count_receive(net, len, ftun_rewrite_ecn_tos(pkt->tos, pkt->outer_tos),
		      segs);
}

/**
 * ftun_xmit_count_in() - count a packet in, up to where it is routed
 * @net:  where
 * @skb:  the packet, not changed yet
 * @pkt:  what parsing found out about it
 * @path: its path
 *
 * Conntrack entries, tunnel device and SNMP counters, as far as they count a
 * packet before it is changed.
 *
 * Context: BH off, RCU read side.
 */
void ftun_xmit_count_in(struct net *net, const struct sk_buff *skb,
			const struct ftun_packet *pkt,
			const struct ftun_path *path)
{
	u16 segs = skb_shinfo(skb)->gso_segs;

	if (path->what & FTUN_PATH_DECAP) {
		count_receive(net, pkt->len, pkt->outer_tos, segs);
		count_decap(net, pkt, path, segs);
	} else {
		count_receive(net, pkt->len, pkt->tos, segs);
	}
	acct(&path->inner, pkt->inner_len);
	ip_stats_forward(net, pkt->inner_len);
	IP_UPD_PO_STATS(net, IPSTATS_MIB_OUT, pkt->inner_len);
}

static void count_encap(struct net *net, const struct ftun_path *path, u32 len)
{
	ip_stats_local_out(net);
	acct(&path->outer_out, len);
	IP_UPD_PO_STATS(net, IPSTATS_MIB_OUT, len);
}

static void prepare(struct sk_buff *skb, const struct ftun_path *path)
{
	struct dst_entry *dst = (struct dst_entry *)&wire_route(path)->dst;

	skb->dev = dst->dev;
	skb->mark = path->mark;
	skb->priority = path->what & FTUN_PATH_PRIO_BY_TOS ?
			rt_tos2priority(((struct iphdr *)skb->data +
					 !!(path->what & FTUN_PATH_ENCAP))->tos) :
			path->priority;
	skb_dst_set_noref(skb, dst);
}

/**
 * ftun_xmit() - send a finished packet
 * @net:  where
 * @skb:  the packet, data at its outermost IP header; consumed
 * @path: its path
 *
 * By the neighbour's cached link header while it is connected, else by whatever
 * its state wants done, exactly as in ip_finish_output2(). Qdisc and taps of the
 * device see the packet.
 *
 * Context: BH off, RCU read side.
 */
void ftun_xmit(struct net *net, struct sk_buff *skb,
	       const struct ftun_path *path)
{
	int inner_len, err;

	WARN_ON_ONCE(!rcu_read_lock_held());
	prepare(skb, path);
	if (!(path->what & FTUN_PATH_ENCAP)) {
		neigh_output(path->neigh, skb, false);
		return;
	}
	count_encap(net, path, skb->len);
	inner_len = skb->len - sizeof(struct iphdr);
	err = neigh_output(path->neigh, skb, false);
	iptunnel_xmit_stats(path->tun_out, net_xmit_eval(err) ? 0 : inner_len);
}
