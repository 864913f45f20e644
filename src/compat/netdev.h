/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_COMPAT_NETDEV_H
#define _FTUN_COMPAT_NETDEV_H

#include <linux/netdevice.h>

/* Aggregates as long as this are segmented in front of the device: with newer kernels
 * IPv4 has a limit of its own.
 */
#ifdef FTUN_HAVE_GSO_IPV4_MAX_SIZE

static inline u32 dev_gso_max_size(const struct net_device *dev, bool v6)
{
	return v6 ? READ_ONCE(dev->gso_max_size) :
		    READ_ONCE(dev->gso_ipv4_max_size);
}

#else

static inline u32 dev_gso_max_size(const struct net_device *dev, bool v6)
{
	return READ_ONCE(dev->gso_max_size);
}

#endif /* FTUN_HAVE_GSO_IPV4_MAX_SIZE */

#endif /* _FTUN_COMPAT_NETDEV_H */
