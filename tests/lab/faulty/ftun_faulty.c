// SPDX-License-Identifier: GPL-2.0
/*
 * Does wrong what the debug guest is there to notice: insmod ftun_faulty.ko fault=NAME.
 * See tests/lab/selftest.
 */
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static char *fault = "";
module_param(fault, charp, 0);
MODULE_PARM_DESC(fault, "what to do wrong");

static DEFINE_SPINLOCK(one);
static DEFINE_SPINLOCK(other);

/* Several, for an address may stay in a register or on the stack. */
static noinline void faulty_leak(void)
{
	char *volatile kept;
	int i;

	for (i = 0; i < 20; i++)
		kept = kzalloc(100, GFP_KERNEL);
	kept = NULL;
}

static noinline void faulty_use(void)
{
	char *gone = kzalloc(100, GFP_KERNEL);

	kfree(gone);
	OPTIMIZER_HIDE_VAR(gone);
	READ_ONCE(*gone);
}

static void never(struct timer_list *timer)
{
}

static noinline void faulty_timer(void)
{
	struct timer_list *timer = kzalloc(sizeof(*timer), GFP_KERNEL);

	timer_setup(timer, never, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	kfree(timer);
}

static noinline void faulty_shift(void)
{
	int bits = 40;

	OPTIMIZER_HIDE_VAR(bits);
	fault += !(1 << bits);
}

static noinline void faulty_reference(void)
{
	refcount_t refs = REFCOUNT_INIT(1);

	refcount_dec(&refs);
}

static noinline void faulty_sleep(void)
{
	spin_lock(&one);
	might_sleep();
	spin_unlock(&one);
}

static noinline void faulty_rcu(void)
{
	static char __rcu *shared;

	rcu_dereference(shared);
}

static noinline void faulty_locks(void)
{
	spin_lock(&one);
	spin_lock(&other);
	spin_unlock(&other);
	spin_unlock(&one);
	spin_lock(&other);
	spin_lock(&one);
	spin_unlock(&one);
	spin_unlock(&other);
}

static const struct {
	const char *name;
	void (*commit)(void);
} faults[] = {
	{ "rcu", faulty_rcu },
	{ "sleep", faulty_sleep },
	{ "locks", faulty_locks },
	{ "use", faulty_use },
	{ "timer", faulty_timer },
	{ "shift", faulty_shift },
	{ "reference", faulty_reference },
	{ "leak", faulty_leak },
};

static int __init faulty_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (!strcmp(fault, faults[i].name)) {
			faults[i].commit();
			return 0;
		}
	}
	return -EINVAL;
}
module_init(faulty_init);

static void __exit faulty_exit(void)
{
}
module_exit(faulty_exit);

MODULE_DESCRIPTION("What the debug guest has to notice");
MODULE_LICENSE("GPL");
