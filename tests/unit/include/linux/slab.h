/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_SLAB_H
#define _UNIT_LINUX_SLAB_H

#include <linux/types.h>
#include <stdlib.h>

typedef int gfp_t;

#define GFP_KERNEL	1
#define GFP_ATOMIC	0
#define __GFP_NOWARN	0

/* The test's: every so many allocations that must not sleep fail. 0: none */
extern u32 fail_every;
extern u32 allocations;

static inline void *kcalloc(size_t count, size_t size, gfp_t gfp)
{
	if (!gfp && fail_every && ++allocations % fail_every == 0)
		return NULL;
	return calloc(count, size);
}

#define gfpflags_allow_blocking(gfp)	((gfp) == GFP_KERNEL)
#define kzalloc(size, gfp)		kcalloc(1, size, gfp)
#define kvcalloc			kcalloc
#define kfree				free
#define kvfree				free
#define struct_size(at, field, count)	\
	(sizeof(*(at)) + (count) * sizeof((at)->field[0]))

#endif /* _UNIT_LINUX_SLAB_H */
