# SPDX-License-Identifier: GPL-2.0
"""A word to tests/bench/profile, which has qemu count each instruction: a no-op that nobody else uses says that counting
begins anew. Without it nothing happens here."""
import ctypes
import mmap
import os

ON = "FTUN_PROFILE" in os.environ
NOP = "0f1f8078563412"      # nopl 0x12345678(%rax); profile.c looks for it
RETURN = "c3"


if ON:
    PAGE = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    PAGE.write(bytes.fromhex(NOP + RETURN))
    mark = ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(PAGE)))
else:
    def mark():
        pass


def symbols():
    """What goes into a cell: the name of the file that says where functions are, which are elsewhere when a module was
    loaded again."""
    if not ON:
        return {}
    with open("/proc/kallsyms", encoding="ascii") as file:
        text = file.read()
    name = f"symbols-{hash(text) & 0xffffffff:08x}"
    path = os.path.join(os.environ["FTUN_OUT"], name)
    if not os.path.exists(path):
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
    return {"symbols": name}
