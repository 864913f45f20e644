// SPDX-License-Identifier: GPL-2.0
/* flowtun get, set, conf */
#include "flowtun.h"
#include "settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define WORDS_MAX	2048
#define CONF_SIZE	65536

/* ---- reading ---- */

static void read_rule(struct settings *set, const struct nlattr *nest)
{
	const struct nlattr *tb[FTUN_A_RULE_MAX + 1];
	struct rule *rule = &set->rules[set->rule_count];

	if (set->rule_count == NF_FLOWTUN_RULES_MAX)
		return;
	nl_parse_nested(nest, tb, FTUN_A_RULE_MAX);
	rule->kind = nl_u32(tb[FTUN_A_RULE_KIND]);
	rule->verdict = nl_u32(tb[FTUN_A_RULE_VERDICT]);
	snprintf(rule->name, sizeof(rule->name), "%s",
		 nl_str(tb[FTUN_A_RULE_NAME]));
	set->rule_count++;
}

static bool read_bool(const struct nlattr *attr)
{
	return attr && mnl_attr_get_u8(attr);
}

static int on_settings(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[FTUN_A_SETTINGS_MAX + 1], *attr;
	struct settings *set = data;

	nl_parse(nlh, tb, FTUN_A_SETTINGS_MAX);
	set->armed = read_bool(tb[FTUN_A_SETTINGS_ARMED]);
	set->assured = read_bool(tb[FTUN_A_SETTINGS_ASSURED]);
	set->plain = read_bool(tb[FTUN_A_SETTINGS_PLAIN]);
	set->module_armed = read_bool(tb[FTUN_A_SETTINGS_MODULE_ARMED]);
	set->module_limit = nl_u32(tb[FTUN_A_SETTINGS_MODULE_FLOW_LIMIT]);
	set->select = nl_u32(tb[FTUN_A_SETTINGS_SELECT]);
	set->value = nl_u32(tb[FTUN_A_SETTINGS_SELECT_VALUE]);
	set->mask = nl_u32(tb[FTUN_A_SETTINGS_SELECT_MASK]);
	set->protocols = nl_u32(tb[FTUN_A_SETTINGS_PROTOCOLS]);
	set->learn_after = nl_u32(tb[FTUN_A_SETTINGS_LEARN_AFTER]);
	set->flow_limit = nl_u32(tb[FTUN_A_SETTINGS_FLOW_LIMIT]);
	set->hook = nl_u32(tb[FTUN_A_SETTINGS_HOOK]);
	set->tcp_timeout = nl_u32(tb[FTUN_A_SETTINGS_TCP_TIMEOUT]);
	set->udp_timeout = nl_u32(tb[FTUN_A_SETTINGS_UDP_TIMEOUT]);
	snprintf(set->version, sizeof(set->version), "%s",
		 nl_str(tb[FTUN_A_SETTINGS_MODULE_VERSION]));
	mnl_attr_for_each(attr, nlh, 4)
		if (mnl_attr_get_type(attr) == FTUN_A_SETTINGS_RULE)
			read_rule(set, attr);
	return MNL_CB_OK;
}

int settings_read(struct nl *nl, bool defaults, struct settings *set)
{
	struct nlmsghdr *nlh = nl_request(nl, FTUN_CMD_SETTINGS_GET, false);

	memset(set, 0, sizeof(*set));
	if (defaults)
		mnl_attr_put(nlh, FTUN_A_SETTINGS_DEFAULTS, 0, NULL);
	return nl_talk(nl, nlh, on_settings, set);
}

/* ---- words and values, one row for each setting ---- */

static bool parse_bool(const char *text, bool *value)
{
	*value = !strcmp(text, "yes");
	return *value || !strcmp(text, "no");
}

static bool put_bool(struct nlmsghdr *nlh, int type, const char *text)
{
	bool value;

	if (!parse_bool(text, &value))
		return false;
	mnl_attr_put_u8(nlh, type, value);
	return true;
}

static bool put_u32(struct nlmsghdr *nlh, int type, const char *text)
{
	uint64_t value;

	if (!read_number(text, UINT32_MAX, &value))
		return false;
	mnl_attr_put_u32(nlh, type, value);
	return true;
}

