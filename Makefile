# SPDX-License-Identifier: GPL-2.0
# Kbuild describes the module; this is for people. `make help` lists the targets.

KDIR ?= /lib/modules/$(shell uname -r)/build
KERNELS ?= 6.1 6.12 7.3

modules modules_install:
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

# insmod does not look for what a module depends on.
load:
	modprobe -a $$(modinfo -F depends nf_flowtable_tun.ko | tr ',' ' ') nf_conntrack
	insmod ./nf_flowtable_tun.ko

unload:
	rmmod nf_flowtable_tun

# By name, not by the kernel's build system: it works without headers.
clean:
	find . -path ./.git -prune -o \( -name '*.o' -o -name '*.ko' -o -name '*.mod' \
		-o -name '*.mod.c' -o -name '.*.cmd' -o -name '.*.d' -o -name '*.order' \
		-o -name '.module-common.c' -o -name Module.symvers -o -name '.Module.symvers*' \
		-o -name 'config-*.h' -path './src/compat/*' \) -type f -exec rm -f {} +
	rm -rf .tmp_versions flowtun/flowtun

TIME ?= 60

fuzz:
	$(MAKE) -s -C tests/unit fuzz TIME=$(TIME)

flowtun:
	$(MAKE) -C flowtun

flowtun-install: flowtun
	$(MAKE) -C flowtun install

test test-all check:
	KERNELS="$(KERNELS)" scripts/test $@

bench:
	tests/bench/run --save

docs:
	scripts/counters-doc >docs/counters.md
	scripts/counters-doc --c >flowtun/advice.h

help:
	@echo 'make                  build nf_flowtable_tun.ko for the running kernel'
	@echo '                      KDIR=DIR [ARCH=..]: for the kernel whose build directory that is'
	@echo 'make modules_install  install it (then: depmod -a)'
	@echo 'make load             load it, and what it depends on'
	@echo 'make unload           unload it'
	@echo 'make flowtun          build the tool flowtun (libmnl-dev, libnftnl-dev)'
	@echo 'make flowtun-install  install it below PREFIX, by default /usr/local'
	@echo 'make test             quick tests: unit tests, static checks, one stock kernel'
	@echo 'make test-all         all tests on all kernels, and the debug kernel'
	@echo '                      KERNELS="6.1 7.3": on these; the default is $(KERNELS)'
	@echo 'make check            static checks only'
	@echo 'make fuzz             fuzz the parser and the rewriter, TIME=60 seconds each; needs clang'
	@echo 'make bench            what packets cost, against the slow path and the kernel flowtable (half an hour)'
	@echo 'make docs             write docs/counters.md and flowtun/advice.h anew from src/stats.h'
	@echo 'make clean            remove what a build leaves'
	@echo
	@echo 'Tests need Debian, root and the package mirror that the machine uses; they install the rest.'

.DEFAULT_GOAL := modules
.PHONY: modules modules_install load unload flowtun flowtun-install clean test test-all check fuzz bench docs help
