// SPDX-License-Identifier: GPL-2.0
/*
 * What the fast path looks packets up in: a resizable hash, keyed with a
 * secret so that no sender can aim at a bucket.
 */
#include "table.h"

#include <linux/prefetch.h>
#include <linux/random.h>
#include <linux/rhashtable.h>

#include "hash.h"
#include "net.h"
#include "path.h"
#include "tuple.h"

/* The seed that rhashtable wants to change now and then chooses where to begin. */
#define SEEDS	16

/* Secret, and the same for all namespaces. */
static u64 tuple_keys[SEEDS + 2 * FTUN_TUPLE_INNER_PAIRS6] __read_mostly;

/* Only what is inside is hashed, since a connection, which conntrack knows by just that,
 * has no two paths for one direction.
 */
static __always_inline u32 tuple_hash(const void *data, u32 len, u32 seed)
{
	const u64 *keys = tuple_keys + seed % SEEDS;
	const struct ftun_tuple_head *head = data;
	const u64 *pairs = data;
	u64 hash;

	hash = ftun_hash_pair(pairs[0], keys) + ftun_hash_pair(pairs[1], keys + 2);
	if (head->shape & FTUN_SHAPE_INNER6)
		hash += ftun_hash_pair(pairs[2], keys + 4) +
			ftun_hash_pair(pairs[3], keys + 6) +
			ftun_hash_pair(pairs[4], keys + 8);
	return hash >> 32;
}

static __always_inline u32 path_hash(const void *data, u32 len, u32 seed)
{
	const struct ftun_path *path = data;

	return tuple_hash(&path->head, len, seed);
}

static __always_inline int path_cmp(struct rhashtable_compare_arg *arg,
				    const void *obj)
{
	const struct ftun_path *path = obj;

	return !ftun_path_is(path, arg->key);
}

static const struct rhashtable_params ftun_table_params = {
	.head_offset		= offsetof(struct ftun_path, node),
	.key_offset		= offsetof(struct ftun_path, head),
	.key_len		= sizeof(struct ftun_tuple),
	.hashfn			= tuple_hash,
	.obj_hashfn		= path_hash,
	.obj_cmpfn		= path_cmp,
	.automatic_shrinking	= true,
};

int ftun_table_init(struct ftun_net *fn)
{
	BUILD_BUG_ON(FTUN_TUPLE_INNER_PAIRS4 != 2 || FTUN_TUPLE_INNER_PAIRS6 != 5);
	get_random_once(tuple_keys, sizeof(tuple_keys));
	return rhashtable_init(&fn->paths, &ftun_table_params);
}

/* The table is empty, and nobody looks for anything in it any more. */
void ftun_table_exit(struct ftun_net *fn)
{
	WARN_ON_ONCE(atomic_read(&fn->paths.nelems));
	rhashtable_destroy(&fn->paths);
}

/* With many connections none of this is in the cache: ask for all of it at once, not
 * for a line when the one before has come.
 */
static void prefetch_rest(const struct ftun_path *path)
{
	prefetch(&path->ct->status);
	prefetch(&path->used);
	prefetch(&path->packets);
}

/* RCU read side, under which the path may be used. */
struct ftun_path *ftun_table_find(struct ftun_net *fn,
				  const struct ftun_tuple *tuple)
{
	struct ftun_path *path;

	path = rhashtable_lookup(&fn->paths, tuple, ftun_table_params);
	if (path)
		prefetch_rest(path);
	return path;
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
