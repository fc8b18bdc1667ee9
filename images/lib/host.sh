# What the build needs from the host, and what the host's own configuration says about archives and registries.

require_host() {
  local missing=()
  [ "$(id -u)" = 0 ] || { echo "images/build: root is needed: run sudo $RECIPES/build ${NAMES[*]}" >&2; exit 1; }
  command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
  command -v mkfs.erofs >/dev/null || missing+=(erofs-utils)
  command -v curl >/dev/null || missing+=(curl)
  command -v mount >/dev/null || missing+=(mount)
  [ -e "$KEYRING" ] || missing+=(debian-archive-keyring)
  [ ${#missing[@]} = 0 ] || {
    echo "images/build: missing on this host: ${missing[*]}; install by: apt-get install ${missing[*]}" >&2
    exit 1
  }
}

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# How a new mount namespace can be cut off from the host's: in a chroot, whose root is no mount, it cannot.
propagation() {
  if unshare --mount --propagation private true 2>/dev/null; then echo private; else echo unchanged; fi
}

architecture() {
  case $(uname -m) in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
    *) fail "no image can be built for $(uname -m)" "the default images exist for x86_64 and aarch64" ;;
  esac
}

# The archive that this host's apt uses for a Debian release, by suite pattern; nothing where it has none.
host_archive() {
  apt-get --print-uris update 2>/dev/null |
    sed -nE "s,^'(https?://[^']+)/dists/($1)/InRelease'.*,\1,p" | head -n 1 || true
}

# Sets MIRROR and SECURITY, and checks that the archive answers before minutes are spent.
find_mirror() {
  local codenames='bullseye|bookworm|trixie|forky|duke|oldstable|stable|testing|sid|unstable'
  MIRROR=${MSB_DEBIAN_MIRROR:-$(host_archive "$codenames")}
  MIRROR=${MIRROR:-http://deb.debian.org/debian}
  MIRROR=${MIRROR%/}
  SECURITY=
  [ -n "${MSB_DEBIAN_MIRROR:-}" ] || SECURITY=$(host_archive "($codenames)-security")
  SECURITY=${SECURITY:-${MIRROR%/debian}/debian-security}
  say "Debian $DEBIAN_SUITE from $(without_credentials "$MIRROR")"
  answers "$MIRROR/dists/$DEBIAN_SUITE/InRelease" ||
    fail "the Debian archive $(without_credentials "$MIRROR") does not answer, or has no $DEBIAN_SUITE" \
      "check the network, or name another archive: MSB_DEBIAN_MIRROR=http://deb.debian.org/debian"
  # A mirror need not carry the security archive beside the main one.
  if ! answers "$SECURITY/dists/$DEBIAN_SUITE-security/InRelease"; then
    SECURITY=http://deb.debian.org/debian-security
    answers "$SECURITY/dists/$DEBIAN_SUITE-security/InRelease" || SECURITY=
    [ -n "$SECURITY" ] || say "warning: no security archive answers; building without security updates"
  fi
}

# Asked through apt, whose proxies, certificates and credentials then apply.
answers() {
  /usr/lib/apt/apt-helper -o Acquire::Retries=1 -o Acquire::http::Timeout=15 -o Acquire::https::Timeout=15 \
    -o APT::Sandbox::User=root download-file "$1" "$WORK/answer" >>"$LOG" 2>&1
}

without_credentials() { sed -E 's,^([a-z]+://)[^/@]*@,\1,' <<<"$1"; }

# How this host's apt reaches archives, as lines of apt's configuration. For the build alone, never kept in an image.
host_apt_configuration() {
  apt-config dump 2>/dev/null | grep -E '^Acquire::(https?(::[^ ]*)?|Check-Valid-Until|Check-Date|Retries) "..*";$' || true
  echo 'Dir::Etc::netrc "/etc/apt/auth.conf";'
  echo 'Dir::Etc::netrcparts "/etc/apt/auth.conf.d/";'
}

# fetch_npm_package NAME VERSION INTEGRITY: downloads into the cache, verifies, prints the path of the tarball.
fetch_npm_package() {
  local file=$STATE/downloads/$1-$2.tgz part=$WORK/$1-$2.tgz
  if ! has_integrity "$file" "$3"; then
    download_npm_package "$1" "$2" "$part"
    has_integrity "$part" "$3" ||
      fail "$1 $2 from the npm registry is not what versions.lock pins" "the registry sent something else: try another by MSB_NPM_REGISTRY=URL"
    mkdir -p "$STATE/downloads"
    mv "$part" "$file"
  fi
  echo "$file"
}

# Where the host has npm it knows the registry and how to be let in; else the same settings are read here.
download_npm_package() {
  local registry=${MSB_NPM_REGISTRY:-}
  if command -v npm >/dev/null; then
    step "downloading $1 $2" npm pack --silent --pack-destination "$WORK" ${registry:+--registry "$registry"} "$1@$2"
  else
    registry=${registry:-${NPM_CONFIG_REGISTRY:-${npm_config_registry:-$(npmrc_registry)}}}
    registry=${registry:-https://registry.npmjs.org}
    step "downloading $1 $2" curl --fail --silent --show-error --location --retry 3 --connect-timeout 15 \
      --speed-limit 1000 --speed-time 60 --output "$3" "${registry%/}/$1/-/$1-$2.tgz"
  fi
}

npmrc_registry() {
  sed -nE 's/^registry *= *"?([^" ]+)"?.*/\1/p' ~/.npmrc /usr/etc/npmrc /etc/npmrc 2>/dev/null | head -n 1 || true
}

# has_integrity FILE sha512-BASE64
has_integrity() {
  [ -f "$1" ] || return 1
  local hex
  hex=$(sha512sum <"$1" | cut -d ' ' -f 1)
  [ "sha512-$(printf "$(sed 's/../\\x&/g' <<<"$hex")" | base64 -w 0)" = "$2" ]
}
