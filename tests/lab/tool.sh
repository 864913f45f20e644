# SPDX-License-Identifier: GPL-2.0
# flowtun, built for a guest by its own compiler. The libraries are there already, since
# nft needs them; what is missing is their headers, which are kept apart from the
# rootfs so that it stays what it is.
# shellcheck shell=bash

TOOL_PACKAGES="libmnl-dev libnftnl-dev"

tool_headers_path() { echo "$CACHE/headers/$1-$({ rootfs_path "$1" && echo "$TOOL_PACKAGES" && declare -f tool_fetch tool_unpack; } | short_hash)"; }

# Runs in the rootfs with directories of its own for apt.
tool_fetch() {
	local kernel=$1 new=$2
	cp -L /etc/resolv.conf "$new/resolv.conf"
	mkdir -p "$new/lists/partial" "$new/archives/partial"
	chown -R root:root "$new"
	# shellcheck disable=SC2016 # for the inner shell
	rootfs_run "$kernel" "new=$new" bash -euc '
		if [ -e /etc/resolv.conf ]; then mount --bind /lab/new/resolv.conf /etc/resolv.conf; fi
		cd /lab/new
		set -- -o Dir::State::lists=/lab/new/lists -o Dir::Cache=/lab/new -o APT::Sandbox::User=root $1
		apt-get "${@:1:6}" update
		apt-get "${@:1:6}" download "${@:7}"
	' - "$TOOL_PACKAGES"
}

tool_unpack() {
	local new=$1 deb
	for deb in "$new"/*.deb; do
		dpkg-deb -x "$deb" "$new/root"
	done
	touch "$new/root"
}

tool_headers_setup() {
	local kernel=$1 path new
	path=$(tool_headers_path "$kernel")
	[ ! -e "$path" ] || return 0
	new=$CACHE/headers/new.$kernel
	rm -rf "$new"
	mkdir -p "$new"
	step "fetching $TOOL_PACKAGES for $kernel" tool_fetch "$kernel" "$new"
	tool_unpack "$new"
	settle "$new/root" "$path"
	rm -rf "$new"
	drop_older "$path" "$CACHE/headers/$kernel"
}

tool_headers() {
	[ -e "$(tool_headers_path "$1")" ] || locked "headers-$1" tool_headers_setup "$1"
}

# tool_make KERNEL DIR: DIR/tree/flowtun/flowtun
tool_make() {
	rootfs_run "$1" "tree=$2/tree headers=$(tool_headers_path "$1")" make -C /lab/tree/flowtun -j"$(nproc)" \
		CPPFLAGS="-I../include/uapi -I/lab/headers/usr/include" LDLIBS="-l:libmnl.so.0 -l:libnftnl.so.11" flowtun
}
