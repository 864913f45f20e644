/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_COMPAT_GENETLINK_H
#define _FTUN_COMPAT_GENETLINK_H

#include <net/genetlink.h>

/* The attributes of a dump's request. */
#ifdef FTUN_HAVE_GENL_INFO_DUMP

static inline struct nlattr **genl_dump_attrs(struct netlink_callback *cb)
{
	return genl_info_dump(cb)->attrs;
}

#else

static inline struct nlattr **genl_dump_attrs(struct netlink_callback *cb)
{
	return genl_dumpit_info(cb)->attrs;
}

#endif

#endif /* _FTUN_COMPAT_GENETLINK_H */
