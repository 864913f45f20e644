# SPDX-License-Identifier: GPL-2.0
"""Shows that each comparison can fail: real records of one pass, one thing
changed between capture and comparison, and the complaint that must follow."""
import copy
import re

from . import engine, net

CASE = "self-test victim"


def _frame(edit):
    def change(r):
        edit(r["case"]["frames"]["far"])
    return change


def _flip(frames, at, bit=1):
    frames[0] = frames[0][:at] + bytes([frames[0][at] ^ bit]) + frames[0][at + 1:]


def _icmp(r, at):
    frames = r["case"]["frames"]["client"]
    i = next(i for i, f in enumerate(frames) if f[23] == 1)
    if at is None:
        del frames[i]
    else:
        frames[i] = frames[i][:at] + bytes([frames[i][at] ^ 4]) + frames[i][at + 1:]


def _own(r):
    return next(v for k, v in r["case"]["ct"].items() if "udp17 " in k and v["changed"])


def _outer(r):
    return next(v for k, v in r["case"]["ct"].items() if not k.startswith("udp") and v["changed"])


def _bump(family, key, by=1):
    def change(r):
        r["case"][family][key] = r["case"][family].get(key, 0) + by
    return change


def _count(entry, i):
    def change(r):
        entry(r)["counts"][i] += 1
    return change


PERTURBATIONS = [
    # name, change to the fast pass's record, the complaint
    ("frame: outer ttl", _frame(lambda f: _flip(f, 22)), "outer ttl: "),
    ("frame: outer tos", _frame(lambda f: _flip(f, 15)), "outer tos: "),
    ("frame: outer DF", _frame(lambda f: _flip(f, 20, 0x40)), "outer flags/fragment: "),
    ("frame: inner ttl", _frame(lambda f: _flip(f, 42)), "inner ip ttl: "),
    ("frame: udp checksum", _frame(lambda f: _flip(f, 60)), "udp checksum: "),
    ("frame: destination mac", _frame(lambda f: _flip(f, 5)), "destination mac: "),
    ("frame: last byte", _frame(lambda f: _flip(f, len(f[0]) - 1)), "payload differs"),
    ("frame: one byte longer", _frame(lambda f: f.insert(0, f.pop(0) + b"\0")), "frame length"),
    ("frame: missing", _frame(lambda f: f.pop()), "only slow, frame"),
    ("frame: one more", _frame(lambda f: f.append(f[0])), "only fast, frame"),
    ("frame: order", _frame(lambda f: f.reverse()), "wire far"),
    ("icmp answer: missing", lambda r: _icmp(r, None), "only slow, frame"),
    ("icmp answer: mtu", lambda r: _icmp(r, 41), "icmp rest: "),
    ("icmp answer: quoted bytes", lambda r: _icmp(r, 60), "quoted ip|payload"),
    ("link: tunnel tx_packets", _bump("dev", "tun0 tx_packets"), "link tun0 tx_packets"),
    ("link: tunnel tx_bytes", _bump("dev", "tun0 tx_bytes", 20), "link tun0 tx_bytes"),
    ("link: tunnel rx_packets", _bump("dev", "tun0 rx_packets"), "link tun0 rx_packets"),
    ("link: tunnel tx_errors", _bump("dev", "tun0 tx_errors"), "link tun0 tx_errors"),
    ("link: underlay tx_dropped", _bump("dev", "und0 tx_dropped"), "link und0 tx_dropped"),
    ("link: lan rx_dropped", _bump("dev", "lan0 rx_dropped"), "link lan0 rx_dropped"),
    ("snmp: ForwDatagrams", _bump("snmp", "IpForwDatagrams"), "snmp IpForwDatagrams"),
    ("snmp: InHdrErrors", _bump("snmp", "IpInHdrErrors"), "snmp IpInHdrErrors"),
    ("snmp: netstat octets", _bump("snmp", "IpExtOutOctets", 40), "snmp IpExtOutOctets"),
    ("snmp: IPv6", _bump("snmp", "Ip6InReceives"), "snmp Ip6InReceives"),
    ("conntrack: packets", _count(_own, 0), "counts .*packets"),
    ("conntrack: bytes", _count(_own, 1), "counts .*packets"),
    ("conntrack: reply packets", _count(_own, 2), "counts .*packets"),
    ("conntrack: outer packets", _count(_outer, 0), "counts .*packets"),
    ("conntrack: status flags", lambda r: _own(r).update(flags="[UNREPLIED]"), "flags: "),
    ("conntrack: assured", lambda r: _own(r).update(flags="[ASSURED]"), "flags: "),
    ("conntrack: state", lambda r: _own(r).update(state="CLOSE"), "state: "),
    ("conntrack: mark", lambda r: _own(r).update(mark="7"), "mark: "),
    ("conntrack: entry missing", lambda r: [r["case"]["ct"].pop(k) for k in list(r["case"]["ct"])
                                            if k.startswith("udp17 ")], "never there"),
    ("proof: one packet slow", _bump("mod", "fast_encap", -1), "proof: fast path took"),
    ("proof: other direction", lambda r: r["case"]["mod"].update(fast_encap=0, fast_decap=3),
     "proof: fast path took"),
    ("proof: forward chain still counts", lambda r: r["case"].update(fwd=r["case"]["fwd"] + 1), "proof: forward chain"),
    ("proof: slow pass was fast", None, "slow pass was not slow"),
    ("proof: wrong reason", "reason", "proof: none of pass_"),
    ("warm-up: frame missing", lambda r: r["warm-up"]["frames"]["far"].pop(), "warm-up: wire far"),
    ("pass died", lambda r: r.update(error="made up"), "fast pass: made up"),
]


def pick(cases):
    return [c for c in cases if c.name == CASE]


def _pretend_fast(c, record):
    """What a right module would have counted, so that the proof can be tried
    without one: two up and one down are fast, the forward chain saw the rest."""
    record["case"]["mod"] = dict(fast_encap=2, fast_decap=1, pass_mtu=1)
    record["case"]["fwd"] -= 3
    record["warm-up"]["mod"] = {}


def _perturb(change, slow, fast):
    if change is None:
        slow["case"]["mod"] = dict(fast_encap=1)
    elif change == "reason":
        fast["case"]["mod"].pop("pass_mtu")
    else:
        change(fast)


def run(args, cases, listing):
    """Unperturbed there must be no complaint; perturbed, the right one."""
    sentinel = net.Sentinel()
    try:
        results, _ = engine.run_world(cases, sentinel, True)
    finally:
        sentinel.close()
    c, slow, fast = results[0]
    _pretend_fast(c, fast)
    clean = engine.judge(c, slow, fast, False)
    if clean:
        raise net.HarnessError("self-test: complaints before any change:\n" + "\n".join(clean))
    for name, change, pattern in PERTURBATIONS:
        s, f = copy.deepcopy(slow), copy.deepcopy(fast)
        _perturb(change, s, f)
        said = engine.judge(c, s, f, False)
        found = any(re.search(pattern, line) for line in said)
        listing.result("self-test " + name, [] if found else
                       ["not noticed; wanted /%s/, got:" % pattern] + said)
