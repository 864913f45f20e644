// SPDX-License-Identifier: GPL-2.0
/* The tunnel kinds: one row for each. */
#include "tunnel.h"

#include <linux/if_arp.h>
#include <linux/ip6_tunnel.h>
#include <linux/netdevice.h>
#include <net/ip6_tunnel.h>
#include <net/ip_tunnels.h>
#include <net/rtnetlink.h>
#include <net/sch_generic.h>

#include "compat/gre.h"

/**
 * struct tunnel_kind - a kind of tunnel
 * @name:  as in "ip link add type NAME"
 * @encap: what it puts on
 * @flags: FTUN_TUNNEL_* of all of its kind
 * @read:  turn a device's settings into rules, or say what cannot be done
 */
struct tunnel_kind {
	const char	*name;
	enum ftun_encap	encap;
	u8		flags;
	enum ftun_stat	(*read)(const struct net_device *dev, bool inner6,
				struct ftun_tunnel *tunnel);
};

/* fou_build_header(), gue_build_header() and their IPv6 twins */
static enum ftun_stat encap_read(const struct ip_tunnel_encap *e, u16 csum_flag,
				 struct ftun_tunnel *tunnel)
{
	switch (e->type) {
	case TUNNEL_ENCAP_NONE:
		return FTUN_OK;
	case TUNNEL_ENCAP_FOU:
	case TUNNEL_ENCAP_GUE:
		break;
	default:
		return FTUN_STAT_refuse_tunnel;
	}
	if (e->flags & TUNNEL_ENCAP_FLAG_REMCSUM)
		return FTUN_STAT_refuse_tunnel;
	tunnel->flags |= FTUN_TUNNEL_UDP;
	if (e->type == TUNNEL_ENCAP_GUE)
		tunnel->flags |= FTUN_TUNNEL_GUE;
	if (!e->sport)
		tunnel->rules |= FTUN_OUTER_SPORT_AUTO;
	if (e->flags & csum_flag)
		tunnel->rules |= FTUN_OUTER_UDP_CSUM;
	return FTUN_OK;
}

static enum ftun_stat ipv4_check(const struct ip_tunnel *ipt,
				 struct ftun_tunnel *tunnel)
{
	if (ipt->collect_md)
		tunnel->flags |= FTUN_TUNNEL_EXTERNAL;
	return encap_read(&ipt->encap, TUNNEL_ENCAP_FLAG_CSUM, tunnel);
}

/* ip_tunnel_xmit() */
static enum ftun_stat ipip_read(const struct net_device *dev, bool inner6,
				struct ftun_tunnel *tunnel)
{
	const struct ip_tunnel *ipt = netdev_priv(dev);
	const struct iphdr *iph = &ipt->parms.iph;

	tunnel->df = iph->frag_off;
	if (!iph->ttl)
		tunnel->rules |= FTUN_OUTER_TTL_INHERIT;
	if (iph->tos & 1)
		tunnel->rules |= FTUN_OUTER_TOS_INHERIT;
	if (!ipt->ignore_df)
		tunnel->rules |= FTUN_OUTER_DF_INHERIT;
	return ipv4_check(ipt, tunnel);
}

/* ipip6_tunnel_xmit(); what is inside by IPv4 is left to ip_tunnel_xmit(). */
static enum ftun_stat sit_read(const struct net_device *dev, bool inner6,
			       struct ftun_tunnel *tunnel)
{
	const struct ip_tunnel *ipt = netdev_priv(dev);
	const struct iphdr *iph = &ipt->parms.iph;

	if (!inner6)
		return ipip_read(dev, inner6, tunnel);
	tunnel->flags |= FTUN_TUNNEL_SIT6;
	tunnel->df = iph->frag_off;
	if (!iph->ttl)
		tunnel->rules |= FTUN_OUTER_TTL_INHERIT;
	if (iph->tos == 1)
		tunnel->rules |= FTUN_OUTER_TOS_INHERIT;
	return ipv4_check(ipt, tunnel);
}

/* A device with header_ops asks its neighbours where the other end is: ipgre_header(). With
 * a multicast group for that it gets what is sent to the group, and nothing else.
 */
static enum ftun_stat gre_read(const struct net_device *dev, bool inner6,
			       struct ftun_tunnel *tunnel)
{
	const struct ip_tunnel *ipt = netdev_priv(dev);

