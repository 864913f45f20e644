/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_COMPAT_TAPS_H
#define _FTUN_COMPAT_TAPS_H

#include <linux/netdevice.h>
#include <net/net_namespace.h>

/* Does a packet tap see what the device sends and receives? RCU read side. Where
 * the lists are in reach there is no need to call for it.
 */
static inline bool dev_tapped(const struct net_device *dev)
{
#ifdef FTUN_HAVE_NET_PTYPE_ALL
	return !list_empty(&dev->ptype_all) ||
	       !list_empty(&dev_net(dev)->ptype_all);
#else
	return dev_nit_active((struct net_device *)dev);
#endif
}

/* The same of what it receives. Sockets of one protocol are asked after taps. */
static inline bool dev_tapped_in(const struct net_device *dev)
{
	return dev_tapped(dev) || !list_empty(&dev->ptype_specific);
}

#endif /* _FTUN_COMPAT_TAPS_H */
