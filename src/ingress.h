/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_INGRESS_H
#define _FTUN_INGRESS_H

struct nf_hook_state;
struct sk_buff;

unsigned int ftun_ingress(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state);

#endif /* _FTUN_INGRESS_H */
