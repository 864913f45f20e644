// SPDX-License-Identifier: GPL-2.0
/* What packets are looked up in: src/table.c against a list, while it changes its size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "path.h"
#include "random.h"

#include "../../src/table.c"

#define MANY	6000

static struct nf_conn ct;
static struct ftun_table *table;
static struct ftun_path *paths[2 * MANY];
static u32 count;
static bool others;

u32 fail_every, allocations;

static void work_run(void)
{
	while (table->resize.queued) {
		table->resize.queued = false;
		table->resize.does(&table->resize);
	}
}

/* Only a few of the hashes are different if @alike. */
static struct ftun_path *path_new(bool alike)
{
	struct ftun_path *path = aligned_alloc(FTUN_PATH_ALIGN, sizeof(*path));

	memset(path, 0, sizeof(*path));
	path->ct = &ct;
	path->head.words = 6;
	path->head.sport = alike ? rnd() % 3 : rnd();
	path->addr[0] = alike ? 1 : rnd();
	path->outer = rnd();
	return path;
}

static struct ftun_path *lookup(const struct ftun_path *path)
{
	struct ftun_tuple tuple;

	ftun_path_tuple(path, &tuple);
	return ftun_table_find(table, &tuple);
}

static bool add(struct ftun_path *path)
{
	int err = ftun_table_add(table, path);

	if (!err) {
		paths[count++] = path;
		return true;
	}
	assert_true(err == -EBUSY || (err == -EEXIST && lookup(path)));
	free(path);
	return false;
}

static void del(u32 i)
{
	ftun_table_del(table, paths[i]);
	assert_null(lookup(paths[i]));
	free(paths[i]);
	paths[i] = paths[--count];
}

static void check_all(void)
{
	for (u32 i = 0; i < count; i++)
		assert_ptr_equal(lookup(paths[i]), paths[i]);
	assert_int_equal(table->count, count);
}

/* Between two buckets that the worker moves others may come. */
void cond_resched(void)
{
	if (!others || rnd() % 16)
		return;
	if (count)
		assert_non_null(lookup(paths[rnd() % count]));
	if (count && rnd() % 2)
		del(rnd() % count);
	else if (count < MANY)
		add(path_new(false));
}

static int begin(void **state)
{
	fail_every = 0;
	others = true;
	table = ftun_table_alloc();
	return !table;
}

/* Or a search would go on for nothing. */
static void check_empty(void)
{
	for (u32 i = 0; i < table_size(table); i++)
		assert_int_equal(bucket_at(table_last(table), i << TAG_BITS, 0)->over, 0);
}

static int end(void **state)
{
	others = false;
	while (count)
		del(count - 1);
	work_run();
	check_empty();
	ftun_table_free(table);
	return 0;
}

static u32 size(void)
{
	return table_size(table);
}

/* As often as the worker comes it is the right size, and has everything. */
static void table_grows_and_shrinks(void **state)
{
	for (u32 turn = 0; turn < MANY; turn++) {
		add(path_new(false));
		if (!(rnd() % 500))
			work_run();
	}
	check_all();
	work_run();
	check_all();
	assert_true(size() > count / 5 && size() < count);
	while (count)
		del(rnd() % count);
	work_run();
	assert_int_equal(size(), SIZE_LEAST);
}

/* A worker that never comes, and memory that is not always there */
static void table_needs_nobody(void **state)
{
	fail_every = 3;
	for (u32 turn = 0; turn < MANY; turn++)
		add(path_new(false));
	check_all();
	assert_true(table_next(table, table_first(table)));
	assert_true(count > MANY - MANY / 100);
	work_run();
	check_all();
	assert_null(table_next(table, table_first(table)));
}

/* As many as the search goes through buckets, and it comes to an end. */
static void table_of_one_hash(void **state)
{
	struct ftun_path *path;
	u32 hash = 0;

	while (count < SLOTS * PROBES) {
		path = path_new(true);
		path->head.sport = 1;
		assert_true(add(path));
		assert_true(!hash || hash == path->hash);
		hash = path->hash;
	}
	path = path_new(true);
	path->head.sport = 1;
	assert_null(lookup(path));
	assert_int_equal(ftun_table_add(table, path), -EBUSY);
	del(rnd() % count);
	assert_int_equal(ftun_table_add(table, path), 0);
	paths[count++] = path;
	check_all();
	work_run();
	assert_int_equal(size(), SIZE_LEAST);
}

static void table_knows_the_same_tuple(void **state)
{
	struct ftun_path *path = path_new(false), other = *path;

	assert_true(add(path));
	assert_int_equal(ftun_table_add(table, &other), -EEXIST);
	other.outer ^= 1;
	assert_null(lookup(&other));
}

/* Whatever happens, in any order */
static void table_is_a_set(void **state)
{
	for (u32 turn = 0; turn < 60000; turn++) {
		bool more = turn / 10000 % 2 == 0;

		if (count < MANY && rnd() % 8 < (more ? 6 : 2))
			add(path_new(rnd() % 64 == 0));
		else if (count)
			del(rnd() % count);
		fail_every = rnd() % 4;
		if (!(rnd() % 2000))
			work_run();
		if (!(rnd() % 5000))
			check_all();
	}
	check_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(table_grows_and_shrinks, begin, end),
		cmocka_unit_test_setup_teardown(table_needs_nobody, begin, end),
		cmocka_unit_test_setup_teardown(table_of_one_hash, begin, end),
		cmocka_unit_test_setup_teardown(table_knows_the_same_tuple, begin, end),
		cmocka_unit_test_setup_teardown(table_is_a_set, begin, end),
	};

	rnd_init();
	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
