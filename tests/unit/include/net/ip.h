/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_NET_IP_H
#define _UNIT_NET_IP_H

#include <linux/ip.h>
#include <linux/types.h>
#include <net/checksum.h>
#include <netinet/in.h>

/* More fragments, or an offset: RFC 791 section 3.1. */
static inline bool ip_is_fragment(const struct iphdr *iph)
{
	return (iph->frag_off & htons(0x2000 | 0x1fff)) != 0;
}

#endif /* _UNIT_NET_IP_H */
