// SPDX-License-Identifier: GPL-2.0
/* flowtun show: one screen. */
#include <stdlib.h>
#include <string.h>

#include "flowtun.h"
#include "json.h"
#include "settings.h"
#include "stat.h"
#include "tunnel.h"

#define TOP_REASONS	5

/**
 * struct screen - what there is to see
 * @set:          settings
 * @stats:        counters
 * @top:          those that hold most back, largest first
 * @top_count:    how many of them
 * @tunnels:      tunnel devices
 * @tunnel_count: how many of them
 * @devices:      how many devices have an ingress hook
 */
struct screen {
	struct settings			set;
	struct stat_list		stats;
	const struct stat_entry		*top[TOP_REASONS];
	unsigned int			top_count;
	struct tunnel			tunnels[TUNNELS_MAX];
	unsigned int			tunnel_count;
	unsigned int			devices;
};

static int on_tunnel(const struct nlmsghdr *nlh, void *data)
{
	struct screen *screen = data;

	if (screen->tunnel_count < TUNNELS_MAX)
		tunnel_read(&screen->tunnels[screen->tunnel_count++], nlh);
	return MNL_CB_OK;
}

static int on_device(const struct nlmsghdr *nlh, void *data)
{
	struct screen *screen = data;

	(void)nlh;
	screen->devices++;
	return MNL_CB_OK;
}

/* Not "miss": packets that have nothing to do with tunnels count there. */
static bool holds_back(const struct stat_entry *entry)
{
	return entry->value && (!strncmp(entry->name, "pass_", 5) ||
				!strncmp(entry->name, "refuse_", 7) ||
				!strncmp(entry->name, "wait_", 5));
}

static int compare(const void *a, const void *b)
{
	const struct stat_entry *const *left = a, *const *right = b;

	if ((*left)->value == (*right)->value)
		return 0;
	return (*left)->value < (*right)->value ? 1 : -1;
}

static void find_top(struct screen *screen)
{
	const struct stat_entry *all[128];
	unsigned int count = 0;

	for (unsigned int i = 0; i < screen->stats.count; i++)
		if (holds_back(&screen->stats.list[i]))
			all[count++] = &screen->stats.list[i];
	qsort(all, count, sizeof(all[0]), compare);
	screen->top_count = count < TOP_REASONS ? count : TOP_REASONS;
	memcpy(screen->top, all, screen->top_count * sizeof(all[0]));
}

static int screen_read(struct nl *nl, struct screen *screen)
{
	if (settings_read(nl, false, &screen->set) ||
	    stats_read(nl, &screen->stats) ||
	    nl_talk(nl, nl_request(nl, FTUN_CMD_TUNNEL_GET, true), on_tunnel,
		    screen) ||
	    nl_talk(nl, nl_request(nl, FTUN_CMD_DEVICE_GET, true), on_device,
		    screen))
		return EXIT_KERNEL;
	find_top(screen);
	return EXIT_OK;
}

static uint64_t value(const struct screen *screen, const char *name)
{
	const struct stat_entry *entry = stats_find(&screen->stats, name);

	return entry ? entry->value : 0;
}

/* Connections that are known now. */
static uint64_t connections(const struct screen *screen)
{
	uint64_t known = value(screen, "flow_learned");

	for (unsigned int i = 0; i < screen->stats.count; i++)
		if (!strncmp(screen->stats.list[i].name, "flow_ended_", 11))
			known -= screen->stats.list[i].value;
	return known;
}

static uint64_t fast(const struct screen *screen)
{
	return value(screen, "fast_encap") + value(screen, "fast_decap") +
	       value(screen, "fast_transit") + value(screen, "fast_plain");
}

static const char *armed_text(const struct settings *set)
{
	if (!set->module_armed)
		return "no: the module's parameter armed is N";
	return set->armed ? "yes" : "no: see flowtun set armed yes";
}

static void screen_print(const struct screen *screen)
{
	char buf[HUMAN_SIZE];

	printf("armed        %s\n", armed_text(&screen->set));
	printf("connections  %s\n", human(buf, sizeof(buf), connections(screen)));
	printf("fast packets %s\n", human(buf, sizeof(buf), fast(screen)));
	printf("devices      %u with an ingress hook\n", screen->devices);
	printf("\n");
	tunnels_head();
	for (unsigned int i = 0; i < screen->tunnel_count; i++)
		tunnel_print(&screen->tunnels[i]);
	if (screen->top_count)
		printf("\nwhat holds packets and connections back most (flowtun stats --explain):\n");
	for (unsigned int i = 0; i < screen->top_count; i++)
		printf("  %8s %-18s %s\n",
		       human(buf, sizeof(buf), screen->top[i]->value),
		       screen->top[i]->name, screen->top[i]->text);
}

static void screen_json(const struct screen *screen)
{
	json_open(NULL, '{');
	json_bool("armed", screen->set.armed && screen->set.module_armed);
	json_num("connections", connections(screen));
	json_num("fast_packets", fast(screen));
	json_num("devices", screen->devices);
	json_open("tunnels", '[');
	for (unsigned int i = 0; i < screen->tunnel_count; i++)
		tunnel_json(&screen->tunnels[i]);
	json_close(']');
	json_open("top", '[');
	for (unsigned int i = 0; i < screen->top_count; i++) {
		json_open(NULL, '{');
		json_str("name", screen->top[i]->name);
		json_num("value", screen->top[i]->value);
		json_close('}');
	}
	json_close(']');
	json_close('}');
}

int cmd_show(int argc, char **argv)
{
	static struct screen screen;
	struct nl *nl = nl_get();

	(void)argv;
	if (argc)
		return misuse("show takes no arguments");
	if (!nl || screen_read(nl, &screen))
		return EXIT_KERNEL;
	if (options.json)
		screen_json(&screen);
	else
		screen_print(&screen);
	return EXIT_OK;
}
