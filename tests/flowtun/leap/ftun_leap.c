// SPDX-License-Identifier: GPL-2.0
/*
 * Lets time go by at once, as far as jiffies tell it: echo N >.../parameters/jiffies.
 * For a guest with a single CPU.
 */
#include <linux/cpumask.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/module.h>

static int leap(const char *text, const struct kernel_param *param)
{
	unsigned long flags;
	u64 by;
	int err;

	err = kstrtou64(text, 0, &by);
	if (err)
		return err;
	if (num_possible_cpus() != 1)
		return -EBUSY;
	local_irq_save(flags);
	jiffies_64 += by;
	local_irq_restore(flags);
	return 0;
}

static const struct kernel_param_ops leap_ops = {
	.set	= leap,
};

module_param_cb(jiffies, &leap_ops, NULL, 0200);
MODULE_PARM_DESC(jiffies, "how far to leap");

static int hz = HZ;
module_param(hz, int, 0444);
MODULE_PARM_DESC(hz, "jiffies in a second");

MODULE_DESCRIPTION("Lets time go by at once");
MODULE_LICENSE("GPL");
