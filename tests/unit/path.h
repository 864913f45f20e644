/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_PATH_H
#define _UNIT_PATH_H

#include <errno.h>
#include <linux/types.h>

#include "../../src/tuple.h"

/* What src/table.c knows of src/path.h, which knows all the kernel */
#define _FTUN_PATH_H

#define FTUN_PATH_ALIGN	64

#define WARN_ON_ONCE(what)	\
	({ bool wrong = (what); assert_false(wrong); wrong; })

struct nf_conn {
	unsigned long status;
};

/* Outside there is one pair of words. */
struct ftun_path {
	struct nf_conn		*ct;
	struct ftun_tuple_head	head __aligned(8);
	__be32			addr[8];
	u32			hash;
	u32			used;
	u64			outer;
};

static inline bool ftun_path_is(const struct ftun_path *path,
				const struct ftun_tuple *tuple)
{
	return ftun_tuple_is(tuple, &path->head, &path->outer, 0);
}

static inline void ftun_path_tuple(const struct ftun_path *path,
				   struct ftun_tuple *tuple)
{
	tuple->head = path->head;
	tuple->iif = 0;
	memcpy(tuple->addr, path->addr, sizeof(u64));
	memcpy(tuple->addr + 2, &path->outer, sizeof(u64));
}

#endif /* _UNIT_PATH_H */
