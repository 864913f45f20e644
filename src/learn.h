/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_LEARN_H
#define _FTUN_LEARN_H

struct net;

int ftun_learn_net_init(struct net *net);
void ftun_learn_net_pre_exit(struct net *net);

#endif /* _FTUN_LEARN_H */
