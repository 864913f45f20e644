/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_WORK_H
#define _FTUN_WORK_H

#include <linux/workqueue.h>

/* Whatever takes longer than a packet may wait */
extern struct workqueue_struct *ftun_workqueue;

#endif /* _FTUN_WORK_H */
