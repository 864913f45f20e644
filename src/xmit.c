// SPDX-License-Identifier: GPL-2.0
/*
 * Out to the neighbour, and the counters which the stack would have moved on the
 * way there.
 */
#include "xmit.h"

#include <linux/if_arp.h>
#include <linux/skbuff.h>
#include <linux/string.h>
#include <net/bareudp.h>
#include <net/bonding.h>
#include <net/geneve.h>
#include <net/inet_ecn.h>
#include <net/ip_tunnels.h>
#include <net/neighbour.h>
#include <net/netfilter/nf_conntrack_acct.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/sch_generic.h>
#include <net/sock.h>
#include <net/vxlan.h>

#include "compat/ip_stats.h"
#include "compat/tc.h"
#include "flow.h"
#include "hot.h"
#include "parse.h"
#include "tunnel.h"

static void acct(const struct ftun_acct *acct, u32 len)
{
	if (acct->counted)
		nf_ct_acct_add(acct->ct, acct->dir, 1, len);
}

static void count_receive4(struct net *net, u32 len, u8 ecn, u16 segs)
{
	__IP_UPD_PO_STATS(net, IPSTATS_MIB_IN, len);
	__IP_ADD_STATS(net, IPSTATS_MIB_NOECTPKTS + ecn, segs);
}

static __always_inline void count_receive6(struct net *net,
					   const struct net_device *dev,
					   u32 len, u8 ecn, u16 segs)
{
	struct inet6_dev *idev = __in6_dev_get(dev);

	__IP6_UPD_PO_STATS(net, idev, IPSTATS_MIB_IN, len);
	__IP6_ADD_STATS(net, idev, IPSTATS_MIB_NOECTPKTS + ecn, segs);
}

/* ip_rcv_core(), ip6_rcv_core(): octets are counted before they are trimmed. Twice for a
 * packet out of a tunnel, so not as a call.
 */
static __always_inline void count_receive(struct net *net,
					  const struct net_device *dev, bool v6,
					  u32 len, u8 tos, u16 segs)
{
	if (v6)
		count_receive6(net, dev, len, tos & INET_ECN_MASK, segs);
	else
		count_receive4(net, len, tos & INET_ECN_MASK, segs);
}

/* The address that a packet is for can be another device's. */
static void count_deliver(struct net *net, const struct net_device *dev,
			  bool v6)
{
	if (v6)
		__IP6_INC_STATS(net, dev ? __in6_dev_get(dev) : NULL,
				IPSTATS_MIB_INDELIVERS);
	else
		__IP_INC_STATS(net, IPSTATS_MIB_INDELIVERS);
}

/* udp_queue_rcv_one_skb() */
static void count_udp(struct net *net, bool v6)
{
	if (v6)
		__SNMP_INC_STATS(net->mib.udp_stats_in6, UDP_MIB_INDATAGRAMS);
	else
		__SNMP_INC_STATS(net->mib.udp_statistics, UDP_MIB_INDATAGRAMS);
}

static void count_decap(struct net *net, const struct sk_buff *skb,
			const struct ftun_packet *pkt,
			const struct ftun_path *path, u16 segs)
{
	bool outer6 = ftun_tuple_outer6(&pkt->tuple);
	u32 len = pkt->outer_len - pkt->inner;
	u8 tos = pkt->tos;

	if (pkt->outer_tos & INET_ECN_MASK)
		tos = ftun_rewrite_ecn_tos(tos, pkt->outer_tos);
	count_receive(net, skb->dev, outer6, skb->len, pkt->outer_tos, segs);
	acct(&path->way->outer_in, pkt->outer_len);
	if (pkt->udp)
		count_udp(net, outer6);
	count_deliver(net, path->way->delivered, outer6);
	dev_sw_netstats_rx_add(path->way->tun_in, len);
	count_receive(net, path->way->tun_in, ftun_path_inner6(path), len, tos,
		      segs);
}

