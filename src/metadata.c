// SPDX-License-Identifier: GPL-2.0
/*
 * An external tunnel (collect_md) has no addresses of its own: what header it puts on is
 * the metadata's business that comes with each packet. The metadata of a route
 * (`encap ip`, `encap ip6`) is known, and is the same for all packets on that route.
 * Whoever else can attach some, tc, nftables or BPF, does so on the tunnel device,
 * behind the hook that sees the inner packet.
 */
#include "metadata.h"

#include <net/gre.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/lwtunnel.h>

#include "compat/gre.h"
#include "rewrite.h"
#include "tunnel.h"

/* ip_md_tunnel_xmit() takes exactly this for "as the inner packet's". */
#define TOS_INHERIT	1

/* ip_md_tunnel_xmit() */
static void rules4(const struct ip_tunnel_key *key, struct ftun_tunnel *tunnel)
{
	tunnel->df = tunnel_key_wants_df(key) ? htons(IP_DF) : 0;
	if (!key->ttl)
		tunnel->rules |= FTUN_OUTER_TTL_INHERIT;
	if (key->tos == TOS_INHERIT)
		tunnel->rules |= FTUN_OUTER_TOS_INHERIT;
}

/* ipxip6_tnl_xmit(), __gre6_xmit(), ip6_tnl_xmit() */
static void rules6(const struct ip_tunnel_key *key, const struct net *net,
		   struct ftun_tunnel *tunnel)
{
	if (!key->ttl)
		tunnel->rules |= FTUN_OUTER_TTL_INHERIT;
	if (tunnel->encap == FTUN_ENCAP_GRE)
		tunnel->rules |= FTUN_OUTER_ECN_AS_IS;
	if (!(key->label & IPV6_FLOWLABEL_MASK) &&
	    READ_ONCE(net->ipv6.sysctl.auto_flowlabels) !=
	    IP6_AUTO_FLOW_LABEL_OFF)
		tunnel->rules |= FTUN_OUTER_LABEL_AUTO;
}

/* All of it is done on the tunnel device, by metadata or with none. */
static bool redirects(const struct dst_entry *dst)
{
	return lwtunnel_output_redirect(dst->lwtstate) ||
	       lwtunnel_input_redirect(dst->lwtstate) ||
	       lwtunnel_xmit_redirect(dst->lwtstate);
}

/**
 * ftun_metadata_read() - by what rules does an external tunnel put its header on?
 * @dst:    the inner packet's route, which leads to the device
 * @tunnel: what ftun_tunnel_read() made of the device; completed if it is external
 *
 * Every device is asked about, since a route can encapsulate to any of them.
 *
 * Context: RCU read side.
 * Return: FTUN_OK; refuse_route if a route encapsulates that has no external tunnel
 * behind it; refuse_metadata if an external tunnel gets its orders from elsewhere.
 */
enum ftun_stat ftun_metadata_read(const struct dst_entry *dst,
				  struct ftun_tunnel *tunnel)
{
	bool v6 = tunnel->flags & FTUN_TUNNEL_OUTER6;
	const struct ip_tunnel_info *info;

	if (!(tunnel->flags & FTUN_TUNNEL_EXTERNAL))
		return dst->lwtstate ? FTUN_STAT_refuse_route : FTUN_OK;
	info = ftun_metadata(dst);
	if (!info || redirects(dst) ||
	    ip_tunnel_info_af(info) != (v6 ? AF_INET6 : AF_INET))
		return FTUN_STAT_refuse_metadata;
	/* FOU and GUE are the metadata's too, and no route's has them. */
	if (info->encap.type != TUNNEL_ENCAP_NONE)
		return FTUN_STAT_refuse_metadata;
	tunnel->flags &= ~(FTUN_TUNNEL_UDP | FTUN_TUNNEL_GUE);
	tunnel->rules = 0;
	if (v6)
		rules6(&info->key, dev_net(dst->dev), tunnel);
	else
		rules4(&info->key, tunnel);
	return FTUN_OK;
}

static bool wrote_tos(u8 tos, u8 asked, u8 rules)
{
	if (rules & FTUN_OUTER_TOS_INHERIT)
		return true;
	return !((tos ^ asked) & (rules & FTUN_OUTER_ECN_AS_IS ?
				  0xff : ~INET_ECN_MASK));
}

static bool wrote4(const struct ip_tunnel_key *key, const struct iphdr *iph,
		   const struct ftun_tunnel *tunnel)
{
	return iph->daddr == key->u.ipv4.dst &&
	       (!key->u.ipv4.src || iph->saddr == key->u.ipv4.src) &&
	       (!key->ttl || iph->ttl == key->ttl) &&
	       wrote_tos(iph->tos, key->tos, tunnel->rules);
}

/* __gre6_xmit() does not look at the source. */
static bool wrote6(const struct ip_tunnel_key *key, const struct ipv6hdr *ip6h,
		   const struct ftun_tunnel *tunnel)
{
	return ipv6_addr_equal(&ip6h->daddr, &key->u.ipv6.dst) &&
	       (tunnel->encap == FTUN_ENCAP_GRE ||
		ipv6_addr_any(&key->u.ipv6.src) ||
		ipv6_addr_equal(&ip6h->saddr, &key->u.ipv6.src)) &&
	       (!key->ttl || ip6h->hop_limit == key->ttl) &&
	       wrote_tos(ftun_rewrite_tos(ip6h, true), key->tos,
			 tunnel->rules);
}

/* gre_fb_xmit(), __gre6_xmit(): the key comes after the checksum, if there is one. */
static bool wrote_gre(const struct ip_tunnel_key *key,
		      const struct gre_base_hdr *greh)
{
	__be16 flags = gre_tnl_flags_to_gre_flags(key->tun_flags) &
		       (GRE_CSUM | GRE_KEY | GRE_SEQ);
	const __be32 *option = (const __be32 *)(greh + 1);

	if (greh->flags != flags)
		return false;
	return !(flags & GRE_KEY) ||
	       option[!!(flags & GRE_CSUM)] == tunnel_id_to_key32(key->tun_id);
}

/**
 * ftun_metadata_wrote() - is a header the one that this metadata asks for?
 * @info:   of a route
 * @outer:  the header as it was written, before any of it is taken out
 * @tunnel: what ftun_metadata_read() has completed
 *
 * Metadata of somebody else's would have made another one.
 */
bool ftun_metadata_wrote(const struct ip_tunnel_info *info,
			 const struct ftun_outer *outer,
			 const struct ftun_tunnel *tunnel)
{
	bool gre = tunnel->encap == FTUN_ENCAP_GRE;
	u8 at = outer->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	const void *hdr = outer->hdr;

	if (outer->len != at + (gre ? gre_calc_hlen(info->key.tun_flags) : 0))
		return false;
	return (outer->v6 ? wrote6(&info->key, hdr, tunnel)
			  : wrote4(&info->key, hdr, tunnel)) &&
	       (!gre || wrote_gre(&info->key, hdr + at));
}
