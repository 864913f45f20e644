/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_WORKQUEUE_H
#define _UNIT_LINUX_WORKQUEUE_H

#include <linux/types.h>

struct work_struct {
	void	(*does)(struct work_struct *work);
	bool	queued;
};

#define INIT_WORK(work, what)	(*(work) = (struct work_struct) { .does = what })
#define queue_work(queue, work)	((work)->queued = true)
#define cancel_work_sync(work)	((work)->queued = false)

#endif /* _UNIT_LINUX_WORKQUEUE_H */
