// SPDX-License-Identifier: GPL-2.0
/* What tunnels are used for, over netlink. */
#include <linux/slab.h>
#include <net/sock.h>

#include "compat/genetlink.h"
#include "net.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "usage_sum.h"

/* Tunnels whose connections are added up at one go. */
#define TUNNELS_AT_ONCE	16

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
	if (!ifindex || !ftun_usage_sum_next(fn, ifindex - 1, &sum, 1) ||
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
	int err = ftun_netlink_check_dump(cb);
	unsigned int count;

	if (err)
		return err;
	sums = kcalloc(TUNNELS_AT_ONCE, sizeof(*sums), GFP_KERNEL);
	if (!sums)
		return -ENOMEM;
	do {
		count = ftun_usage_sum_next(fn, cb->args[0], sums,
					    TUNNELS_AT_ONCE);
		err = dump_tunnels(skb, cb, sums, count);
	} while (!err && count == TUNNELS_AT_ONCE);
	kfree(sums);
	return skb->len;
}
