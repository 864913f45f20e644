/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_ARMED_H
#define _FTUN_ARMED_H

#include <linux/types.h>

/*
 * The module's version; and its parameters, written by their owner through sysfs,
 * read with READ_ONCE() wherever they matter.
 */
#define FTUN_VERSION	"0.1.0"

extern bool ftun_armed;
extern unsigned int ftun_flow_limit;

#endif /* _FTUN_ARMED_H */
