// SPDX-License-Identifier: GPL-2.0
/* Which connections a request is about. */
#include <linux/inetdevice.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "flow.h"
#include "netlink.h"
#include "netlink_gen.h"

/**
 * ftun_filter_reason() - the counter of this name
 * @reason: set to its number
 * @attr:   the name
 * @extack: told if there is none
 */
int ftun_filter_reason(u32 *reason, const struct nlattr *attr,
		       struct netlink_ext_ack *extack)
{
	for (*reason = 0; *reason < FTUN_STAT_MAX; ++*reason)
		if (!nla_strcmp(attr, ftun_stat_name(*reason)))
			return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "no counter has this name");
	return -ENOENT;
}

/* Where an address of either family goes. Return: its family, 0 if it is not given. */
static u8 read_addr(union nf_inet_addr *addr, const struct nlattr *v4,
		    const struct nlattr *v6)
{
	if (v4) {
		addr->ip = nla_get_in_addr(v4);
		return NFPROTO_IPV4;
	}
	if (v6) {
		addr->in6 = nla_get_in6_addr(v6);
		return NFPROTO_IPV6;
	}
	return 0;
}

/* Both addresses, of one family between them, none twice. */
static int read_addrs(union nf_inet_addr *src, union nf_inet_addr *dst,
		      u8 *family, struct nlattr **src4,
		      struct netlink_ext_ack *extack)
{
	struct nlattr **dst4 = src4 + 1, **src6 = src4 + 2, **dst6 = src4 + 3;

	BUILD_BUG_ON(FTUN_A_TUPLE_DST6 - FTUN_A_TUPLE_SRC4 != 3);
	BUILD_BUG_ON(FTUN_A_FILTER_DST6 - FTUN_A_FILTER_SRC4 != 3);
	BUILD_BUG_ON(FTUN_A_FILTER_OUTER_DST6 - FTUN_A_FILTER_OUTER_SRC4 != 3);
	if ((*src4 || *dst4) && (*src6 || *dst6)) {
		NL_SET_ERR_MSG_ATTR(extack, *src6 ?: *dst6,
				    "IPv4 and IPv6 addresses at once");
		return -EINVAL;
	}
	*family = read_addr(src, *src4, *src6);
	*family = read_addr(dst, *dst4, *dst6) ?: *family;
	return 0;
}

static int read_l4proto(u8 *l4proto, const struct nlattr *attr,
			struct netlink_ext_ack *extack)
{
	*l4proto = nla_get_u8(attr);
	if (*l4proto == IPPROTO_TCP || *l4proto == IPPROTO_UDP)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "protocol is neither TCP nor UDP");
	return -EINVAL;
}

static int read_prefix(u8 *len, u8 family, const struct nlattr *attr,
		       const struct nlattr *addr,
		       struct netlink_ext_ack *extack)
{
	u8 most = family == NFPROTO_IPV6 ? 128 : 32;

	*len = most;
	if (!attr)
		return 0;
	*len = nla_get_u8(attr);
	if (!addr) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "prefix without an address");
		return -EINVAL;
	}
	if (*len <= most)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "prefix longer than an address");
	return -ERANGE;
}

static int read_prefixes(struct ftun_filter *filter, struct nlattr **tb,
			 struct netlink_ext_ack *extack)
{
	int err;

	err = read_prefix(&filter->src_len, filter->family,
			  tb[FTUN_A_FILTER_SRC_LEN],
			  tb[FTUN_A_FILTER_SRC4] ?: tb[FTUN_A_FILTER_SRC6],
			  extack);
	if (err)
		return err;
	return read_prefix(&filter->dst_len, filter->family,
			   tb[FTUN_A_FILTER_DST_LEN],
			   tb[FTUN_A_FILTER_DST4] ?: tb[FTUN_A_FILTER_DST6],
			   extack);
}

