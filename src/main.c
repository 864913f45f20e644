// SPDX-License-Identifier: GPL-2.0
/* Init and exit, in order; and the module's parameters. */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <net/net_namespace.h>

#include "armed.h"
#include "devices.h"
#include "flow.h"
#include "netlink.h"
#include "netns.h"
#include "path.h"
#include "stranger.h"
#include "usage.h"
#include "way.h"
#include "witness.h"

bool ftun_armed = true;
unsigned int ftun_flow_limit = 262144;

module_param_named(armed, ftun_armed, bool, 0644);
MODULE_PARM_DESC(armed, "accelerate flows (default: yes)");
module_param_named(flow_limit, ftun_flow_limit, uint, 0644);
MODULE_PARM_DESC(flow_limit, "most connections known in a network namespace (default: 262144)");

static int __init ftun_init(void)
{
	int err;

	err = ftun_way_init();
	if (err)
		return err;
	err = ftun_path_init();
	if (err)
		goto exit_way;
	err = ftun_flow_init();
	if (err)
		goto exit_path;
	err = ftun_stranger_init();
	if (err)
		goto exit_flow;
	err = ftun_witness_init();
	if (err)
		goto exit_stranger;
	err = ftun_netns_init();
	if (err)
		goto exit_witness;
	err = ftun_devices_init();
	if (err)
		goto exit_netns;
	err = ftun_usage_init();
	if (err)
		goto exit_devices;
	err = ftun_netlink_init();
	if (err)
		goto exit_usage;
	ftun_netlink_event_init();
	return 0;

exit_usage:
	ftun_usage_exit();
exit_devices:
	ftun_devices_exit();
exit_netns:
	ftun_netns_exit();
exit_witness:
	ftun_witness_exit();
exit_stranger:
	ftun_stranger_exit();
exit_flow:
	ftun_flow_exit();
exit_path:
	ftun_path_exit();
exit_way:
	ftun_way_exit();
	return err;
}

static void __exit ftun_exit(void)
{
	ftun_netlink_event_exit();
	ftun_netlink_exit();
	ftun_usage_exit();
	ftun_devices_exit();
	ftun_netns_exit();
	ftun_witness_exit();
	ftun_stranger_exit();
	ftun_flow_exit();
	ftun_path_exit();
	ftun_way_exit();
}

module_init(ftun_init);
module_exit(ftun_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Fast path for forwarded connections in L3 tunnels");
MODULE_VERSION(FTUN_VERSION);
