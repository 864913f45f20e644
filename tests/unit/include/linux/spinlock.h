/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_SPINLOCK_H
#define _UNIT_LINUX_SPINLOCK_H

#include <linux/types.h>

/* One thread is all there is. */
typedef struct { int held; } spinlock_t;

#define spin_lock(lock)			((lock)->held++)
#define spin_unlock(lock)		((lock)->held--)
#define READ_ONCE(what)			(what)
#define smp_load_acquire(from)		(*(from))
#define smp_store_release(to, what)	(*(to) = (what))

#endif /* _UNIT_LINUX_SPINLOCK_H */
