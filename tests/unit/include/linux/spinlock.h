/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_SPINLOCK_H
#define _UNIT_LINUX_SPINLOCK_H

#include <linux/types.h>

/* One thread is all there is. */
typedef struct { int held; } spinlock_t;

#define spin_lock(lock)			((lock)->held++)
#define spin_unlock(lock)		((lock)->held--)
#define spin_lock_init(lock)		((lock)->held = 0)
#define spin_lock_bh			spin_lock
#define spin_unlock_bh			spin_unlock
#define lockdep_is_held(lock)		((lock)->held)
#define READ_ONCE(what)			(what)
#define WRITE_ONCE(to, what)		((to) = (what))
#define smp_rmb()			((void)0)
#define smp_wmb()			((void)0)
#define smp_load_acquire(from)		(*(from))
#define smp_store_release(to, what)	(*(to) = (what))

#endif /* _UNIT_LINUX_SPINLOCK_H */
