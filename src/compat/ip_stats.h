/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_COMPAT_IP_STATS_H
#define _FTUN_COMPAT_IP_STATS_H

#include <net/ip.h>

/*
 * What the IPv4 stack counts for a packet that it forwards and for one that it
 * sends itself. "ip: OutRequests" used to count transmitted packets; kernels that
 * know IPSTATS_MIB_OUTREQUESTS tell the two apart, and no longer count the octets
 * of a forwarded packet twice.
 */
#ifdef FTUN_HAVE_IPSTATS_OUTREQUESTS

static inline void ip_stats_forward(struct net *net, u32 len)
{
	__IP_INC_STATS(net, IPSTATS_MIB_OUTFORWDATAGRAMS);
}

static inline void ip_stats_local_out(struct net *net)
{
	__IP_INC_STATS(net, IPSTATS_MIB_OUTREQUESTS);
}

#else

static inline void ip_stats_forward(struct net *net, u32 len)
{
	__IP_INC_STATS(net, IPSTATS_MIB_OUTFORWDATAGRAMS);
	__IP_ADD_STATS(net, IPSTATS_MIB_OUTOCTETS, len);
}

static inline void ip_stats_local_out(struct net *net)
{
}

#endif /* FTUN_HAVE_IPSTATS_OUTREQUESTS */

#endif /* _FTUN_COMPAT_IP_STATS_H */