	if (dev->header_ops && ipt->parms.iph.daddr)
		return FTUN_STAT_refuse_nbma;
	if (dev->header_ops)
		tunnel->flags |= FTUN_TUNNEL_BY_NEIGH;
	if (gre_wants_seq(ipt->parms.i_flags))
		tunnel->flags |= FTUN_TUNNEL_SEQ_IN;
	return ipip_read(dev, inner6, tunnel);
}

/* ip6_make_flowlabel(): what is no label of the user's is one by the hash. */
static u8 ip6tnl_label_rules(const struct ip6_tnl *ip6t)
{
	u8 rules = 0;

	if (READ_ONCE(ip6t->net->ipv6.sysctl.auto_flowlabels) !=
	    IP6_AUTO_FLOW_LABEL_OFF)
		rules = FTUN_OUTER_LABEL_AUTO;
	if (ip6t->parms.flags & IP6_TNL_F_USE_ORIG_FLOWLABEL)
		return rules | FTUN_OUTER_LABEL_INHERIT;
	return ip6t->parms.flowinfo & IPV6_FLOWLABEL_MASK ? 0 : rules;
}

/* ip6_tnl_xmit() */
static enum ftun_stat ip6tnl_read(const struct net_device *dev, bool inner6,
				  struct ftun_tunnel *tunnel)
{
	const struct ip6_tnl *ip6t = netdev_priv(dev);

	if (ip6t->parms.collect_md)
		tunnel->flags |= FTUN_TUNNEL_EXTERNAL;
	if (!ip6t->parms.hop_limit)
		tunnel->rules |= FTUN_OUTER_TTL_INHERIT;
	if (ip6t->parms.flags & IP6_TNL_F_USE_ORIG_TCLASS)
		tunnel->rules |= FTUN_OUTER_TOS_INHERIT;
	if (ip6t->parms.flags & IP6_TNL_F_RCV_DSCP_COPY)
		tunnel->flags |= FTUN_TUNNEL_DSCP_COPY;
	tunnel->rules |= ip6tnl_label_rules(ip6t);
	return encap_read(&ip6t->encap, TUNNEL_ENCAP_FLAG_CSUM6, tunnel);
}

/* prepare_ip6gre_xmit_ipv4(), prepare_ip6gre_xmit_ipv6(): ECN is not thought of. Without a
 * remote end, and none in metadata, ip6gre_tunnel_xmit() drops everything, and with one
 * that was set later everything gets two headers.
 */
static enum ftun_stat ip6gre_read(const struct net_device *dev, bool inner6,
				  struct ftun_tunnel *tunnel)
{
	const struct ip6_tnl *ip6t = netdev_priv(dev);

	if (!ip6t->parms.collect_md &&
	    (dev->header_ops || ipv6_addr_any(&ip6t->parms.raddr)))
		tunnel->flags |= FTUN_TUNNEL_MUTE;
	if (gre_wants_seq(ip6t->parms.i_flags))
		tunnel->flags |= FTUN_TUNNEL_SEQ_IN;
	tunnel->rules |= FTUN_OUTER_ECN_AS_IS;
	return ip6tnl_read(dev, inner6, tunnel);
}

