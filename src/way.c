// SPDX-License-Identifier: GPL-2.0
/*
 * What many paths have in common is kept once. A connection's own part is then two
 * cache lines for each direction, and what is shared stays in the cache.
 */
#include "way.h"

#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <net/neighbour.h>

#include "net.h"

static struct kmem_cache *way_cache __read_mostly;

/* What comes before it is the key */
#define WAY_KEY_LEN	offsetof(struct ftun_way, node)

/* All of the key is hashed: there can be as many ways as connections, if each has
 * an outer conntrack entry of its own. What is padding in it is zero.
 */
static const struct rhashtable_params way_params = {
	.head_offset		= offsetof(struct ftun_way, node),
	.key_offset		= 0,
	.key_len		= WAY_KEY_LEN,
	.automatic_shrinking	= true,
};

/**
 * ftun_way_alloc() - begin a way
 *
 * Return: one that is all zero and nobody else's, with one reference; or NULL.
 */
struct ftun_way *ftun_way_alloc(void)
{
	struct ftun_way *way = kmem_cache_zalloc(way_cache, GFP_ATOMIC);

	if (way)
		refcount_set(&way->refs, 1);
	return way;
}

static void way_put_neigh(struct ftun_way *way)
{
	if (way->neigh && !atomic_xchg(&way->retired, 1))
		neigh_release(way->neigh);
}

static void way_free(struct ftun_way *way)
{
	way_put_neigh(way);
	if (way->outer_in.ct)
		nf_ct_put(way->outer_in.ct);
	if (way->outer_out.ct)
		nf_ct_put(way->outer_out.ct);
	ftun_route_put(&way->route);
	ftun_route_put(&way->outer_route);
	kmem_cache_free(way_cache, way);
}

static void way_free_rcu(struct rcu_head *rcu)
{
	way_free(container_of(rcu, struct ftun_way, rcu));
}

/**
 * ftun_way_share() - have a way in common with who has an equal one
 * @fn:  where
 * @way: complete and the caller's alone; no packet has seen it. Consumed
 *
 * If it cannot be put where others find it, or the equal one is just about to end,
 * that is no harm: it is its path's alone then.
 *
 * Context: BH off, RCU read side.
 * Return: the way to use, with a reference.
 */
struct ftun_way *ftun_way_share(struct ftun_net *fn, struct ftun_way *way)
{
	struct ftun_way *old;

	WARN_ON_ONCE(!rcu_read_lock_held());
	way->shared = true;
	old = rhashtable_lookup_get_insert_fast(&fn->ways, &way->node,
						way_params);
	if (!old)
		return way;
	way->shared = false;
	if (IS_ERR(old) || !refcount_inc_not_zero(&old->refs))
		return way;
	way_free(way);
	return old;
}

static void hold_ct(struct nf_conn *ct)
{
	if (ct)
		nf_conntrack_get(&ct->ct_general);
}

/**
 * ftun_way_reroute() - the same way by other routes
 * @fn:    where
 * @way:   a way that somebody has, whose routes are the same to the packets
 * @route: inner route; a reference is taken
 * @outer_route: underlay route, likewise, or none
 *
 * Context: BH off, RCU read side.
 * Return: the other way, with a reference; NULL if a route is about to be freed, or
 * without memory.
 */
struct ftun_way *ftun_way_reroute(struct ftun_net *fn, const struct ftun_way *way,
				  const struct ftun_route *route,
				  const struct ftun_route *outer_route)
{
	struct ftun_way *new = ftun_way_alloc();

	if (!new)
		return NULL;
	if (!ftun_route_hold(&new->route, route) ||
	    !ftun_route_hold(&new->outer_route, outer_route)) {
		way_free(new);
		return NULL;
	}
	memcpy(new, way, WAY_KEY_LEN);
	new->route = *route;
	new->outer_route = *outer_route;
	neigh_hold(new->neigh);
	hold_ct(new->outer_in.ct);
	hold_ct(new->outer_out.ct);
	return ftun_way_share(fn, new);
}

/**
 * ftun_way_put() - drop a reference
 * @fn:  where
 * @way: a way; packets on other CPUs may still be using it
 */
void ftun_way_put(struct ftun_net *fn, struct ftun_way *way)
{
	if (!refcount_dec_and_test(&way->refs))
		return;
	if (way->shared)
		rhashtable_remove_fast(&fn->ways, &way->node, way_params);
	call_rcu(&way->rcu, way_free_rcu);
}

static void walk_rest(struct rhashtable_iter *iter, unsigned int *visits)
	__must_hold(RCU)
{
	if (++*visits % FTUN_WALK_VISITS)
		return;
	rhashtable_walk_stop(iter);
	cond_resched();
	rhashtable_walk_start(iter);
}

/**
 * ftun_way_retire() - let go of what devices wait for
 * @fn: where
 *
 * A device that goes waits for its neighbours, and those for who has them. Paths are
 * dropped one by one, which takes its time if they are a million: ways, of which there
 * are few, let go first. Nobody looks at the neighbour of a way that is out of date.
 *
 * Context: process.
 */
void ftun_way_retire(struct ftun_net *fn)
{
	u32 generation = atomic_read(&fn->generation);
	struct rhashtable_iter iter;
	struct ftun_way *way;
	unsigned int visits = 0;

	if (fn->retired == generation)
		return;
	/* Packets that found their ways up to date are gone after this. */
	synchronize_rcu();
	fn->retired = generation;
	rhashtable_walk_enter(&fn->ways, &iter);
	rhashtable_walk_start(&iter);
	while ((way = rhashtable_walk_next(&iter))) {
		/* Those that have been proven meanwhile are of a later one. */
		if (!IS_ERR(way) && (s32)(way->generation - generation) < 0)
			way_put_neigh(way);
		walk_rest(&iter, &visits);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
}

int ftun_way_net_init(struct ftun_net *fn)
{
	return rhashtable_init(&fn->ways, &way_params);
}

/* The last path has gone. */
void ftun_way_net_exit(struct ftun_net *fn)
{
	WARN_ON_ONCE(atomic_read(&fn->ways.nelems));
	rhashtable_destroy(&fn->ways);
}

int ftun_way_init(void)
{
	way_cache = KMEM_CACHE(ftun_way, SLAB_HWCACHE_ALIGN);
	return way_cache ? 0 : -ENOMEM;
}

/* After the last namespace has gone. */
void ftun_way_exit(void)
{
	rcu_barrier();
	kmem_cache_destroy(way_cache);
}
