# SPDX-License-Identifier: GPL-2.0
"""Filters: each field of a connection's tuple, tunnel header, devices, state and reason."""
import re

import kinds
import nl
from bed import Conn
from cases import armed, flows, has, is_fast, read, same, tool, until

TESTS = []
PLAIN = {1001, 1002, 1003, 1007}
ALL = PLAIN | {1004, 1005, 1006}
# words, and which of the connections that make() makes fit
FILTERS = (
    ("proto tcp", {1002}), ("proto udp", ALL - {1002}),
    ("src 10.1.0.2", ALL - {1005}), ("src 10.2.0.2", {1001, 1002, 1007}), ("src 10.3.0.0/16", {1003}),
    ("dst 10.2.0.0/15", PLAIN), ("dst 10.14.0.0/16", set()), ("src 0.0.0.0/0", ALL - {1005}),
    ("src fd01::2", {1005}), ("dst fd02::/64", {1005}), ("src fd02::2 dst fd01::2", {1005}), ("src ::/0", {1005}),
    ("src fd00::1", set()), ("dst fd01::/16 sport 80", {1005}),
    ("sport 1001", {1001}), ("dport 1003", {1003}), ("sport 1001 dport 1001", set()),
    ("sport 1002 dport 80 dst 10.2.0.2", {1002}), ("zone 5", {1007}), ("zone 0", ALL - {1007}),
    ("state armed", ALL), ("state refused", {1001}), ("state learning", set()),
    ("reason refuse_denied", {1001}), ("reason refuse_helper", set()),
    ("tunnel tun0", {1001, 1002, 1007}), ("tunnel tun1", {1003}), ("tunnel lan0", ALL), ("tunnel tk", {1004}),
    ("device und0", ALL), ("device tun1", {1003}), ("device t6", {1005}), ("device lo", set()),
    ("encap gre", {1004}), ("encap ip", ALL - {1004}),
    ("outer-src 192.0.2.1", ALL - {1001, 1005}), ("outer-dst 192.0.2.1", ALL - {1005}),
    ("outer-dst 203.0.113.2", {1002, 1007}), ("outer-src 203.0.113.3", {1003}),
    ("outer-src 203.0.113.4 outer-dst 192.0.2.1", {1004}), ("outer-src 203.0.113.4 outer-dst 203.0.113.4", set()),
    ("outer-src 2001:db8:1::1", {1005}), ("outer-dst 2001:db8:f::2", {1005}), ("outer-dst 2001:db8:f::3", set()),
    ("key 77", {1004}), ("key 78", set()), ("key 0", set()), ("key 77 encap ip", set()),
    ("udp-encap fou", {1006}), ("udp-encap gue", set()), ("udp-encap none", ALL - {1006}),
    ("outer-sport 4444", {1006}), ("outer-dport 5555", {1006}), ("outer-dport 4444", set()), ("outer-sport 0", set()),
    ("proto udp tunnel tun1 state armed sport 1003 encap ip outer-dst 203.0.113.3", {1003}),
    ("sport 1003 outer-dst 203.0.113.2", set()),
)
ZONES = """table ip z {
    chain pre {
        type filter hook prerouting priority -300
        iifname "lan0" udp sport 1007 ct zone set 5
        iifname "tun0" udp dport 1007 ct zone set 5
    }
}
"""


def make(bed):
    """One connection of each sort, by their ports. Of 1001 the original direction is refused."""
    for kind in (kinds.GreKey, kinds.Ip6, kinds.Fou):
        kind.setup(bed)
    bed.nft(ZONES)
    conns = {1001: Conn(bed, 1001), 1002: Conn(bed, 1002, proto="tcp"),
             1003: Conn(bed, 1003, far="10.3.0.2", end="203.0.113.3"), 1004: kinds.GreKey(bed, 1004),
             1005: kinds.Ip6(bed, 1005), 1006: kinds.Fou(bed, 1006), 1007: Conn(bed, 1007)}
    for conn in conns.values():
        conn.warm()
    return conns


def fitting(bed, words):
    return {f["original"]["tuple"]["sport"] for f in flows(bed, *words.split())}


def both_armed(bed, *words):
    return all(f[d]["state"] == "armed" for f in flows(bed, *words) for d in ("original", "reply"))


