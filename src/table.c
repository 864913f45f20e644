// SPDX-License-Identifier: GPL-2.0
/*
 * What the fast path looks packets up in: a hash, keyed with a secret so that no
 * sender can aim at a bucket.
 *
 * With a million connections nothing of a packet's path is in the cache, and what a
 * search costs is how often in a row it has to wait for memory. A bucket is one cache
 * line: it points to paths, has six bits of their hash in each pointer, and knows
 * where their conntrack entries are. So the bucket is waited for, and then all else at
 * once. What finds no room in its bucket is in another one, which follows from its hash.
 *
 * When it is to have another size, a table of that size is put behind the one that there
 * is. New paths go there, and a worker moves the others. Searches take no lock. They look
 * into one after the other and miss nothing, for a path is in the last one before it
 * leaves another.
 */
#include "table.h"

#include <linux/io.h>
#include <linux/prefetch.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "hash.h"
#include "path.h"
#include "tuple.h"
#include "work.h"

#define SLOTS		5
#define TAG_BITS	6
#define TAG_MASK	((1UL << TAG_BITS) - 1)
/* Buckets that a new path looks for room in */
#define PROBES		16
/* Buckets of a table */
#define SIZE_LEAST	128
#define SIZE_MOST	(1U << (32 - TAG_BITS))

/**
 * struct bucket - a cache line of the table
 * @slot: paths with the lowest bits of their hash, or 0
 * @ct:   number of the cache line where the path's conntrack entry begins. For
 *        prefetching only: it may be another's, or, beyond 256 GB of memory, nobody's
 * @over: how many paths found no room here and went on
 */
struct bucket {
	unsigned long	slot[SLOTS];
	u32		ct[SLOTS];
	u32		over;
} __aligned(1 << TAG_BITS);

/* A chunk can be had in one piece, and the kernel's own map of memory needs less of the
 * TLB than vmalloc's. In bytes, and in buckets.
 */
#define CHUNK_BYTES	SZ_2M
#define CHUNK		((u32)(CHUNK_BYTES / sizeof(struct bucket)))

/**
 * struct ftun_buckets - a table of one size
 * @mask:  bits of a hash that are the offset of a bucket, in bytes
 * @next:  where its paths are moving to; RCU, written with the table's lock held
 * @rcu:   for its release
 * @chunk: the buckets
 */
struct ftun_buckets {
	u32				mask;
	struct ftun_buckets __rcu	*next;
	struct rcu_head			rcu;
	struct bucket			*chunk[];
};

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

/* Secret, and the same for all namespaces. */
static u64 tuple_keys[2 * FTUN_TUPLE_INNER_PAIRS6] __read_mostly;

/* Only what is inside is hashed, since a connection, which conntrack knows by just that,
 * has no two paths for one direction.
 */
static __always_inline u32 tuple_hash(const struct ftun_tuple_head *head)
{
	const u64 *pairs = (const u64 *)head;
	const u64 *keys = tuple_keys;
	u64 hash;

	hash = ftun_hash_pair(pairs[0], keys) + ftun_hash_pair(pairs[1], keys + 2);
	if (head->shape & FTUN_SHAPE_INNER6)
		hash += ftun_hash_pair(pairs[2], keys + 4) +
			ftun_hash_pair(pairs[3], keys + 6) +
			ftun_hash_pair(pairs[4], keys + 8);
	return hash >> 32;
}

static u32 buckets_size(const struct ftun_buckets *buckets)
{
	return (buckets->mask >> TAG_BITS) + 1;
}

/* The bucket that a path of this hash is looked for in after @probe others. The odd
 * stride leads to all of them.
 */
static __always_inline struct bucket *
bucket_at(const struct ftun_buckets *buckets, u32 hash, u32 probe)
{
	u32 stride = 2 * (hash & TAG_MASK) + 1;
	u32 at = (hash + (probe * stride << TAG_BITS)) & buckets->mask;

	return (void *)buckets->chunk[at / CHUNK_BYTES] + at % CHUNK_BYTES;
}

static __always_inline struct ftun_path *slot_path(unsigned long slot)
{
	return (struct ftun_path *)(slot & ~TAG_MASK);
}

static u32 line_of(const struct nf_conn *ct)
{
	return virt_to_phys((void *)ct) >> TAG_BITS;
}

/* With many connections none of this is in the cache: ask for all of it at once, not
 * for a line when the one before has come.
 */
static __always_inline void prefetch_all(const struct ftun_path *path, u32 line)
{
	const struct nf_conn *ct = phys_to_virt((phys_addr_t)line << TAG_BITS);

	prefetch(&ct->status);
	prefetch(&path->used);
}

