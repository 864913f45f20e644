/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_IO_H
#define _UNIT_LINUX_IO_H

#define virt_to_phys(address)	((phys_addr_t)(address))
#define phys_to_virt(address)	((void *)(address))

#endif /* _UNIT_LINUX_IO_H */