static void read_numbers(struct ftun_filter *filter, struct nlattr **tb)
{
	int i;

	for (i = 1; i <= FTUN_A_FILTER_MAX; i++)
		if (tb[i])
			__set_bit(i, &filter->given);
	if (tb[FTUN_A_FILTER_SPORT])
		filter->sport = nla_get_be16(tb[FTUN_A_FILTER_SPORT]);
	if (tb[FTUN_A_FILTER_DPORT])
		filter->dport = nla_get_be16(tb[FTUN_A_FILTER_DPORT]);
	if (tb[FTUN_A_FILTER_STATE])
		filter->state = nla_get_u32(tb[FTUN_A_FILTER_STATE]);
	if (tb[FTUN_A_FILTER_TUNNEL])
		filter->tunnel = nla_get_u32(tb[FTUN_A_FILTER_TUNNEL]);
	if (tb[FTUN_A_FILTER_DEVICE])
		filter->device = nla_get_u32(tb[FTUN_A_FILTER_DEVICE]);
	if (tb[FTUN_A_FILTER_ZONE])
		filter->zone = nla_get_u16(tb[FTUN_A_FILTER_ZONE]);
}

/* What has to do with a tunnel's header. */
static const unsigned long outer_attrs =
	BIT(FTUN_A_FILTER_ENCAP) | BIT(FTUN_A_FILTER_OUTER_SRC4) |
	BIT(FTUN_A_FILTER_OUTER_DST4) | BIT(FTUN_A_FILTER_OUTER_SRC6) |
	BIT(FTUN_A_FILTER_OUTER_DST6) | BIT(FTUN_A_FILTER_KEY) |
	BIT(FTUN_A_FILTER_UDP_ENCAP) | BIT(FTUN_A_FILTER_OUTER_SPORT) |
	BIT(FTUN_A_FILTER_OUTER_DPORT);

static int read_outer(struct ftun_outer_id *outer, struct nlattr **tb,
		      struct netlink_ext_ack *extack)
{
	u8 family;
	int err;

	err = read_addrs(&outer->src, &outer->dst, &family,
			 &tb[FTUN_A_FILTER_OUTER_SRC4], extack);
	if (err)
		return err;
	outer->v6 = family == NFPROTO_IPV6;
	if (tb[FTUN_A_FILTER_ENCAP])
		outer->encap = nla_get_u32(tb[FTUN_A_FILTER_ENCAP]);
	if (tb[FTUN_A_FILTER_KEY])
		outer->key = nla_get_be32(tb[FTUN_A_FILTER_KEY]);
	if (tb[FTUN_A_FILTER_UDP_ENCAP])
		outer->udp = nla_get_u32(tb[FTUN_A_FILTER_UDP_ENCAP]);
	if (tb[FTUN_A_FILTER_OUTER_SPORT])
		outer->sport = nla_get_be16(tb[FTUN_A_FILTER_OUTER_SPORT]);
	if (tb[FTUN_A_FILTER_OUTER_DPORT])
		outer->dport = nla_get_be16(tb[FTUN_A_FILTER_OUTER_DPORT]);
	return 0;
}

/**
 * ftun_filter_parse() - read a filter
 * @filter: written to; all connections fit if @nest is NULL
 * @nest:   its attributes, or NULL
 * @extack: told what is wrong
 */
int ftun_filter_parse(struct ftun_filter *filter, const struct nlattr *nest,
		      struct netlink_ext_ack *extack)
{
	struct nlattr *tb[FTUN_A_FILTER_MAX + 1];
	int err;

	memset(filter, 0, sizeof(*filter));
	if (!nest)
		return 0;
	err = ftun_netlink_check_nest(nest, extack);
	if (!err)
		err = nla_parse_nested(tb, FTUN_A_FILTER_MAX, nest,
				       nf_flowtun_filter_nl_policy,
				       extack);
	if (!err)
		err = read_addrs(&filter->src, &filter->dst, &filter->family,
				 &tb[FTUN_A_FILTER_SRC4], extack);
	if (!err)
		err = read_prefixes(filter, tb, extack);
	if (!err && tb[FTUN_A_FILTER_L4PROTO])
		err = read_l4proto(&filter->l4proto, tb[FTUN_A_FILTER_L4PROTO],
				   extack);
	if (!err && tb[FTUN_A_FILTER_REASON])
		err = ftun_filter_reason(&filter->reason,
					 tb[FTUN_A_FILTER_REASON], extack);
	if (!err)
		err = read_outer(&filter->outer, tb, extack);
	if (!err)
		read_numbers(filter, tb);
	return err;
}

static bool wants(const struct ftun_filter *filter, int attr)
{
	return test_bit(attr, &filter->given);
}

