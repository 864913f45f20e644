# SPDX-License-Identifier: GPL-2.0
"""IPsec around the tunnel: nothing leaves in clear that has to be encrypted, nothing
is accepted in clear that has to arrive encrypted. ESP without a cipher, so that two
passes put the same bytes on the wire."""
from harness.engine import ANY, case
from harness.flow import Do, Wait, down, up

ENDS = "src 192.0.2.1 dst 203.0.113.2"
BACK = "src 203.0.113.2 dst 192.0.2.1"
NULL = "auth digest_null '' enc 'ecb(cipher_null)' ''"
OUT_STATE = "ip xfrm state add %s proto esp spi 0x101 reqid 1 mode transport %s" % (ENDS, NULL)
IN_STATE = "ip xfrm state add %s proto esp spi 0x102 reqid 2 mode transport %s" % (BACK, NULL)
OUT = "ip xfrm policy add dir out %s proto 4 tmpl %s proto esp reqid 1 mode transport" % (ENDS, ENDS)
IN = "ip xfrm policy add dir in %s proto 4 tmpl %s proto esp reqid 2 mode transport" % (BACK, BACK)
AFTER = [up(hold=1), down(hold=1), up(hold=1), down(hold=1)]
INNER = "src 10.1.0.0/16 dst 10.2.0.0/16"
INNER_BACK = "src 10.2.0.0/16 dst 10.1.0.0/16"


def change(name, what, fast=ANY, protos=("udp", "tcp"), **how):
    for proto in protos:
        case("ipsec: %s%s" % (name, ", tcp" if proto == "tcp" else ""), [up(), down()] + [Do(w) for w in what] + AFTER,
             world=dict(id="ipsec" + name + proto), fast=fast, proto=proto, **how)


change("encryption begins", [OUT_STATE, OUT], tags=("quick",))
change("policy without a state", [OUT])
change("decryption is asked for", [IN_STATE, IN], tags=("quick",))
change("both", [OUT_STATE, IN_STATE, OUT, IN])
change("outer packets blocked, out", ["ip xfrm policy add dir out %s action block" % ENDS])
change("outer packets blocked, in", ["ip xfrm policy add dir in %s action block" % BACK])
change("inner packets blocked", ["ip xfrm policy add dir fwd %s action block" % INNER])
change("inner answers blocked", ["ip xfrm policy add dir fwd %s action block" % INNER_BACK])
change("inner packets blocked, out", ["ip xfrm policy add dir out %s action block" % INNER])
change("policy for others", ["ip xfrm policy add dir out src 198.18.0.0/16 dst 198.19.0.0/16 action block"], fast=(2, 6))
change("policy comes and goes", ["ip xfrm policy add dir fwd %s action block" % INNER,
                                 "ip xfrm policy del dir fwd %s" % INNER], fast=(2, 6))

# Exceptions that end: what they were from is nobody's change.
ALLOW, WIDE = "src 10.1.0.2/32 dst 10.2.0.2/32", INNER
ESP = "tmpl src 192.0.2.1 dst 203.0.113.9 proto esp reqid 9 mode tunnel"
EXCEPT = "ip xfrm policy add dir %s %s priority 1 %s; ip xfrm policy add dir %s %s priority 2 %s"


def exception(name, before, what, **how):
    case("ipsec: " + name, [Do(before)] + AFTER + what + AFTER, world=dict(id="ipsec" + name, **how.pop("world", {})), proto="tcp", fast=ANY, **how)


exception("exception from a block deleted", EXCEPT % ("fwd", ALLOW, "", "fwd", WIDE, "action block"),
          [Do("ip xfrm policy delete dir fwd " + ALLOW)])
exception("exception from encryption deleted", EXCEPT % ("out", ALLOW, "", "out", WIDE, ESP),
          [Do("ip xfrm policy delete dir out " + ALLOW)])
exception("exception from encryption flushed", EXCEPT % ("out", ALLOW, "", "fwd", WIDE, "action block"),
          [Do("ip xfrm policy flush")])
exception("exception from encryption expires", EXCEPT % ("out", ALLOW, "limit time-hard 3", "out", WIDE, ESP), [Wait(5)])
exception("state for a policy that can do without", "ip xfrm policy add dir out %s tmpl proto esp reqid 9 mode transport level use" % WIDE,
          [Do("ip xfrm state add src 10.1.0.2 dst 10.2.0.2 proto esp spi 0x109 reqid 9 mode transport " + NULL)])
