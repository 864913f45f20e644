/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_DEVICES_H
#define _FTUN_DEVICES_H

#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/rcupdate.h>

struct ftun_net;

/**
 * struct ftun_device - a device with our ingress hook
 * @ops:  the hook; its private pointer leads back here
 * @fn:   where the device is
 * @iif:  its index
 * @list: in ftun_net.devices
 * @rcu:  frees it after the last packet is through the hook
 */
struct ftun_device {
	struct nf_hook_ops	ops;
	struct ftun_net		*fn;
	u32			iif;
	struct list_head	list;
	struct rcu_head		rcu;
};

int ftun_devices_init(void);
void ftun_devices_exit(void);
void ftun_devices_net_init(struct ftun_net *fn);
void ftun_devices_net_pre_exit(struct ftun_net *fn);
void ftun_devices_rehook(struct ftun_net *fn);
void ftun_devices_want(struct ftun_net *fn, u32 iif);

#endif /* _FTUN_DEVICES_H */
