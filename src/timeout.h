/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_TIMEOUT_H
#define _FTUN_TIMEOUT_H

#include <linux/types.h>

struct net;
struct nf_conn;

/**
 * struct ftun_limits - what a namespace's sysctls say
 * @udp:     nf_conntrack_udp_timeout and nf_conntrack_udp_timeout_stream, in jiffies
 * @generic: nf_conntrack_generic_timeout likewise
 */
struct ftun_limits {
	u32	udp[2];
	u32	generic;
};

u32 ftun_timeout(const struct ftun_limits *limits, struct nf_conn *ct, u32 used);
void ftun_timeout_limits(struct net *net, struct ftun_limits *limits);

#endif /* _FTUN_TIMEOUT_H */