/* 0 is how the kernel says that it decides. */
static bool put_u32_or_default(struct nlmsghdr *nlh, int type, const char *text)
{
	if (!strcmp(text, "default"))
		text = "0";
	else if (!strcmp(text, "0"))
		return false;
	return put_u32(nlh, type, text);
}

static bool put_hook(struct nlmsghdr *nlh, int type, const char *text)
{
	bool before = !strcmp(text, "before");

	if (!before && strcmp(text, "after"))
		return false;
	mnl_attr_put_u32(nlh, type,
			 before ? FTUN_NL_HOOK_BEFORE : FTUN_NL_HOOK_AFTER);
	return true;
}

static bool put_protocols(struct nlmsghdr *nlh, int type, const char *text)
{
	uint32_t bits;

	if (!strcmp(text, "tcp"))
		bits = FTUN_NL_PROTOCOL_TCP;
	else if (!strcmp(text, "udp"))
		bits = FTUN_NL_PROTOCOL_UDP;
	else if (!strcmp(text, "tcp,udp") || !strcmp(text, "udp,tcp"))
		bits = FTUN_NL_PROTOCOL_TCP | FTUN_NL_PROTOCOL_UDP;
	else
		return false;
	mnl_attr_put_u32(nlh, type, bits);
	return true;
}

static const char *show_bool(char *buf, size_t size, uint32_t value)
{
	snprintf(buf, size, "%s", value ? "yes" : "no");
	return buf;
}

static const char *show_u32(char *buf, size_t size, uint32_t value)
{
	snprintf(buf, size, "%u", value);
	return buf;
}

static const char *show_u32_or_default(char *buf, size_t size, uint32_t value)
{
	if (value)
		return show_u32(buf, size, value);
	snprintf(buf, size, "default");
	return buf;
}

static const char *show_hook(char *buf, size_t size, uint32_t value)
{
	snprintf(buf, size, "%s",
		 value == FTUN_NL_HOOK_BEFORE ? "before" : "after");
	return buf;
}

static const char *show_protocols(char *buf, size_t size, uint32_t value)
{
	bool tcp = value & FTUN_NL_PROTOCOL_TCP;
	bool udp = value & FTUN_NL_PROTOCOL_UDP;

	snprintf(buf, size, "%s%s%s", tcp ? "tcp" : "", tcp && udp ? "," : "",
		 udp ? "udp" : "");
	return buf;
}

static uint32_t get_armed(const struct settings *set)
{
	return set->armed;
}

static uint32_t get_protocols(const struct settings *set)
{
	return set->protocols;
}

static uint32_t get_learn_after(const struct settings *set)
{
	return set->learn_after;
}

static uint32_t get_assured(const struct settings *set)
{
	return set->assured;
}

static uint32_t get_plain(const struct settings *set)
{
	return set->plain;
}

static uint32_t get_flow_limit(const struct settings *set)
{
	return set->flow_limit;
}

static uint32_t get_hook(const struct settings *set)
{
	return set->hook;
}

static uint32_t get_tcp_timeout(const struct settings *set)
{
	return set->tcp_timeout;
}

static uint32_t get_udp_timeout(const struct settings *set)
{
	return set->udp_timeout;
}

static const struct row {
	const char	*name;
	int		type;
	const char	*expected;
	bool		number;
	bool		(*put)(struct nlmsghdr *nlh, int type, const char *text);
	const char	*(*show)(char *buf, size_t size, uint32_t value);
	uint32_t	(*get)(const struct settings *set);
} rows[] = {
	{ "armed", FTUN_A_SETTINGS_ARMED, "yes or no", false,
	  put_bool, show_bool, get_armed },
	{ "protocols", FTUN_A_SETTINGS_PROTOCOLS, "tcp, udp or tcp,udp", false,
	  put_protocols, show_protocols, get_protocols },
	{ "learn-after", FTUN_A_SETTINGS_LEARN_AFTER, "a number of packets", true,
	  put_u32, show_u32, get_learn_after },
	{ "assured", FTUN_A_SETTINGS_ASSURED, "yes or no", false,
	  put_bool, show_bool, get_assured },
	{ "plain", FTUN_A_SETTINGS_PLAIN, "yes or no", false,
	  put_bool, show_bool, get_plain },
	{ "flow-limit", FTUN_A_SETTINGS_FLOW_LIMIT,
	  "a number of connections, or default", true,
	  put_u32_or_default, show_u32_or_default, get_flow_limit },
	{ "hook", FTUN_A_SETTINGS_HOOK, "after or before", false,
	  put_hook, show_hook, get_hook },
	{ "tcp-timeout", FTUN_A_SETTINGS_TCP_TIMEOUT, "seconds, or default", true,
	  put_u32_or_default, show_u32_or_default, get_tcp_timeout },
	{ "udp-timeout", FTUN_A_SETTINGS_UDP_TIMEOUT, "seconds, or default", true,
	  put_u32_or_default, show_u32_or_default, get_udp_timeout },
};

