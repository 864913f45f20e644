/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_POLICY_H
#define _FTUN_POLICY_H

#include <net/net_namespace.h>

#include "net.h"
#include "way.h"

/**
 * struct ftun_generations - the state of the world, as far as proofs depend on it
 * @ftun: changes with devices and tunnels
 * @nft:  changes with the nftables ruleset
 * @routes4: changes with IPv4 routes, addresses, rules and IPsec policies
 * @routes6: the same of IPv6
 */
struct ftun_generations {
	u32	ftun;
	u32	nft;
	u32	routes4;
	u32	routes6;
};

/* Changes with every change of IPv4 routes. */
static inline u32 ftun_policy_routes4(const struct ftun_net *fn)
{
	return rt_genid_ipv4(fn->net) + atomic_read(&fn->nexthops_told);
}

/* Changes with every change of IPv6 routes. */
static inline u32 ftun_policy_routes6(const struct ftun_net *fn)
{
	return rt_genid_ipv6(fn->net) + atomic_read(&fn->routes6_told) +
	       atomic_read(&fn->nexthops_told);
}

/* To be read before the slow path looks at the packet that is to be the proof. */
static inline struct ftun_generations
ftun_policy_generations(const struct ftun_net *fn)
{
	return (struct ftun_generations) {
		.ftun	= atomic_read(&fn->generation),
		.nft	= nft_generation(fn->net, &fn->nft),
		.routes4 = ftun_policy_routes4(fn),
		.routes6 = ftun_policy_routes6(fn),
	};
}

/* Has @way been proven since the last change of devices and rules? */
static inline bool ftun_policy_current(const struct ftun_net *fn,
				       const struct ftun_way *way)
{
	return way->generation == atomic_read(&fn->generation) &&
	       way->nft_generation == nft_generation(fn->net, &fn->nft);
}

bool ftun_policy_ipsec(const struct net *net);
void ftun_policy_changed(struct ftun_net *fn);
void ftun_policy_begin(struct ftun_net *fn);
void ftun_policy_tick(struct ftun_net *fn);
int ftun_policy_net_init(struct ftun_net *fn);
void ftun_policy_net_pre_exit(struct ftun_net *fn);
void ftun_policy_net_exit(struct ftun_net *fn);

#endif /* _FTUN_POLICY_H */