static void count_forward(struct net *net, const struct ftun_path *path,
			  u32 len)
{
	struct inet6_dev *idev;

	if (!ftun_path_inner6(path)) {
		ip_stats_forward(net, len);
		__IP_UPD_PO_STATS(net, IPSTATS_MIB_OUT, len);
		return;
	}
	idev = ip6_dst_idev(path->way->route.dst);
	ip6_stats_forward(net, idev, len);
	ip6_stats_out(net, idev, len);
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
__ftun_hot void ftun_xmit_count_in(struct net *net, const struct sk_buff *skb,
				   const struct ftun_packet *pkt,
				   const struct ftun_path *path)
{
	u16 segs = skb_shinfo(skb)->gso_segs ?: 1;

	if (path->what & FTUN_PATH_DECAP)
		count_decap(net, skb, pkt, path, segs);
	else
		count_receive(net, skb->dev, ftun_path_inner6(path), skb->len,
			      pkt->tos, segs);
	if (path->what & FTUN_PATH_ACCT)
		nf_ct_acct_add(path->ct, ftun_path_dir(path), 1, pkt->inner_len);
	count_forward(net, path, pkt->inner_len);
}

/* A packet of the fast path is dropped for lack of memory, before it is changed. */
void ftun_xmit_count_discard(struct net *net, const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IPV6))
		__IP6_INC_STATS(net, __in6_dev_get(skb->dev),
				IPSTATS_MIB_INDISCARDS);
	else
		__IP_INC_STATS(net, IPSTATS_MIB_INDISCARDS);
}

static void count_encap(struct net *net, const struct ftun_path *path, u32 len)
{
	acct(&path->way->outer_out, len);
	if (path->way->outer.v6) {
		ip6_stats_out(net, ip6_dst_idev(path->way->outer_route.dst), len);
		return;
	}
	ip_stats_local_out(net);
	__IP_UPD_PO_STATS(net, IPSTATS_MIB_OUT, len);
}

/* iptunnel_xmit() counts what a qdisc drops as dropped, ip6tunnel_xmit() as an error. */
static void count_sent(const struct ftun_path *path, int err, int len)
{
	if (err)
		len = path->way->outer.v6 ? -1 : 0;
	iptunnel_xmit_stats(path->way->tun_out, len);
}

static noinline void attach_ct(struct sk_buff *skb, struct nf_conn *ct, u8 dir)
{
	if (!ct)
		return;
	nf_conntrack_get(&ct->ct_general);
	nf_ct_set(skb, ct, dir == IP_CT_DIR_ORIGINAL ? IP_CT_ESTABLISHED
						     : IP_CT_ESTABLISHED_REPLY);
}

/* What ip6_rcv_core() or ip6tunnel_xmit() would have left there, and ip6_link_failure()
 * reads if the neighbour does not answer.
 */
static void fill_cb6(struct sk_buff *skb, const struct ftun_path *path)
{
	const struct ftun_way *way = path->way;

	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	if (path->what & FTUN_PATH_ENCAP)
		return;
	IP6CB(skb)->iif = way->tun_in ? way->tun_in->ifindex : way->iif;
	IP6CB(skb)->flags = IP6SKB_FORWARDED;
}

static void prepare(struct sk_buff *skb, const struct ftun_path *path)
{
	struct dst_entry *dst = ftun_path_wire_route(path)->dst;
	const struct ftun_way *way = path->way;

	skb->dev = dst->dev;
	skb_dst_set_noref(skb, dst);
	if (!way->asks_ct)
		return;
	if (path->what & FTUN_PATH_ENCAP)
		attach_ct(skb, way->outer_out.ct, way->outer_out.dir);
	else
		attach_ct(skb, path->ct, ftun_path_dir(path));
}

/* neigh_output(). A sender on this machine may know that the neighbour answers. */
static int output(struct sk_buff *skb, const struct ftun_path *path)
{
	struct neighbour *neigh = path->way->neigh;

	sock_confirm_neigh(skb, neigh);
	if (READ_ONCE(neigh->nud_state) & NUD_CONNECTED &&
	    READ_ONCE(neigh->hh.hh_len))
		return neigh_hh_output(&neigh->hh, skb);
	if (ftun_path_wire6(path))
		fill_cb6(skb, path);
	return neigh_output(neigh, skb, true);
}

