# SPDX-License-Identifier: GPL-2.0
"""IPIP, IPv4 in IPv4."""
from harness.bed import Do, Raw, Wait, down, up
from harness.engine import ANY, case
from harness import frames as fr

case("self-test victim", [up(), up(size=60), down(), up(full=1481, df=True)], slow="mtu", fast=dict(encap=2, decap=1), tags=("selftest",), assured=True)
case("ipip encap: plain", [up()], tags=("quick",))
case("ipip decap: plain", [down()], tags=("quick",))
case("ipip both: tcp", [up(), down(), up(flags="A"), down(flags="FA"), up(flags="FA"), down(flags="A")], proto="tcp", fast=ANY)
case("ipip transit: plain", [up(), down()], path=("far", "far2"))
case("ipip snat", [up(), down()], world=dict(nat=["post oifname tun0 masquerade"]))