#define ROWS	(sizeof(rows) / sizeof(rows[0]))

static const struct row *row_find(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

/* ---- select ---- */

static const char *const select_names[] = {
	[FTUN_NL_SELECT_ALL] = "all",
	[FTUN_NL_SELECT_CT_MARK] = "ct-mark",
	[FTUN_NL_SELECT_MARK] = "mark",
	[FTUN_NL_SELECT_CT_LABEL] = "ct-label",
};

#define SELECTS	(sizeof(select_names) / sizeof(select_names[0]))

static const char *show_select(char *buf, size_t size,
			       const struct settings *set)
{
	const char *name = set->select < SELECTS ? select_names[set->select]
						 : "unknown";

	if (set->select == FTUN_NL_SELECT_ALL)
		snprintf(buf, size, "%s", name);
	else if (set->select == FTUN_NL_SELECT_CT_LABEL)
		snprintf(buf, size, "%s %u", name, set->value);
	else
		snprintf(buf, size, "%s 0x%x/0x%x", name, set->value, set->mask);
	return buf;
}

/* VALUE or VALUE/MASK */
static bool read_masked(const char *text, uint64_t *value, uint64_t *mask)
{
	const char *slash = strchr(text, '/');
	char head[32];

	*mask = UINT32_MAX;
	if (!slash)
		return read_number(text, UINT32_MAX, value);
	if (slash - text >= (long)sizeof(head))
		return false;
	memcpy(head, text, slash - text);
	head[slash - text] = 0;
	return read_number(head, UINT32_MAX, value) &&
	       read_number(slash + 1, UINT32_MAX, mask);
}

static int put_select(struct nlmsghdr *nlh, int argc, char **argv)
{
	uint64_t value = 0, mask = UINT32_MAX;
	uint32_t select;

	for (select = 0; select < SELECTS; select++)
		if (argc && !strcmp(argv[0], select_names[select]))
			break;
	if (select == SELECTS)
		return -misuse("select: all, ct-mark V[/MASK], mark V[/MASK] or ct-label BIT");
	if (select != FTUN_NL_SELECT_ALL &&
	    (argc < 2 || !read_masked(argv[1], &value, &mask)))
		return -misuse("select %s: which value?", argv[0]);
	mnl_attr_put_u32(nlh, FTUN_A_SETTINGS_SELECT, select);
	mnl_attr_put_u32(nlh, FTUN_A_SETTINGS_SELECT_VALUE, value);
	mnl_attr_put_u32(nlh, FTUN_A_SETTINGS_SELECT_MASK, mask);
	return select == FTUN_NL_SELECT_ALL ? 1 : 2;
}

/* ---- rules ---- */

static const char *kind_name(uint32_t kind)
{
	return kind == FTUN_NL_RULE_TUNNEL ? "tunnel" : "device";
}

static const char *verdict_name(uint32_t verdict)
{
	return verdict == FTUN_NL_VERDICT_ALLOW ? "allow" : "deny";
}

static int put_rule(struct nlmsghdr *nlh, uint32_t kind, int argc, char **argv)
{
	struct nlattr *nest;
	uint32_t verdict;

	if (argc < 2 || strlen(argv[0]) >= IF_NAMESIZE)
		return -misuse("%s: a device's name, then allow, deny or default",
			       kind_name(kind));
	if (!strcmp(argv[1], "allow"))
		verdict = FTUN_NL_VERDICT_ALLOW;
	else if (!strcmp(argv[1], "deny"))
		verdict = FTUN_NL_VERDICT_DENY;
	else if (!strcmp(argv[1], "default"))
		verdict = FTUN_NL_VERDICT_NONE;
	else
		return -misuse("%s %s: allow, deny or default, not %s",
			       kind_name(kind), argv[0], argv[1]);
	nest = mnl_attr_nest_start(nlh, FTUN_A_SETTINGS_RULE);
	mnl_attr_put_u32(nlh, FTUN_A_RULE_KIND, kind);
	mnl_attr_put_strz(nlh, FTUN_A_RULE_NAME, argv[0]);
	mnl_attr_put_u32(nlh, FTUN_A_RULE_VERDICT, verdict);
	mnl_attr_nest_end(nlh, nest);
	return 2;
}

/* ---- set ---- */

/* Returns how many words it took after the name, or -EXIT_USAGE. */
static int put_setting(struct nlmsghdr *nlh, const char *name, int argc,
		       char **argv)
{
	const struct row *row = row_find(name);

	if (!strcmp(name, "select"))
		return put_select(nlh, argc, argv);
	if (!strcmp(name, "tunnel"))
		return put_rule(nlh, FTUN_NL_RULE_TUNNEL, argc, argv);
	if (!strcmp(name, "device"))
		return put_rule(nlh, FTUN_NL_RULE_DEVICE, argc, argv);
	if (!row)
		return -misuse("no setting is called %s", name);
	if (!argc || !row->put(nlh, row->type, argv[0]))
		return -misuse("%s: %s", name, row->expected);
	return 1;
}

static int put_all(struct nlmsghdr *nlh, int argc, char **argv)
{
	int taken;

	for (int i = 0; i < argc; i += 1 + taken) {
		if (nlh->nlmsg_len > NL_REQUEST_FULL)
			return misuse("too many settings at once");
		taken = put_setting(nlh, argv[i], argc - i - 1, argv + i + 1);
		if (taken < 0)
			return -taken;
	}
	return EXIT_OK;
}

int cmd_set(int argc, char **argv)
{
	struct nl *nl = nl_get();
	struct nlmsghdr *nlh;

	if (!argc)
		return misuse("set what? see flowtun get");
	if (!nl)
		return EXIT_KERNEL;
	nlh = nl_request(nl, FTUN_CMD_SETTINGS_SET, false);
	if (!strcmp(argv[0], "reset")) {
		mnl_attr_put(nlh, FTUN_A_SETTINGS_RESET, 0, NULL);
		argc--;
		argv++;
	}
	if (put_all(nlh, argc, argv))
		return EXIT_USAGE;
	return nl_talk(nl, nlh, NULL, NULL) ? EXIT_KERNEL : EXIT_OK;
}

/* ---- get ---- */

static void settings_json(const struct settings *set)
{
	char buf[64];

	json_open(NULL, '{');
	for (size_t i = 0; i < ROWS; i++) {
		uint32_t value = rows[i].get(set);

		if (rows[i].number)
			json_num(rows[i].name, value);
		else if (rows[i].show == show_bool)
			json_bool(rows[i].name, value);
		else
			json_str(rows[i].name, rows[i].show(buf, sizeof(buf), value));
	}
	json_open("select", '{');
	json_str("by", set->select < SELECTS ? select_names[set->select] : "unknown");
	json_num("value", set->value);
	json_num("mask", set->mask);
	json_close('}');
	json_open("rules", '[');
	for (unsigned int i = 0; i < set->rule_count; i++) {
		json_open(NULL, '{');
		json_str("kind", kind_name(set->rules[i].kind));
		json_str("name", set->rules[i].name);
		json_str("verdict", verdict_name(set->rules[i].verdict));
		json_close('}');
	}
	json_close(']');
	json_open("module", '{');
	json_bool("armed", set->module_armed);
	json_num("flow-limit", set->module_limit);
	json_str("version", set->version);
	json_close('}');
	json_close('}');
}

/* In the words that set understands. */
static void settings_print(const struct settings *set)
{
	char buf[64];

	for (size_t i = 0; i < ROWS; i++)
		printf("%s %s\n", rows[i].name,
		       rows[i].show(buf, sizeof(buf), rows[i].get(set)));
	printf("select %s\n", show_select(buf, sizeof(buf), set));
	for (unsigned int i = 0; i < set->rule_count; i++)
		printf("%s %s %s\n", kind_name(set->rules[i].kind),
		       set->rules[i].name, verdict_name(set->rules[i].verdict));
}

static void print_names(const struct settings *set, int argc, char **argv)
{
	const struct row *row;
	char buf[64];

	for (int i = 0; i < argc; i++) {
		row = row_find(argv[i]);
		if (row)
			printf("%s\n", row->show(buf, sizeof(buf), row->get(set)));
		else
			printf("%s\n", show_select(buf, sizeof(buf), set));
	}
}

int cmd_get(int argc, char **argv)
{
	static struct settings set;
	bool defaults = false;
	int names = 0;
	struct nl *nl;

	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--defaults"))
			defaults = true;
		else if (row_find(argv[i]) || !strcmp(argv[i], "select"))
			argv[names++] = argv[i];
		else
			return misuse("no setting is called %s", argv[i]);
	}
	nl = nl_get();
	if (!nl || settings_read(nl, defaults, &set))
		return EXIT_KERNEL;
	if (options.json)
		settings_json(&set);
	else if (names)
		print_names(&set, names, argv);
	else
		settings_print(&set);
	return EXIT_OK;
}

