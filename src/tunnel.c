// SPDX-License-Identifier: GPL-2.0
/* The tunnel kinds: one row for each. */
#include "tunnel.h"

#include <linux/if_arp.h>
#include <linux/netdevice.h>
#include <net/ip_tunnels.h>
#include <net/rtnetlink.h>
#include <net/sch_generic.h>

#include "compat/tc.h"

/**
 * struct tunnel_kind - a kind of tunnel
 * @name:    as in "ip link add type NAME"
 * @encap:   what it puts on
 * @ipproto: protocol number in the outer header
 * @read:    turn the device's settings into rules, or say what cannot be done
 */
struct tunnel_kind {
	const char	*name;
	enum ftun_encap	encap;
	u8		ipproto;
	enum ftun_stat	(*read)(const struct ip_tunnel *ipt,
				struct ftun_tunnel *tunnel);
};

static enum ftun_stat ipip_read(const struct ip_tunnel *ipt,
				struct ftun_tunnel *tunnel)
{
	const struct iphdr *iph = &ipt->parms.iph;

	if (ipt->collect_md || ipt->encap.type != TUNNEL_ENCAP_NONE)
		return FTUN_STAT_refuse_tunnel;
	if (iph->protocol && iph->protocol != IPPROTO_IPIP)
		return FTUN_STAT_refuse_tunnel;
	if (!net_eq(ipt->net, dev_net(ipt->dev)))
		return FTUN_STAT_refuse_netns;
	tunnel->df = iph->frag_off;
	if (!iph->ttl)
		tunnel->rules |= FTUN_OUTER_TTL_INHERIT;
	if (iph->tos & 1)
		tunnel->rules |= FTUN_OUTER_TOS_INHERIT;
	if (!ipt->ignore_df)
		tunnel->rules |= FTUN_OUTER_DF_INHERIT;
	return FTUN_OK;
}

static const struct tunnel_kind tunnel_kinds[] = {
	{
		.name		= "ipip",
		.encap		= FTUN_ENCAP_IPIP,
		.ipproto	= IPPROTO_IPIP,
		.read		= ipip_read,
	},
};

static const struct tunnel_kind *kind_of(const struct net_device *dev)
{
	const struct rtnl_link_ops *ops = dev->rtnl_link_ops;
	int i;

	for (i = 0; ops && i < ARRAY_SIZE(tunnel_kinds); i++)
		if (!strcmp(ops->kind, tunnel_kinds[i].name))
			return &tunnel_kinds[i];
	return NULL;
}

static bool is_other_tunnel(const struct net_device *dev)
{
	switch (dev->type) {
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
	case ARPHRD_IP6GRE:
		return true;
	}
	return false;
}

/**
 * ftun_tunnel_read() - what kind of tunnel is this device, and how is it set up?
 * @dev:    any device
 * @tunnel: filled in on FTUN_OK
 *
 * Context: RCU read side. The settings may be changing meanwhile; whoever changes
 * them sends NETDEV_CHANGE afterwards, see devices.c.
 * Return: FTUN_OK or the reason why a tunnel is not supported.
 */
enum ftun_stat ftun_tunnel_read(const struct net_device *dev,
				struct ftun_tunnel *tunnel)
{
	const struct tunnel_kind *kind = kind_of(dev);

	*tunnel = (struct ftun_tunnel) { .encap = FTUN_ENCAP_NONE };
	if (!kind)
		return is_other_tunnel(dev) ? FTUN_STAT_refuse_tunnel : FTUN_OK;
	tunnel->encap = kind->encap;
	tunnel->ipproto = kind->ipproto;
	return kind->read(netdev_priv(dev), tunnel);
}

/* Does any kind of tunnel put its payload under this protocol number? */
bool ftun_tunnel_is_proto(u8 ipproto)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(tunnel_kinds); i++)
		if (tunnel_kinds[i].ipproto == ipproto)
			return true;
	return false;
}

/**
 * ftun_tunnel_watched_in() - would anyone see a packet that comes out of a tunnel?
 * @dev: tunnel device
 *
 * Packet taps, XDP, tc and netdev chains on the device, none of which the fast
 * path comes by.
 *
 * Context: RCU read side.
 */
bool ftun_tunnel_watched_in(const struct net_device *dev)
{
	return dev_nit_active((struct net_device *)dev) ||
	       rcu_access_pointer(dev->xdp_prog) ||
	       rcu_access_pointer(dev->nf_hooks_ingress) ||
	       dev_tc_ingress(dev);
}

static bool has_qdisc(const struct net_device *dev)
{
	const struct netdev_queue *txq = netdev_get_tx_queue(dev, 0);
	const struct Qdisc *qdisc = rcu_dereference_bh(txq->qdisc);

	return qdisc->enqueue;
}

/**
 * ftun_tunnel_watched_out() - would anyone see a packet that enters a tunnel?
 * @dev: tunnel device
 *
 * Context: RCU read side with BH off.
 */
bool ftun_tunnel_watched_out(const struct net_device *dev)
{
	return dev_nit_active((struct net_device *)dev) ||
#ifdef CONFIG_NETFILTER_EGRESS
	       rcu_access_pointer(dev->nf_hooks_egress) ||
#endif
	       dev_tc_egress(dev) || has_qdisc(dev);
}

/**
 * ftun_tunnel_has_error() - has the tunnel an ICMP error to pass on to senders?
 * @dev: tunnel device
 *
 * ipip_err() notes them, ip_tunnel_xmit() tells the senders of the next packets.
 */
bool ftun_tunnel_has_error(const struct net_device *dev)
{
	const struct ip_tunnel *ipt = netdev_priv(dev);

	return READ_ONCE(ipt->err_count) > 0;
}
