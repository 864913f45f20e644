# SPDX-License-Identifier: GPL-2.0
"""Wrong requests: each gets a precise error, and changes nothing."""
import errno
import struct

import nl
import spec
from bed import Conn
from cases import same, tool, until

GET, SET, FLOW, DEL = (nl.K["FTUN_CMD_" + c] for c in ("SETTINGS_GET", "SETTINGS_SET", "FLOW_GET", "FLOW_DEL"))
STAT, DEVICE, TUNNEL = (nl.K["FTUN_CMD_%s_GET" % c] for c in ("STAT", "DEVICE", "TUNNEL"))
S, F, T, R, P = "FTUN_A_SETTINGS_", "FTUN_A_FLOW_", "FTUN_A_TUPLE_", "FTUN_A_RULE_", "FTUN_A_FILTER_"


def rule(kind=0, name="tun0", verdict=2, extra=b"", without=""):
    parts = {"KIND": nl.u32(R + "KIND", kind), "NAME": nl.text(R + "NAME", name),
             "VERDICT": nl.u32(R + "VERDICT", verdict)}
    return nl.nest(S + "RULE", *(v for k, v in parts.items() if k != without), extra)


def tuple_(without="", extra=b"", proto=17):
    parts = {"L4PROTO": nl.u8(T + "L4PROTO", proto), "SRC4": nl.ip4(T + "SRC4", "10.1.0.2"),
             "DST4": nl.ip4(T + "DST4", "10.2.0.2"), "SPORT": nl.be16(T + "SPORT", 1000),
             "DPORT": nl.be16(T + "DPORT", 80)}
    return nl.nest(F + "TUPLE", *(v for k, v in parts.items() if k != without), extra)


def filter_(*attrs):
    return nl.nest(F + "FILTER", *attrs)


