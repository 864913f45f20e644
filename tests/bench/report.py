# SPDX-License-Identifier: GPL-2.0
"""Tables and the picture from the cells that tests/bench/guest wrote."""
import glob
import json
import os
import statistics

import kinds
import legs
import picture

WHERE = {"in": "into", "out": "out of"}
WAYS = {"floor": "floor", "slow": "slow path", "flowtable": "nf_flow_table", "fast": "this module"}
SIZES = {"46": "46-byte packets (IPv6: 66)", "1400": "1,400-byte packets", "gso": "aggregates (GSO) of 62,400 bytes"}
UNIT = {"counted": "instructions", "native": "nanoseconds"}
GUEST_ORDER = ["counted 7.3", "native 7.3", "counted 6.12", "counted 6.1"]
# Below this a cell did not measure what its column says, and shows the share that did.
WHOLE = 0.999


def load(data):
    cells = []
    for name in sorted(glob.glob(os.path.join(data, "*.jsonl"))):
        with open(name, encoding="ascii") as file:
            cells += [json.loads(line) for line in file]
    return cells


def pick(cells, **words):
    return [cell for cell in cells if all(cell.get(name) == value for name, value in words.items())]


def values(cells, **words):
    return [cell["cost"] for cell in pick(cells, **words)]


def share(cells):
    """Of the packets, which went by the way that the cells are about."""
    if not cells:
        return 0
    way = cells[0]["way"]
    if way == "slow":
        return min(min(cell["forwarded"], cell["sent"]) for cell in cells)
    if way == "fast":
        return min(min(cell["fast"], cell["sent"]) for cell in cells)
    # Neither has a counter of its own: they came out, and no chain saw them.
    return min(min(1, cell["sent"]) - cell["forwarded"] for cell in cells)


def number(value, digits=0):
    return f"{value:,.{digits}f}"


def spread(rounds, digits=0):
    """Median, and how far the rounds were apart if that is more than a percent."""
    middle = statistics.median(rounds)
    text = number(middle, digits)
    if max(rounds) - min(rounds) > middle / 100:
        text += f" ({number(min(rounds), digits)}-{number(max(rounds), digits)})"
    return text


def cost(cells, octets=frozenset()):
    """What the rounds say. @octets: how long the packets are that should come out, if that is known."""
    if not cells:
        return "-"
    text = spread([cell["cost"] for cell in cells])
    part = max(0, share(cells))
    if len(lengths(cells) | octets) > 1:
        text += " [wrong]"
    elif part < WHOLE:
        text += f" [{100 * part:.0f} %]"
    return text


def median(cells):
    return statistics.median(cell["cost"] for cell in cells) if cells else None


def ratio(above, below, digits=2):
    return f"{above / below:.{digits}f}" if above and below and below > 0 else "-"


class Table:
    def __init__(self, title, head, note=""):
        self.title, self.head, self.note, self.rows = title, head, note, []

    def text(self):
        widths = [max(len(str(row[i])) for row in [self.head] + self.rows) for i in range(len(self.head))]
        lines = [self.title, ""]
        for row in [self.head] + self.rows:
            lines.append("  ".join(str(word).ljust(width) if i < 2 else str(word).rjust(width)
                                   for i, (word, width) in enumerate(zip(row, widths))).rstrip())
        return "\n".join(lines + ([self.note] if self.note else []) + [""])

    def markdown(self):
        lines = ["### " + self.title, "", "| " + " | ".join(self.head) + " |",
                 "|---|---|" + "---:|" * (len(self.head) - 2)]
        lines += ["| " + " | ".join(str(word) for word in row) + " |" for row in self.rows]
        return "\n".join(lines + ([""] + [self.note] if self.note else []) + [""])


def way_row(group):
    """The four ways, and what follows from them."""
    ways = [pick(group, way=way) for way in WAYS]
    octets = lengths(ways[1])
    floor, slow, table, fast = (median(way) for way in ways)
    really = share(ways[3]) >= WHOLE
    beats = share(ways[2]) >= WHOLE and really and floor and "wrong" not in cost(ways[2], octets)
    return [cost(ways[0])] + [cost(way, octets) for way in ways[1:]] + [ratio(fast - floor, table - floor) if beats else "-",
                                          ratio(slow, fast) if really else "-"]


def packet_tables(cells):
    for run in GUEST_ORDER:
        guest, kernel = run.split()
        for size, title in SIZES.items():
            group = pick(cells, section="packets", guest=guest, kernel=kernel, size=size)
            if not group:
                continue
            table = Table(f"Linux {kernel}, {UNIT[guest]} per packet: {title}, one connection",
                          ["kind", "tunnel", *WAYS.values(), "net, module / nf_flow_table", "slow path / module"])
            for kind in kinds.KINDS:
                for where, word in WHERE.items():
                    row = pick(group, kind=kind, where=where)
                    if row:
                        table.rows.append([kind, word, *way_row(row)])
            yield table


