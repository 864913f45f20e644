# SPDX-License-Identifier: GPL-2.0
# bash completion for flowtun
# shellcheck shell=bash

_flowtun_filter="proto src dst sport dport zone state reason tunnel device encap outer-src outer-dst key udp-encap
	outer-sport outer-dport"

_flowtun_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}")
}

_flowtun_devices() {
	_flowtun_words "$(awk -F: 'NR > 2 { print $1 }' /proc/net/dev)"
}

_flowtun_counters() {
	_flowtun_words "$(awk '{ print $1 }' /proc/net/stat/nf_flowtable_tun 2>/dev/null) $1"
}

# After a word that wants a value; false if PREVIOUS is none.
_flowtun_value() {
	case $1 in
	armed | assured | plain) _flowtun_words "yes no" ;;
	select) _flowtun_words "all ct-mark mark ct-label" ;;
	protocols) _flowtun_words "tcp udp tcp,udp" ;;
	hook) _flowtun_words "after before" ;;
	flow-limit | tcp-timeout | udp-timeout) _flowtun_words "default" ;;
	proto) _flowtun_words "tcp udp" ;;
	state) _flowtun_words "learning armed stale refused" ;;
	encap) _flowtun_words "ip gre" ;;
	udp-encap) _flowtun_words "none fou gue" ;;
	reason) _flowtun_counters "" ;;
	tunnel | device | tunnels | devices | why) _flowtun_devices ;;
	-n | --netns) _flowtun_words "$(ls /run/netns 2>/dev/null)" ;;
	src | dst | sport | dport | outer-src | outer-dst | outer-sport | outer-dport | key | zone) COMPREPLY=() ;;
	learn-after | id | ct-mark | mark | ct-label | interval | count) COMPREPLY=() ;;
	*) return 1 ;;
	esac
}

_flowtun() {
	local previous=${COMP_WORDS[COMP_CWORD - 1]} command='' i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-n | --netns) i=$((i + 1)) ;;
		-*) ;;
		*)
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	_flowtun_value "$previous" && return
	case $command in
	'') _flowtun_words "show flows tunnels devices stats why monitor top get set flush delete conf check
		-j -p -s -n --help --version" ;;
	flows) _flowtun_words "$_flowtun_filter" ;;
	delete) _flowtun_words "id tcp udp $_flowtun_filter" ;;
	stats) _flowtun_counters "--all --explain --prometheus" ;;
	top) _flowtun_words "interval count" ;;
	get) _flowtun_words "armed select protocols learn-after assured plain flow-limit hook tcp-timeout udp-timeout --defaults" ;;
	set) case ${COMP_WORDS[COMP_CWORD - 2]} in
		tunnel | device) _flowtun_words "allow deny default" ;;
		*) _flowtun_words "armed select protocols learn-after assured plain flow-limit hook tcp-timeout udp-timeout tunnel
			device reset" ;;
		esac ;;
	conf) if [ "$previous" = load ]; then
		mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
	else
		_flowtun_words "show load"
	fi ;;
	esac
}

complete -F _flowtun flowtun
