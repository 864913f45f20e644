/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_NET_IPV6_H
#define _UNIT_NET_IPV6_H

#include <linux/ipv6.h>
#include <linux/types.h>

/* RFC 8200 section 4 */
#define NEXTHDR_HOP		0
#define NEXTHDR_ROUTING		43
#define NEXTHDR_FRAGMENT	44
#define NEXTHDR_DEST		60

/* Version, traffic class, flow label: RFC 8200 section 3. */
static inline u8 ipv6_get_dsfield(const struct ipv6hdr *ip6h)
{
	const u8 *byte = (const u8 *)ip6h;

	return (byte[0] & 0x0f) << 4 | byte[1] >> 4;
}

#endif /* _UNIT_NET_IPV6_H */