def flow_tables(cells):
    for run in GUEST_ORDER:
        guest, kernel = run.split()
        group = pick(cells, section="flows", guest=guest, kernel=kernel)
        if not group:
            continue
        table = Table(f"Linux {kernel}, {UNIT[guest]} per packet: many connections, a packet of each in turn",
                      ["kind", "tunnel", "connections", *list(WAYS.values())[1:], "module / nf_flow_table",
                       "slow path / module"])
        one = pick(cells, section="packets", guest=guest, kernel=kernel, size="46")
        for kind in sorted({cell["kind"] for cell in group}, key=list(kinds.KINDS).index):
            for where, word in WHERE.items():
                for flows in [1] + sorted({cell["flows"] for cell in group}):
                    ways = [pick(one + group, kind=kind, where=where, flows=flows, way=way) for way in list(WAYS)[1:]]
                    slow, rival, fast = (median(way) for way in ways)
                    if fast:
                        table.rows.append([kind, word, number(flows), *(cost(way) for way in ways),
                                           ratio(fast, rival), ratio(slow, fast)])
        yield table


def compared(group, key, difference):
    """Columns for the rounds without and with what @key says, and for the difference of their medians."""
    without, with_it = ([cell["cost"] for cell in pick(group, **{key: value})] for value in (False, True))
    if not without or not with_it:
        return None
    return spread(without), spread(with_it), difference(*map(statistics.median, (without, with_it)))


def more(without, with_it):
    return number(with_it - without)


def percent(without, with_it):
    return f"{100 * (with_it / without - 1):.1f} %"


def other_tables(cells):
    group = pick(cells, section="other")
    if not group:
        return
    table = Table(f"Linux {group[0]['kernel']}, {UNIT[group[0]['guest']]} per packet that is no flow of the module's",
                  ["packet", "counted by the module", "module absent", "present", "more"])
    for what in dict.fromkeys(cell["what"] for cell in group):
        columns = compared(pick(group, what=what), "present", more)
        if columns:
            missed = max(cell["miss"] for cell in pick(group, what=what, present=True))
            table.rows.append([what, "miss" if missed > WHOLE else "-", *columns])
    yield table


def by_guest(cells, section):
    """What each guest measured there."""
    for guest in UNIT:
        group = pick(cells, section=section, guest=guest)
        if group:
            yield guest, group


def leg_tables(cells):
    for guest, group in by_guest(cells, "legs"):
        table = Table(f"Linux {group[0]['kernel']}, {UNIT[guest]} per packet that is forwarded through another kind of tunnel",
                      ["tunnel", "way", "module absent", "present", "more", "fast"])
        for leg in legs.LEGS:
            for way in dict.fromkeys(cell["way"] for cell in pick(group, leg=leg)):
                rounds = pick(group, leg=leg, way=way)
                if min(cell["sent"] for cell in rounds) < WHOLE:
                    continue
                fast = min(cell["fast"] for cell in pick(rounds, present=True))
                table.rows.append([leg, way, *compared(rounds, "present", percent), f"{100 * fast:.0f} %"])
        yield table


def learning_tables(cells):
    table = Table("New connections through an IPIP tunnel", ["guest", "what", "unit", "module absent", "present", "more"])
    for guest, unit in UNIT.items():
        for section, what in (("flood", "a packet of a flow that has no other"),
                              ("learn", "six packets of a new connection, until it is fast")):
            columns = compared(pick(cells, section=section, guest=guest), "present", percent)
            if columns:
                table.rows.append([guest, what, unit, *columns])
    learned = [cell for cell in pick(cells, section="learn", guest="native", present=True)
               if min(each["fast"] for each in cell["passes"][-2:]) > WHOLE]
    if learned:
        rate = 1e9 / statistics.median(sum(each["cost"] for each in cell["passes"][:-2]) for cell in learned)
        table.note = f"Learned in the native guest: {number(rate)} connections per second, with nothing else to do."
    if table.rows:
        yield table


def rules_tables(cells):
    for guest, group in by_guest(cells, "rules"):
        table = Table(f"Linux {group[0]['kernel']}, {UNIT[guest]} per packet: the next one of each live connection, when a rule was added",
                      ["kind", "tunnel", "connections", "no rule added", "a rule added", "more"])
        for kind in dict.fromkeys(cell["kind"] for cell in group):
            for where, word in WHERE.items():
                table.rows.append([kind, word, number(group[0]["flows"]),
                                   *compared(pick(group, kind=kind, where=where), "added", more)])
        yield table


