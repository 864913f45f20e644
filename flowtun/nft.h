/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FLOWTUN_NFT_H
#define FLOWTUN_NFT_H

typedef void (*nft_flowtable_cb)(const char *table, const char *name,
				 const char *dev, void *data);

/* Each device of each nftables flowtable. Returns 0 or -errno. */
int nft_flowtables(nft_flowtable_cb cb, void *data);

#endif