static bool addr_fits(const union nf_inet_addr *a, const union nf_inet_addr *b,
		      u8 family, u8 len)
{
	if (family == NFPROTO_IPV6)
		return ipv6_prefix_equal(&a->in6, &b->in6, len);
	return !len || !((a->ip ^ b->ip) & inet_make_mask(len));
}

static bool tuple_fits(const struct ftun_filter *filter,
		       const struct nf_conntrack_tuple *tuple)
{
	if (filter->family && filter->family != tuple->src.l3num)
		return false;
	if (filter->l4proto && filter->l4proto != tuple->dst.protonum)
		return false;
	if ((wants(filter, FTUN_A_FILTER_SRC4) ||
	     wants(filter, FTUN_A_FILTER_SRC6)) &&
	    !addr_fits(&filter->src, &tuple->src.u3, filter->family,
		       filter->src_len))
		return false;
	if ((wants(filter, FTUN_A_FILTER_DST4) ||
	     wants(filter, FTUN_A_FILTER_DST6)) &&
	    !addr_fits(&filter->dst, &tuple->dst.u3, filter->family,
		       filter->dst_len))
		return false;
	if (wants(filter, FTUN_A_FILTER_SPORT) &&
	    filter->sport != tuple->src.u.all)
		return false;
	return !wants(filter, FTUN_A_FILTER_DPORT) ||
	       filter->dport == tuple->dst.u.all;
}

static bool outer_addrs_fit(const struct ftun_filter *filter,
			    const struct ftun_outer_id *outer)
{
	const struct ftun_outer_id *want = &filter->outer;
	bool src = wants(filter, FTUN_A_FILTER_OUTER_SRC4) ||
		   wants(filter, FTUN_A_FILTER_OUTER_SRC6);
	bool dst = wants(filter, FTUN_A_FILTER_OUTER_DST4) ||
		   wants(filter, FTUN_A_FILTER_OUTER_DST6);

	if ((src || dst) && want->v6 != outer->v6)
		return false;
	/* What a family leaves free is zero. */
	return (!src || nf_inet_addr_cmp(&want->src, &outer->src)) &&
	       (!dst || nf_inet_addr_cmp(&want->dst, &outer->dst));
}

static bool header_fits(const struct ftun_filter *filter,
			const struct ftun_outer_id *outer)
{
	const struct ftun_outer_id *want = &filter->outer;

	if (wants(filter, FTUN_A_FILTER_ENCAP) && want->encap != outer->encap)
		return false;
	if (wants(filter, FTUN_A_FILTER_KEY) &&
	    (!outer->has_key || want->key != outer->key))
		return false;
	if (wants(filter, FTUN_A_FILTER_UDP_ENCAP) && want->udp != outer->udp)
		return false;
	if (wants(filter, FTUN_A_FILTER_OUTER_SPORT) &&
	    (!outer->udp || want->sport != outer->sport))
		return false;
	if (wants(filter, FTUN_A_FILTER_OUTER_DPORT) &&
	    (!outer->udp || want->dport != outer->dport))
		return false;
	return outer_addrs_fit(filter, outer);
}

/* The header that comes off or the one that is put on, but all of one. */
static bool outer_fits(const struct ftun_filter *filter,
		       const struct ftun_path *path)
{
	struct ftun_outer_id outer;

	if (!(filter->given & outer_attrs))
		return true;
	if (!path)
		return false;
	return (ftun_outer_of_decap(&outer, path) &&
		header_fits(filter, &outer)) ||
	       (ftun_outer_of_encap(&outer, path) &&
		header_fits(filter, &outer));
}

static bool zone_fits(const struct ftun_filter *filter,
		      const struct nf_conn *ct)
{
	return !wants(filter, FTUN_A_FILTER_ZONE) ||
	       filter->zone == nf_ct_zone(ct)->id;
}

static bool device_fits(const struct ftun_filter *filter,
			const struct ftun_dir *dir)
{
	const struct ftun_path *path = dir->path;

	if (filter->device == dir->in || filter->device == dir->out)
		return true;
	return path && (filter->device == path->way->iif ||
			filter->device == ftun_path_oif(path));
}

