# SPDX-License-Identifier: GPL-2.0
# What the lab needs on this machine.
# shellcheck shell=bash

# command=package
DEPS="mmdebstrap=mmdebstrap qemu-system-x86_64=qemu-system-x86 mke2fs=e2fsprogs git=git
	xz=xz-utils gpg=gpg unshare=util-linux flock=util-linux tar=tar awk=mawk"

deps_missing() {
	local dep
	# Programs only: rootfs.sh has a function of one's name.
	for dep in $DEPS; do
		type -P "${dep%%=*}" >/dev/null || echo "${dep#*=}"
	done | sort -u
	[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || echo debian-archive-keyring
}

deps_apt() {
	export DEBIAN_FRONTEND=noninteractive
	apt-get -o DPkg::Lock::Timeout=300 update || true # a broken third-party source is not our business
	apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
}

deps_install() {
	local missing
	missing=$(deps_missing | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	# shellcheck disable=SC2086 # a list of packages
	step "installing ${missing% }" deps_apt $missing
}

# Its packages and guests are those of a PC.
deps_machine() {
	local arch
	arch=$(dpkg --print-architecture 2>/dev/null) || die "this is no Debian machine: there is no dpkg"
	[ "$arch" = amd64 ] || die "the guests are PCs: this needs a Debian machine that is amd64, not $arch"
}

deps() {
	deps_machine
	PATH=$PATH:/usr/sbin:/sbin
	[ -z "$(deps_missing)" ] || locked deps deps_install
}
