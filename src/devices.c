// SPDX-License-Identifier: GPL-2.0
/*
 * Ingress hooks, put on devices as flows need them, and the events of devices
 * that flows have to take notice of.
 */
#include "devices.h"

#include <linux/if_arp.h>
#include <linux/if_macvlan.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "ingress.h"
#include "net.h"
#include "policy.h"
#include "settings.h"
#include "stranger.h"
#include "tunnel.h"

/* Are we told of devices that go? Guarded by RTNL. */
static bool told;

static struct ftun_device *device_find(struct ftun_net *fn, u32 iif)
{
	struct ftun_device *fdev;

	list_for_each_entry_rcu(fdev, &fn->devices, list,
				lockdep_rtnl_is_held())
		if (fdev->iif == iif)
			return fdev;
	return NULL;
}

/* By default behind all chains of the user's, so that what they drop is gone
 * already.
 */
static void device_hook(struct ftun_net *fn, struct net_device *dev)
{
	struct ftun_device *fdev;

	ASSERT_RTNL();
	fdev = kzalloc(sizeof(*fdev), GFP_KERNEL);
	if (!fdev)
		return;
	fdev->fn = fn;
	fdev->iif = dev->ifindex;
	fdev->where = ftun_stranger_where(fn, dev->ifindex);
	fdev->ops.hook = ftun_ingress;
	fdev->ops.dev = dev;
	fdev->ops.priv = fdev;
	fdev->ops.pf = NFPROTO_NETDEV;
	fdev->ops.hooknum = NF_NETDEV_INGRESS;
	fdev->ops.priority = ftun_settings_hook_priority(fn);
	if (nf_register_net_hook(fn->net, &fdev->ops)) {
		kfree(fdev);
		return;
	}
	list_add_tail_rcu(&fdev->list, &fn->devices);
}

static void device_unhook(struct ftun_device *fdev)
{
	ASSERT_RTNL();
	list_del_rcu(&fdev->list);
	nf_unregister_net_hook(fdev->fn->net, &fdev->ops);
	kfree_rcu(fdev, rcu);
}

static bool is_copying(const struct net_device *upper)
{
	const struct macvlan_dev *vlan = netdev_priv(upper);

	return netif_is_macvlan(upper) && vlan->mode == MACVLAN_MODE_SOURCE;
}

/**
 * ftun_devices_shares() - do others get what comes in by a device, after the ingress hook?
 * @dev: a device whose packets go on to be routed
 *
 * An ipvlan takes what is for its addresses, a macvlan in source mode copies what comes
 * from some, MACsec counts what is not encrypted. Other macvlans take frames for their own
 * addresses only. What comes by a port of a bridge or a bond is seen at that.
 *
 * Context: RCU read side.
 */
bool ftun_devices_shares(struct net_device *dev)
{
	struct net_device *upper;
	struct list_head *iter;

	if (!rcu_access_pointer(dev->rx_handler))
		return false;
	if (!netif_is_macvlan_port(dev))
		return true;
	netdev_for_each_upper_dev_rcu(dev, upper, iter)
		if (is_copying(upper))
			return true;
	return false;
}

/**
 * ftun_devices_rehook() - put the ingress hooks where the settings want them now
 * @fn: where
 *
 * Each device has its old hook or its new one all the while, or none for a moment,
 * in which its packets take the slow path.
 *
 * Context: process.
 */
void ftun_devices_rehook(struct ftun_net *fn)
{
	struct ftun_device *fdev, *next, *last;

	rtnl_lock();
	if (list_empty(&fn->devices))
		goto unlock;
	last = list_last_entry(&fn->devices, struct ftun_device, list);
	list_for_each_entry_safe(fdev, next, &fn->devices, list) {
		struct net_device *dev = fdev->ops.dev;
		bool done = fdev == last;

		device_unhook(fdev);
		device_hook(fn, dev);
		if (done)
			break;
	}
unlock:
	rtnl_unlock();
}

static bool wanted_pop(struct ftun_net *fn, u32 *iif)
{
	bool any;

	spin_lock_bh(&fn->wanted_lock);
	any = fn->wanted_count;
	if (any)
		*iif = fn->wanted[--fn->wanted_count];
	spin_unlock_bh(&fn->wanted_lock);
	return any;
}

