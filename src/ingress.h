/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_INGRESS_H
#define _FTUN_INGRESS_H

#include <linux/list.h>
#include <linux/netfilter.h>
#include <linux/rcupdate.h>

struct ftun_net;

/**
 * struct ftun_device - a device with our ingress hook
 * @ops:  the hook; its private pointer leads back here
 * @fn:   where the device is
 * @iif:  its index
 * @where: ftun_stranger_where() of both
 * @list: in ftun_net.devices
 * @rcu:  frees it after the last packet is through the hook
 */
struct ftun_device {
	struct nf_hook_ops	ops;
	struct ftun_net		*fn;
	u32			iif;
	u32			where;
	struct list_head	list;
	struct rcu_head		rcu;
};

unsigned int ftun_ingress(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state);

#endif /* _FTUN_INGRESS_H */