/* None of them looks into a packet, unless someone has given it filters. */
static bool qdisc_is_plain(const struct Qdisc *qdisc)
{
	static const char *const plain[] = {
		"noop", "noqueue", "pfifo_fast", "pfifo", "bfifo", "fq_codel",
		"fq", "mq",
	};

	return match_string(plain, ARRAY_SIZE(plain), qdisc->ops->id) >= 0;
}

static int lower_is(struct net_device *dev, struct netdev_nested_priv *priv)
{
	bool (**is)(const struct net_device *dev) = priv->data;

	return (*is)(dev);
}

/* Is it so of a device, or of one below it? */
static bool dev_or_lower_is(struct net_device *dev,
			    bool (*is)(const struct net_device *dev))
{
	struct netdev_nested_priv priv = { .data = &is };

	return is(dev) || netdev_walk_all_lower_dev_rcu(dev, lower_is, &priv);
}

static bool dev_asks_ct(const struct net_device *dev)
{
	const struct Qdisc *qdisc = rcu_dereference(dev->qdisc);

	return dev->type != ARPHRD_ETHER || netif_is_bridge_master(dev) ||
	       dev_tc_egress(dev) || (qdisc && !qdisc_is_plain(qdisc));
}

/**
 * ftun_xmit_asks_ct() - may a device ask for a packet's conntrack entry?
 * @dev: what packets are sent by; or one below it
 *
 * WireGuard, VTI and the like do, to answer what they cannot send: icmp_ndo_send().
 * Chains of a bridge's do, and shapers and filters can.
 *
 * Context: BH off, RCU read side.
 */
bool ftun_xmit_asks_ct(struct net_device *dev)
{
	return dev_or_lower_is(dev, dev_asks_ct);
}

/* It chooses a port by the hash that a packet has, if that is one of ports. */
static bool bond_takes_hash(const struct net_device *dev)
{
	const struct bonding *bond = netdev_priv(dev);

	return netif_is_bond_master(dev) &&
	       READ_ONCE(bond->params.xmit_policy) == BOND_XMIT_POLICY_ENCAP34;
}

static bool dev_takes_hash(const struct net_device *dev)
{
	return netif_is_vxlan(dev) || netif_is_geneve(dev) ||
	       netif_is_bareudp(dev) || netif_is_team_master(dev) ||
	       bond_takes_hash(dev) || ftun_tunnel_maybe(dev);
}

/**
 * ftun_xmit_takes_hash() - does a device go by the hash that a packet has?
 * @dev: what packets are sent by; or one below it
 *
 * For a source port or flow label of its own, or to choose what to send it by.
 *
 * Context: BH off, RCU read side.
 */
bool ftun_xmit_takes_hash(struct net_device *dev)
{
	return dev_or_lower_is(dev, dev_takes_hash);
}

/**
 * ftun_xmit() - send a finished packet
 * @net:  where
 * @skb:  the packet, data at its outermost IP header; consumed
 * @path: its path
 *
 * By the neighbour's cached link header while it is connected, else by whatever
 * its state wants done, exactly as in ip_finish_output2() and
 * ip6_finish_output2(). Qdisc and taps of the device see the packet.
 *
 * Context: BH off, RCU read side.
 */
__ftun_hot void ftun_xmit(struct net *net, struct sk_buff *skb,
			  const struct ftun_path *path)
{
	int inner_len = skb->len - ftun_path_push(path);
	int err;

	WARN_ON_ONCE(!rcu_read_lock_held());
	prepare(skb, path);
	if (path->what & FTUN_PATH_ENCAP)
		count_encap(net, path, skb->len);
	err = output(skb, path);
	if (path->what & FTUN_PATH_ENCAP)
		count_sent(path, net_xmit_eval(err), inner_len);
}
