/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_COMPAT_NFT_H
#define _FTUN_COMPAT_NFT_H

#include <linux/atomic.h>
#include <net/net_namespace.h>

#include "../listener.h"

/**
 * struct nft_watch - sees every change of a namespace's nftables ruleset
 * @listener: hears what nftables announces
 * @changes:  how many announcements there were
 */
struct nft_watch {
	struct ftun_listener	listener;
	atomic_t		changes;
};

#if IS_ENABLED(CONFIG_NF_TABLES)

/* The cursor flips when a transaction begins to take effect, and back with the next.
 * Chain policies, dormant tables and, on older kernels, some kinds of sets follow
 * later; what is announced comes after the last of it, and before the next transaction
 * can begin. So a proof made in between is none any more when the change is complete,
 * which the kernel's own sequence number (base_seq) would not tell.
 */
static inline u32 nft_generation(const struct net *net,
				 const struct nft_watch *watch)
{
	return atomic_read(&watch->changes) << 1 |
	       READ_ONCE(net->nft.gencursor);
}

int nft_watch_start(struct nft_watch *watch, struct net *net);
void nft_watch_stop(struct nft_watch *watch);

#else

static inline u32 nft_generation(const struct net *net,
				 const struct nft_watch *watch)
{
	return 0;
}

static inline int nft_watch_start(struct nft_watch *watch, struct net *net)
{
	return 0;
}

static inline void nft_watch_stop(struct nft_watch *watch)
{
}

#endif

#endif /* _FTUN_COMPAT_NFT_H */
