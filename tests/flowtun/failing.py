# SPDX-License-Identifier: GPL-2.0
"""No memory, in kernels that can make allocations fail."""
import time

from cases import has, is_fast, same, settled
from reasons import Failing

TESTS = []
POLICY = "dir fwd src 10.1.0.%s dst 10.2.0.0/16"


def test(function):
    TESTS.append(function)
    return function


@test
def policy_gone_untold(bed):
    """an IPsec policy that is deleted while there is no memory to say so is noticed all the same"""
    bed.shell("ip xfrm policy add %s action block priority 9" % POLICY % "0/16")
    bed.shell("ip xfrm policy add %s action allow priority 1" % POLICY % "2/32")
    conn = settled(bed)
    with Failing(("skbuff_head_cache", "skbuff_fclone_cache")):
        bed.shell("ip xfrm policy delete %s" % POLICY % "2/32")
    has(bed.shell("ip xfrm policy"), "priority 9")
    time.sleep(1.5)
    same(is_fast(bed, conn), False)
