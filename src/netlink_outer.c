// SPDX-License-Identifier: GPL-2.0
/* The tunnel headers of a path over netlink: what tells them apart. */
#include <linux/if_tunnel.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/gre.h>

#include "flow.h"
#include "netlink.h"

/**
 * ftun_netlink_put_addrs() - two addresses of one family
 * @msg:  message
 * @src4: the first of four attributes in a row, see BUILD_BUG_ON in netlink_filter.c
 * @v6:   they are IPv6
 * @src:  source, as long as the family says
 * @dst:  destination
 */
int ftun_netlink_put_addrs(struct sk_buff *msg, int src4, bool v6,
			   const void *src, const void *dst)
{
	unsigned int len = v6 ? sizeof(struct in6_addr) : sizeof(__be32);
	int first = v6 ? src4 + 2 : src4;

	BUILD_BUG_ON(FTUN_A_OUTER_DST6 - FTUN_A_OUTER_SRC4 != 3);
	return nla_put(msg, first, len, src) ||
	       nla_put(msg, first + 1, len, dst) ? -EMSGSIZE : 0;
}

static void set_addrs(struct ftun_outer_id *outer, const void *src,
		      const void *dst)
{
	unsigned int len = outer->v6 ? sizeof(struct in6_addr) : sizeof(__be32);

	memcpy(&outer->src, src, len);
	memcpy(&outer->dst, dst, len);
}

static void set_ports(struct ftun_outer_id *outer, const __be16 *ports, bool gue)
{
	outer->udp = gue ? FTUN_NL_UDP_ENCAP_GUE : FTUN_NL_UDP_ENCAP_FOU;
	outer->sport = ports[0];
	outer->dport = ports[1];
}

/**
 * ftun_outer_of_decap() - the header that a path takes off
 * @outer: set to what it is
 * @path:  the path
 *
 * Return: whether there is one.
 */
bool ftun_outer_of_decap(struct ftun_outer_id *outer,
			 const struct ftun_path *path)
{
	struct ftun_tuple whole, *tuple = &whole;

	if (!(path->what & FTUN_PATH_DECAP))
		return false;
	ftun_path_tuple(path, &whole);
	*outer = (struct ftun_outer_id) {
		.encap	 = tuple->encap == FTUN_ENCAP_GRE ? FTUN_NL_ENCAP_GRE
							   : FTUN_NL_ENCAP_IP,
		.v6	 = ftun_tuple_outer6(tuple),
		.has_key = tuple->shape & FTUN_SHAPE_GRE_KEY,
	};
	set_addrs(outer, ftun_tuple_outer_saddr(tuple),
		  ftun_tuple_outer_daddr(tuple));
	if (outer->has_key)
		outer->key = ftun_tuple_key(tuple);
	if (tuple->shape & FTUN_SHAPE_UDP)
		set_ports(outer, ftun_tuple_outer_ports(tuple),
			  tuple->shape & FTUN_SHAPE_GUE);
	return true;
}

/* The key comes after the checksum, if there is one (RFC 2890). */
static void set_key(struct ftun_outer_id *id, const struct ftun_outer *outer)
{
	const struct gre_base_hdr *gre = (const void *)outer->hdr + outer->gre;
	const __be32 *options = (const __be32 *)(gre + 1);

	if (!(gre->flags & GRE_KEY))
		return;
	id->has_key = true;
	id->key = gre->flags & GRE_CSUM ? options[1] : options[0];
}

/* Whether there is a GUE header shows in the room it takes. */
static bool outer_gue(const struct ftun_outer *outer)
{
	unsigned int end = outer->gre ?: outer->len;

	return end - outer->udp > sizeof(struct udphdr);
}

/**
 * ftun_outer_of_encap() - the header that a path puts on
 * @outer: set to what it is
 * @path:  the path
 *
 * Return: whether there is one.
 */
bool ftun_outer_of_encap(struct ftun_outer_id *outer,
			 const struct ftun_path *path)
{
	const struct ftun_outer *header = &path->way->outer;
	const struct ipv6hdr *ip6h = (const void *)header->hdr;
	const struct iphdr *iph = (const void *)header->hdr;

	if (!(path->what & FTUN_PATH_ENCAP))
		return false;
	*outer = (struct ftun_outer_id) {
		.encap	= header->gre ? FTUN_NL_ENCAP_GRE : FTUN_NL_ENCAP_IP,
		.v6	= header->v6,
	};
	if (outer->v6)
		set_addrs(outer, &ip6h->saddr, &ip6h->daddr);
	else
		set_addrs(outer, &iph->saddr, &iph->daddr);
	if (header->gre)
		set_key(outer, header);
	if (header->udp)
		set_ports(outer, (const __be16 *)(header->hdr + header->udp),
			  outer_gue(header));
	return true;
}

static int put_udp(struct sk_buff *msg, const struct ftun_outer_id *outer)
{
	if (outer->udp == FTUN_NL_UDP_ENCAP_NONE)
		return 0;
	return nla_put_u32(msg, FTUN_A_OUTER_UDP_ENCAP, outer->udp) ||
	       nla_put_be16(msg, FTUN_A_OUTER_SPORT, outer->sport) ||
	       nla_put_be16(msg, FTUN_A_OUTER_DPORT, outer->dport) ?
	       -EMSGSIZE : 0;
}

static int put_outer(struct sk_buff *msg, int type, u32 ifindex,
		     const struct ftun_outer_id *outer)
{
	struct nlattr *nest = nla_nest_start(msg, type);

	if (!nest || nla_put_u32(msg, FTUN_A_OUTER_ENCAP, outer->encap) ||
	    ftun_netlink_put_addrs(msg, FTUN_A_OUTER_SRC4, outer->v6,
				   &outer->src, &outer->dst) ||
	    put_udp(msg, outer) ||
	    nla_put_u32(msg, FTUN_A_OUTER_IFINDEX, ifindex))
		return -EMSGSIZE;
	if (outer->has_key &&
	    nla_put_be32(msg, FTUN_A_OUTER_KEY, outer->key))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

/* Both with the flow locked, and a path there. */
int ftun_netlink_put_decap(struct sk_buff *msg, const struct ftun_dir *dir)
{
	struct ftun_outer_id outer;

	if (!ftun_outer_of_decap(&outer, dir->path))
		return 0;
	return put_outer(msg, FTUN_A_DIR_DECAP, dir->in, &outer);
}

int ftun_netlink_put_encap(struct sk_buff *msg, const struct ftun_dir *dir)
{
	struct ftun_outer_id outer;

	if (!ftun_outer_of_encap(&outer, dir->path))
		return 0;
	return put_outer(msg, FTUN_A_DIR_ENCAP, dir->out, &outer);
}
