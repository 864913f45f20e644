/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_TABLE_H
#define _FTUN_TABLE_H

#include <linux/spinlock.h>
#include <linux/workqueue.h>

struct ftun_buckets;
struct ftun_net;
struct ftun_path;
struct ftun_tuple;

/**
 * struct ftun_table - what the fast path looks packets up in
 * @buckets: where to begin; RCU, changed by @resize alone
 * @lock:    held to change any bucket, and taken with a flow's lock held
 * @count:   paths in it; guarded by @lock
 * @crowded: some path found no room, though others would; guarded by @lock
 * @resize:  makes the table larger or smaller
 */
struct ftun_table {
	struct ftun_buckets __rcu	*buckets;
	spinlock_t			lock;		/* of all buckets */
	u32				count;
	bool				crowded;
	struct work_struct		resize;
};

int ftun_table_init(struct ftun_table *table);
void ftun_table_exit(struct ftun_table *table);
struct ftun_path *ftun_table_find(const struct ftun_table *table,
				  const struct ftun_tuple *tuple);
int ftun_table_add(struct ftun_table *table, struct ftun_path *path);
void ftun_table_del(struct ftun_table *table, struct ftun_path *path);

#endif /* _FTUN_TABLE_H */