static void devices_hook_work(struct work_struct *work)
{
	struct ftun_net *fn = container_of(work, struct ftun_net, hook_work);
	struct net_device *dev;
	u32 iif;

	rtnl_lock();
	if (fn->gre_changed)
		ftun_policy_changed(fn);
	fn->gre_changed = false;
	while (!READ_ONCE(fn->leaving) && wanted_pop(fn, &iif)) {
		dev = __dev_get_by_index(fn->net, iif);
		if (told && dev && !device_find(fn, iif))
			device_hook(fn, dev);
	}
	rtnl_unlock();
}

/**
 * ftun_devices_want() - have an ingress hook put on a device
 * @fn:  where
 * @iif: index of the device
 *
 * It is there some time later. A packet of a flow that comes in on a device with
 * a hook and yet was not seen there, such as through a bridge, is nothing that
 * another hook would help.
 *
 * Context: BH off, RCU read side.
 */
void ftun_devices_want(struct ftun_net *fn, u32 iif)
{
	if (device_find(fn, iif) || READ_ONCE(fn->leaving))
		return;
	spin_lock(&fn->wanted_lock);
	if (fn->wanted_count < FTUN_DEVICES_WANTED)
		fn->wanted[fn->wanted_count++] = iif;
	spin_unlock(&fn->wanted_lock);
	queue_work(ftun_workqueue, &fn->hook_work);
}

/* ipgre_tunnel_ctl() tells of a change before all of it is made, and of the rest not at
 * all: it has been made when RTNL is free again.
 */
static void gre_changes(struct ftun_net *fn, const struct net_device *dev)
{
	ASSERT_RTNL();
	if (dev->type != ARPHRD_IPGRE || READ_ONCE(fn->leaving))
		return;
	fn->gre_changed = true;
	queue_work(ftun_workqueue, &fn->hook_work);
}

/* Where a tunnel has been moved from, it gets packets that may have been another's. */
static void device_changed(struct ftun_net *fn, const struct net_device *dev)
{
	struct ftun_net *under = ftun_net_get(ftun_tunnel_net(dev));

	ftun_policy_changed(fn);
	if (under != fn)
		ftun_policy_changed(under);
}

static int devices_event(struct notifier_block *nb, unsigned long event,
			 void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct ftun_net *fn = ftun_net_get(dev_net(dev));
	struct ftun_device *fdev;

	switch (event) {
	case NETDEV_UNREGISTER:
		fdev = device_find(fn, dev->ifindex);
		if (fdev)
			device_unhook(fdev);
		device_changed(fn, dev);
		break;
	case NETDEV_CHANGE:
		gre_changes(fn, dev);
		fallthrough;
	case NETDEV_UP:		/* a tunnel that says more of what it wants, ip_tunnel_lookup() */
	case NETDEV_DOWN:
	case NETDEV_CHANGEMTU:
	case NETDEV_CHANGEADDR:
	case NETDEV_CHANGENAME:
	case NETDEV_CHANGEUPPER:
	case NETDEV_CHANGEINFODATA:	/* how a bond chooses */
	case NETDEV_FEAT_CHANGE:
		device_changed(fn, dev);
	}
	return NOTIFY_DONE;
}

static struct notifier_block devices_notifier = {
	.notifier_call = devices_event,
};

static void set_told(bool value)
{
	rtnl_lock();
	told = value;
	rtnl_unlock();
}

int ftun_devices_init(void)
{
	int err = register_netdevice_notifier(&devices_notifier);

	if (!err)
		set_told(true);
	return err;
}

/* All hooks are taken off: for the notifier every device goes. */
void ftun_devices_exit(void)
{
	set_told(false);
	unregister_netdevice_notifier(&devices_notifier);
}

void ftun_devices_net_init(struct ftun_net *fn)
{
	INIT_LIST_HEAD(&fn->devices);
	spin_lock_init(&fn->wanted_lock);
	INIT_WORK(&fn->hook_work, devices_hook_work);
}

/* A grace period after this no packet is in an ingress hook any more. */
void ftun_devices_net_pre_exit(struct ftun_net *fn)
{
	struct ftun_device *fdev, *next;

	WARN_ON_ONCE(!fn->leaving);
	cancel_work_sync(&fn->hook_work);
	rtnl_lock();
	list_for_each_entry_safe(fdev, next, &fn->devices, list)
		device_unhook(fdev);
	rtnl_unlock();
}
