/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_PROOF_H
#define _FTUN_PROOF_H

#include "stats.h"

struct dst_entry;
struct ftun_flow;
struct ftun_witness;
struct net_device;
struct sk_buff;

/**
 * struct ftun_observation - what the slow path did with a packet
 * @witness:  the packet as it came in
 * @skb:      the packet as it goes out, data at its outermost IP header
 * @same:     it surely is the witness's packet; the driver of the tunnel may have
 *            put it into another buffer, but then it may be another packet too
 * @dst:      the inner packet's route
 * @outer_dst: the outer packet's route, if it was put into a tunnel
 * @in:       device the inner packet came in on
 * @tun_out:  tunnel device it was put into, or NULL
 */
struct ftun_observation {
	const struct ftun_witness	*witness;
	struct sk_buff			*skb;
	bool				same;
	struct dst_entry		*dst;
	struct dst_entry		*outer_dst;
	struct net_device		*in;
	struct net_device		*tun_out;
};

void ftun_proof_try(struct ftun_flow *flow, u8 index,
		    const struct ftun_observation *seen);

#endif /* _FTUN_PROOF_H */
