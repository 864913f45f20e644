/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_TABLE_H
#define _FTUN_TABLE_H

struct ftun_path;
struct ftun_table;
struct ftun_tuple;

struct ftun_table *ftun_table_alloc(void);
void ftun_table_free(struct ftun_table *table);
struct ftun_path *ftun_table_find(const struct ftun_table *table,
				  const struct ftun_tuple *tuple);
int ftun_table_add(struct ftun_table *table, struct ftun_path *path);
void ftun_table_del(struct ftun_table *table, struct ftun_path *path);

#endif /* _FTUN_TABLE_H */
