/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_SCHED_H
#define _UNIT_LINUX_SCHED_H

/* The test's: what others do meanwhile */
void cond_resched(void);

#endif /* _UNIT_LINUX_SCHED_H */
