/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_TUNNEL_H
#define _FTUN_TUNNEL_H

#include <linux/netdevice.h>
#include <net/ip6_tunnel.h>
#include <net/ip_tunnels.h>
#include <net/sch_generic.h>

#include "compat/taps.h"
#include "compat/tc.h"
#include "rewrite.h"
#include "stats.h"
#include "tuple.h"

/* Bits of ftun_tunnel.flags */
#define FTUN_TUNNEL_OUTER6	0x01	/* outer header is IPv6 */
#define FTUN_TUNNEL_DSCP_COPY	0x02	/* inner DSCP becomes the outer one's */
#define FTUN_TUNNEL_SEQ_IN	0x04	/* minds the GRE sequence numbers it gets */
#define FTUN_TUNNEL_SIT6	0x08	/* no DF for IPv6 under a small MTU */
#define FTUN_TUNNEL_UDP		0x10	/* puts UDP around its header */
#define FTUN_TUNNEL_GUE		0x20	/* ... and a GUE header */
#define FTUN_TUNNEL_EXTERNAL	0x40	/* puts on what metadata says, see metadata.c */
#define FTUN_TUNNEL_BY_NEIGH	0x80	/* its neighbours are its other ends */
#define FTUN_TUNNEL_MUTE	0x100	/* what goes into it does not come out */

/**
 * struct ftun_tunnel - a tunnel device as the module sees it
 * @encap: what header it puts on; FTUN_ENCAP_NONE for a device that is no tunnel
 * @flags: FTUN_TUNNEL_*
 * @rules: FTUN_OUTER_* that its settings amount to
 * @df:    the DF bit that it sets in every outer IPv4 header, if it does
 */
struct ftun_tunnel {
	enum ftun_encap	encap;
	u16		flags;
	u8		rules;
	__be16		df;
};

enum ftun_stat ftun_tunnel_read(const struct net_device *dev, bool inner6,
				struct ftun_tunnel *tunnel);
bool ftun_tunnel_is(const struct net_device *dev, enum ftun_stat *reason);
struct net *ftun_tunnel_net(const struct net_device *dev);
u32 ftun_tunnel_next_seq(const struct net_device *dev, bool outer6);
bool ftun_tunnel_seq_late(const struct net_device *dev, bool outer6, u32 seq);
void ftun_tunnel_seq_seen(const struct net_device *dev, bool outer6, u32 seq);

/**
 * ftun_tunnel_watched_in() - would anyone see a packet that comes out of a tunnel?
 * @dev: tunnel device
 *
 * Packet taps, XDP, tc and netdev chains on the device, none of which the fast
 * path comes by.
 *
 * Context: RCU read side.
 */
static inline bool ftun_tunnel_watched_in(const struct net_device *dev)
{
	return dev_tapped_in(dev) ||
	       rcu_access_pointer(dev->xdp_prog) ||
	       rcu_access_pointer(dev->nf_hooks_ingress) ||
	       dev_tc_ingress(dev);
}

/* Most devices can be told from a tunnel by their type. An external GRE device cannot be
 * told from a tun device so. Ethernet, which most are, is told at once.
 */
static inline bool ftun_tunnel_maybe(const struct net_device *dev)
{
	if (likely(dev->type < ARPHRD_TUNNEL))
		return false;
	switch (dev->type) {
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
	case ARPHRD_IP6GRE:
	case ARPHRD_NONE:
		return true;
	default:
		return false;
	}
}

/* Does any kind of tunnel put its payload under this protocol number? */
static inline bool ftun_tunnel_is_proto(u8 proto)
{
	return proto == IPPROTO_IPIP || proto == IPPROTO_IPV6 ||
	       proto == IPPROTO_GRE;
}

static inline bool ftun_tunnel_has_qdisc(const struct net_device *dev)
{
	const struct netdev_queue *txq = netdev_get_tx_queue(dev, 0);
	const struct Qdisc *qdisc = rcu_dereference_bh(txq->qdisc);

	return qdisc->enqueue;
}

/**
 * ftun_tunnel_meddled_out() - could anyone change a packet that enters a tunnel?
 * @dev: tunnel device
 *
 * Or the metadata that comes with it.
 *
 * Context: RCU read side with BH off.
 */
static inline bool ftun_tunnel_meddled_out(const struct net_device *dev)
{
	return
#ifdef CONFIG_NETFILTER_EGRESS
	       rcu_access_pointer(dev->nf_hooks_egress) ||
#endif
	       dev_tc_egress(dev) || ftun_tunnel_has_qdisc(dev);
}

/**
 * ftun_tunnel_watched_out() - would anyone see a packet that enters a tunnel?
 * @dev: tunnel device
 *
 * Context: RCU read side with BH off.
 */
static inline bool ftun_tunnel_watched_out(const struct net_device *dev)
{
	return dev_tapped(dev) || ftun_tunnel_meddled_out(dev);
}

/**
 * ftun_tunnel_has_error() - has the tunnel an ICMP error to pass on to senders?
 * @dev:    tunnel device
 * @outer6: its outer header is IPv6, not IPv4
 *
 * ipip_err() and the like note them, ip_tunnel_xmit() and the like tell the
 * senders of the next packets.
 */
static inline bool ftun_tunnel_has_error(const struct net_device *dev, bool outer6)
{
	if (outer6)
		return READ_ONCE(((struct ip6_tnl *)netdev_priv(dev))->err_count) > 0;
	return READ_ONCE(((struct ip_tunnel *)netdev_priv(dev))->err_count) > 0;
}

/**
 * ftun_tunnel_udp() - what a tunnel has been told about FOU and GUE, as a number
 * @dev:    tunnel device
 * @outer6: its outer header is IPv6, not IPv4
 *
 * A change that fails has changed this all the same, and nobody is told of it:
 * ip_tunnel_encap_setup() comes first.
 */
static inline u64 ftun_tunnel_udp(const struct net_device *dev, bool outer6)
{
	const struct ip_tunnel_encap *encap = outer6 ?
		&((struct ip6_tnl *)netdev_priv(dev))->encap :
		&((struct ip_tunnel *)netdev_priv(dev))->encap;
	u64 all;

	BUILD_BUG_ON(sizeof(*encap) != sizeof(all));
	memcpy(&all, encap, sizeof(all));
	return all;
}

#endif /* _FTUN_TUNNEL_H */
