/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_USAGE_H
#define _FTUN_USAGE_H

#include <linux/atomic.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

struct ftun_dir;
struct ftun_net;
struct ftun_path;
struct net_device;

/**
 * struct ftun_usage - what a tunnel device has been used for
 * @ifindex:   the device
 * @rx_before: packets that it had received when the module came to know it
 * @tx_before: likewise sent
 * @rx_ended:  packets of paths that have ended, taken out of it
 * @tx_ended:  likewise put into it
 * @rcu:       frees it
 *
 * In ftun_net.tunnels. Packets of paths that are in use are counted there.
 */
struct ftun_usage {
	u32		ifindex;
	u64		rx_before;
	u64		tx_before;
	atomic64_t	rx_ended;
	atomic64_t	tx_ended;
	struct rcu_head	rcu;
};

/**
 * struct ftun_usage_sum - how much of a tunnel's traffic is fast
 * @ifindex:    which tunnel
 * @reason:     why none of it can be, or FTUN_OK
 * @rx_fast:    packets that the fast path took out of it
 * @tx_fast:    packets that it put into it
 * @rx_packets: all packets that came out of it since the module knows it
 * @tx_packets: all packets that went into it
 * @armed:      directions of connections on the fast path
 * @slow:       other directions
 * @name:       of the device
 */
struct ftun_usage_sum {
	u32	ifindex;
	u8	reason;
	u64	rx_fast;
	u64	tx_fast;
	u64	rx_packets;
	u64	tx_packets;
	u32	armed;
	u32	slow;
	char	name[16];
};

int ftun_usage_init(void);
void ftun_usage_exit(void);
void ftun_usage_net_init(struct ftun_net *fn);
void ftun_usage_net_exit(struct ftun_net *fn);
void ftun_usage_ended(struct ftun_net *fn, const struct ftun_dir *dir,
		      const struct ftun_path *path);
unsigned int ftun_usage_next(struct ftun_net *fn, u32 after,
			     struct ftun_usage_sum *sums, unsigned int most);

#endif /* _FTUN_USAGE_H */
