/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_COMPAT_NFT_H
#define _FTUN_COMPAT_NFT_H

#include <net/net_namespace.h>

/*
 * A number that changes with every transaction on the nftables ruleset. Older
 * kernels show only which of its two halves is in use: an even number of
 * transactions between two looks goes unseen.
 */
static inline u32 nft_generation(const struct net *net)
{
#ifdef FTUN_HAVE_NFT_BASE_SEQ
	return READ_ONCE(net->nft.base_seq);
#elif IS_ENABLED(CONFIG_NF_TABLES)
	return READ_ONCE(net->nft.gencursor);
#else
	return 0;
#endif
}

#endif /* _FTUN_COMPAT_NFT_H */
