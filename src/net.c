// SPDX-License-Identifier: GPL-2.0
/* What all parts of the module have in common in a network namespace. */
#include "net.h"

unsigned int ftun_net_id __read_mostly;
struct workqueue_struct *ftun_workqueue __read_mostly;

/**
 * ftun_net_gc_soon() - have every flow visited soon, without waiting for it
 * @fn: where
 *
 * Context: any.
 */
void ftun_net_gc_soon(struct ftun_net *fn)
{
	/* One event after the other must not put it off. */
	if (delayed_work_pending(&fn->gc_work) &&
	    time_before_eq(READ_ONCE(fn->gc_work.timer.expires),
			   jiffies + FTUN_GC_SOON))
		return;
	if (!READ_ONCE(fn->leaving))
		mod_delayed_work(ftun_workqueue, &fn->gc_work, FTUN_GC_SOON);
}
