/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_NET_IP6_CHECKSUM_H
#define _UNIT_NET_IP6_CHECKSUM_H

#include <net/checksum.h>

/* With the pseudo header, RFC 8200 section 8.1. */
static inline __sum16 csum_ipv6_magic(const struct in6_addr *saddr,
				      const struct in6_addr *daddr, u32 len,
				      u8 proto, __wsum sum)
{
	sum = csum_partial(saddr, 16, sum);
	sum = csum_partial(daddr, 16, sum);
	sum = csum_add(sum, htonl(len));
	return csum_fold(csum_add(sum, htonl(proto)));
}

#endif /* _UNIT_NET_IP6_CHECKSUM_H */
