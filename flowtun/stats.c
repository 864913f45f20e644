// SPDX-License-Identifier: GPL-2.0
/* flowtun stats */
#include <string.h>

#include "flowtun.h"
#include "json.h"
#include "nl.h"
#include "stat.h"

static int on_stat(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[FTUN_A_STAT_MAX + 1];
	struct stat_list *stats = data;
	struct stat_entry *entry = &stats->list[stats->count];

	if (stats->count == sizeof(stats->list) / sizeof(stats->list[0]))
		return MNL_CB_OK;
	nl_parse(nlh, tb, FTUN_A_STAT_MAX);
	snprintf(entry->name, sizeof(entry->name), "%s",
		 nl_str(tb[FTUN_A_STAT_NAME]));
	snprintf(entry->text, sizeof(entry->text), "%s",
		 nl_str(tb[FTUN_A_STAT_TEXT]));
	entry->value = nl_u64(tb[FTUN_A_STAT_VALUE]);
	stats->count++;
	return MNL_CB_OK;
}

int stats_read(struct nl *nl, struct stat_list *stats)
{
	stats->count = 0;
	return nl_talk(nl, nl_request(nl, FTUN_CMD_STAT_GET, true), on_stat,
		       stats);
}

const struct stat_entry *stats_find(const struct stat_list *stats,
				    const char *name)
{
	for (unsigned int i = 0; i < stats->count; i++)
		if (!strcmp(stats->list[i].name, name))
			return &stats->list[i];
	return NULL;
}

static const struct {
	const char	*name;
	const char	*text;
} advices[] = {
#include "advice.h"
};

const char *advice(const char *name)
{
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
		if (!strcmp(advices[i].name, name))
			return advices[i].text;
	return "";
}

/**
 * struct wanted - which counters, and how
 * @all:        those that are 0 as well
 * @explain:    with their meaning
 * @prometheus: in its text format
 * @names:      these only, if there are any
 * @count:      of @names
 */
struct wanted {
	bool	all;
	bool	explain;
	bool	prometheus;
	char	**names;
	int	count;
};

static bool is_wanted(const struct wanted *want, const struct stat_entry *entry)
{
	if (!want->count)
		return entry->value || want->all;
	for (int i = 0; i < want->count; i++)
		if (!strcmp(want->names[i], entry->name))
			return true;
	return false;
}

static void print_entry(const struct wanted *want,
			const struct stat_entry *entry)
{
	printf("%-20s %llu\n", entry->name, (unsigned long long)entry->value);
	if (!want->explain)
		return;
	printf("    %s\n", entry->text);
	if (*advice(entry->name))
		printf("    %s\n", advice(entry->name));
}

static void entry_json(const struct wanted *want, const struct stat_entry *entry)
{
	json_open(NULL, '{');
	json_str("name", entry->name);
	json_num("value", entry->value);
	if (want->explain) {
		json_str("text", entry->text);
		json_str("advice", advice(entry->name));
	}
	json_close('}');
}

/* HELP escapes backslashes and line feeds only, and there are none. */
static void print_prometheus(const struct stat_entry *entry)
{
	printf("# HELP flowtun_%s_total %s\n# TYPE flowtun_%s_total counter\n"
	       "flowtun_%s_total %llu\n", entry->name, entry->text, entry->name,
	       entry->name, (unsigned long long)entry->value);
}

static void print_all(const struct wanted *want, const struct stat_list *stats)
{
	if (options.json)
		json_open(NULL, '[');
	for (unsigned int i = 0; i < stats->count; i++) {
		const struct stat_entry *entry = &stats->list[i];

		if (!is_wanted(want, entry))
			continue;
		if (options.json)
			entry_json(want, entry);
		else if (want->prometheus)
			print_prometheus(entry);
		else
			print_entry(want, entry);
	}
	if (options.json)
		json_close(']');
}

static int check_names(const struct wanted *want, const struct stat_list *stats)
{
	for (int i = 0; i < want->count; i++)
		if (!stats_find(stats, want->names[i]))
			return misuse("no counter is called %s", want->names[i]);
	return EXIT_OK;
}

int cmd_stats(int argc, char **argv)
{
	struct wanted want = { .names = argv };
	static struct stat_list stats;
	struct nl *nl;

	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--all"))
			want.all = true;
		else if (!strcmp(argv[i], "--explain"))
			want.explain = true;
		else if (!strcmp(argv[i], "--prometheus"))
			want.prometheus = true;
		else if (argv[i][0] == '-')
			return misuse("stats: what is %s?", argv[i]);
		else
			argv[want.count++] = argv[i];
	}
	/* A series that comes and goes is a nuisance; nor does a program mind zeros. */
	want.all |= want.prometheus || options.json || options.stats;
	nl = nl_get();
	if (!nl || stats_read(nl, &stats))
		return EXIT_KERNEL;
	if (check_names(&want, &stats))
		return EXIT_USAGE;
	print_all(&want, &stats);
	return EXIT_OK;
}
