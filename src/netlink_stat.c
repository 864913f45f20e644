// SPDX-License-Identifier: GPL-2.0
/* Counters over netlink. */
#include <net/sock.h>

#include "compat/genetlink.h"
#include "net.h"
#include "netlink.h"
#include "netlink_gen.h"

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
	int err = ftun_netlink_check_dump(cb);
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
