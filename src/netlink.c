// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family: what all its messages have in common, and those about
 * counters, devices and tunnels.
 */
#include "netlink.h"

#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <net/sock.h>

#include "compat/genetlink.h"
#include "devices.h"
#include "flow.h"
#include "netlink_gen.h"
#include "netns.h"
#include "settings.h"
#include "usage.h"

/* Tunnels whose connections are added up at one go. */
#define TUNNELS_AT_ONCE	16

static const struct genl_multicast_group netlink_groups[] = {
	[NF_FLOWTUN_NLGRP_EVENTS] = {
		.name	= "events",
		.flags	= GENL_MCAST_CAP_NET_ADMIN,
	},
};

struct genl_family ftun_netlink_family __ro_after_init = {
	.name		= FTUN_GENL_NAME,
	.version	= FTUN_GENL_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.ops		= nf_flowtun_nl_ops,
	.n_ops		= ARRAY_SIZE(nf_flowtun_nl_ops),
	.mcgrps		= netlink_groups,
	.n_mcgrps	= ARRAY_SIZE(netlink_groups),
};

/* The family is registered. Changed before a grace period, so that no event is
 * sent to groups that are not ours any more.
 */
static bool netlink_up;

/* Each attribute once, but for @multi. */
static int check_once(const struct nlattr *head, int len, int multi,
		      struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	u64 seen = 0;
	int rem;

	nla_for_each_attr(attr, head, len, rem) {
		int type = nla_type(attr);

		if (type >= BITS_PER_TYPE(seen) || type == multi)
			continue;
		if (seen & BIT_ULL(type)) {
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "attribute given twice");
			return -EINVAL;
		}
		seen |= BIT_ULL(type);
	}
	return 0;
}

/**
 * ftun_netlink_check() - is each attribute of a request there but once?
 * @nlh:    the request
 * @multi:  attribute that may be there more often, or 0
 * @extack: told which one is not
 */
int ftun_netlink_check(const struct nlmsghdr *nlh, int multi,
		       struct netlink_ext_ack *extack)
{
	return check_once(nlmsg_attrdata(nlh, GENL_HDRLEN),
			  nlmsg_attrlen(nlh, GENL_HDRLEN), multi, extack);
}

/* Likewise for the attributes in @nest. */
int ftun_netlink_check_nest(const struct nlattr *nest,
			    struct netlink_ext_ack *extack)
{
	return check_once(nla_data(nest), nla_len(nest), 0, extack);
}