def settle(bed, conns):
    """All armed, but for the direction of 1001 that a rule then keeps out of its tunnel."""
    def ready():
        for conn in conns.values():
            conn.talk(1)
        return fitting(bed, "state armed") == ALL and both_armed(bed)

    until("all are armed", ready)
    bed.shell("ip link add tun9 type ipip local 192.0.2.1 remote 203.0.113.9; ip link set tun9 up; "
              "ip rule add ipproto udp sport 1001 lookup 9; ip route add default dev tun9 table 9")
    tool(bed, "set", "tunnel", "tun9", "deny")

    def split():
        for conn in conns.values():
            conn.talk(1)
        (flow,) = flows(bed, "sport", "1001")
        return (flow["original"]["state"], flow["reply"]["state"]) == ("refused", "armed") and \
            both_armed(bed, "sport", "80", "proto", "tcp") and fitting(bed, "state armed") == ALL and \
            fitting(bed, "state refused") == {1001} and not flows(bed, "state", "stale")

    until("the original direction of 1001 is refused", split)


def test(function):
    TESTS.append(function)
    return function


@test
def filters(bed):
    """flows FILTER: every field, alone and together, IPv6, GRE, FOU"""
    settle(bed, make(bed))
    wrong = ["%s: %r, expected %r" % (words, fitting(bed, words), want)
             for words, want in FILTERS if fitting(bed, words) != want]
    same(wrong, [])


@test
def filters_delete(bed):
    """delete FILTER: those that fit and no others, by every field"""
    conns = make(bed)
    settle(bed, conns)
    wrong = []
    for words, want in FILTERS:
        number = read(bed, "delete", *words.split())["deleted"]
        left = fitting(bed, "")
        if number != len(want) or left != ALL - want:
            wrong.append("%s: %d deleted, %r left, expected %r to go" % (words, number, left, want))
        until("learned again", lambda: again(bed, conns))
    same(wrong, [])
    same(is_fast(bed, conns[1002]), True)


def again(bed, conns):
    for conn in conns.values():
        conn.talk(1)
    found = flows(bed)
    return len(found) == len(conns) and sum(f[d]["state"] == "armed" for f in found for d in ("original", "reply")) == \
        2 * len(conns) - 1


def attribute_word(name):
    """FTUN_A_FILTER_OUTER_SRC6 is asked for by outer-src."""
    word = name.replace("FTUN_A_FILTER_", "").lower().replace("_", "-")
    return {"l4proto": "proto", "src-len": "src", "dst-len": "dst"}.get(word, word.rstrip("46"))


@test
def filters_all(bed):
    """every field of a filter is tried, in the help, in the manual and in the completion"""
    attributes = {attribute_word(n) for n in nl.K if n.startswith("FTUN_A_FILTER_") and not n.endswith(("_MAX", "__MAX"))}
    tried = {word for words, _ in FILTERS for word in words.split()[0::2]}
    same(tried, attributes, "rows of filters.py")
    shown = {"help": tool(bed, "--help")}
    for name in ("man/flowtun.8", "flowtun/flowtun.bash"):
        with open(name, encoding="ascii") as file:
            shown[name] = file.read().replace("\\-", "-")
    for name, text in shown.items():
        same([word for word in sorted(attributes) if not re.search(r"\b%s\b" % word, text)], [], name)


@test
def filters_by_hand(bed):
    """outer fields in flows' own words: what is shown is what can be asked for"""
    kinds.GreKey.setup(bed)
    kinds.Fou.setup(bed)
    kinds.many(kinds.Fou(bed, 1006).warm(), lambda: both_armed(bed) and flows(bed), "FOU is armed")
    armed(bed, 1001)
    (flow,) = flows(bed, "sport", "1006")
    for direction in ("original", "reply"):
        outer = flow[direction].get("encap") or flow[direction]["decap"]
        words = ["outer-src", outer["src"], "outer-dst", outer["dst"], "udp-encap", outer["udp_encap"],
                 "outer-sport", outer["sport"], "outer-dport", outer["dport"], "encap", outer["encap"]]
        same([f["id"] for f in flows(bed, *map(str, words))], [flow["id"]], direction)
    has(tool(bed, "flows", "outer-src", "1.2.3.4", "outer-dst", "fd00::1", code=2), "at once")
