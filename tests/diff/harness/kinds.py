# SPDX-License-Identifier: GPL-2.0
"""The kinds of tunnel: how `ip link` makes one, what its headers look like. The
far end's headers are built here; the router's are only measured."""
from . import frames as fr

# Ports of FOU and what is behind each; GUE's header says it itself.
FOU_PORTS = {5504: fr.IPIP, 5541: fr.IPV6, 5547: fr.GRE}
GUE_PORT = 6080
FAR_PORT = 40000            # the UDP port that the far end sends from
OUT_KEY, IN_KEY = 0x0a0b0c0d, 0x11223344
HOPS = {"tun0": {4: "10.9.0.2", 6: "2001:db8:9::2"}, "tun1": {4: "10.10.0.2", 6: "2001:db8:10::2"}}       # inside of the tunnels


class Kind:
    """name: what cases are called by. link: words after `ip link add tunN type`.
    under: the family of the outer header; inner: families that the kind carries.
    gre: what its GRE header has (None: no GRE); udp: "fou", "gue" or None, with the
    checksum or without; limit: the far end puts a tunnel encapsulation limit, and
    so does the router. external: what the router puts on is the route's business, and
    what the far end sends has no checksum. nbma: tunnels of the test bed that have no remote
    end. base: the kind that this one is a variation of, which has all of the cases; a
    variation has those that it may make a difference to."""

    def __init__(self, name, link, under=4, inner=(4,), words=None, gre=None, udp=None, udp_csum=False,
                 limit=None, base=None, external=False, nbma=()):
        self.name, self.link, self.under, self.inner, self.words = name, link, under, inner, dict(words or {})
        self.gre, self.udp, self.udp_csum, self.limit, self.base = gre, udp, udp_csum, limit, base
        self.external, self.nbma = external, nbma
        self.gre_in = [option for option in gre or () if not external or option != "csum"]
        self.families = tuple((name if len(inner) == 1 else "%s %d" % (name, f), f) for f in inner)

    # ---- sizes

    def gre_size(self):
        return 0 if self.gre is None else 4 + 4 * len(self.gre)

    def udp_size(self):
        return {None: 0, "fou": 8, "gue": 12}[self.udp]

    def shim(self):
        """Bytes between the outer IP header and the inner one."""
        return (8 if self.limit is not None else 0) + self.udp_size() + self.gre_size()

    def overhead(self):
        return {4: 20, 6: 40}[self.under] + self.shim()

    def overhead_in(self):
        """What the far end puts in front of a packet."""
        return self.overhead() - 4 * (len(self.gre or ()) - len(self.gre_in))

    def mtu(self, underlay=1500):
        return underlay - self.overhead()

    # ---- what the far end sends

    def wrap(self, packet, family, src, dst, o, seq):
        """(payload of the outer IP header, its protocol). o: fields of the outer
        headers; those of the IP header are left in it."""
        proto = o.pop("inner_proto", {4: fr.IPIP, 6: fr.IPV6}[family])
        if self.gre is not None:
            packet, proto = self.wrap_gre(packet, family, o, seq), fr.GRE
        port = o.pop("dport", self.port(proto))
        head, udp_csum = o.pop("gue", None), o.pop("udp_csum", None if self.udp_csum else 0)
        sport, udp_len = o.pop("sport", FAR_PORT), o.pop("udp_len", None)
        if self.udp == "gue":
            packet = fr.gue(packet, proto, head)
        if self.udp:
            packet, proto = fr.udp(packet, src, dst, sport, port, l4_csum=udp_csum, udp_len=udp_len), fr.UDP
        limit = o.pop("limit", self.limit)
        if limit is not None and self.under == 6:
            o["ext"] = list(o.get("ext", ())) + [fr.encap_limit(limit)]
        return packet, proto

    def wrap_gre(self, packet, family, o, seq):
        options = dict(key=IN_KEY if "key" in self.gre_in else None, csum_=True if "csum" in self.gre_in else None,
                       seq=seq if "seq" in self.gre_in else None)
        for name, field in (("key", "key"), ("gre_csum", "csum_"), ("seq", "seq"), ("gre_flags", "flags"),
                            ("gre_version", "version")):
            if name in o:
                options[field] = o.pop(name)
        proto = o.pop("gre_proto", {4: fr.ETH_IP, 6: fr.ETH_IP6}[family])
        return fr.gre(packet, proto, **options)

    def port(self, proto):
        if self.udp == "gue":
            return GUE_PORT
        return next((port for port, carried in FOU_PORTS.items() if carried == proto), 5504)

    # ---- the router

    def modules(self):
        return {"sit": "sit", "ipip": "ipip", "gre": "ip_gre", "ip6gre": "ip6_gre", "ip6tnl": "ip6_tunnel"}[self.link]

    def setup(self):
        """Lines of `ip` that the router needs before its tunnel."""
        if not self.udp:
            return []
        return ["fou add port %d %s%s" % (port, how, " -6" * (self.under == 6)) for port, how in self.listeners()]

    def listeners(self):
        if self.udp == "gue":
            return [(GUE_PORT, "gue")]
        return [(port, "ipproto %d" % proto) for port, proto in FOU_PORTS.items()
                if (proto == fr.GRE) == (self.gre is not None)]

    def underlay(self):
        """An IPv6 next hop inside of a tunnel is none if the routing table knows it outside, but for the default route."""
        if not self.nbma or self.link != "ip6tnl":
            return []
        return ["route del 2001:db8:c::/64", "route add default via 2001:db8:a::2 dev und0"]

    def hop(self, dev, family, far):
        """Words of `ip route` for what is inside; lines of `ip` for whom they name."""
        if dev not in self.nbma:
            return "dev " + dev, []
        if self.link == "ip6tnl":
            return "via %s%s dev %s onlink" % ("inet6 " * (family == 4), far, dev), []
        hop = HOPS[dev][family]
        return "via %s dev %s" % (hop, dev), ["neigh add %s lladdr %s dev %s nud permanent" % (hop, far, dev)]

    def options(self, dev, local, remote):
        """{word of ip link: value}"""
        if self.external:
            return dict(self.words, external=True)
        out = dict(local=local, remote=None if dev in self.nbma else remote, **self.words)
        if self.gre is not None and "key" in self.gre:
            out.update(ikey=IN_KEY, okey=OUT_KEY)
        for flag in ("csum", "seq"):
            if self.gre is not None and flag in self.gre:
                out[flag] = True
        if self.udp:
            port = self.port(fr.GRE if self.gre is not None else {4: fr.IPIP, 6: fr.IPV6}[self.inner[0]])
            out.update({"encap": self.udp, "encap-sport": "auto", "encap-dport": port,
                        "encap-udp6-csum" if self.under == 6 else "encap-csum": self.udp_csum, **self.words})
        return out


    def encap(self, local, remote, given=()):
        """Words of an inner route that go before its device."""
        if not self.external:
            return ""
        gre = self.gre or ()
        words = {"id": OUT_KEY if "key" in gre else 0, "src": local, "dst": remote, **dict(given)}
        return " ".join(["encap", {4: "ip", 6: "ip6"}[self.under]] +
                        ["%s %s" % pair for pair in words.items() if pair[1] is not None] + list(gre)) + " "