/* Begin an answer with room for @size bytes of attributes. */
struct sk_buff *ftun_netlink_answer(struct genl_info *info, size_t size,
				    void **hdr)
{
	struct sk_buff *msg = genlmsg_new(size, GFP_KERNEL);

	if (!msg)
		return NULL;
	*hdr = genlmsg_put(msg, info->snd_portid, info->snd_seq,
			   &ftun_netlink_family, 0, info->genlhdr->cmd);
	if (*hdr)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

/* End and send it. */
int ftun_netlink_reply(struct sk_buff *msg, struct genl_info *info, void *hdr)
{
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

/* Begin a message of a dump; NULL if there is no room. */
void *ftun_netlink_begin(struct sk_buff *msg, struct netlink_callback *cb,
			 u8 cmd)
{
	return genlmsg_put(msg, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   &ftun_netlink_family, NLM_F_MULTI, cmd);
}

/* A dump has what there is; nothing can be asked for in particular. */
static int check_no_attrs(struct netlink_callback *cb)
{
	if (!nlmsg_attrlen(cb->nlh, GENL_HDRLEN))
		return 0;
	NL_SET_ERR_MSG(cb->extack, "a dump of these takes no attributes");
	return -EINVAL;
}

static int put_stat(struct sk_buff *msg, const struct ftun_net *fn,
		    enum ftun_stat stat)
{
	if (nla_put_string(msg, FTUN_A_STAT_NAME, ftun_stat_name(stat)) ||
	    nla_put_u64_64bit(msg, FTUN_A_STAT_VALUE,
			      ftun_stat_sum(fn->stats, stat),
			      FTUN_A_STAT_PAD) ||
	    nla_put_string(msg, FTUN_A_STAT_TEXT, ftun_stat_text(stat)))
		return -EMSGSIZE;
	return 0;
}

int ftun_nl_stat_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ftun_net *fn = ftun_net_get(genl_info_net(info));
	struct sk_buff *msg;
	void *hdr;
	u32 stat;
	int err;

	err = ftun_netlink_check(info->nlhdr, 0, info->extack);
	if (err)
		return err;
	if (GENL_REQ_ATTR_CHECK(info, FTUN_A_STAT_NAME)) {
		NL_SET_ERR_MSG(info->extack, "name of a counter is missing");
		return -EINVAL;
	}
	err = ftun_filter_reason(&stat, info->attrs[FTUN_A_STAT_NAME],
				 info->extack);
	if (err)
		return err;
	msg = ftun_netlink_answer(info, NLMSG_DEFAULT_SIZE, &hdr);
	if (!msg)
		return -ENOMEM;
	if (!put_stat(msg, fn, stat))
		return ftun_netlink_reply(msg, info, hdr);
	nlmsg_free(msg);
	return -EMSGSIZE;
}

int ftun_nl_stat_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ftun_net *fn = ftun_net_get(sock_net(skb->sk));
	int err = check_no_attrs(cb);
	void *hdr;

	if (err)
		return err;
	for (; cb->args[0] < FTUN_STAT_MAX; cb->args[0]++) {
		hdr = ftun_netlink_begin(skb, cb, FTUN_CMD_STAT_GET);
		if (!hdr)
			break;
		if (put_stat(skb, fn, cb->args[0])) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	return skb->len;
}

/* The hook with the next greater index, so that a dump can go on from there. */
static const struct ftun_device *device_next(const struct ftun_net *fn,
					     u32 after)
{
	const struct ftun_device *fdev, *next = NULL;

	list_for_each_entry_rcu(fdev, &fn->devices, list)
		if (fdev->iif > after && (!next || fdev->iif < next->iif))
			next = fdev;
	return next;
}

static int put_hook(struct sk_buff *msg, const struct ftun_net *fn,
		    const struct ftun_device *fdev)
{
	const struct net_device *dev = dev_get_by_index_rcu(fn->net, fdev->iif);

	if (nla_put_u32(msg, FTUN_A_DEVICE_IFINDEX, fdev->iif) ||
	    nla_put_string(msg, FTUN_A_DEVICE_NAME, dev ? dev->name : "?") ||
	    nla_put_u32(msg, FTUN_A_DEVICE_HOOK,
			fdev->ops.priority == INT_MIN ? FTUN_NL_HOOK_BEFORE
						      : FTUN_NL_HOOK_AFTER))
		return -EMSGSIZE;
	return 0;
}

static int answer_device(struct sk_buff *msg, struct genl_info *info, u32 iif)
{
	struct ftun_net *fn = ftun_net_get(genl_info_net(info));
	const struct ftun_device *fdev;
	int err = -ENODEV;

	rcu_read_lock();
	fdev = iif ? device_next(fn, iif - 1) : NULL;
	if (fdev && fdev->iif == iif)
		err = put_hook(msg, fn, fdev);
	rcu_read_unlock();
	return err;
}

int ftun_nl_device_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *msg;
	void *hdr;
	int err;

	err = ftun_netlink_check(info->nlhdr, 0, info->extack);
	if (err)
		return err;
	if (GENL_REQ_ATTR_CHECK(info, FTUN_A_DEVICE_IFINDEX)) {
		NL_SET_ERR_MSG(info->extack, "index of a device is missing");
		return -EINVAL;
	}
	msg = ftun_netlink_answer(info, NLMSG_DEFAULT_SIZE, &hdr);
	if (!msg)
		return -ENOMEM;
	err = answer_device(msg, info,
			    nla_get_u32(info->attrs[FTUN_A_DEVICE_IFINDEX]));
	if (!err)
		return ftun_netlink_reply(msg, info, hdr);
	nlmsg_free(msg);
	if (err == -ENODEV)
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[FTUN_A_DEVICE_IFINDEX],
				    "no device with an ingress hook has this index");
	return err;
}

