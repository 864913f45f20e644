// SPDX-License-Identifier: GPL-2.0
/*
 * What the fast path looks packets up in: a resizable hash, keyed with a
 * secret so that no sender can aim at a bucket.
 */
#include "table.h"

#include <linux/random.h>
#include <linux/rhashtable.h>

u64 ftun_table_keys[FTUN_TABLE_KEYS] __read_mostly;

int ftun_table_init(struct ftun_net *fn)
{
	BUILD_BUG_ON(FTUN_TUPLE_INNER_PAIRS4 != 2 || FTUN_TUPLE_INNER_PAIRS6 != 5);
	get_random_once(ftun_table_keys, sizeof(ftun_table_keys));
	return rhashtable_init(&fn->paths, &ftun_table_params);
}

/* The table is empty, and nobody looks for anything in it any more. */
void ftun_table_exit(struct ftun_net *fn)
{
	WARN_ON_ONCE(atomic_read(&fn->paths.nelems));
	rhashtable_destroy(&fn->paths);
}

/* Return: 0, -EEXIST if another path has this tuple, -ENOMEM or -EBUSY. */
int ftun_table_add(struct ftun_net *fn, struct ftun_path *path)
{
	struct ftun_tuple tuple;

	ftun_path_tuple(path, &tuple);
	return rhashtable_lookup_insert_key(&fn->paths, &tuple, &path->node,
					    ftun_table_params);
}

/* The caller frees the path after a grace period. */
void ftun_table_del(struct ftun_net *fn, struct ftun_path *path)
{
	rhashtable_remove_fast(&fn->paths, &path->node, ftun_table_params);
}