E, RANGE, NOENT, NODEV = errno.EINVAL, errno.ERANGE, errno.ENOENT, errno.ENODEV
V6 = b"\xfd" + bytes(15)
TWICE, UNKNOWN = "attribute given twice", "Unknown attribute type"
# A length that the kernel itself finds wrong: its number and words depend on the kernel.
LENGTH = (E, RANGE)
OUT = "out of range"
# what is wrong, command, body, errno, part of the text; True at the end: it is a dump
TABLE = [
    # missing
    ("set nothing", SET, b"", E, "nothing to set"),
    ("no id, no tuple", FLOW, b"", E, "an id or a tuple is missing"),
    ("delete nothing", DEL, b"", E, "an id or a tuple is missing"),
    ("no counter's name", STAT, b"", E, "name of a counter is missing"),
    ("no device", DEVICE, b"", E, "index of a device is missing"),
    ("no tunnel", TUNNEL, b"", E, "index of a tunnel is missing"),
    ("rule without kind", SET, rule(without="KIND"), E, "a rule has a kind, a name and a verdict"),
    ("rule without name", SET, rule(without="NAME"), E, "a rule has a kind, a name and a verdict"),
    ("rule without verdict", SET, rule(without="VERDICT"), E, "a rule has a kind, a name and a verdict"),
    ("empty rule", SET, nl.nest(S + "RULE"), E, "a rule has a kind"),
    ("tuple without protocol", FLOW, tuple_("L4PROTO"), E, "tuple without a protocol"),
    ("tuple without source", FLOW, tuple_("SRC4"), E, "tuple without a source address"),
    ("tuple without destination", DEL, tuple_("DST4"), E, "tuple without a destination address"),
    ("tuple without source port", FLOW, tuple_("SPORT"), E, "tuple without a source port"),
    ("tuple without destination port", DEL, tuple_("DPORT"), E, "tuple without a destination port"),
    ("empty filter", DEL, filter_(), E, "an empty filter"),
    # out of range
    ("armed 2", SET, nl.u8(S + "ARMED", 2), RANGE, OUT),
    ("select 4", SET, nl.u32(S + "SELECT", 4), RANGE, OUT),
    ("protocols 4", SET, nl.u32(S + "PROTOCOLS", 4), E, "reserved bit set"),
    ("protocols 0", SET, nl.u32(S + "PROTOCOLS", 0), E, "no protocol"),
    ("learn-after 65536", SET, nl.u32(S + "LEARN_AFTER", 65536), RANGE, OUT),
    ("plain 2", SET, nl.u8(S + "PLAIN", 2), RANGE, OUT),
    ("assured 255", SET, nl.u8(S + "ASSURED", 255), RANGE, OUT),
    ("hook 2", SET, nl.u32(S + "HOOK", 2), RANGE, OUT),
    ("tcp-timeout", SET, nl.u32(S + "TCP_TIMEOUT", 432001), RANGE, OUT),
    ("udp-timeout", SET, nl.u32(S + "UDP_TIMEOUT", 1 << 31), RANGE, OUT),
    ("label's bit 128", SET, nl.u32(S + "SELECT", 3) + nl.u32(S + "SELECT_VALUE", 128), RANGE, "label's bit"),
    ("mark that cannot be", SET, nl.u32(S + "SELECT", 1) + nl.u32(S + "SELECT_VALUE", 2) + nl.u32(S + "SELECT_MASK", 1),
     E, "no mark can fit"),
    ("rule's kind", SET, rule(kind=2), RANGE, OUT),
    ("rule's verdict", SET, rule(verdict=3), RANGE, OUT),
    ("rule's name too long", SET, rule(name="x" * 16), LENGTH, ""),
    ("rule's name empty", SET, rule(name=""), E, "empty name"),
    ("no such rule", SET, rule(name="nosuch", verdict=0), NOENT, "there is no such rule"),
    ("too many rules", SET, b"".join(rule(name="d%d" % i) for i in range(257)), errno.ENOSPC, "too many rules"),
    ("good value, then a bad rule", SET, nl.u8(S + "ARMED", 0) + rule(kind=7), RANGE, OUT),
    ("reset with a bad value", SET, nl.flag(S + "RESET") + nl.u32(S + "HOOK", 9), RANGE, OUT),
    ("unknown id", FLOW, nl.u64(F + "ID", 1 << 63), NOENT, "no connection has this id"),
    ("unknown id to delete", DEL, nl.u64(F + "ID", 0), NOENT, "no such connection"),
    ("tuple of ICMP", FLOW, tuple_(proto=1), E, "neither TCP nor UDP"),
    ("tuple of both families", FLOW, tuple_(extra=nl.attr(T + "SRC6", V6)), E, "IPv4 and IPv6 addresses at once"),
    ("tuple nobody has", FLOW, tuple_("SPORT", nl.be16(T + "SPORT", 9)), NOENT, "conntrack knows no such connection"),
    ("id and tuple", FLOW, nl.u64(F + "ID", 1) + tuple_(), E, "more than one way"),
    ("id and all", DEL, nl.u64(F + "ID", 1) + nl.flag(F + "ALL"), E, "more than one way"),
    ("filter for one", FLOW, filter_(nl.u8(P + "L4PROTO", 6)), E, "filters are for dumps"),
    ("dump of an id", FLOW, nl.u64(F + "ID", 1), E, "a dump takes a filter only", True),
    ("dump by tuple", FLOW, tuple_(), E, "a dump takes a filter only", True),
    ("filter: protocol", FLOW, filter_(nl.u8(P + "L4PROTO", 47)), E, "neither TCP nor UDP", True),
    ("filter: state", FLOW, filter_(nl.u32(P + "STATE", 6)), RANGE, OUT, True),
    ("filter: reason", FLOW, filter_(nl.text(P + "REASON", "nosuch")), NOENT, "no counter has this name", True),
    ("filter: reason too long", FLOW, filter_(nl.text(P + "REASON", "r" * 32)), LENGTH, "", True),
    ("filter: prefix", FLOW, filter_(nl.ip4(P + "SRC4", "1.2.3.4"), nl.u8(P + "SRC_LEN", 33)), RANGE,
     "prefix longer", True),
    ("filter: prefix alone", FLOW, filter_(nl.u8(P + "DST_LEN", 8)), E, "prefix without an address", True),
    ("filter: prefix 129", FLOW, filter_(nl.attr(P + "SRC6", V6), nl.u8(P + "SRC_LEN", 129)), RANGE, OUT, True),
    ("filter: outer families", DEL, filter_(nl.ip4(P + "OUTER_SRC4", "1.2.3.4"), nl.attr(P + "OUTER_DST6", V6)), E,
     "at once"),
    ("filter: families", DEL, filter_(nl.ip4(P + "SRC4", "1.2.3.4"), nl.attr(P + "DST6", V6)), E, "at once"),
    ("counter's name", STAT, nl.text("FTUN_A_STAT_NAME", "nosuch"), NOENT, "no counter has this name"),
    ("device 0", DEVICE, nl.u32("FTUN_A_DEVICE_IFINDEX", 0), NODEV, "no device with an ingress hook"),
    ("tunnel 0", TUNNEL, nl.u32("FTUN_A_TUNNEL_IFINDEX", 0), NODEV, "no tunnel device has this index"),
    ("tunnel 2^32-1", TUNNEL, nl.u32("FTUN_A_TUNNEL_IFINDEX", (1 << 32) - 1), NODEV, "no tunnel device"),
    # repeated
    ("armed twice", SET, nl.u8(S + "ARMED", 0) * 2, E, TWICE),
    ("id twice", FLOW, nl.u64(F + "ID", 1) * 2, E, TWICE),
    ("tuple twice", DEL, tuple_() * 2, E, TWICE),
    ("all twice", DEL, nl.flag(F + "ALL") * 2, E, TWICE),
    ("defaults twice", GET, nl.flag(S + "DEFAULTS") * 2, E, TWICE),
    ("name twice", STAT, nl.text("FTUN_A_STAT_NAME", "miss") * 2, E, TWICE),
    ("device twice", DEVICE, nl.u32("FTUN_A_DEVICE_IFINDEX", 2) * 2, E, TWICE),
    ("tunnel twice", TUNNEL, nl.u32("FTUN_A_TUNNEL_IFINDEX", 2) * 2, E, TWICE),
    ("filter twice", FLOW, filter_() * 2, E, TWICE, True),
    ("twice in a rule", SET, rule(extra=nl.u32(R + "VERDICT", 2)), E, TWICE),
    ("twice in a tuple", FLOW, tuple_(extra=nl.be16(T + "DPORT", 80)), E, TWICE),
    ("twice in a filter", FLOW, filter_(nl.be16(P + "SPORT", 1) * 2), E, TWICE, True),
    # unknown, or known but not for this
    ("unknown setting", SET, nl.u32(99, 1), E, UNKNOWN),
    ("read-only setting", SET, nl.u8(S + "MODULE_ARMED", 1), E, "Unsupported attribute"),
    ("get with a value", GET, nl.u8(S + "ARMED", 1), E, "Unsupported attribute"),
    ("unknown in flow", FLOW, nl.u32(99, 1), E, UNKNOWN),
    ("all for one", FLOW, nl.flag(F + "ALL"), E, UNKNOWN),
    ("unknown in del", DEL, nl.u32(F + "COUNT", 1), E, UNKNOWN),
    ("unknown in stat", STAT, nl.u64("FTUN_A_STAT_VALUE", 1), E, UNKNOWN),
    ("unknown in device", DEVICE, nl.u32("FTUN_A_DEVICE_HOOK", 1), E, UNKNOWN),
    ("unknown in tunnel", TUNNEL, nl.u32("FTUN_A_TUNNEL_ARMED", 1), E, UNKNOWN),
    ("unknown in a rule", SET, rule(extra=nl.u32(9, 1)), E, UNKNOWN),
    ("unknown in a tuple", FLOW, tuple_(extra=nl.u32(60, 1)), E, UNKNOWN),
    ("unknown in a filter", FLOW, filter_(nl.u32(40, 1)), E, UNKNOWN, True),
    ("dump of counters with one", STAT, nl.text("FTUN_A_STAT_NAME", "miss"), E, "takes no attributes", True),
    ("dump of devices with one", DEVICE, nl.u32("FTUN_A_DEVICE_IFINDEX", 1), E, "takes no attributes", True),
    ("dump of tunnels with one", TUNNEL, nl.u32("FTUN_A_TUNNEL_IFINDEX", 1), E, "takes no attributes", True),
    # truncated, or of a wrong length
    ("short number", SET, nl.attr(S + "HOOK", b"\1"), LENGTH, ""),
    ("long number", SET, nl.attr(S + "ARMED", b"\1\0\0\0"), E, ""),
    ("short id", FLOW, nl.attr(F + "ID", b"\1\2\3"), LENGTH, ""),
    ("short address", FLOW, tuple_("SRC4", nl.attr(T + "SRC4", b"\1\2")), LENGTH, ""),
    ("short IPv6 address", FLOW, filter_(nl.attr(P + "SRC6", b"\1" * 15)), LENGTH, "", True),
    ("long IPv6 address", FLOW, filter_(nl.attr(P + "SRC6", b"\1" * 17)), LENGTH, "", True),
    ("name without an end", STAT, nl.attr("FTUN_A_STAT_NAME", b"miss"), LENGTH, ""),
    ("flag with a value", DEL, nl.attr(F + "ALL", b"\1\0\0\0"), LENGTH, ""),
    ("nest that is none", SET, nl.attr(S + "RULE", b"\1\0\0\0"), E, ""),
    ("attribute longer than the message", SET, struct.pack("=HH", 40, nl.K[S + "ARMED"]) + b"\0" * 4, E, "leftover"),
    ("attribute shorter than its header", SET, struct.pack("=HH", 2, nl.K[S + "ARMED"]) + b"\0" * 4, E, "leftover"),
    ("half an attribute", SET, nl.u8(S + "ARMED", 0) + b"\5", E, "leftover"),
    ("half an attribute in a nest", SET, nl.nest(S + "RULE", rule()[4:], b"\5\5"), E, ""),
]