KINDS = {}


def add(name, link, **how):
    KINDS[name] = Kind(name, link, **how)


BOTH = (4, 6)
add("ipip", "ipip")
add("sit", "sit", inner=(6,))
add("sit-any", "sit", inner=BOTH, words=dict(mode="any"), base="sit")
add("ip6ip6", "ip6tnl", under=6, inner=(6,), words=dict(mode="ip6ip6", encaplimit="none"))
add("ip6ip6-limit", "ip6tnl", under=6, inner=(6,), words=dict(mode="ip6ip6"), limit=4, base="ip6ip6")
add("ipip6", "ip6tnl", under=6, words=dict(mode="ipip6", encaplimit="none"))
add("ipip6-limit", "ip6tnl", under=6, words=dict(mode="ipip6"), limit=4, base="ipip6")
add("ip6tnl-any", "ip6tnl", under=6, inner=BOTH, words=dict(mode="any", encaplimit="none"), base="ip6ip6")
for _link, _under, _words in (("gre", 4, {}), ("ip6gre", 6, dict(encaplimit="none"))):
    add(_link, _link, under=_under, inner=BOTH, words=_words, gre=())
    for _name, _gre in (("key", ("key",)), ("csum", ("csum",)), ("seq", ("seq",)), ("all", ("csum", "key", "seq"))):
        add("%s-%s" % (_link, _name), _link, under=_under, inner=BOTH, words=_words, gre=_gre, base=_link)
