/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_COMPAT_TC_H
#define _FTUN_COMPAT_TC_H

#include <linux/netdevice.h>

/* Is a tc filter or BPF program attached to the device? RCU read side. */
#ifdef FTUN_HAVE_TCX

static inline bool dev_tc_ingress(const struct net_device *dev)
{
	return rcu_access_pointer(dev->tcx_ingress);
}

static inline bool dev_tc_egress(const struct net_device *dev)
{
	return rcu_access_pointer(dev->tcx_egress);
}

#else

static inline bool dev_tc_ingress(const struct net_device *dev)
{
	return rcu_access_pointer(dev->miniq_ingress);
}

static inline bool dev_tc_egress(const struct net_device *dev)
{
	return rcu_access_pointer(dev->miniq_egress);
}

#endif /* FTUN_HAVE_TCX */

#endif /* _FTUN_COMPAT_TC_H */