static const struct tunnel_kind tunnel_kinds[] = {
	{ "ipip",   FTUN_ENCAP_IP,  0,			ipip_read },
	{ "sit",    FTUN_ENCAP_IP,  0,			sit_read },
	{ "gre",    FTUN_ENCAP_GRE, 0,			gre_read },
	{ "ip6tnl", FTUN_ENCAP_IP,  FTUN_TUNNEL_OUTER6, ip6tnl_read },
	{ "ip6gre", FTUN_ENCAP_GRE, FTUN_TUNNEL_OUTER6, ip6gre_read },
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

static struct net *underlay_net(const struct tunnel_kind *kind,
				const struct net_device *dev)
{
	return kind->flags & FTUN_TUNNEL_OUTER6 ?
	       ((struct ip6_tnl *)netdev_priv(dev))->net :
	       ((struct ip_tunnel *)netdev_priv(dev))->net;
}

/* It is a device that encrypts, as far as anybody can see: what comes out of it is
 * like what any device brings, and what goes in is its transmit function's.
 */
static bool is_vti(const struct net_device *dev)
{
	const struct rtnl_link_ops *ops = dev->rtnl_link_ops;

	return ops && (!strcmp(ops->kind, "vti") || !strcmp(ops->kind, "vti6"));
}

/**
 * ftun_tunnel_read() - what kind of tunnel is this device, and how is it set up?
 * @dev:    any device
 * @inner6: the packets inside are IPv6, not IPv4
 * @tunnel: filled in; all of it on FTUN_OK
 *
 * Context: RCU read side. The settings may be changing meanwhile; whoever changes
 * them sends NETDEV_CHANGE afterwards, see devices.c.
 * Return: FTUN_OK or the reason why a tunnel is not supported.
 */
enum ftun_stat ftun_tunnel_read(const struct net_device *dev, bool inner6,
				struct ftun_tunnel *tunnel)
{
	const struct tunnel_kind *kind;

	*tunnel = (struct ftun_tunnel) { .encap = FTUN_ENCAP_NONE };
	if (!ftun_tunnel_maybe(dev))
		return FTUN_OK;
	kind = kind_of(dev);
	if (!kind)
		return dev->type == ARPHRD_NONE || is_vti(dev) ?
		       FTUN_OK : FTUN_STAT_refuse_tunnel;
	tunnel->encap = kind->encap;
	tunnel->flags = kind->flags;
	if (!net_eq(underlay_net(kind, dev), dev_net(dev)))
		return FTUN_STAT_refuse_netns;
	return kind->read(dev, inner6, tunnel);
}

/**
 * ftun_tunnel_is() - is a device a tunnel?
 * @dev:    any device
 * @reason: why none of a tunnel's connections can be fast, or FTUN_OK
 *
 * Context: RCU read side, or RTNL.
 */
bool ftun_tunnel_is(const struct net_device *dev, enum ftun_stat *reason)
{
	struct ftun_tunnel tunnel;

	*reason = ftun_tunnel_read(dev, false, &tunnel);
	if (*reason == FTUN_OK && tunnel.encap == FTUN_ENCAP_NONE)
		return false;
	/* sit carries IPv6 in the first place, ip6tnl and GRE either. */
	if (*reason != FTUN_OK)
		*reason = ftun_tunnel_read(dev, true, &tunnel);
	return true;
}

/**
 * ftun_tunnel_net() - where do the packets come in that a device takes?
 * @dev: any device, registered
 *
 * Return: for a tunnel the namespace of its underlay, else the device's own
 */
struct net *ftun_tunnel_net(const struct net_device *dev)
{
	const struct tunnel_kind *kind = kind_of(dev);

	return kind ? underlay_net(kind, dev) : dev_net(dev);
}

/**
 * ftun_tunnel_next_seq() - the GRE sequence number of the next packet
 * @dev:    GRE device
 * @outer6: its outer header is IPv6, not IPv4
 *
 * From the counter that the slow path uses.
 */
u32 ftun_tunnel_next_seq(const struct net_device *dev, bool outer6)
{
	if (outer6)
		return atomic_fetch_inc(&((struct ip6_tnl *)netdev_priv(dev))->o_seqno);
	return atomic_fetch_inc(&((struct ip_tunnel *)netdev_priv(dev))->o_seqno);
}

/* What the device expects; 0 before it has got anything. */
static u32 *seq_expected(const struct net_device *dev, bool outer6)
{
	if (outer6)
		return &((struct ip6_tnl *)netdev_priv(dev))->i_seqno;
	return &((struct ip_tunnel *)netdev_priv(dev))->i_seqno;
}

/**
 * ftun_tunnel_seq_late() - would the device drop this as out of order?
 * @dev:    GRE device with FTUN_TUNNEL_SEQ_IN
 * @outer6: its outer header is IPv6, not IPv4
 * @seq:    GRE sequence number of a packet
 */
bool ftun_tunnel_seq_late(const struct net_device *dev, bool outer6, u32 seq)
{
	u32 expected = READ_ONCE(*seq_expected(dev, outer6));

	return expected && (s32)(seq - expected) < 0;
}

/* A packet with this number has come: ip_tunnel_rcv(). */
void ftun_tunnel_seq_seen(const struct net_device *dev, bool outer6, u32 seq)
{
	WRITE_ONCE(*seq_expected(dev, outer6), seq + 1);
}
