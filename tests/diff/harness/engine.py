# SPDX-License-Identifier: GPL-2.0
"""Cases, the two passes over each world, and the comparison."""
import difflib
import json
import re
import time

from . import bed as b
from . import dissect
from . import flow as fl
from . import net, secret
from .kinds import pair

FAST = ("fast_encap", "fast_decap", "fast_transit", "fast_plain")
ARMED = "/sys/module/nf_flowtable_tun/parameters/armed"
CASES, NAMES = [], set()
CHUNK = 40           # more cases on one router make its conntrack table slow to read
ANY = object()       # fast=ANY: how many packets are fast is not the case's business


class Case:
    def __init__(self, name, send, world=None, fast=None, slow=None, proto="udp",
                 path=("client", "far"), dial=None, sport=None, warm=True, undo=(), tags=(), allow=(), base=None,
                 assured=False, family=4, refused=None):
        self.name, self.send, self.world = name, list(send), world or {}
        self.proto, self.path, self.dial, self.sport, self.warm = proto, path, dial, sport, warm
        self.undo, self.tags, self.allow = undo, tags, allow
        self.base, self.assured, self.family = base or {}, assured, family
        self.kinds = {kind.name for kind in pair(self.world)}
        self.slow, self.refused = (slow,) if isinstance(slow, str) else slow, refused
        self.fast = self.default_fast() if fast is None else fast

    def warm_up(self):
        """What arms the connection; base has the fields its packets have."""
        return [fl.Pkt(p.way, **{**p.fields, **self.base.get(p.way, self.base if
                not set(self.base) & {"up", "down"} else {})}) for p in fl.WARM_UP[self.proto]]

    def default_fast(self):
        """All of the case's packets, unless a reason to stay slow is given."""
        return 0 if self.slow or self.refused else sum(isinstance(s, fl.Pkt) for s in self.send)

    def needs(self):
        """What not every kernel has."""
        gso = self.proto == "udp" and any(s.fields.get("gso") for s in self.send if isinstance(s, fl.Pkt))
        return [net.UDP_GSO] * gso + list(filter(None, [self.world.get("needs")]))

    def flow(self, sport, bed=None, proto=None):
        """A connection of this case's; of the bed only the GRE sequence numbers matter."""
        return fl.Flow(proto or self.proto, self.path, sport, self.dial, self.family, self.world,
                       bed.seqs if bed else None)


def case(name, send, **how):
    """One line of a suite. See README.md for the arguments."""
    if name in NAMES:
        raise ValueError("two cases are called " + name)
    NAMES.add(name)
    CASES.append(Case(name, send, **how))


class Special:
    """A test that is not two passes to be compared: a function that returns
    a list of complaints. armed says which pass it runs in."""

    def __init__(self, name, run, tags=(), kind="ipip"):
        self.name, self.run, self.tags, self.kinds = name, run, tags, {kind}


def special(name, tags=(), kind="ipip"):
    def add(run):
        CASES.append(Special(name, run, tags, kind))
        return run
    return add


def router(c):
    """Which router a case has, or the name of what makes its own."""
    return json.dumps(c.world, sort_keys=True, default=repr) if isinstance(c, Case) else c.name


def worlds(cases):
    """Cases that share a router, in order of first appearance."""
    groups = {}
    for c in cases:
        if isinstance(c, Case):
            groups.setdefault(router(c), []).append(c)
    return [g[i:i + CHUNK] for g in groups.values() for i in range(0, len(g), CHUNK)]


# ---- one pass -----------------------------------------------------------------

def arm(on):
    with open(ARMED, "w") as f:
        f.write("1" if on else "0")


