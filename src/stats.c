// SPDX-License-Identifier: GPL-2.0
/* One per-CPU counter for each named reason. */
#include "stats.h"

#include <linux/bug.h>
#include <linux/seq_file.h>

#define FTUN_STAT_NAME(name, text) [FTUN_STAT_##name] = #name,
static const char *const ftun_stat_names[] = {
	FTUN_STATS(FTUN_STAT_NAME)
};

#define FTUN_STAT_TEXT(name, text) [FTUN_STAT_##name] = text,
static const char *const ftun_stat_texts[] = {
	FTUN_STATS(FTUN_STAT_TEXT)
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

/* What it counts, in a few words. */
const char *ftun_stat_text(enum ftun_stat stat)
{
	if (WARN_ON_ONCE(stat >= FTUN_STAT_MAX))
		return "";
	return ftun_stat_texts[stat];
}

/* Not a snapshot: packets go on being counted while the CPUs are added up. */
u64 ftun_stat_sum(const struct ftun_stats __percpu *stats, enum ftun_stat stat)
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
			   ftun_stat_sum(stats, stat));
}