def malformed(bed):
    """every attribute missing, out of range, repeated, unknown, truncated: refused, nothing changed"""
    conn = Conn(bed, 1000).warm()
    before = tool(bed, "conf", "show")
    with bed.router:
        sock = nl.Socket()
    wrong = []
    for name, cmd, body, error, text, *dump in TABLE:
        got, said, answers = sock.ask(cmd, body, bool(dump))
        if got not in (error if isinstance(error, tuple) else (error,)) or text not in said or not said or answers:
            wrong.append("%s: errno %d %r, %d answers; expected %r %r" % (name, got, said, len(answers), error, text))
        if tool(bed, "conf", "show") != before:
            raise AssertionError(name + ": settings have changed")
    same(wrong, [])
    same(len(tool(bed, "flows").splitlines()), 3, "the connection is still there")
    until("still fast", lambda: conn.up() is None and '"armed"' in tool(bed, "-j", "flows"))
    for cmd in (0, nl.K["FTUN_CMD_FLOW_EVENT"], 77, 255):
        same(sock.ask(cmd)[0], errno.EOPNOTSUPP, "command %d" % cmd)
    same(sock.ask(SET, nl.u8(S + "ARMED", 0), dump=True)[0], errno.EOPNOTSUPP, "settings are not for dumps")


