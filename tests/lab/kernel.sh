# SPDX-License-Identifier: GPL-2.0
# The kernels the lab knows, and where this machine gets Debian packages from.
# shellcheck shell=bash

# name  suites, the one that has the kernel last
kernel_table() {
	cat <<-'EOT'
		6.1   bookworm bookworm-security
		6.12  trixie
		7.3   trixie trixie-backports
	EOT
}

kernel_names() { kernel_table | awk '{ printf "%s%s", sep, $1; sep = " " }'; }

kernel_suites() { kernel_table | awk -v k="$1" '$1 == k { $1 = ""; print substr($0, 2) }'; }

kernel_check() {
	[ -n "$(kernel_suites "$1")" ] || die "unknown kernel '$1'; known: $(kernel_names)"
}

# A backport has to be asked for by its suite; elsewhere the newest one is meant.
kernel_package_suffix() {
	local suite
	suite=$(kernel_suites "$1")
	suite=${suite##* }
	case $suite in
	*-backports) echo "/$suite" ;;
	esac
}

# "URI SUITE" of every Debian binary source of this machine, both formats.
apt_sources() {
	local dir=/etc/apt file
	cat "$dir"/sources.list "$dir"/sources.list.d/*.list 2>/dev/null |
		sed -E 's/#.*//; s/\[[^]]*\]//' |
		awk '$1 == "deb" && / main( |$)/ { print $2, $3 }'
	for file in "$dir"/sources.list.d/*.sources; do
		[ ! -e "$file" ] || apt_sources_deb822 <"$file"
	done
}

apt_sources_deb822() {
	awk '
		function flush(  u, s, nu, ns, uri, suite) {
			nu = split(f["uris"], uri, " ")
			ns = split(f["suites"], suite, " ")
			if (f["types"] ~ /(^| )deb( |$)/ && f["components"] ~ /(^| )main( |$)/ && f["enabled"] !~ /no/)
				for (u = 1; u <= nu; u++)
					for (s = 1; s <= ns; s++)
						print uri[u], suite[s]
			delete f
		}
		/^#/ { next }
		/^[ \t]*$/ { flush(); next }
		/^[^ \t]/ { key = tolower($0); sub(/:.*/, "", key); sub(/^[^:]*:/, "") }
		{ f[key] = f[key] " " $0 }
		END { flush() }'
}

debian_mirror() {
	local uri
	uri=${FTUN_LAB_MIRROR:-$(apt_sources | awk '$2 !~ /security/ && $1 ~ /\/debian\/?$/ { print $1; exit }')}
	[ -n "$uri" ] || die "no Debian mirror in this machine's apt sources; set FTUN_LAB_MIRROR=URL"
	echo "$uri"
}

# Empty where the machine has none.
security_mirror() {
	echo "${FTUN_LAB_SECURITY_MIRROR:-$(apt_sources | awk '$2 ~ /-security$/ { print $1; exit }')}"
}

# The sources.list lines for a kernel's rootfs.
kernel_sources() {
	local suite uri
	for suite in $(kernel_suites "$1"); do
		case $suite in
		*-security) uri=$(security_mirror) ;;
		*) uri=$(debian_mirror) ;;
		esac
		if [ -n "$uri" ]; then
			echo "deb $uri $suite main"
		else
			say "note: this machine has no apt source for security updates; $suite left out"
		fi
	done
}

# Proxies and date checks of this machine hold for the rootfs too. A program that finds the
# proxy is not there: it is asked here, once for each mirror.
kernel_apt_options() {
	apt-config dump | grep -E '^Acquire::(http|https|ftp|Retries|Check-)[^ ]* "[^"]' |
		grep -viE '^Acquire::[a-z]+::Proxy-?Auto-?Detect ' || true
	apt_proxy_found "$(debian_mirror)"
	apt_proxy_found "$(security_mirror)"
}

# apt_proxy_found URI: the option that says what this machine's program finds for it.
apt_proxy_found() {
	local scheme=${1%%:*} host=${1#*://} program='' older='' proxy=''
	host=${host%%[:/]*}
	eval "$(apt-config shell program "Acquire::$scheme::Proxy-Auto-Detect" older "Acquire::$scheme::ProxyAutoDetect")"
	program=${program:-$older}
	[ -n "$1" ] && [ -x "$program" ] || return 0
	proxy=$("$program" "$1" | head -n 1) || proxy=''
	[ -z "$proxy" ] || echo "Acquire::$scheme::Proxy::$host \"$proxy\";"
}
