/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_RCUPDATE_H
#define _UNIT_LINUX_RCUPDATE_H

#include <linux/types.h>

/* One thread is all there is, and it does not rest in a grace period. */
struct rcu_head { int none; };

#define rcu_dereference(from)			(from)
#define rcu_access_pointer(from)		(from)
#define rcu_dereference_protected(from, why)	(from)
#define rcu_assign_pointer(to, what)		((to) = (what))
#define call_rcu(head, free)			(free)(head)

#endif /* _UNIT_LINUX_RCUPDATE_H */
