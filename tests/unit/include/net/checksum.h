/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_NET_CHECKSUM_H
#define _UNIT_NET_CHECKSUM_H

/* The Internet checksum, RFC 1071: 16-bit words added with end-around carry. A
 * __wsum is such a sum that has not been folded to 16 bits yet.
 */
#include <linux/types.h>
#include <netinet/in.h>

#define CSUM_MANGLED_0	((__sum16)0xffff)

static inline __wsum csum_add(__wsum a, __wsum b)
{
	u64 sum = (u64)a + b;

	return (u32)sum + (u32)(sum >> 32);
}

static inline __wsum csum_sub(__wsum a, __wsum b)
{
	return csum_add(a, ~b);
}

static inline __wsum csum_unfold(__sum16 sum)
{
	return sum;
}

static inline __sum16 csum_fold(__wsum sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static inline __wsum csum_partial(const void *data, int len, __wsum sum)
{
	const u8 *byte = data;
	u16 word;

	for (; len > 1; len -= 2, byte += 2) {
		memcpy(&word, byte, 2);
		sum = csum_add(sum, word);
	}
	if (len)
		sum = csum_add(sum, htons(*byte << 8));
	return sum;
}

static inline __sum16 ip_fast_csum(const void *iph, unsigned int ihl)
{
	return csum_fold(csum_partial(iph, ihl * 4, 0));
}

/* With the pseudo header, RFC 793 and RFC 768. */
static inline __sum16 csum_tcpudp_magic(__be32 saddr, __be32 daddr, u32 len,
					u8 proto, __wsum sum)
{
	sum = csum_add(sum, saddr);
	sum = csum_add(sum, daddr);
	sum = csum_add(sum, htonl(proto));
	return csum_fold(csum_add(sum, htonl(len)));
}

#endif /* _UNIT_NET_CHECKSUM_H */
