// SPDX-License-Identifier: GPL-2.0
/* Devices that have an ingress hook, over netlink. */
#include <linux/netdevice.h>
#include <net/sock.h>

#include "compat/genetlink.h"
#include "ingress.h"
#include "net.h"
#include "netlink.h"
#include "netlink_gen.h"

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
	int err = ftun_netlink_check_dump(cb);
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