def rate_tables(cells):
    for _guest, group in by_guest(cells, "rate"):
        table = Table(f"Linux {group[0]['kernel']}, thousands of packets per second through all connections in turn, both ways, "
                      "and a rule added each second",
                      ["kind", "connections", "no rule added", "a rule each second", "of that", "fast then"])
        for kind in dict.fromkeys(cell["kind"] for cell in group):
            none, added = ([cell["rate"] / 1000 for cell in pick(group, kind=kind, added=added)] for added in (False, True))
            fast = statistics.median(cell["fast"] for cell in pick(group, kind=kind, added=True))
            table.rows.append([kind, number(group[0]["flows"]), spread(none), spread(added),
                               f"{100 * statistics.median(added) / statistics.median(none):.0f} %", f"{100 * fast:.1f} %"])
        yield table


def memory_tables(cells):
    table = Table("Memory for a connection, both directions fast", ["kind", "kernel", "connections", "bytes", "fast"])
    for cell in pick(cells, section="memory"):
        table.rows.append([cell["kind"], cell["kernel"], number(cell["flows"]), number(cell["bytes"]),
                           f"{100 * min(cell['fast']):.1f} %"])
        for name, slab in sorted(cell["slabs"].items()):
            table.rows.append(["", name, number(slab["objects"]), number(slab["size"]) + " each", ""])
    if table.rows:
        yield table


def cpu_tables(cells):
    table = Table("Two CPUs with connections of their own in one tunnel (qemu): packets in the same time, against one CPU",
                  ["kind", "tunnel", "way", "times as many"])
    for kind in kinds.KINDS:
        for where, word in WHERE.items():
            for way, name in WAYS.items():
                group = pick(cells, section="cpus", kind=kind, where=where, way=way)
                if group:
                    gains = sorted(2 * cell["one"] / cell["two"] for cell in group)
                    table.rows.append([kind, word, name, f"{statistics.median(gains):.2f} "
                                       f"({gains[0]:.2f}-{gains[-1]:.2f})"])
    if table.rows:
        yield table


def stream_tables(cells):
    for guest, group in by_guest(cells, "stream"):
        speed = "an instruction a nanosecond" if guest == "counted" else "this machine's speed"
        table = Table(f"One TCP connection through IPIP between namespaces on one CPU ({speed}), Gbit/s",
                      ["direction", "", "module off", "nf_flow_table", "module on", "on / off", "fast"],
                      "Both ends of the connection run on that CPU too.")
        for where, word in WHERE.items():
            ways = [pick(group, where=where, way=way) for way in ("slow", "flowtable", "fast")]
            if not all(ways):
                continue
            rates = [[cell["gbit"] for cell in way] for way in ways]
            fast = min(cell["fast"] for cell in ways[2])
            table.rows.append([word + " the tunnel", "", *(spread(rate, 2) for rate in rates),
                               ratio(statistics.median(rates[2]), statistics.median(rates[0])), f"{100 * fast:.1f} %"])
        yield table


def tables(cells):
    for make in (packet_tables, flow_tables, other_tables, leg_tables, learning_tables, rules_tables, rate_tables, memory_tables, cpu_tables,
                 stream_tables):
        yield from make(cells)


LEGEND = """Median of the rounds (lowest-highest where they are more than a percent apart). The injector's
own part is in every number: *floor* is a frame forwarded by one nftables rule at ingress, unread and
unchanged; *net* is what is above it. [N %] after a number: only that share of the packets went the way that the
column says, by the counters; the others took the slow path, or did not come out. [wrong]: what came out is not as long as what
the slow path sends. Where the ranges of two numbers overlap, their difference means nothing."""


def text(cells):
    return "\n".join(table.text() for table in tables(cells)) + "\n" + LEGEND


def lengths(group):
    return {round(cell.get("octets", 0)) for cell in group}


def bars(group):
    """For the picture: cost of each way, and whether all packets went it and came out
    as they should."""
    right = lengths(pick(group, way="slow"))
    found = {}
    for way in WAYS:
        cells = pick(group, way=way)
        if cells:
            whole = share(cells) >= WHOLE and (way == "floor" or lengths(cells) == right)
            found[way] = median(cells), whole
    return found


def save(cells, docs):
    parts = ["<!-- SPDX-License-Identifier: GPL-2.0 -->", "# What a packet costs", "",
             "Written by `make bench`; [tests/bench/README.md](../tests/bench/README.md) says how it is measured, "
             "`tests/bench/data` has every value.", "", "![Instructions per packet](bench.svg)", "", LEGEND, ""]
    parts += [table.markdown() for table in tables(cells)]
    with open(os.path.join(docs, "bench.md"), "w", encoding="utf-8") as file:
        file.write("\n".join(parts))
    small = pick(cells, section="packets", guest="counted", kernel="7.3", size="46")
    drawn = [(kind, where, bars(pick(small, kind=kind, where=where))) for kind in kinds.KINDS for where in WHERE]
    with open(os.path.join(docs, "bench.svg"), "w", encoding="utf-8") as file:
        file.write(picture.draw([row for row in drawn if row[2]]))