add("ip6gre-limit", "ip6gre", under=6, inner=BOTH, gre=(), limit=4, base="ip6gre")
for _name, _gre in (("", ()), ("-key", ("key",)), ("-all", ("csum", "key", "seq"))):
    add("gre-nbma" + _name, "gre", inner=BOTH, gre=_gre, nbma=("tun0", "tun1"), base="gre")
add("ip6tnl-nbma", "ip6tnl", under=6, inner=BOTH, words=dict(mode="any", encaplimit="none"), nbma=("tun0",), base="ip6ip6")
for _udp in ("fou", "gue"):
    for _link, _inner, _gre in (("ipip", (4,), None), ("sit", (6,), None), ("gre", BOTH, ())):
        _base = "gre" if _link == "gre" else _udp + "-gre"
        add("%s-%s" % (_udp, _link), _link, inner=_inner, gre=_gre, udp=_udp, base=_base)
    add(_udp + "-gre-csum", "gre", inner=BOTH, gre=(), udp=_udp, udp_csum=True, base=_udp + "-gre")
    add(_udp + "-gre-port", "gre", inner=BOTH, gre=(), udp=_udp, base=_udp + "-gre", words={"encap-sport": 7000})
    add(_udp + "-gre-all", "gre", inner=BOTH, gre=("csum", "key", "seq"), udp=_udp, base=_udp + "-gre")
    add(_udp + "-gre-nbma", "gre", inner=BOTH, gre=(), udp=_udp, nbma=("tun0", "tun1"), base=_udp + "-gre")
    add(_udp + "-ip6ip6", "ip6tnl", under=6, inner=(6,), words=dict(mode="ip6ip6", encaplimit="none"), udp=_udp, base="ip6ip6")
    add(_udp + "-ip6ip6-limit-csum", "ip6tnl", under=6, inner=(6,), words=dict(mode="ip6ip6"), limit=4, udp=_udp, udp_csum=True,
        base="ip6ip6")
    add(_udp + "-ip6gre", "ip6gre", under=6, inner=BOTH, words=dict(encaplimit="none"), gre=(), udp=_udp, base="ip6gre")

# A namespace has only one external device of a type, so tun1 is of the base's kind.
for _link, _under, _inner, _words in (("ipip", 4, (4,), {}), ("gre", 4, BOTH, {}), ("ip6tnl", 6, BOTH, dict(mode="any")),
                                      ("ip6gre", 6, BOTH, {})):
    for _name, _gre in ((("", ()), ("-key", ("key",)), ("-csum", ("csum",)), ("-seq", ("seq",)), ("-all", ("key", "csum", "seq")))
                        if "gre" in _link else (("", None),)):
        add("ext-%s%s" % (_link, _name), _link, under=_under, inner=_inner, words=_words, gre=_gre, external=True,
            base="ip6tnl-any" if _link == "ip6tnl" else _link)


def pair(world):
    """The kinds of tun0 and tun1."""
    first = KINDS[world.get("kind") or "ipip"]
    return first, KINDS[world.get("kind1") or (first.base if first.external else first.name)]


# What the module accelerates; the rest is for --null, and for who asks with --kind.
SUPPORTED = set(KINDS)