/* By a pointer: the bounds of an array are checked in each turn (UBSAN). */
static __always_inline struct ftun_path *
bucket_find(const struct bucket *bucket, const struct ftun_tuple *tuple, u32 hash)
{
	const unsigned long *slot;

	for (slot = bucket->slot; slot < bucket->slot + SLOTS; slot++) {
		unsigned long value = READ_ONCE(*slot);
		struct ftun_path *path = slot_path(value);

		if ((value ^ hash) & TAG_MASK || !path)
			continue;
		prefetch_all(path, READ_ONCE(*(bucket->ct + (slot - bucket->slot))));
		if (ftun_path_is(path, tuple))
			return path;
	}
	return NULL;
}

static struct ftun_path *buckets_find(const struct ftun_buckets *buckets,
				      const struct ftun_tuple *tuple, u32 hash)
{
	u32 probe;

	for (probe = 0; probe < buckets_size(buckets); probe++) {
		const struct bucket *bucket = bucket_at(buckets, hash, probe);
		struct ftun_path *path = bucket_find(bucket, tuple, hash);

		if (path || !READ_ONCE(bucket->over))
			return path;
	}
	return NULL;
}

/* Is what is not in this bucket nowhere? */
static __always_inline bool ends_with(const struct ftun_buckets *buckets,
				      const struct bucket *bucket)
{
	if (READ_ONCE(bucket->over))
		return false;
	/* Pairs with bucket_move(): what has left is in the next one. */
	smp_rmb();
	return !rcu_access_pointer(buckets->next);
}

/* All of a search, for those that do not end with the first bucket */
static noinline struct ftun_path *find(const struct ftun_buckets *buckets,
				       const struct ftun_tuple *tuple, u32 hash)
{
	struct ftun_path *path;

	do {
		path = buckets_find(buckets, tuple, hash);
		if (path)
			return path;
		smp_rmb();	/* likewise */
		buckets = rcu_dereference(buckets->next);
	} while (buckets);
	return NULL;
}

/**
 * ftun_table_find() - the path of a packet
 * @table: where
 * @tuple: the packet's
 *
 * Context: RCU read side, under which the path may be used.
 */
struct ftun_path *ftun_table_find(const struct ftun_table *table,
				  const struct ftun_tuple *tuple)
{
	const struct ftun_buckets *buckets = rcu_dereference(table->buckets);
	u32 hash = tuple_hash(&tuple->head);
	const struct bucket *bucket = bucket_at(buckets, hash, 0);
	struct ftun_path *path = bucket_find(bucket, tuple, hash);

	if (path || ends_with(buckets, bucket))
		return path;
	return find(buckets, tuple, hash);
}

/* Those that a path passes on its way to where it is */
static void count_over(const struct ftun_buckets *buckets, u32 hash, u32 probes,
		       int more)
{
	while (probes--) {
		struct bucket *bucket = bucket_at(buckets, hash, probes);

		WRITE_ONCE(bucket->over, bucket->over + more);
	}
}

/* Where in the bucket a path is, or SLOTS; NULL: where there is room */
static int slot_of(const struct bucket *bucket, const struct ftun_path *path)
{
	int i;

	for (i = 0; i < SLOTS; i++)
		if (slot_path(bucket->slot[i]) == path)
			break;
	return i;
}

static void slot_put(struct bucket *bucket, int i, const struct ftun_path *path)
{
	WRITE_ONCE(bucket->ct[i], line_of(path->ct));
	/* Whoever finds the path sees all of it. */
	smp_store_release(&bucket->slot[i],
			  (unsigned long)path | (path->hash & TAG_MASK));
}

static int buckets_add(struct ftun_buckets *buckets, const struct ftun_path *path,
		       u32 probes)
{
	u32 probe;

	for (probe = 0; probe < probes; probe++) {
		struct bucket *bucket = bucket_at(buckets, path->hash, probe);
		int i = slot_of(bucket, NULL);

		if (i == SLOTS)
			continue;
		count_over(buckets, path->hash, probe, 1);
		slot_put(bucket, i, path);
		return 0;
	}
	return -EBUSY;
}

static bool buckets_del(struct ftun_buckets *buckets, const struct ftun_path *path)
{
	u32 probe;

	for (probe = 0; probe < buckets_size(buckets); probe++) {
		struct bucket *bucket = bucket_at(buckets, path->hash, probe);
		int i = slot_of(bucket, path);

		if (i < SLOTS) {
			WRITE_ONCE(bucket->slot[i], 0);
			count_over(buckets, path->hash, probe, -1);
			return true;
		}
		if (!bucket->over)
			break;
	}
	return false;
}