class Pass:
    """All cases of one world, once."""

    def __init__(self, cases, sentinel, fast, null):
        self.cases, self.sentinel, self.fast, self.null = cases, sentinel, fast, null

    def run(self, keep=False):
        if not self.null:
            arm(self.fast)
        self.bed = bed = b.Bed(self.cases[0].world, self.sentinel, bare=True)
        try:
            self.prime(bed)
            bed.seqs.update(tun0=100000, tun1=100000)       # however many that took
            records, snap = [], bed.snapshot()
            for i, c in enumerate(self.cases):
                record, snap = self.case(bed, c, 20000 + i, snap)
                records.append(record)
            return records
        finally:
            if not keep:
                bed.close()

    def prime(self, bed):
        """Throwaway connections. The first flows of a device may be armed late
        (its hook is put there by a worker), so the fast pass repeats them until
        the fast path is seen, or some time is over: a case will then complain."""
        ways = {(c.path, c.family): c for c in reversed(self.cases) if c.warm}
        for n, way in enumerate(sorted(ways)):
            flow = ways[way].flow(19000 + n, bed, "udp")
            self.packets(bed, flow, fl.WARM_UP["udp"])
            start = time.monotonic()
            enough = any if ways[way].refused else all
            while self.fast and not self.null and not self.moves(bed, flow, enough):
                if b.gone(1.5, start):
                    break
                time.sleep(0.002)

    def moves(self, bed, flow, enough):
        before = net.module_counters()
        try:
            self.packets(bed, flow, [fl.up(), fl.down()])
        except net.HarnessError:
            return True
        after = net.module_counters()
        ways = ["fast_" + flow.counter(way) for way in ("up", "down")]      # one counter may be for both
        return enough(after.get(k, 0) - before.get(k, 0) >= ways.count(k) for k in ways)

    def packets(self, bed, flow, steps):
        """Send, and return what came out."""
        got = {name: [] for name in bed.wires}

        def settle():
            bed.drain()
            new = bed.collect()
            for name, frames in new.items():
                got.setdefault(name, []).extend(frames)
            if flow and not flow.view["down"]:
                flow.learn(new)

        for step in steps:
            if isinstance(step, fl.Pkt):
                if not flow.view[step.way]:
                    settle()
                wire, frame, header = flow.frame(step)
                bed.wires[wire].send(frame, header)
                bed.sentinel.follow()
                if bed.below:
                    settle()        # one way may be quicker than the other
            elif isinstance(step, fl.Raw):
                bed.wires[step.wire].send(step.frame)
                bed.sentinel.follow()
            else:
                settle()
                self.do(bed, flow, step)
        settle()
        return got

    def do(self, bed, flow, step):
        if isinstance(step, fl.Wait):
            time.sleep(step.seconds)
        elif callable(step.what):
            step.what(bed, flow)
        else:
            net.shell(step.what)
        bed.settle()
        bed.drain()

    def case(self, bed, c, port, start):
        """({"warm-up": ..., "case": ...}, last snapshot) or an error instead."""
        flow = c.flow(c.sport or port, bed)
        record = {}
        net.pass_wrap()
        bed.norm.rebase()
        try:
            if c.warm:
                frames = self.packets(bed, flow, c.warm_up())
                middle = bed.snapshot()
                record["warm-up"] = delta(start, middle, frames)
                start = middle
            frames = self.packets(bed, flow, c.send)
            end = bed.snapshot()
            record["case"] = delta(start, end, frames)
            if not c.undo:
                return record, end      # all that comes of this case is in the record
            self.packets(bed, flow, [fl.Do(u) for u in c.undo])
        except (net.HarnessError, OSError) as e:
            record["error"] = "%s: %s" % (type(e).__name__, e)
        return record, bed.snapshot()


# ---- what happened between two snapshots ---------------------------------------

def delta(old, new, frames):
    return dict(frames=frames, dev=_links(old["dev"], new["dev"]),
                snmp=_snmp(old, new), ct=_conntrack(old["ct"], new["ct"]),
                fwd=_crossed(old["nft"], new["nft"]),
                mod=net.changes(old["mod"], new["mod"]))


def _crossed(old, new):
    """Packets that the forward chain saw; None when the chain is gone."""
    if "crossed" in old and "crossed" in new:
        return new["crossed"][0] - old["crossed"][0]
    return None


def _numbers(old, new):
    """Changes only."""
    return {k: v - old.get(k, 0) for k, v in new.items() if v != old.get(k, 0)}


def _links(old, new):
    """{"tun0 rx_packets": change}; a device stays itself when it is renamed, and
    is another one when it was made again."""
    out = {old[i][0] + " device": "gone" for i in old if i not in new}
    for index, (name, stats) in new.items():
        if old.get(index) == (name, stats):
            continue
        before = old.get(index, ("", {}))[1]
        out.update((name + " " + k, n) for k, n in _numbers(before, stats).items())
    return out


def _snmp(old, new):
    out = {}
    for name in ("snmp", "netstat", "snmp6", "xfrm_stat"):
        out.update(net.changes(old[name], new[name]))
    for dev, text in new["dev6"].items():
        out.update((dev + " " + k, v) for k, v in net.changes(old["dev6"].get(dev, ""), text).items())
    return out


