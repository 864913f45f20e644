/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_RENEW_H
#define _FTUN_RENEW_H

#include "path.h"
#include "policy.h"

struct ftun_packet;
struct sk_buff;

bool ftun_renew(struct ftun_net *fn, struct sk_buff *skb,
		const struct ftun_packet *pkt, struct ftun_path *path);

/* ftun_way_routes() now */
static inline u32 ftun_renew_generation(const struct ftun_net *fn,
					const struct ftun_way *way)
{
	return ftun_way_routes(way, ftun_policy_routes4(fn),
			       ftun_policy_routes6(fn));
}

/**
 * ftun_renew_current() - do a path's routes still lead where they led?
 * @fn:   where
 * @skb:  a packet of the path, at a netdev ingress hook
 * @pkt:  what ftun_parse() made of it
 * @path: the path, proven under all else that holds now
 *
 * Context: BH off, RCU read side.
 */
static inline bool ftun_renew_current(struct ftun_net *fn, struct sk_buff *skb,
				      const struct ftun_packet *pkt,
				      struct ftun_path *path)
{
	return READ_ONCE(path->routes) == ftun_renew_generation(fn, path->way) ||
	       ftun_renew(fn, skb, pkt, path);
}

#endif /* _FTUN_RENEW_H */