static u32 buckets_chunks(u32 size)
{
	return DIV_ROUND_UP(size, CHUNK);
}

static void buckets_free(struct ftun_buckets *buckets)
{
	u32 i;

	for (i = 0; i < buckets_chunks(buckets_size(buckets)); i++)
		kvfree(buckets->chunk[i]);
	kfree(buckets);
}

static void buckets_free_rcu(struct rcu_head *rcu)
{
	buckets_free(container_of(rcu, struct ftun_buckets, rcu));
}

/* What must not sleep may be had in one piece only. */
static struct bucket *chunk_alloc(u32 size, gfp_t gfp)
{
	return gfpflags_allow_blocking(gfp) ?
		kvcalloc(size, sizeof(struct bucket), gfp) :
		kcalloc(size, sizeof(struct bucket), gfp);
}

static struct ftun_buckets *buckets_alloc(u32 size, gfp_t gfp)
{
	struct ftun_buckets *buckets;
	u32 i;

	gfp |= __GFP_NOWARN;
	buckets = kzalloc(struct_size(buckets, chunk, buckets_chunks(size)), gfp);
	if (!buckets)
		return NULL;
	buckets->mask = (size - 1) << TAG_BITS;
	for (i = 0; i < buckets_chunks(size); i++) {
		buckets->chunk[i] = chunk_alloc(min(size, CHUNK), gfp);
		if (!buckets->chunk[i]) {
			buckets_free(buckets);
			return NULL;
		}
	}
	return buckets;
}

static struct ftun_buckets *table_first(const struct ftun_table *table)
{
	return rcu_dereference_protected(table->buckets,
					 lockdep_is_held(&table->lock));
}

static struct ftun_buckets *table_next(const struct ftun_table *table,
				       const struct ftun_buckets *buckets)
{
	return rcu_dereference_protected(buckets->next,
					 lockdep_is_held(&table->lock));
}

/* Where paths are put, and moved to */
static struct ftun_buckets *table_last(const struct ftun_table *table)
{
	struct ftun_buckets *buckets = table_first(table), *next;

	while ((next = table_next(table, buckets)))
		buckets = next;
	return buckets;
}

/* Buckets that new paths have */
static u32 table_size(const struct ftun_table *table)
{
	return buckets_size(table_last(table));
}

/* What there is would find its room in so many buckets. */
static bool table_fits(const struct ftun_table *table, u32 size)
{
	return table->count < SLOTS * size;
}

static u32 table_size_wanted(const struct ftun_table *table)
{
	u32 size = table_size(table);

	if (table->count > 4 * size || table->crowded)
		return min(2 * size, SIZE_MOST);
	while (size > SIZE_LEAST && table->count < size / 2)
		size /= 2;
	return size;
}

static void table_append(struct ftun_table *table, struct ftun_buckets *buckets)
{
	rcu_assign_pointer(table_last(table)->next, buckets);
	table->crowded = false;
}

static void table_check_size(struct ftun_table *table)
{
	if (table_size_wanted(table) != table_size(table))
		queue_work(ftun_workqueue, &table->resize);
}

/* For who cannot wait for the worker. Other paths of the same hash can be in the way
 * also where there is room enough.
 */
static bool table_grow(struct ftun_table *table)
{
	u32 size = table_size(table);
	struct ftun_buckets *buckets;

	table->crowded = table->count > 2 * size;
	if (!table->crowded)
		return false;
	buckets = buckets_alloc(2 * size, GFP_ATOMIC);
	if (!buckets)
		return false;
	table_append(table, buckets);
	queue_work(ftun_workqueue, &table->resize);
	return true;
}

static int table_put(struct ftun_table *table, const struct ftun_path *path)
{
	struct ftun_buckets *last = table_last(table);
	int err = -EBUSY;

	if (table_fits(table, buckets_size(last)))
		err = buckets_add(last, path, PROBES);
	if (!err)
		table->count++;
	return err;
}

static int table_add(struct ftun_table *table, struct ftun_path *path)
{
	struct ftun_tuple tuple;
	int err;

	ftun_path_tuple(path, &tuple);
	if (ftun_table_find(table, &tuple))
		return -EEXIST;
	err = table_put(table, path);
	if (err && table_grow(table))
		err = table_put(table, path);
	table_check_size(table);
	return err;
}

/**
 * ftun_table_add() - let packets find a path
 * @table: where
 * @path:  whole
 *
 * Context: RCU read side.
 * Return: 0, -EEXIST if another path has its tuple, -EBUSY if there is no room for
 * its hash, which there may be soon.
 */