# ---- every attribute of the spec, by its type ----

SETS, OPERATIONS, ENUMS = spec.load()
# Numbers and names of which none is out of range by itself: what they name may not be there.
ANY_VALUE = {
    "settings": {"select-value", "select-mask", "flow-limit"},
    "tuple": {"src4", "dst4", "sport", "dport", "zone"},
    "filter": {"src4", "dst4", "sport", "dport", "zone", "tunnel", "device", "outer-src4", "outer-dst4", "key",
               "outer-sport", "outer-dport"},
    "flow": {"id"}, "device": {"ifindex"}, "tunnel": {"ifindex"},
}
# Out of range by the protocol number; the rows by hand have it.
BY_HAND = {("tuple", "l4proto"), ("filter", "l4proto")}
# What has to be there; of the others some must, which the rows by hand say.
NEEDED = {"rule": {"kind": "KIND", "name": "NAME", "verdict": "VERDICT"},
          "tuple": {"l4proto": "L4PROTO", "src4": "SRC4", "dst4": "DST4", "sport": "SPORT", "dport": "DPORT"}}
SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8}


def constant(group, name):
    return nl.K["FTUN_A_%s_%s" % (group.upper(), name.upper().replace("-", "_"))]


def good(fields):
    """Contents that the kernel's policy has nothing to say about."""
    if fields["type"] == "string":
        return b"x\0"
    if fields["type"] == "binary":
        return bytes(int(fields["exact-len"]))
    return bytes(SIZES.get(fields["type"], 0))


def beyond(fields):
    """Contents that are out of range, or None."""
    if fields["type"] == "string" and fields["max-len"]:
        return b"x" * (int(fields["max-len"]) + 1) + b"\0"
    if fields["type"] == "binary":
        return bytes(int(fields["exact-len"]) * 2)
    number = int(fields["max"]) + 1 if fields["max"] else None
    if fields["enum"]:
        number = 1 << ENUMS[fields["enum"]] if fields["flags"] else ENUMS[fields["enum"]]
    return number.to_bytes(SIZES[fields["type"]], "little") if number is not None else None


