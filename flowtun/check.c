// SPDX-License-Identifier: GPL-2.0
/* flowtun check: is everything there that acceleration needs? */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/utsname.h>

#include "flowtun.h"
#include "json.h"
#include "nft.h"
#include "nl.h"
#include "settings.h"

enum grade { GOOD, WARN, BAD };

static enum grade worst;

__attribute__((format(printf, 3, 4)))
static void say(enum grade grade, const char *what, const char *format, ...)
{
	static const char *const names[] = { "ok", "warning", "problem" };
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (grade > worst)
		worst = grade;
	if (!options.json) {
		printf("%-8s %-12s %s\n", names[grade], what, text);
		return;
	}
	json_open(NULL, '{');
	json_str("grade", names[grade]);
	json_str("what", what);
	json_str("text", text);
	json_close('}');
}

/* The first number in a file; -1 if there is none. */
static long read_file_number(const char *path)
{
	FILE *file = fopen(path, "re");
	long number = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%ld", &number) != 1)
		number = -1;
	fclose(file);
	return number;
}

static bool config_has(FILE *file, const char *option)
{
	size_t len = strlen(option);
	char line[256];

	rewind(file);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, option, len) && line[len] == '=')
			return true;
	return false;
}

static void check_options(const struct utsname *kernel)
{
	static const char *const needed[] = {
		"CONFIG_NETFILTER_INGRESS", "CONFIG_NF_CONNTRACK", "CONFIG_IPV6",
	};
	char path[256];
	FILE *file;
	int missing = 0;

	snprintf(path, sizeof(path), "/boot/config-%s", kernel->release);
	file = fopen(path, "re");
	if (!file) {
		say(WARN, "kernel", "%s cannot be read, so its options are not known",
		    path);
		return;
	}
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (config_has(file, needed[i]))
			continue;
		say(BAD, "kernel", "%s has no %s", kernel->release, needed[i]);
		missing++;
	}
	fclose(file);
	if (!missing)
		say(GOOD, "kernel", "%s has the options that are needed",
		    kernel->release);
}

/* Only who builds the module needs them. */
static void check_headers(const struct utsname *kernel)
{
	char path[256];

	snprintf(path, sizeof(path), "/lib/modules/%s/build/Makefile",
		 kernel->release);
	if (access(path, R_OK))
		say(WARN, "headers", "none for %s: DKMS cannot build (apt-get install linux-headers-%s)",
		    kernel->release, kernel->release);
	else
		say(GOOD, "headers", "for %s are installed", kernel->release);
}

static void check_settings(struct nl *nl)
{
	static struct settings set;

	if (settings_read(nl, false, &set)) {
		say(BAD, "module", "does not answer");
		return;
	}
	if (strcmp(set.version, FLOWTUN_VERSION))
		say(WARN, "version", "module %s, flowtun %s: install both from one source",
		    set.version, FLOWTUN_VERSION);
	else
		say(GOOD, "version", "module and flowtun are both %s",
		    FLOWTUN_VERSION);
	if (!set.module_armed)
		say(BAD, "armed", "no: echo Y >/sys/module/nf_flowtable_tun/parameters/armed");
	else if (!set.armed)
		say(BAD, "armed", "not in this network namespace: flowtun set armed yes");
	else
		say(GOOD, "armed", "yes");
}

static void check_module(void)
{
	struct nl *nl = calloc(1, sizeof(*nl));
	int err = -ENOMEM;

	if (nl) {
		nl->quiet = true;
		err = nl_open(nl);
	}
	if (err) {
		say(BAD, "module", "nf_flowtable_tun is not loaded and cannot be by itself: modprobe nf_flowtable_tun says why");
	} else {
		say(GOOD, "module", "is loaded");
		check_settings(nl);
		nl_close(nl);
	}
	free(nl);
}

static void check_conntrack(void)
{
	long count = read_file_number("/proc/sys/net/netfilter/nf_conntrack_count");

	if (count < 0)
		say(BAD, "conntrack", "nf_conntrack is not loaded");
	else if (!count)
		say(WARN, "conntrack", "tracks nothing here: a rule such as \"ct state established accept\" switches it on");
	else
		say(GOOD, "conntrack", "tracks %ld connections here", count);
}

