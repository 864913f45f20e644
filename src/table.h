/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_TABLE_H
#define _FTUN_TABLE_H

#include <linux/prefetch.h>
#include <linux/rhashtable.h>

#include "hash.h"
#include "net.h"
#include "path.h"
#include "tuple.h"

/* The seed that rhashtable wants to change now and then chooses where to begin. */
#define FTUN_TABLE_SEEDS	16
#define FTUN_TABLE_KEYS		(FTUN_TABLE_SEEDS + 2 * FTUN_TUPLE_INNER_PAIRS6)

/* Secret, and the same for all namespaces; written once, by ftun_table_init() */
extern u64 ftun_table_keys[FTUN_TABLE_KEYS];

int ftun_table_init(struct ftun_net *fn);
void ftun_table_exit(struct ftun_net *fn);
int ftun_table_add(struct ftun_net *fn, struct ftun_path *path);
void ftun_table_del(struct ftun_net *fn, struct ftun_path *path);

/* Only what is inside is hashed, since a connection, which conntrack knows by just that,
 * has no two paths for one direction.
 */
static __always_inline u32 ftun_table_hash(const void *data, u32 len, u32 seed)
{
	const u64 *keys = ftun_table_keys + seed % FTUN_TABLE_SEEDS;
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

static __always_inline u32 ftun_table_hash_path(const void *data, u32 len, u32 seed)
{
	const struct ftun_path *path = data;

	return ftun_table_hash(&path->head, len, seed);
}

static __always_inline int ftun_table_cmp(struct rhashtable_compare_arg *arg,
					  const void *obj)
{
	const struct ftun_path *path = obj;

	return !ftun_path_is(path, arg->key);
}

static const struct rhashtable_params ftun_table_params = {
	.head_offset		= offsetof(struct ftun_path, node),
	.key_offset		= offsetof(struct ftun_path, head),
	.key_len		= sizeof(struct ftun_tuple),
	.hashfn			= ftun_table_hash,
	.obj_hashfn		= ftun_table_hash_path,
	.obj_cmpfn		= ftun_table_cmp,
	.automatic_shrinking	= true,
};

/* With many connections none of this is in the cache: ask for all of it at once, not
 * for a line when the one before has come.
 */
static __always_inline void ftun_table_prefetch(const struct ftun_path *path)
{
	prefetch(&path->ct->status);
	prefetch(&path->used);
	prefetch(&path->packets);
}

/**
 * ftun_table_find() - a packet's path
 * @fn:    where
 * @tuple: what names the packet
 *
 * In line, since every packet looks for its path, and a call costs a fifth of the search.
 *
 * Context: RCU read side, under which the path may be used.
 * Return: NULL if there is none.
 */
static __always_inline struct ftun_path *
ftun_table_find(struct ftun_net *fn, const struct ftun_tuple *tuple)
{
	struct ftun_path *path;

	path = rhashtable_lookup(&fn->paths, tuple, ftun_table_params);
	if (path)
		ftun_table_prefetch(path);
	return path;
}

#endif /* _FTUN_TABLE_H */
