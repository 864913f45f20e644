// SPDX-License-Identifier: GPL-2.0
/*
 * What the fast path looks packets up in: a resizable hash, keyed with a random
 * seed of its own in each namespace so that no sender can aim at a bucket.
 */
#include "table.h"

#include <linux/jhash.h>
#include <linux/rhashtable.h>

#include "flow.h"
#include "netns.h"
#include "tuple.h"

static u32 tuple_hash(const void *data, u32 len, u32 seed)
{
	const struct ftun_tuple *tuple = data;

	return jhash2(data, tuple->words, seed);
}

static u32 path_hash(const void *data, u32 len, u32 seed)
{
	const struct ftun_path *path = data;

	return tuple_hash(&path->tuple, len, seed);
}

static int path_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct ftun_path *path = obj;

	return !ftun_tuple_equal(&path->tuple, arg->key);
}

static const struct rhashtable_params ftun_table_params = {
	.head_offset		= offsetof(struct ftun_path, node),
	.key_offset		= offsetof(struct ftun_path, tuple),
	.key_len		= sizeof(struct ftun_tuple),
	.hashfn			= tuple_hash,
	.obj_hashfn		= path_hash,
	.obj_cmpfn		= path_cmp,
	.automatic_shrinking	= true,
};

int ftun_table_init(struct ftun_net *fn)
{
	BUILD_BUG_ON(sizeof(struct ftun_tuple) % sizeof(u32));
	return rhashtable_init(&fn->paths, &ftun_table_params);
}

/* The table is empty, and nobody looks for anything in it any more. */
void ftun_table_exit(struct ftun_net *fn)
{
	WARN_ON_ONCE(atomic_read(&fn->paths.nelems));
	rhashtable_destroy(&fn->paths);
}

/* RCU read side, under which the path may be used. */
struct ftun_path *ftun_table_find(struct ftun_net *fn,
				  const struct ftun_tuple *tuple)
{
	return rhashtable_lookup(&fn->paths, tuple, ftun_table_params);
}

/* Return: 0, -EEXIST if another path has this tuple, -ENOMEM or -EBUSY. */
int ftun_table_add(struct ftun_net *fn, struct ftun_path *path)
{
	return rhashtable_lookup_insert_key(&fn->paths, &path->tuple,
					    &path->node, ftun_table_params);
}

/* The caller frees the path after a grace period. */
void ftun_table_del(struct ftun_net *fn, struct ftun_path *path)
{
	rhashtable_remove_fast(&fn->paths, &path->node, ftun_table_params);
}
