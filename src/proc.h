/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_PROC_H
#define _FTUN_PROC_H

struct net;

int ftun_proc_net_init(struct net *net);
void ftun_proc_net_exit(struct net *net);

#endif /* _FTUN_PROC_H */
