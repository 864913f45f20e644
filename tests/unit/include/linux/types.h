/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_TYPES_H
#define _UNIT_LINUX_TYPES_H

#include_next <linux/types.h>

#include <arpa/inet.h>
#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define __force
#define noinline	__attribute__((__noinline__))
#define __percpu
#define __aligned(n)	__attribute__((aligned(n)))
#define __uninitialized
#define likely(what)	__builtin_expect(!!(what), 1)
#define unlikely(what)	__builtin_expect(!!(what), 0)

#define U16_MAX		0xffff

#define cpu_to_le64(number)	htole64(number)
#define le32_to_cpup(at)	le32toh(*(at))

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#endif /* _UNIT_LINUX_TYPES_H */
