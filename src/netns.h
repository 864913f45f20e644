/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_NETNS_H
#define _FTUN_NETNS_H

int ftun_netns_init(void);
void ftun_netns_exit(void);

#endif /* _FTUN_NETNS_H */
