/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_LEARN_H
#define _FTUN_LEARN_H

struct ftun_net;

int ftun_learn_net_init(struct ftun_net *fn);
void ftun_learn_net_pre_exit(struct ftun_net *fn);

#endif /* _FTUN_LEARN_H */
