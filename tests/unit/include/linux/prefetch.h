/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_PREFETCH_H
#define _UNIT_LINUX_PREFETCH_H

#define prefetch(address)	((void)(address))

#endif /* _UNIT_LINUX_PREFETCH_H */
