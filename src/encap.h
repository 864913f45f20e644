/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_ENCAP_H
#define _FTUN_ENCAP_H

#include <linux/types.h>

struct ftun_outer;
struct ftun_packet;
struct ftun_path;
struct net;
struct sk_buff;

bool ftun_encap_has_gre_csum(const struct ftun_outer *outer);
__be16 ftun_encap_sport(struct net *net, u32 hash);
__be32 ftun_encap_label(const struct net *net, u32 hash);
void ftun_encap_pull(struct sk_buff *skb, const struct ftun_packet *pkt,
		     const struct ftun_path *path);
bool ftun_encap_push(struct net *net, struct sk_buff *skb,
		     struct ftun_path *path);

#endif /* _FTUN_ENCAP_H */
