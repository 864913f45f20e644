// SPDX-License-Identifier: GPL-2.0
/* flowtun: see and control what nf_flowtable_tun does. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <net/if.h>

#include "flowtun.h"

struct options options;

/**
 * struct command - one verb
 * @name: as typed
 * @run:  does it
 * @args: what may follow
 * @help: what it does, in a line
 */
static const struct command {
	const char	*name;
	int		(*run)(int argc, char **argv);
	const char	*args;
	const char	*help;
} commands[] = {
	{ "show", cmd_show, "", "one screen: is it on, which tunnels, how much is fast, what is refused" },
	{ "flows", cmd_flows, "[FILTER]", "connections, both directions of each" },
	{ "tunnels", cmd_tunnels, "[DEV]", "tunnel devices and how much of their traffic is fast" },
	{ "devices", cmd_devices, "[DEV]", "devices with an ingress hook" },
	{ "stats", cmd_stats, "[NAME...] [--all] [--explain | --prometheus]", "counters" },
	{ "why", cmd_why, "TUPLE | DEV", "fast or slow, since when, for which reason, and what to do" },
	{ "monitor", cmd_monitor, "", "what becomes of connections, as it happens" },
	{ "top", cmd_top, "[interval SECONDS] [count N]", "the busiest connections, live" },
	{ "get", cmd_get, "[NAME...] [--defaults]", "settings of this network namespace" },
	{ "set", cmd_set, "SETTING... | reset", "change settings, all that are given at once" },
	{ "flush", cmd_flush, "", "hand all connections back; they are learned again" },
	{ "delete", cmd_delete, "id ID | TUPLE | FILTER", "hand some back" },
	{ "conf", cmd_conf, "show | load [FILE]", "settings as a file, and back" },
	{ "check", cmd_check, "", "is everything there that acceleration needs?" },
};

#define COMMANDS	(sizeof(commands) / sizeof(commands[0]))

static void complain(const char *format, va_list args)
{
	fputs("flowtun: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

int misuse(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args);
	va_end(args);
	fputs("Try: flowtun --help\n", stderr);
	return EXIT_USAGE;
}

int failure(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args);
	va_end(args);
	return EXIT_KERNEL;
}

const char *human(char *buf, size_t size, uint64_t number)
{
	static const char units[] = " kMGTPE";
	double value = number;
	int unit = 0;

	while (value >= 999.5 && units[unit + 1]) {
		value /= 1000;
		unit++;
	}
	if (!unit)
		snprintf(buf, size, "%llu", (unsigned long long)number);
	else
		snprintf(buf, size, value < 9.95 ? "%.1f%c" : "%.0f%c", value,
			 units[unit]);
	return buf;
}

const char *human_ms(char *buf, size_t size, uint32_t ms)
{
	if (ms < 10000)
		snprintf(buf, size, "%.1fs", ms / 1000.0);
	else if (ms < 600000)
		snprintf(buf, size, "%us", ms / 1000);
	else if (ms < 36000000)
		snprintf(buf, size, "%um", ms / 60000);
	else
		snprintf(buf, size, "%uh", ms / 3600000);
	return buf;
}

/* Asking for a name takes longer than all else about a connection. Who listens for
 * long gets to know a new one after a second.
 */
const char *device_name(char *buf, uint32_t ifindex)
{
	static struct {
		uint32_t	ifindex;
		time_t		when;
		char		name[IF_NAMESIZE];
	} known[64], *entry;
	time_t now = time(NULL);

	entry = &known[ifindex % (sizeof(known) / sizeof(known[0]))];
	if (entry->ifindex != ifindex || entry->when != now) {
		if (!if_indextoname(ifindex, entry->name))
			snprintf(entry->name, IF_NAMESIZE, "#%u", ifindex);
		entry->ifindex = ifindex;
		entry->when = now;
	}
	memcpy(buf, entry->name, IF_NAMESIZE);
	return buf;
}

bool read_number(const char *text, uint64_t most, uint64_t *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, strncmp(text, "0x", 2) ? 10 : 16);
	return !errno && !*end && *number <= most;
}

