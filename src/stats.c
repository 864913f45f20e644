// SPDX-License-Identifier: GPL-2.0
/* One per-CPU counter for each named reason. */
#include "stats.h"

#include <linux/bug.h>
#include <linux/seq_file.h>

#define FTUN_STAT_NAME(name, text) [FTUN_STAT_##name] = #name,
static const char *const ftun_stat_names[] = {
	FTUN_STATS(FTUN_STAT_NAME)
};

/**
 * ftun_stat_name() - the name under which a counter or reason is shown
 * @stat: the counter
 */
const char *ftun_stat_name(enum ftun_stat stat)
{
	if (WARN_ON_ONCE(stat >= FTUN_STAT_MAX))
		return "unknown";
	return ftun_stat_names[stat];
}

/* Not a snapshot: packets go on being counted while the CPUs are added up. */
static u64 stat_sum(const struct ftun_stats __percpu *stats,
		    enum ftun_stat stat)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(stats, cpu)->count[stat]);
	return sum;
}

/**
 * ftun_stats_show() - write every counter as a line "name value"
 * @seq:   where to
 * @stats: the counters of a network namespace
 */
void ftun_stats_show(struct seq_file *seq,
		     const struct ftun_stats __percpu *stats)
{
	enum ftun_stat stat;

	for (stat = 0; stat < FTUN_STAT_MAX; stat++)
		seq_printf(seq, "%-20s %llu\n", ftun_stat_names[stat],
			   stat_sum(stats, stat));
}
