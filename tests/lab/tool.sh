# SPDX-License-Identifier: GPL-2.0
# flowtun, built for a guest by its own compiler. The libraries are there already, since
# nft needs them; what is missing is their headers, which are kept apart from the
# rootfs so that it stays what it is.
# shellcheck shell=bash

TOOL_PACKAGES="libmnl-dev libnftnl-dev"

tool_headers_path() { echo "$CACHE/headers/$1-$({ rootfs_path "$1" && echo "$TOOL_PACKAGES" && declare -f rootfs_download tool_unpack; } | short_hash)"; }

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
	# shellcheck disable=SC2086 # a list of packages
	step "fetching $TOOL_PACKAGES for $kernel" rootfs_download "$kernel" "$new" $TOOL_PACKAGES
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
