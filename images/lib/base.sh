# The base that both images start from: Debian's required packages and the usual tools, kept as a tar file.

ensure_base() {
  local hash
  hash=$(recipe_hash base)
  BASE=$STATE/base-$hash.tar
  # Forced: today's packages are wanted, in the base first of all, but only once for both images.
  if [ -f "$BASE" ] && { [ $FORCE = no ] || [ -n "${BASE_FRESH:-}" ]; }; then
    say "base: from the cache"
    return
  fi
  find_mirror
  step "base: installing Debian $DEBIAN_SUITE with $(packages base | wc -w) tools and what they need" make_base
  step "base: packing" tar --create --numeric-owner --one-file-system --file "$WORK/base.tar" -C "$WORK/base" .
  rm -rf --one-file-system "$WORK/base"
  sync -d "$WORK/base.tar"
  rm -f "$STATE"/base-*.tar
  mv "$WORK/base.tar" "$BASE"
  BASE_FRESH=yes
}

make_base() {
  local options=() line
  while IFS= read -r line; do options+=("--aptopt=$line"); done < <(host_apt_configuration)
  while IFS= read -r line; do options+=("--dpkgopt=$line"); done < <(grep -v '^#' "$RECIPES/base/dpkg.conf")
  sources "$MIRROR" "$SECURITY" >"$WORK/sources"
  mmdebstrap --mode=root --variant=minbase --format=directory --architectures="$(architecture)" \
    --include="$(packages base ,)" "${options[@]}" "$DEBIAN_SUITE" "$WORK/base" - <"$WORK/sources"
  in_tree "$WORK/base" "$RECIPES/base/setup"
  # What the image's own apt and dpkg go by replaces what the build gave them.
  rm -f "$WORK/base"/etc/apt/apt.conf.d/99mmdebstrap "$WORK/base"/etc/dpkg/dpkg.cfg.d/99mmdebstrap
  install -m 755 "$RECIPES/base/policy-rc.d" "$WORK/base/usr/sbin/policy-rc.d"
  install -m 644 "$RECIPES/base/apt.conf" "$WORK/base/etc/apt/apt.conf.d/90microsandbox"
  install -m 644 "$RECIPES/base/dpkg.conf" "$WORK/base/etc/dpkg/dpkg.cfg.d/90microsandbox"
  install -m 644 "$RECIPES/base/profile.sh" "$WORK/base/etc/profile.d/microsandbox.sh"
  rm -f "$WORK/base/etc/apt/sources.list" "$WORK/base"/etc/apt/sources.list.d/*
  sources "$(without_credentials "$MIRROR")" "$(without_credentials "$SECURITY")" \
    >"$WORK/base/etc/apt/sources.list.d/debian.sources"
}

# sources MAIN SECURITY: the archives, in the form of a .sources file.
sources() {
  printf 'Types: deb\nURIs: %s\nSuites: %s %s-updates\nComponents: main\nSigned-By: %s\n' \
    "$1" "$DEBIAN_SUITE" "$DEBIAN_SUITE" "$KEYRING"
  [ -z "$2" ] || printf '\nTypes: deb\nURIs: %s\nSuites: %s-security\nComponents: main\nSigned-By: %s\n' \
    "$2" "$DEBIAN_SUITE" "$KEYRING"
}
