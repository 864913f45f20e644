/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_USAGE_H
#define _FTUN_USAGE_H

#include <linux/atomic.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

struct ftun_net;
struct ftun_path;

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

int ftun_usage_init(void);
void ftun_usage_exit(void);
void ftun_usage_net_init(struct ftun_net *fn);
void ftun_usage_net_exit(struct ftun_net *fn);
void ftun_usage_ended(struct ftun_net *fn, const struct ftun_path *path, u32 in,
		      u32 out);

#endif /* _FTUN_USAGE_H */