static bool dir_fits(const struct ftun_filter *filter,
		     const struct ftun_flow *flow, int index)
{
	const struct ftun_dir *dir = &flow->dir[index];

	if (wants(filter, FTUN_A_FILTER_STATE) && filter->state != dir->state)
		return false;
	if (wants(filter, FTUN_A_FILTER_REASON) &&
	    filter->reason != dir->reason)
		return false;
	if (wants(filter, FTUN_A_FILTER_TUNNEL) && filter->tunnel != dir->in &&
	    filter->tunnel != dir->out)
		return false;
	if (wants(filter, FTUN_A_FILTER_DEVICE) && !device_fits(filter, dir))
		return false;
	return zone_fits(filter, flow->ct) && outer_fits(filter, dir->path) &&
	       tuple_fits(filter, &flow->ct->tuplehash[index].tuple);
}

/**
 * ftun_filter_fits() - is a connection one of those that are meant?
 * @filter: which are
 * @flow:   the connection, locked
 */
bool ftun_filter_fits(const struct ftun_filter *filter,
		      const struct ftun_flow *flow)
{
	lockdep_assert_held(&flow->lock);
	return !filter->given || dir_fits(filter, flow, IP_CT_DIR_ORIGINAL) ||
	       dir_fits(filter, flow, IP_CT_DIR_REPLY);
}

static int missing(struct netlink_ext_ack *extack, const struct nlattr *nest,
		   int attr, const char *what)
{
	NL_SET_ERR_ATTR_MISS(extack, (struct nlattr *)nest, attr);
	if (extack)
		extack->_msg = what;
	return -EINVAL;
}

static int tuple_complete(struct nlattr **tb, const struct nlattr *nest,
			  struct netlink_ext_ack *extack)
{
	if (!tb[FTUN_A_TUPLE_L4PROTO])
		return missing(extack, nest, FTUN_A_TUPLE_L4PROTO,
			       "tuple without a protocol");
	if (!tb[FTUN_A_TUPLE_SRC4] && !tb[FTUN_A_TUPLE_SRC6])
		return missing(extack, nest, FTUN_A_TUPLE_SRC4,
			       "tuple without a source address");
	if (!tb[FTUN_A_TUPLE_DST4] && !tb[FTUN_A_TUPLE_DST6])
		return missing(extack, nest, FTUN_A_TUPLE_DST4,
			       "tuple without a destination address");
	if (!tb[FTUN_A_TUPLE_SPORT])
		return missing(extack, nest, FTUN_A_TUPLE_SPORT,
			       "tuple without a source port");
	if (!tb[FTUN_A_TUPLE_DPORT])
		return missing(extack, nest, FTUN_A_TUPLE_DPORT,
			       "tuple without a destination port");
	return 0;
}

/**
 * ftun_filter_tuple() - read the tuple of a connection
 * @tuple:  written to
 * @zone:   conntrack zone, 0 if none is given
 * @nest:   its attributes
 * @extack: told what is wrong
 */
int ftun_filter_tuple(struct nf_conntrack_tuple *tuple, u16 *zone,
		      const struct nlattr *nest,
		      struct netlink_ext_ack *extack)
{
	struct nlattr *tb[FTUN_A_TUPLE_MAX + 1];
	u8 family;
	int err;

	memset(tuple, 0, sizeof(*tuple));
	*zone = 0;
	err = ftun_netlink_check_nest(nest, extack);
	if (!err)
		err = nla_parse_nested(tb, FTUN_A_TUPLE_MAX, nest,
				       nf_flowtun_tuple_nl_policy,
				       extack);
	if (!err)
		err = tuple_complete(tb, nest, extack);
	if (!err)
		err = read_addrs(&tuple->src.u3, &tuple->dst.u3, &family,
				 &tb[FTUN_A_TUPLE_SRC4], extack);
	if (!err)
		err = read_l4proto(&tuple->dst.protonum,
				   tb[FTUN_A_TUPLE_L4PROTO], extack);
	if (err)
		return err;
	tuple->src.l3num = family;
	tuple->src.u.all = nla_get_be16(tb[FTUN_A_TUPLE_SPORT]);
	tuple->dst.u.all = nla_get_be16(tb[FTUN_A_TUPLE_DPORT]);
	if (tb[FTUN_A_TUPLE_ZONE])
		*zone = nla_get_u16(tb[FTUN_A_TUPLE_ZONE]);
	return 0;
}
