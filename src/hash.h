/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_HASH_H
#define _FTUN_HASH_H

#include <linux/types.h>

/*
 * Pair-multiply-shift: Thorup, "High Speed Hashing for Integers and Strings",
 * section 3.4. The high half of a sum of these is strongly universal as long as the keys
 * are secret, two for each pair, and costs a fraction of jhash2().
 */
static __always_inline u64 ftun_hash_pair(u64 pair, const u64 *keys)
{
	return (keys[0] + (u32)pair) * (keys[1] + (pair >> 32));
}

#endif /* _FTUN_HASH_H */
