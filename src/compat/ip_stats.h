/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_COMPAT_IP_STATS_H
#define _FTUN_COMPAT_IP_STATS_H

#include <net/ip.h>
#include <net/ipv6.h>

/*
 * What the stack counts for a packet that it forwards and for one that it sends
 * itself. "ip: OutRequests" used to count transmitted packets; kernels that know
 * IPSTATS_MIB_OUTREQUESTS tell the two apart, and no longer count the octets of a
 * forwarded IPv4 packet twice, while those of IPv6 were counted in one place only.
 *
 * Context: BH off.
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

static inline void ip6_stats_forward(struct net *net, struct inet6_dev *idev,
				     u32 len)
{
	__IP6_INC_STATS(net, idev, IPSTATS_MIB_OUTFORWDATAGRAMS);
}

/* ip6_finish_output2() */
static inline void ip6_stats_out(struct net *net, struct inet6_dev *idev,
				 u32 len)
{
	__IP6_UPD_PO_STATS(net, idev, IPSTATS_MIB_OUT, len);
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

static inline void ip6_stats_forward(struct net *net, struct inet6_dev *idev,
				     u32 len)
{
	__IP6_INC_STATS(net, idev, IPSTATS_MIB_OUTFORWDATAGRAMS);
	__IP6_ADD_STATS(net, idev, IPSTATS_MIB_OUTOCTETS, len);
}

static inline void ip6_stats_out(struct net *net, struct inet6_dev *idev,
				 u32 len)
{
}

#endif /* FTUN_HAVE_IPSTATS_OUTREQUESTS */

#endif /* _FTUN_COMPAT_IP_STATS_H */
