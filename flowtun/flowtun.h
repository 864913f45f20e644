/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FLOWTUN_H
#define FLOWTUN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <libmnl/libmnl.h>
#include <linux/nf_flowtable_tun.h>

#define FLOWTUN_VERSION	"0.1.0"

/* Exit codes, as iproute2 has them. */
#define EXIT_OK		0
#define EXIT_USAGE	1
#define EXIT_KERNEL	2

/**
 * struct options - what was said before the command
 * @json:   JSON instead of text
 * @pretty: JSON for people
 * @stats:  more numbers
 * @netns:  name of the network namespace, or NULL
 */
struct options {
	bool		json;
	bool		pretty;
	bool		stats;
	const char	*netns;
};

extern struct options options;

/* What a command returns is the exit code. argv is what follows the command's name. */
int cmd_show(int argc, char **argv);
int cmd_flows(int argc, char **argv);
int cmd_tunnels(int argc, char **argv);
int cmd_devices(int argc, char **argv);
int cmd_stats(int argc, char **argv);
int cmd_why(int argc, char **argv);
int cmd_monitor(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_get(int argc, char **argv);
int cmd_set(int argc, char **argv);
int cmd_flush(int argc, char **argv);
int cmd_delete(int argc, char **argv);
int cmd_conf(int argc, char **argv);
int cmd_check(int argc, char **argv);

/* "flowtun: TEXT" on stderr. Returns EXIT_USAGE. */
int misuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same where the command line is not to blame. Returns EXIT_KERNEL. */
int failure(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* 1.2k, 3.4M and so on; powers of 1000. */
const char *human(char *buf, size_t size, uint64_t number);
const char *human_ms(char *buf, size_t size, uint32_t ms);
#define HUMAN_SIZE	24

/* Name of a device; its number if it has gone. */
const char *device_name(char *buf, uint32_t ifindex);

/* Decimal, 0x hexadecimal, no sign, nothing after it. */
bool read_number(const char *text, uint64_t most, uint64_t *number);

#endif
