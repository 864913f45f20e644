/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_TUNNEL_H
#define _FTUN_TUNNEL_H

#include "rewrite.h"
#include "stats.h"
#include "tuple.h"

struct net;
struct net_device;

/* Bits of ftun_tunnel.flags */
#define FTUN_TUNNEL_OUTER6	0x01	/* outer header is IPv6 */
#define FTUN_TUNNEL_DSCP_COPY	0x02	/* inner DSCP becomes the outer one's */
#define FTUN_TUNNEL_SEQ_IN	0x04	/* minds the GRE sequence numbers it gets */
#define FTUN_TUNNEL_SIT6	0x08	/* no DF for IPv6 under a small MTU */
#define FTUN_TUNNEL_UDP		0x10	/* puts UDP around its header */
#define FTUN_TUNNEL_GUE		0x20	/* ... and a GUE header */

/**
 * struct ftun_tunnel - a tunnel device as the module sees it
 * @encap: what header it puts on; FTUN_ENCAP_NONE for a device that is no tunnel
 * @flags: FTUN_TUNNEL_*
 * @rules: FTUN_OUTER_* that its settings amount to
 * @df:    the DF bit that it sets in every outer IPv4 header, if it does
 */
struct ftun_tunnel {
	enum ftun_encap	encap;
	u8		flags;
	u8		rules;
	__be16		df;
};

enum ftun_stat ftun_tunnel_read(const struct net_device *dev, bool inner6,
				struct ftun_tunnel *tunnel);
bool ftun_tunnel_is_proto(u8 proto);
bool ftun_tunnel_watched_in(const struct net_device *dev);
bool ftun_tunnel_watched_out(const struct net_device *dev);
bool ftun_tunnel_has_error(const struct net_device *dev, bool outer6);
u32 ftun_tunnel_next_seq(const struct net_device *dev, bool outer6);
bool ftun_tunnel_seq_late(const struct net_device *dev, bool outer6, u32 seq);
void ftun_tunnel_seq_seen(const struct net_device *dev, bool outer6, u32 seq);

#endif /* _FTUN_TUNNEL_H */