NEW_ENTRY = dict(counts=[0] * 4, state=None)


def _conntrack(old, new):
    out = {}
    for key, entry in new.items():
        before = old.get(key, NEW_ENTRY)
        if before == entry:
            out[key] = {**entry, "counts": [0] * len(entry["counts"]), "changed": False}
            continue
        counts = [n - m for n, m in zip(entry["counts"], before["counts"])]
        if min(counts, default=0) < 0:       # the entry is a new one
            counts, before = entry["counts"], {}
        out[key] = {**entry, "counts": counts,
                    "changed": {**before, "counts": 0, "offload": 0} !=
                               {**entry, "counts": 0, "offload": 0} or any(counts)}
    out.update((key, "gone") for key in old if key not in new)
    return out


# ---- comparison -----------------------------------------------------------------

def compare(slow, fast, assured=False):
    """Everything that is not the same: [(key, text lines)]. When UDP becomes
    ASSURED depends on the clock (2 s after its first packet), so most cases
    do not look at it."""
    out = []
    for wire in slow["frames"]:
        out += _frames(wire, slow["frames"][wire], fast["frames"].get(wire, []))
    for family, label in (("dev", "link"), ("snmp", "snmp")):
        out += _counters(label, slow[family], fast[family])
    ct = slow["ct"], fast["ct"]
    return out + _entries(*ct if assured else map(_no_clock, ct))


def _frames(wire, slow, fast):
    if slow == fast:
        return []
    if len(slow) == len(fast):
        return [("frame %s" % wire, ["wire %s, frame %d of %d:" % (wire, i + 1, len(slow))] +
                 dissect.explain(a, b_)) for i, (a, b_) in enumerate(zip(slow, fast)) if a != b_]
    lines = ["wire %s: %d frames -> %d frames" % (wire, len(slow), len(fast))]
    for op, a1, a2, b1, b2 in difflib.SequenceMatcher(None, slow, fast, False).get_opcodes():
        if op == "replace" and a2 - a1 == b2 - b1:
            for i in range(a2 - a1):
                lines += ["frame %d differs:" % (a1 + i + 1)] + dissect.explain(slow[a1 + i], fast[b1 + i])
        elif op != "equal":
            lines += ["  only slow, frame %d: %s" % (i + 1, dissect.summary(slow[i])) for i in range(a1, a2)]
            lines += ["  only fast, frame %d: %s" % (i + 1, dissect.summary(fast[i])) for i in range(b1, b2)]
    return [("frame %s" % wire, lines)]


def _counters(label, slow, fast):
    return [("%s %s" % (label, k), ["%s %s: %s -> %s" % (label, k, slow.get(k, 0), fast.get(k, 0))])
            for k in sorted(set(slow) | set(fast)) if slow.get(k, 0) != fast.get(k, 0)]


def _entries(slow, fast):
    out = []
    for key in sorted(set(slow) | set(fast)):
        a, b_ = slow.get(key), fast.get(key)
        if a == b_ or not (_changed(a) or _changed(b_)):
            continue
        if not isinstance(a, dict) or not isinstance(b_, dict):
            out.append(("conntrack " + key, ["conntrack %s: %s -> %s" % (key, _short(a), _short(b_))]))
            continue
        for what in ("state", "flags", "counts", "mark"):
            if what == "state" and (a["offload"] or b_["offload"]):
                continue        # which [OFFLOAD] hides
            if a[what] != b_[what]:
                out.append(("conntrack %s %s" % (what, key), [
                    "conntrack %s: %s: %s -> %s" % (key, what + _what(what), a[what], b_[what])]))
    return out


def _no_clock(table):
    return {k: {**e, "flags": e["flags"].replace("[ASSURED]", "").strip()} if k.startswith("udp")
            and isinstance(e, dict) else e for k, e in table.items()}


def _what(what):
    return " (packets, bytes, reply packets, bytes)" if what == "counts" else ""


def _changed(entry):
    return entry.get("changed") if isinstance(entry, dict) else entry == "gone"


def _short(entry):
    if not isinstance(entry, dict):
        return entry or "never there"
    return "%s %s %s" % (entry["state"], entry["flags"], entry["counts"])


