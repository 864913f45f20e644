// SPDX-License-Identifier: GPL-2.0
/* flowtun tunnels, devices */
#include <errno.h>
#include <string.h>

#include "flowtun.h"
#include "json.h"
#include "nl.h"
#include "tunnel.h"

void tunnel_read(struct tunnel *tunnel, const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[FTUN_A_TUNNEL_MAX + 1];

	memset(tunnel, 0, sizeof(*tunnel));
	nl_parse(nlh, tb, FTUN_A_TUNNEL_MAX);
	tunnel->ifindex = nl_u32(tb[FTUN_A_TUNNEL_IFINDEX]);
	snprintf(tunnel->name, sizeof(tunnel->name), "%s",
		 nl_str(tb[FTUN_A_TUNNEL_NAME]));
	snprintf(tunnel->reason, sizeof(tunnel->reason), "%s",
		 nl_str(tb[FTUN_A_TUNNEL_REASON]));
	tunnel->rx_fast = nl_u64(tb[FTUN_A_TUNNEL_RX_FAST]);
	tunnel->tx_fast = nl_u64(tb[FTUN_A_TUNNEL_TX_FAST]);
	tunnel->rx = nl_u64(tb[FTUN_A_TUNNEL_RX_PACKETS]);
	tunnel->tx = nl_u64(tb[FTUN_A_TUNNEL_TX_PACKETS]);
	tunnel->armed = nl_u32(tb[FTUN_A_TUNNEL_ARMED]);
	tunnel->slow = nl_u32(tb[FTUN_A_TUNNEL_SLOW]);
}

void tunnel_json(const struct tunnel *tunnel)
{
	json_open(NULL, '{');
	json_num("ifindex", tunnel->ifindex);
	json_str("name", tunnel->name);
	if (*tunnel->reason)
		json_str("reason", tunnel->reason);
	json_num("rx_fast", tunnel->rx_fast);
	json_num("rx_packets", tunnel->rx);
	json_num("tx_fast", tunnel->tx_fast);
	json_num("tx_packets", tunnel->tx);
	json_num("armed", tunnel->armed);
	json_num("slow", tunnel->slow);
	json_close('}');
}

/* Aggregates are one packet to the fast path and may be many to the device, and the
 * numbers are not read at once: never more than all.
 */
static const char *ratio(char *buf, size_t size, uint64_t fast, uint64_t all)
{
	double share = all ? 100.0 * fast / all : 0;

	if (!all)
		snprintf(buf, size, "-");
	else
		snprintf(buf, size, "%.1f%%", share > 100 ? 100 : share);
	return buf;
}

void tunnels_head(void)
{
	printf("%-15s %9s %7s %9s %7s %7s %7s  %s\n", "tunnel", "out of it",
	       "fast", "into it", "fast", "armed", "slow", "");
}

void tunnel_print(const struct tunnel *tunnel)
{
	char rx[HUMAN_SIZE], tx[HUMAN_SIZE], in[HUMAN_SIZE], out[HUMAN_SIZE];

	printf("%-15s %9s %7s %9s %7s %7u %7u  %s\n", tunnel->name,
	       human(rx, sizeof(rx), tunnel->rx),
	       ratio(in, sizeof(in), tunnel->rx_fast, tunnel->rx),
	       human(tx, sizeof(tx), tunnel->tx),
	       ratio(out, sizeof(out), tunnel->tx_fast, tunnel->tx),
	       tunnel->armed, tunnel->slow, tunnel->reason);
}

static int on_tunnel(const struct nlmsghdr *nlh, void *data)
{
	struct tunnel tunnel;

	(void)data;
	tunnel_read(&tunnel, nlh);
	if (options.json)
		tunnel_json(&tunnel);
	else
		tunnel_print(&tunnel);
	return MNL_CB_OK;
}

static int on_one(const struct nlmsghdr *nlh, void *data)
{
	tunnel_read(data, nlh);
	return MNL_CB_OK;
}

int tunnel_get(struct nl *nl, const char *name, struct tunnel *tunnel)
{
	uint32_t ifindex = if_nametoindex(name);
	struct nlmsghdr *nlh;
	int err;

	if (!ifindex)
		return -ENODEV;
	nlh = nl_request(nl, FTUN_CMD_TUNNEL_GET, false);
	mnl_attr_put_u32(nlh, FTUN_A_TUNNEL_IFINDEX, ifindex);
	nl->quiet = true;
	err = nl_talk(nl, nlh, on_one, tunnel);
	nl->quiet = false;
	return err;
}

/* All, or the one that is named, by one verb. */
static int show(int argc, char **argv, uint8_t cmd, int attr, nl_cb cb,
		void (*head)(void))
{
	struct nl *nl = nl_get();
	struct nlmsghdr *nlh;
	uint32_t ifindex;
	int err;

	if (argc > 1)
		return misuse("one device, or none for all");
	if (!nl)
		return EXIT_KERNEL;
	nlh = nl_request(nl, cmd, !argc);
	if (argc) {
		ifindex = if_nametoindex(argv[0]);
		if (!ifindex)
			return misuse("no device is called %s", argv[0]);
		mnl_attr_put_u32(nlh, attr, ifindex);
	}
	if (options.json)
		json_open(NULL, '[');
	else
		head();
	err = nl_talk(nl, nlh, cb, NULL);
	if (options.json)
		json_close(']');
	return err ? EXIT_KERNEL : EXIT_OK;
}

int cmd_tunnels(int argc, char **argv)
{
	return show(argc, argv, FTUN_CMD_TUNNEL_GET, FTUN_A_TUNNEL_IFINDEX,
		    on_tunnel, tunnels_head);
}

static void devices_head(void)
{
	printf("%-15s %s\n", "device", "ingress hook");
}

static int on_device(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[FTUN_A_DEVICE_MAX + 1];
	const char *hook;

	(void)data;
	nl_parse(nlh, tb, FTUN_A_DEVICE_MAX);
	hook = nl_u32(tb[FTUN_A_DEVICE_HOOK]) == FTUN_NL_HOOK_BEFORE ? "before"
								     : "after";
	if (!options.json) {
		printf("%-15s %s other netdev chains\n",
		       nl_str(tb[FTUN_A_DEVICE_NAME]), hook);
		return MNL_CB_OK;
	}
	json_open(NULL, '{');
	json_num("ifindex", nl_u32(tb[FTUN_A_DEVICE_IFINDEX]));
	json_str("name", nl_str(tb[FTUN_A_DEVICE_NAME]));
	json_str("hook", hook);
	json_close('}');
	return MNL_CB_OK;
}

int cmd_devices(int argc, char **argv)
{
	return show(argc, argv, FTUN_CMD_DEVICE_GET, FTUN_A_DEVICE_IFINDEX,
		    on_device, devices_head);
}
