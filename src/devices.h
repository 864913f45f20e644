/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_DEVICES_H
#define _FTUN_DEVICES_H

#include <linux/types.h>

struct ftun_net;
struct net_device;

int ftun_devices_init(void);
void ftun_devices_exit(void);
void ftun_devices_net_init(struct ftun_net *fn);
void ftun_devices_net_pre_exit(struct ftun_net *fn);
void ftun_devices_rehook(struct ftun_net *fn);
bool ftun_devices_shares(struct net_device *dev);
void ftun_devices_want(struct ftun_net *fn, u32 iif);

#endif /* _FTUN_DEVICES_H */