# ---- proof ------------------------------------------------------------------------

def proof(c, slow, fast):
    """Did the fast pass take the fast path as often as the case says? (lines)"""
    out = []
    if any(slow["mod"].get(k) for k in FAST):
        out.append("proof: the slow pass was not slow: %s" % slow["mod"])
    moved = {k: fast["mod"].get(k, 0) for k in FAST}
    total = sum(moved.values())
    wanted = _wanted(c)
    if isinstance(wanted, dict) and moved != wanted:
        out.append("proof: fast path took %s, the case says %s (%s)" % (
            moved, wanted, _passed(fast["mod"])))
    elif isinstance(wanted, tuple) and not wanted[0] <= total <= wanted[1]:
        out.append("proof: fast path took %d packets, the case says %d to %d (%s)" % (
            (total,) + wanted + (_passed(fast["mod"]),)))
    if None not in (slow["fwd"], fast["fwd"]) and slow["fwd"] - fast["fwd"] != total:
        out.append("proof: forward chain saw %d -> %d packets, but the fast path counted %d" % (
            slow["fwd"], fast["fwd"], total))
    return out + _reasons(c, fast["mod"])


def _wanted(c):
    """Per counter where the case allows to say so, else (least, most)."""
    if c.fast is ANY:
        return None
    if isinstance(c.fast, dict):
        return {**dict.fromkeys(FAST, 0), **{"fast_" + k: v for k, v in c.fast.items()}}
    if isinstance(c.fast, tuple):
        return c.fast
    flow, moved = c.flow(1), dict.fromkeys(FAST, 0)
    packets = [s for s in c.send if isinstance(s, fl.Pkt)]
    for p in packets:
        moved["fast_" + flow.counter(p.way)] += 1
    if c.fast == len(packets):
        return moved
    ways = [k for k in moved if moved[k]]
    return {**dict.fromkeys(FAST, 0), ways[0]: c.fast} if len(ways) == 1 else (c.fast, c.fast)


def _reasons(c, mod):
    if not c.slow or "*" in c.slow:
        return []
    wanted = ["pass_" + r for r in c.slow]
    if any(mod.get(k) for k in wanted):
        return []
    return ["proof: none of %s counted a packet (%s)" % (", ".join(wanted), _passed(mod))]


def _passed(mod):
    return ", ".join("%s=%d" % kv for kv in sorted(mod.items()) if not kv[0].startswith("fast_")) \
        or "no reason counted"


def judge(c, slow, fast, null):
    """All complaints about a case, as lines."""
    out = []
    for name, record in (("slow", slow), ("fast", fast)):
        if "error" in record:
            out.append("%s pass: %s" % (name, record["error"]))
        out += in_clear(name, record)
    for phase in ("warm-up", "case"):
        if phase not in slow or phase not in fast:
            continue
        for key, lines in compare(slow[phase], fast[phase], c.assured):
            if not any(re.search(p, key) for p in c.allow):
                out += [phase + ": " + lines[0]] + lines[1:]
        if null and slow[phase]["fwd"] != fast[phase]["fwd"]:
            out.append("%s: forward chain: %d -> %d" % (phase, slow[phase]["fwd"], fast[phase]["fwd"]))
    if not null and "case" in slow and "case" in fast:
        out += proof(c, slow["case"], fast["case"]) + refusal(c, fast)
    return out


def in_clear(name, record):
    """What left by a wire where all has to be encrypted."""
    return ["%s pass, %s, in clear: %s" % (name, phase, dissect.summary(frame)) for phase in ("warm-up", "case")
            for frame in record.get(phase, {}).get("frames", {}).get(secret.CLEAR, ())]


def refusal(c, fast):
    """Was the connection refused, if the case says so, and for that reason?"""
    counted = {k for phase in ("warm-up", "case") if phase in fast for k in fast[phase]["mod"] if k.startswith("refuse_")}
    if not c.refused or "refuse_" + c.refused in counted:
        return []
    return ["proof: refuse_%s did not count (%s)" % (c.refused, ", ".join(counted) or "nothing was refused")]


def run_world(cases, sentinel, null, keep=False):
    """[(case, slow record, fast record)] and, with keep, the bed of the fast pass"""
    slow = Pass(cases, sentinel, False, null).run()
    fast = Pass(cases, sentinel, True, null)
    return list(zip(cases, slow, fast.run(keep))), fast.bed