def wrong_lengths(fields):
    if fields["type"] == "flag":
        return [b"\1\0\0\0"]
    if fields["type"] == "nest":
        return [b"\1\0\0\0", b"\1"]
    if fields["type"] == "string":
        return [b"x", b""]
    return [good(fields)[:-1], good(fields) + b"\0"]


def wrongs(group, name, fields):
    """(what is wrong, contents of this attribute's set)"""
    number = constant(group, name)
    one = nl.attr(number, good(fields), nested=fields["type"] == "nest")
    if not fields["multi"]:
        yield "twice", one * 2
    for contents in wrong_lengths(fields):
        yield "of %d bytes" % len(contents), nl.attr(number, contents)
    yield "cut off", one + nl.attr(number, bytes(8))[:6]
    contents = beyond(fields)
    if contents is not None:
        yield "out of range", nl.attr(number, contents)
    if fields["nested"]:
        inner = SETS[fields["nested"]]
        for inside, more in inner.items():
            if more["type"] == "pad":
                continue
            for what, body in wrongs(fields["nested"], inside, more):
                yield "%s %s" % (inside, what), nl.attr(number, body, nested=True)
        yield "with one that is unknown", nl.attr(number, nl.u32(max(len(inner), 1) + 1, 0), nested=True)


def requests():
    """(operation, number of its command, attribute's name, its fields, whether it is a dump)"""
    for name, how in OPERATIONS.items():
        for attribute in how["request"]:
            dump = (name, attribute) == ("flow-get", "filter")
            yield name, nl.K["FTUN_CMD_" + name.upper().replace("-", "_")], attribute, SETS[how["set"]][attribute], dump


def unbounded(group, found):
    """Attributes that nothing bounds, and nobody said so."""
    for name, fields in SETS[group].items():
        bounded = beyond(fields) is not None or fields["type"] in ("flag", "nest", "pad", "binary")
        if not bounded and (group, name) not in BY_HAND and name not in ANY_VALUE.get(group, ()):
            found.append("%s: %s" % (group, name))


def every_attribute(bed):
    """every attribute of the spec twice, truncated, of a wrong length, out of range, with unknown ones: refused"""
    before = tool(bed, "conf", "show")
    with bed.router:
        sock = nl.Socket()
    wrong, count = [], 0
    for name, cmd, attribute, fields, dump in requests():
        for what, body in wrongs(OPERATIONS[name]["set"], attribute, fields):
            got, said, answers = sock.ask(cmd, body, dump)
            count += 1
            if got not in (E, RANGE) or not said or answers:
                wrong.append("%s: %s %s: errno %d %r, %d answers" % (name, attribute, what, got, said, len(answers)))
        got, said, _ = sock.ask(cmd, nl.u32(len(SETS[OPERATIONS[name]["set"]]) + 1, 0), dump)
        if got != E or not said:
            wrong.append("%s: unknown attribute: errno %d %r" % (name, got, said))
    print("# %d wrong requests" % count)
    for group in ("rule", "tuple", "filter"):
        unbounded(group, wrong)
    unbounded_requests(wrong)
    for group, names in NEEDED.items():
        wrong += ["%s without %s" % (group, n) for n in names if n not in SETS[group]]
    same(wrong, [])
    same(tool(bed, "conf", "show"), before, "nothing has changed")
    same(count > 100, True)


def unbounded_requests(found):
    """Likewise, of those that a request may have at its top."""
    for name, _, attribute, fields, _ in requests():
        group = OPERATIONS[name]["set"]
        if beyond(fields) is None and fields["type"] not in ("flag", "nest") and attribute not in ANY_VALUE.get(group, ()):
            found.append("%s: %s" % (name, attribute))


def every_need(bed):
    """every attribute that a tuple or a rule must have, left out: refused"""
    with bed.router:
        sock = nl.Socket()
    for group, make, cmd in (("rule", rule, SET), ("tuple", tuple_, FLOW), ("tuple", tuple_, DEL)):
        for name, key in NEEDED[group].items():
            got, said, _ = sock.ask(cmd, make(without=key))
            same((got, bool(said)), (E, True), "%s without %s" % (group, name))
        optional = set(SETS[group]) - set(NEEDED[group])
        same(optional, {"rule": set(), "tuple": {"src6", "dst6", "zone"}}[group], "what may be left out of a " + group)


TESTS = [malformed, every_attribute, every_need]
