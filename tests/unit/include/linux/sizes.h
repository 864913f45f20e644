/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_SIZES_H
#define _UNIT_LINUX_SIZES_H

#define SZ_2M	0x200000

#endif /* _UNIT_LINUX_SIZES_H */
