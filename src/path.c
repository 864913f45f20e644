// SPDX-License-Identifier: GPL-2.0
/* What the packets of one direction of a connection go by. */
#include "path.h"

#include <linux/slab.h>

#define PATH_NAT6_SIZE	(sizeof(struct ftun_path) + sizeof(struct ftun_nat) + \
			 FTUN_NAT_WORDS6 * sizeof(__be32))

static struct kmem_cache *path_cache __read_mostly;
static struct kmem_cache *path_nat6_cache __read_mostly;

/**
 * ftun_path_alloc() - begin a path
 * @nat6: it may be one of IPv6 with NAT
 *
 * Return: one that is all zero but for its way, which is nobody else's; or NULL.
 */
struct ftun_path *ftun_path_alloc(bool nat6)
{
	struct kmem_cache *cache = nat6 ? path_nat6_cache : path_cache;
	struct ftun_path *path;

	path = kmem_cache_zalloc(cache, GFP_ATOMIC);
	if (!path)
		return NULL;
	path->passed = FTUN_OK;
	path->way = ftun_way_alloc();
	if (path->way)
		return path;
	kmem_cache_free(cache, path);
	return NULL;
}

static void path_free_rcu(struct rcu_head *rcu)
{
	struct ftun_path *path = container_of(rcu, struct ftun_path, rcu);

	/* Of either cache: kfree() knows which. */
	kfree(path);
}

/**
 * ftun_path_free() - let go of a path that is not, or no longer, in the table
 * @fn:   where
 * @path: path that packets on other CPUs may still be using
 */
void ftun_path_free(struct ftun_net *fn, struct ftun_path *path)
{
	ftun_way_put(fn, path->way);
	call_rcu(&path->rcu, path_free_rcu);
}

/**
 * ftun_path_tuple() - put a path's key together again
 * @path:  the path
 * @tuple: filled in
 */
void ftun_path_tuple(const struct ftun_path *path, struct ftun_tuple *tuple)
{
	unsigned int inner = ftun_tuple_inner_pairs(&path->head);
	unsigned int outer = path->head.words / 2 - inner;

	tuple->head = path->head;
	tuple->iif = path->way->iif;
	memcpy(tuple->addr, path->addr, (inner - 1) * sizeof(u64));
	memcpy(tuple->addr + 2 * (inner - 1), path->way->words,
	       outer * sizeof(u64));
}

int ftun_path_init(void)
{
	path_cache = KMEM_CACHE(ftun_path, SLAB_HWCACHE_ALIGN);
	path_nat6_cache = kmem_cache_create("ftun_path_nat6", PATH_NAT6_SIZE, 0,
					    SLAB_HWCACHE_ALIGN, NULL);
	if (path_cache && path_nat6_cache)
		return 0;
	ftun_path_exit();
	return -ENOMEM;
}

/* After the last namespace has gone. */
void ftun_path_exit(void)
{
	rcu_barrier();
	kmem_cache_destroy(path_nat6_cache);
	kmem_cache_destroy(path_cache);
}
