/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_TUNNEL_H
#define _FTUN_TUNNEL_H

#include "rewrite.h"
#include "stats.h"
#include "tuple.h"

struct net;
struct net_device;

/**
 * struct ftun_tunnel - a tunnel device as the module sees it
 * @encap: what header it puts on; FTUN_ENCAP_NONE for a device that is no tunnel
 * @ipproto: protocol number of that header's payload
 * @rules: FTUN_OUTER_* that its settings amount to
 * @df: the DF bit that it sets in every outer header, if it does
 */
struct ftun_tunnel {
	enum ftun_encap	encap;
	u8		ipproto;
	u8		rules;
	__be16		df;
};

enum ftun_stat ftun_tunnel_read(const struct net_device *dev,
				struct ftun_tunnel *tunnel);
bool ftun_tunnel_is_proto(u8 ipproto);
bool ftun_tunnel_watched_in(const struct net_device *dev);
bool ftun_tunnel_watched_out(const struct net_device *dev);
bool ftun_tunnel_has_error(const struct net_device *dev);

#endif /* _FTUN_TUNNEL_H */