/* ---- conf ---- */

static int conf_show(void)
{
	static struct settings set;
	struct nl *nl = nl_get();

	if (!nl || settings_read(nl, false, &set))
		return EXIT_KERNEL;
	if (options.json) {
		settings_json(&set);
		return EXIT_OK;
	}
	printf("# flowtun conf load replaces all settings by these\n");
	settings_print(&set);
	return EXIT_OK;
}

/* Words of a file, without comments: from a word that begins with # to the end of the
 * line, since a device's name may have one too. Returns how many, or -1.
 */
static int split(char *text, char **words)
{
	int count = 0;
	char *line, *word, *rest;

	while ((line = strsep(&text, "\n"))) {
		for (word = strtok_r(line, " \t\r", &rest); word && *word != '#';
		     word = strtok_r(NULL, " \t\r", &rest)) {
			if (count == WORDS_MAX)
				return -1;
			words[count++] = word;
		}
	}
	return count;
}

static int conf_read(const char *name, char *text)
{
	FILE *file = strcmp(name, "-") ? fopen(name, "re") : stdin;
	size_t len;
	bool bad;

	if (!file)
		return misuse("%s: %s", name, strerror(errno));
	len = fread(text, 1, CONF_SIZE, file);
	bad = ferror(file);
	if (file != stdin)
		fclose(file);
	if (bad)
		return misuse("%s: cannot be read", name);
	if (len == CONF_SIZE || memchr(text, 0, len))
		return misuse("%s: too long, or not a text", name);
	text[len] = 0;
	return EXIT_OK;
}

/* One request, so that all of the file holds or nothing of it. */
static int conf_load(const char *name)
{
	static char text[CONF_SIZE + 1];
	static char *words[WORDS_MAX];
	struct nl *nl = nl_get();
	struct nlmsghdr *nlh;
	int count;

	if (!nl)
		return EXIT_KERNEL;
	if (conf_read(name, text))
		return EXIT_USAGE;
	count = split(text, words);
	if (count < 0)
		return misuse("%s: too many words", name);
	nlh = nl_request(nl, FTUN_CMD_SETTINGS_SET, false);
	mnl_attr_put(nlh, FTUN_A_SETTINGS_RESET, 0, NULL);
	if (put_all(nlh, count, words))
		return EXIT_USAGE;
	return nl_talk(nl, nlh, NULL, NULL) ? EXIT_KERNEL : EXIT_OK;
}

int cmd_conf(int argc, char **argv)
{
	if (argc == 1 && !strcmp(argv[0], "show"))
		return conf_show();
	if ((argc == 1 || argc == 2) && !strcmp(argv[0], "load"))
		return conf_load(argc == 2 ? argv[1] : "-");
	return misuse("conf show, or conf load [FILE]");
}
