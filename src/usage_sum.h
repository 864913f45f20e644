/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_USAGE_SUM_H
#define _FTUN_USAGE_SUM_H

#include <linux/types.h>

struct ftun_net;

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

unsigned int ftun_usage_sum_next(struct ftun_net *fn, u32 after,
				 struct ftun_usage_sum *sums,
				 unsigned int most);

#endif /* _FTUN_USAGE_SUM_H */
