/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_COMPAT_ROUTE_H
#define _FTUN_COMPAT_ROUTE_H

#include <net/inet_dscp.h>
#include <net/route.h>

/* The part of a TOS that IPv4 routes are asked for with. Older kernels take three bits
 * and compare what they are given; newer ones take all of the DSCP, and who compares
 * looks at those three.
 */
#ifdef FTUN_HAVE_DSCP_MASKED_MATCH
#define ROUTE_TOS_MASK	INET_DSCP_MASK
#else
#define ROUTE_TOS_MASK	IPTOS_RT_MASK
#endif

/* Older kernels have IPv6 routes by which all packets are fragmented, however short, and
 * that behind the last hook: ip6_finish_output().
 */
static inline bool route_fragments_all(const struct dst_entry *dst)
{
#ifdef FTUN_HAVE_DST_ALLFRAG
	return dst_allfrag(dst);
#else
	return false;
#endif
}

#endif /* _FTUN_COMPAT_ROUTE_H */
