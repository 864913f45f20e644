/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_METADATA_H
#define _FTUN_METADATA_H

#include <net/dst.h>
#include <net/dst_metadata.h>
#include <net/ip_tunnels.h>

#include "stats.h"

struct ftun_outer;
struct ftun_tunnel;

/**
 * ftun_metadata() - what a route says about the header that an external tunnel puts on
 * @dst: a route
 *
 * As skb_tunnel_info() finds it where no metadata is attached to the packet. It is the
 * route's for as long as that is there, and does not change.
 *
 * Return: NULL if it says nothing.
 */
static inline const struct ip_tunnel_info *
ftun_metadata(const struct dst_entry *dst)
{
	const struct lwtunnel_state *state = dst->lwtstate;

	if (!state || (state->type != LWTUNNEL_ENCAP_IP &&
		       state->type != LWTUNNEL_ENCAP_IP6))
		return NULL;
	return lwt_tun_info((struct lwtunnel_state *)state);
}

enum ftun_stat ftun_metadata_read(const struct dst_entry *dst,
				  struct ftun_tunnel *tunnel);
bool ftun_metadata_wrote(const struct ip_tunnel_info *info,
			 const struct ftun_outer *outer,
			 const struct ftun_tunnel *tunnel);

#endif /* _FTUN_METADATA_H */