int ftun_table_add(struct ftun_table *table, struct ftun_path *path)
{
	int err;

	path->hash = tuple_hash(&path->head);
	spin_lock_bh(&table->lock);
	err = table_add(table, path);
	spin_unlock_bh(&table->lock);
	return err;
}

/**
 * ftun_table_del() - let no more packets find a path
 * @table: where it is
 * @path:  to be freed by the caller, after a grace period
 */
void ftun_table_del(struct ftun_table *table, struct ftun_path *path)
{
	struct ftun_buckets *buckets;

	spin_lock_bh(&table->lock);
	buckets = table_first(table);
	while (buckets && !buckets_del(buckets, path))
		buckets = table_next(table, buckets);
	if (!WARN_ON_ONCE(!buckets))
		table->count--;
	table_check_size(table);
	spin_unlock_bh(&table->lock);
}

static void bucket_move(struct ftun_buckets *from, const struct bucket *bucket,
			struct ftun_buckets *to)
{
	int i;

	for (i = 0; i < SLOTS; i++) {
		struct ftun_path *path = slot_path(bucket->slot[i]);

		if (!path || WARN_ON_ONCE(buckets_add(to, path, buckets_size(to))))
			continue;
		/* Pairs with find() and ends_with(). */
		smp_wmb();
		buckets_del(from, path);
	}
}

/* All out of the first one, and away with it */
static void table_advance(struct ftun_table *table)
{
	struct ftun_buckets *from = rcu_dereference_protected(table->buckets, true);
	u32 i;

	for (i = 0; i < buckets_size(from); i++) {
		spin_lock_bh(&table->lock);
		bucket_move(from, bucket_at(from, i << TAG_BITS, 0), table_last(table));
		spin_unlock_bh(&table->lock);
		cond_resched();
	}
	spin_lock_bh(&table->lock);
	rcu_assign_pointer(table->buckets, table_next(table, from));
	spin_unlock_bh(&table->lock);
	call_rcu(&from->rcu, buckets_free_rcu);
}

/* The size of a table that is missing behind the only one, or 0 */
static u32 table_size_missing(struct ftun_table *table)
{
	u32 size;

	spin_lock_bh(&table->lock);
	size = table_size_wanted(table);
	if (size == table_size(table) || table_next(table, table_first(table)))
		size = 0;
	spin_unlock_bh(&table->lock);
	return size;
}

/* Return: whether there is a table behind the first one. */
static bool table_extend(struct ftun_table *table)
{
	u32 size = table_size_missing(table);
	struct ftun_buckets *buckets = NULL;
	bool more;

	if (size)
		buckets = buckets_alloc(size, GFP_KERNEL);
	spin_lock_bh(&table->lock);
	if (buckets && table_fits(table, size)) {
		table_append(table, buckets);
		buckets = NULL;
	}
	more = table_next(table, table_first(table));
	spin_unlock_bh(&table->lock);
	if (buckets)
		buckets_free(buckets);
	return more;
}

static void table_resize(struct work_struct *work)
{
	struct ftun_table *table = container_of(work, struct ftun_table, resize);

	while (table_extend(table))
		table_advance(table);
}

/* Return: an empty table, or NULL. */
struct ftun_table *ftun_table_alloc(void)
{
	struct ftun_table *table = kzalloc(sizeof(*table), GFP_KERNEL);
	struct ftun_buckets *buckets = buckets_alloc(SIZE_LEAST, GFP_KERNEL);

	BUILD_BUG_ON(FTUN_TUPLE_INNER_PAIRS4 != 2 || FTUN_TUPLE_INNER_PAIRS6 != 5);
	BUILD_BUG_ON(FTUN_PATH_ALIGN <= TAG_MASK);
	if (!table || !buckets)
		goto free;
	get_random_once(tuple_keys, sizeof(tuple_keys));
	spin_lock_init(&table->lock);
	INIT_WORK(&table->resize, table_resize);
	rcu_assign_pointer(table->buckets, buckets);
	return table;

free:
	if (buckets)
		buckets_free(buckets);
	kfree(table);
	return NULL;
}

/* The table is empty, and nobody looks for anything in it any more. */
void ftun_table_free(struct ftun_table *table)
{
	struct ftun_buckets *buckets, *next;

	WARN_ON_ONCE(table->count);
	cancel_work_sync(&table->resize);
	buckets = rcu_dereference_protected(table->buckets, true);
	while (buckets) {
		next = rcu_dereference_protected(buckets->next, true);
		buckets_free(buckets);
		buckets = next;
	}
	kfree(table);
}
