#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# newer-samba.sh DIR [MIRROR] - a root directory with the Samba of a newer Debian, for LAB_CHROOT of the lab.
# Writes only below DIR (350 MB); rm -rf DIR takes it away. Needs root, debootstrap, and a mirror of Debian: without MIRROR
# it is the one that this system's apt uses.
set -euo pipefail
SUITE=trixie # Debian 13, Samba 4.22
# samba-ad-provision holds the schemas, samba-vfs-modules what the share sysvol loads; the last line is what tests call.
PACKAGES=(samba samba-ad-dc samba-ad-provision samba-dsdb-modules samba-vfs-modules winbind python3-samba
	smbclient ldb-tools krb5-user)

die() {
	echo "newer-samba: $*" >&2
	exit 1
}
mirror() { # of the Debian archive itself: not of its security updates, nor of somebody else's packages
	# shellcheck disable=SC2016 # apt replaces them
	apt-get indextargets --format '$(ORIGIN) $(LABEL) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
		awk '$1 == "Debian" && $2 == "Debian" && $3 == "main" && !seen++ { print $4 }'
}

root=${1:-}
[[ $root = /?* ]] || die "say where: $0 /DIRECTORY [MIRROR]"
[ "$(id -u)" = 0 ] || die "this needs root"
command -v debootstrap >/dev/null || die "debootstrap is not installed (apt-get install debootstrap)"
if [ -e "$root/made-of" ]; then
	echo "$root is there: $(cat "$root/made-of")"
	exit 0
fi
[ -z "$(ls -A "$root" 2>/dev/null)" ] || die "$root holds something, but not a root that was made to its end; delete it first"
from=${2:-$(mirror)}
[ -n "$from" ] || die "this system's apt knows no mirror of Debian (apt-get update first, or say the mirror as second word)"

# The proxies that apt has been told of are for debootstrap and for the apt inside, too.
eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
export http_proxy https_proxy LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
mkdir -p "$root"
trap '[ -e "$root/made-of" ] || rm -rf "$root"' EXIT
# In a mount namespace, so that whatever it mounts is gone with it.
unshare -m --propagation private debootstrap --force-check-gpg --variant=minbase --include=ca-certificates "$SUITE" "$root" "$from"
# Debian's policy for maintainer scripts: start no daemon.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
# Not by debootstrap --include: it does not choose among alternative dependencies as apt does, and Samba's Python
# then lacks modules.
# shellcheck disable=SC2016 # the inner shell expands it
inside() { unshare -m --propagation private bash -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$root" "$@"; }
inside apt-get -q update
inside apt-get -qy install --no-install-recommends "${PACKAGES[@]}"
inside apt-get clean
rm -rf "$root"/var/lib/apt/lists/*
version=$(inside samba --version)
version=${version#Version }
echo "Debian $SUITE, Samba ${version%%-*}" >"$root/made-of"
echo "$root is made: $(cat "$root/made-of")"
