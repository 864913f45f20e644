/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_TABLE_H
#define _FTUN_TABLE_H

struct ftun_net;
struct ftun_path;
struct ftun_tuple;

int ftun_table_init(struct ftun_net *fn);
void ftun_table_exit(struct ftun_net *fn);
struct ftun_path *ftun_table_find(struct ftun_net *fn,
				  const struct ftun_tuple *tuple);
int ftun_table_add(struct ftun_net *fn, struct ftun_path *path);
void ftun_table_del(struct ftun_net *fn, struct ftun_path *path);

#endif /* _FTUN_TABLE_H */