int ftun_nl_device_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ftun_net *fn = ftun_net_get(sock_net(skb->sk));
	const struct ftun_device *fdev;
	int err = check_no_attrs(cb);
	void *hdr;

	if (err)
		return err;
	rcu_read_lock();
	while ((fdev = device_next(fn, cb->args[0]))) {
		hdr = ftun_netlink_begin(skb, cb, FTUN_CMD_DEVICE_GET);
		if (!hdr)
			break;
		if (put_hook(skb, fn, fdev)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
		cb->args[0] = fdev->iif;
	}
	rcu_read_unlock();
	return skb->len;
}

static int put_tunnel(struct sk_buff *msg, const struct ftun_usage_sum *sum)
{
	if (nla_put_u32(msg, FTUN_A_TUNNEL_IFINDEX, sum->ifindex) ||
	    nla_put_string(msg, FTUN_A_TUNNEL_NAME, sum->name) ||
	    nla_put_u64_64bit(msg, FTUN_A_TUNNEL_RX_FAST, sum->rx_fast,
			      FTUN_A_TUNNEL_PAD) ||
	    nla_put_u64_64bit(msg, FTUN_A_TUNNEL_TX_FAST, sum->tx_fast,
			      FTUN_A_TUNNEL_PAD) ||
	    nla_put_u64_64bit(msg, FTUN_A_TUNNEL_RX_PACKETS, sum->rx_packets,
			      FTUN_A_TUNNEL_PAD) ||
	    nla_put_u64_64bit(msg, FTUN_A_TUNNEL_TX_PACKETS, sum->tx_packets,
			      FTUN_A_TUNNEL_PAD) ||
	    nla_put_u32(msg, FTUN_A_TUNNEL_ARMED, sum->armed) ||
	    nla_put_u32(msg, FTUN_A_TUNNEL_SLOW, sum->slow))
		return -EMSGSIZE;
	if (sum->reason == FTUN_OK)
		return 0;
	return nla_put_string(msg, FTUN_A_TUNNEL_REASON,
			      ftun_stat_name(sum->reason));
}

int ftun_nl_tunnel_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ftun_net *fn = ftun_net_get(genl_info_net(info));
	struct nlattr *attr = info->attrs[FTUN_A_TUNNEL_IFINDEX];
	struct ftun_usage_sum sum;
	struct sk_buff *msg;
	u32 ifindex;
	void *hdr;
	int err;

	err = ftun_netlink_check(info->nlhdr, 0, info->extack);
	if (err)
		return err;
	if (GENL_REQ_ATTR_CHECK(info, FTUN_A_TUNNEL_IFINDEX)) {
		NL_SET_ERR_MSG(info->extack, "index of a tunnel is missing");
		return -EINVAL;
	}
	ifindex = nla_get_u32(attr);
	if (!ifindex || !ftun_usage_next(fn, ifindex - 1, &sum, 1) ||
	    sum.ifindex != ifindex) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "no tunnel device has this index");
		return -ENODEV;
	}
	msg = ftun_netlink_answer(info, NLMSG_DEFAULT_SIZE, &hdr);
	if (!msg)
		return -ENOMEM;
	if (!put_tunnel(msg, &sum))
		return ftun_netlink_reply(msg, info, hdr);
	nlmsg_free(msg);
	return -EMSGSIZE;
}

/* Return: 0, or -EMSGSIZE if not all of them find room. */
static int dump_tunnels(struct sk_buff *skb, struct netlink_callback *cb,
			const struct ftun_usage_sum *sums, unsigned int count)
{
	unsigned int i;
	void *hdr;

	for (i = 0; i < count; i++) {
		hdr = ftun_netlink_begin(skb, cb, FTUN_CMD_TUNNEL_GET);
		if (!hdr)
			return -EMSGSIZE;
		if (put_tunnel(skb, &sums[i])) {
			genlmsg_cancel(skb, hdr);
			return -EMSGSIZE;
		}
		genlmsg_end(skb, hdr);
		cb->args[0] = sums[i].ifindex;
	}
	return 0;
}