/* Legacy tables that this namespace has; they are there once they have been looked at. */
static void check_legacy(void)
{
	static const char *const lists[] = {
		"/proc/net/ip_tables_names", "/proc/net/ip6_tables_names",
	};
	unsigned int count = 0;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		FILE *file = fopen(lists[i], "re");
		char name[64];

		while (file && fgets(name, sizeof(name), file))
			count++;
		if (file)
			fclose(file);
	}
	if (count)
		say(WARN, "iptables", "%u legacy tables: nobody is told when their rules change, so connections prove themselves again each second; nft and iptables-nft need no such thing",
		    count);
}

/**
 * struct ways - devices whose packets are forwarded
 * @on:  so many
 * @all: of as many, without lo
 */
struct ways {
	unsigned int	on;
	unsigned int	all;
};

/* @dir has a directory for each device, @name is in each of them. */
static struct ways count_ways(const char *dir, const char *name)
{
	struct ways ways = { 0, 0 };
	struct dirent *entry;
	DIR *list = opendir(dir);
	char path[512];

	while (list && (entry = readdir(list))) {
		if (*entry->d_name == '.' || !strcmp(entry->d_name, "all") ||
		    !strcmp(entry->d_name, "default") || !strcmp(entry->d_name, "lo"))
			continue;
		snprintf(path, sizeof(path), "%s/%s/%s", dir, entry->d_name, name);
		ways.on += read_file_number(path) > 0;
		ways.all++;
	}
	if (list)
		closedir(list);
	return ways;
}

/* As the kernel does it: for IPv4 the device counts that a packet comes in by, ip_forward only
 * sets them all. For IPv6 one switch counts, and since 7.3 a device's that overrides it.
 */
static void check_forwarding(void)
{
	struct ways v4 = count_ways("/proc/sys/net/ipv4/conf", "forwarding");
	struct ways forced = count_ways("/proc/sys/net/ipv6/conf", "force_forwarding");
	bool v6 = read_file_number("/proc/sys/net/ipv6/conf/all/forwarding") > 0;
	bool all = v4.on && v4.on == v4.all;

	if (!v4.on && !v6 && !forced.on)
		say(BAD, "forwarding", "is off: sysctl net.ipv4.ip_forward=1");
	if (all || v6)
		say(GOOD, "forwarding", "is on for %s",
		    all && v6 ? "IPv4 and IPv6" : all ? "IPv4" : "IPv6");
	if (v4.on && !all)
		say(WARN, "forwarding", "of IPv4 is on for %u of %u devices only, by net.ipv4.conf.DEV.forwarding of those that packets come in by",
		    v4.on, v4.all);
	if (!v6 && forced.on)
		say(WARN, "forwarding", "of IPv6 is on for %u of %u devices by force_forwarding only, which is never fast: sysctl net.ipv6.conf.all.forwarding=1",
		    forced.on, forced.all);
}

static void on_flowtable(const char *table, const char *name, const char *dev,
			 void *data)
{
	unsigned int *count = data;

	++*count;
	say(WARN, "flowtable", "%s/%s takes connections on %s; those it has first stay with it (refuse_owned)",
	    table, name, dev);
}

/* nf_flow_table and this module leave each other's connections alone; who comes first
 * has them.
 */
static void check_flowtables(void)
{
	unsigned int count = 0;
	int err = nft_flowtables(on_flowtable, &count);

	if (err == -EPERM)
		say(WARN, "flowtable", "only root can see which nftables flowtables there are");
	else if (err)
		say(WARN, "flowtable", "nftables does not tell: %s", strerror(-err));
	else if (!count)
		say(GOOD, "flowtable", "no nftables flowtable is on a device here");
}

int cmd_check(int argc, char **argv)
{
	struct utsname kernel;

	(void)argv;
	if (argc)
		return misuse("check takes no arguments");
	uname(&kernel);
	if (options.json)
		json_open(NULL, '[');
	check_options(&kernel);
	check_headers(&kernel);
	check_module();
	check_conntrack();
	check_legacy();
	check_forwarding();
	check_flowtables();
	if (options.json)
		json_close(']');
	return worst == BAD ? EXIT_KERNEL : EXIT_OK;
}