static void help(void)
{
	printf("usage: flowtun [-j] [-p] [-s] [-n NETNS] COMMAND\n\n"
	       "Shows and sets what the kernel module nf_flowtable_tun does: which forwarded\n"
	       "connections in tunnels are fast, which are not, and why.\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-8s%s%s\n          %s\n", commands[i].name,
		       *commands[i].args ? " " : "", commands[i].args,
		       commands[i].help);
	printf("\n"
	       "  -j  JSON       -p  JSON on many lines       -s  more numbers\n"
	       "  -n  in another network namespace            -V  version\n\n"
	       "FILTER   any of: proto tcp|udp  src ADDR[/LEN]  dst ADDR[/LEN]  sport N  dport N\n"
	       "         state learning|armed|stale|refused  reason NAME  tunnel DEV  device DEV  zone N\n"
	       "         encap ip|gre  outer-src ADDR  outer-dst ADDR  key N  udp-encap none|fou|gue\n"
	       "         outer-sport N  outer-dport N\n"
	       "TUPLE    tcp|udp SRC:PORT DST:PORT [zone N]      ([ADDR]:PORT for IPv6)\n"
	       "SETTING  armed yes|no           select all|ct-mark V[/MASK]|mark V[/MASK]|ct-label BIT\n"
	       "         protocols tcp[,udp]    learn-after N    assured yes|no    flow-limit N|default\n"
	       "         plain yes|no           hook after|before\n"
	       "         tcp-timeout S|default    udp-timeout S|default\n"
	       "         tunnel DEV allow|deny|default           device DEV allow|deny|default\n\n"
	       "Begin with:\n"
	       "  flowtun check                         does this machine have what is needed?\n"
	       "  flowtun show                          what is fast?\n"
	       "  flowtun why tun0                      why is this tunnel slow?\n"
	       "  flowtun flows state refused           which connections are not fast?\n"
	       "  flowtun set select ct-mark 0x1/0x1    only what the firewall has marked\n\n"
	       "Exit: 0; 1 the command line is wrong; 2 the kernel refuses, or a check failed.\n");
}

static int enter_netns(const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), strchr(name, '/') ? "%s" : "/run/netns/%s",
		 name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !setns(fd, CLONE_NEWNET)) {
		close(fd);
		return EXIT_OK;
	}
	fprintf(stderr, "flowtun: network namespace %s: %s\n", name,
		strerror(errno));
	return EXIT_USAGE;
}

static const struct command *find_command(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < COMMANDS; i++)
		if (!strncmp(commands[i].name, name, len))
			return &commands[i];
	return NULL;
}

static int run(int argc, char **argv)
{
	const struct command *command;

	if (!argc) {
		help();
		return EXIT_USAGE;
	}
	if (!strcmp(argv[0], "help")) {
		help();
		return EXIT_OK;
	}
	command = find_command(argv[0]);
	if (!command)
		return misuse("no command is called %s", argv[0]);
	if (options.netns && enter_netns(options.netns))
		return EXIT_USAGE;
	return command->run(argc - 1, argv + 1);
}

/* Output that cannot be written, to a full disk for example, is no success. */
static int finish(int code)
{
	if (fflush(stdout) || ferror(stdout)) {
		perror("flowtun: stdout");
		return EXIT_KERNEL;
	}
	return code;
}

/* A standard descriptor that is closed would be the next socket's, and the kernel take for
 * a request what is printed. This one cannot be written to: finish() will say so.
 */
static void fill_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "pretty", no_argument, NULL, 'p' },
		{ "statistics", no_argument, NULL, 's' },
		{ "netns", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	fill_descriptors();
	while ((c = getopt_long(argc, argv, "+jpsn:hV", longs, NULL)) != -1) {
		switch (c) {
		case 'j':
			options.json = true;
			break;
		case 'p':
			options.json = true;
			options.pretty = true;
			break;
		case 's':
			options.stats = true;
			break;
		case 'n':
			options.netns = optarg;
			break;
		case 'h':
			help();
			return finish(EXIT_OK);
		case 'V':
			printf("flowtun %s\n", FLOWTUN_VERSION);
			return finish(EXIT_OK);
		default:
			return EXIT_USAGE;
		}
	}
	return finish(run(argc - optind, argv + optind));
}
