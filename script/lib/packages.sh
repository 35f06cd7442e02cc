# Sourced by the scripts: which Debian packages each purpose needs, and how the missing ones are
# installed. Plain sh.

# The packages of one purpose, one a line.
packages_of() {
	case $1 in
	build)
		cat <<-LIST
			gcc
			libc6-dev
			libidn2-dev
			libjansson-dev
			libseccomp-dev
			libsqlite3-dev
			libssl-dev
			libunbound-dev
			libzstd-dev
			linux-libc-dev
			meson
			ninja-build
			pkg-config
			zlib1g-dev
		LIST
		;;
	test)
		cat <<-LIST
			bash
			chromium
			clang
			clang-format
			curl
			git
			gnutls-bin
			goaccess
			groff-base
			iproute2
			knot
			libcmocka-dev
			libnet-ssleay-perl
			nghttp2-client
			nginx-light
			nodejs
			openssl
			procps
			python3
			python3-cryptography
			python3-dnspython
			python3-pytest
			python3-pytest-xdist
			sqlite3
			squid
			swaks
			systemd
			util-linux
			zstd
		LIST
		;;
	demo)
		cat <<-LIST
			curl
			openssl
			python3
		LIST
		;;
	package)
		cat <<-LIST
			build-essential
			debhelper
			dpkg-dev
			git
			lintian
			mmdebstrap
		LIST
		;;
	lint)
		cat <<-LIST
			clang-format
			python3
		LIST
		;;
	fuzz)
		cat <<-LIST
			clang
			$(apt-cache depends clang | sed -n 's/.*Depends: clang-\([0-9]*\)$/libclang-rt-\1-dev/p')
		LIST
		;;
	bench)
		cat <<-LIST
			apache2-utils
			dnsdist
			dnsmasq-base
			dnsperf
			h2o
			haproxy
			knot
			libnginx-mod-mail
			nghttp2-client
			nginx-light
			nmap
			openssl
			python3
			python3-cryptography
			sslscan
			stunnel4
			testssl.sh
			trafficserver
			unbound
			util-linux
			varnish
			wrk
		LIST
		;;
	peers)
		cat <<-LIST
			dash
			exim4-daemon-light
			libc6
			netbase
			opensmtpd
			postfix
		LIST
		;;
	*)
		echo "packages_of: no such purpose: $1" >&2
		return 1
		;;
	esac
}

# The names among those on standard input that are not installed.
packages_missing() {
	while read -r package; do
		case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
		installed) ;;
		*) echo "$package" ;;
		esac
	done
}

# The same script is read by sh -eu as root; $@: the packages. Some of them are servers (the tests
# and measurements start their own copies): policy-rc.d keeps Debian from starting them now,
# and they are not to start with the machine either.
packages_install_as_root='
	export DEBIAN_FRONTEND=noninteractive
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		trap "rm -f $policy" EXIT
		trap "exit 1" HUP INT TERM
		printf "#!/bin/sh\nexit 101\n" >$policy
		chmod 755 $policy
	fi
	apt-get -q -o DPkg::Lock::Timeout=300 update
	apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
	for package; do
		case $package in
		nginx-light) unit=nginx ;;
		dnsdist | h2o | haproxy | knot | squid | stunnel4 | trafficserver | unbound | varnish) unit=$package ;;
		*) continue ;;
		esac
		if [ -d /run/systemd/system ]; then
			systemctl --quiet disable "$unit" || :
		fi
	done
'

# need_packages PURPOSE…: installs what is missing; runs nothing but dpkg-query if nothing is.
need_packages() {
	if ! command -v dpkg-query >/dev/null; then
		echo "This is not a Debian system: the packages cannot be looked up or installed." >&2
		echo "The scripts are made for Debian 12 and 13; elsewhere build with meson as usual." >&2
		return 1
	fi
	packages_wanted=$(for purpose; do packages_of "$purpose" || exit 1; done) || return 1
	packages_lacking=$(echo "$packages_wanted" | sort -u | packages_missing | tr '\n' ' ')
	[ -n "$packages_lacking" ] || return 0

	if [ "$(id -u)" -eq 0 ]; then
		packages_root=
	elif command -v sudo >/dev/null; then
		packages_root=sudo
	else
		echo "Packages are missing, and only root can install them. Run this as root (or install sudo):" >&2
		echo "  apt-get update && apt-get install --no-install-recommends $packages_lacking" >&2
		return 1
	fi
	echo "Installing: $packages_lacking"
	# The lists are words without blanks or patterns: splitting is what is wanted.
	# shellcheck disable=SC2086
	if ! $packages_root sh -euc "$packages_install_as_root" sh $packages_lacking </dev/null; then
		echo "Installing failed; see above. By hand, as root:" >&2
		echo "  apt-get update && apt-get install --no-install-recommends $packages_lacking" >&2
		return 1
	fi
}

# need_peers: mail servers exclude each other as packages, and none of them shall take the place of the
# machine's own. So they are not installed: they and their libraries are unpacked into build-peers/debian,
# a small root folder in which test/flow/mta.py runs them. Which libraries they need, and what these are
# called, differs between releases: apt knows. Without the network what is there is used.
need_peers() {
	peers=build-peers/debian
	# Words without blanks or patterns: splitting is what is wanted. Scripts of the packages do not run.
	# shellcheck disable=SC2046
	peers_libraries=$(apt-cache depends --recurse --important $(packages_of peers) |
		grep -E '^(lib[a-z0-9.+-]+|zlib1g)$' | grep -Ev -- '-perl$|^libperl|^libpython|debian-installer|systemd' | sort -u)
	peers_wanted=$(printf '%s\n' "$(packages_of peers)" "$peers_libraries" | sort -u)
	if [ "$(cat "$peers/.packages" 2>/dev/null)" = "$peers_wanted" ]; then
		return 0
	fi
	echo "Unpacking mail servers into $peers"
	rm -rf build-peers
	mkdir -p build-peers/packages || return 1
	# shellcheck disable=SC2086
	if ! (cd build-peers/packages && apt-get -q -o APT::Sandbox::User=root download $peers_wanted) >build-peers/log 2>&1; then
		cat build-peers/log >&2
		echo "The packages could not be downloaded; as root: apt-get update" >&2
		return 1
	fi
	for package in build-peers/packages/*.deb; do
		dpkg-deb --extract "$package" "$peers" || return 1
	done
	rm -rf build-peers/packages "$peers/usr/share"
	find "$peers" -type f -perm /6000 -exec chmod ug-s {} + || return 1
	echo "$peers_wanted" >"$peers/.packages"
}
