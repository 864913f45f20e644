/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_SECOND_H
#define _FTUN_SECOND_H

#include <linux/jiffies.h>
#include <linux/log2.h>

/* A number for each second, or nearly so: without a division */
static inline u32 ftun_second(void)
{
	u32 now = jiffies;

	return now >> (ilog2(HZ) + 1);
}

#endif /* _FTUN_SECOND_H */