int ftun_nl_tunnel_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ftun_net *fn = ftun_net_get(sock_net(skb->sk));
	struct ftun_usage_sum *sums;
	int err = check_no_attrs(cb);
	unsigned int count;

	if (err)
		return err;
	sums = kcalloc(TUNNELS_AT_ONCE, sizeof(*sums), GFP_KERNEL);
	if (!sums)
		return -ENOMEM;
	do {
		count = ftun_usage_next(fn, cb->args[0], sums,
					TUNNELS_AT_ONCE);
		err = dump_tunnels(skb, cb, sums, count);
	} while (!err && count == TUNNELS_AT_ONCE);
	kfree(sums);
	return skb->len;
}

/* A connection by its addresses as conntrack has them. */
static int put_event(struct sk_buff *msg, const struct ftun_flow *flow,
		     u8 index, enum ftun_nl_event event, enum ftun_stat reason)
{
	if (nla_put_u32(msg, FTUN_A_FLOW_EVENT, event))
		return -EMSGSIZE;
	if (index < IP_CT_DIR_MAX &&
	    nla_put_u8(msg, FTUN_A_FLOW_IS_REPLY, index))
		return -EMSGSIZE;
	if (reason < FTUN_STAT_MAX &&
	    nla_put_string(msg, FTUN_A_FLOW_REASON, ftun_stat_name(reason)))
		return -EMSGSIZE;
	return ftun_netlink_put_names(msg, flow);
}

static struct sk_buff *event_message(const struct ftun_flow *flow, u8 index,
				     enum ftun_nl_event event,
				     enum ftun_stat reason)
{
	struct sk_buff *msg = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_ATOMIC);
	void *hdr;

	if (!msg)
		return NULL;
	hdr = genlmsg_put(msg, 0, 0, &ftun_netlink_family, 0,
			  FTUN_CMD_FLOW_EVENT);
	if (!hdr || put_event(msg, flow, index, event, reason)) {
		nlmsg_free(msg);
		return NULL;
	}
	genlmsg_end(msg, hdr);
	return msg;
}

/**
 * ftun_netlink_event() - tell who listens what became of a connection
 * @flow:   the connection
 * @index:  its direction, or IP_CT_DIR_MAX for both
 * @event:  what happened
 * @reason: why, or FTUN_OK
 *
 * A listener that is too slow loses events, and its socket says so; nothing is kept
 * for it beyond its socket's buffer.
 *
 * Context: BH off.
 */
void ftun_netlink_event(const struct ftun_flow *flow, u8 index,
			enum ftun_nl_event event, enum ftun_stat reason)
{
	struct net *net = flow->fn->net;
	struct sk_buff *msg;

	rcu_read_lock();
	if (READ_ONCE(netlink_up) &&
	    genl_has_listeners(&ftun_netlink_family, net,
			       NF_FLOWTUN_NLGRP_EVENTS) > 0) {
		msg = event_message(flow, index, event, reason);
		if (msg)
			genlmsg_multicast_netns(&ftun_netlink_family, net, msg,
						0,
						NF_FLOWTUN_NLGRP_EVENTS,
						GFP_ATOMIC);
	}
	rcu_read_unlock();
}

int ftun_netlink_init(void)
{
	int err = genl_register_family(&ftun_netlink_family);

	if (!err)
		WRITE_ONCE(netlink_up, true);
	return err;
}

void ftun_netlink_exit(void)
{
	WRITE_ONCE(netlink_up, false);
	synchronize_rcu();
	genl_unregister_family(&ftun_netlink_family);
}

MODULE_ALIAS_GENL_FAMILY(FTUN_GENL_NAME);
