# Building one image and putting it into the store.

build_image() {
  local name=$1 root=$WORK/$1
  require_space
  ensure_base
  [ -n "${MIRROR:-}" ] || find_mirror
  mkdir "$root"
  step "$name: unpacking the base" tar --extract --numeric-owner --same-permissions --file "$BASE" -C "$root"
  step "$name: installing $(packages "$name")" install_packages "$root" $(packages "$name")
  [ "$name" != node ] || unpack_node "$root"
  step "$name: setting up" in_tree "$root" "$RECIPES/$name/setup"
  step "$name: settling" settle_tree "$root"
  if [ -e "$RECIPES/$name/compile" ]; then
    step "$name: compiling" in_tree "$root" "$RECIPES/$name/compile"
    step "$name: settling again" settle_tree "$root"
  fi
  step "$name: writing the image" write_image "$name" "$root"
  publish "$name"
  rm -rf --one-file-system "$root"
}

require_space() {
  local free
  free=$(df --output=avail -B 1M "$OUT" | tail -n 1)
  [ "$free" -ge 2000 ] || fail "only $free MB are free under $OUT" "a build needs 2000 MB: free some, or use --out DIR elsewhere"
}

unpack_node() {
  local architecture=x64 integrity=$NODE_INTEGRITY_X64 node npm
  [ "$(architecture)" = amd64 ] || architecture=arm64 integrity=$NODE_INTEGRITY_ARM64
  node=$(fetch_npm_package "node-linux-$architecture" "$NODE_VERSION" "$integrity")
  npm=$(fetch_npm_package npm "$NPM_VERSION" "$NPM_INTEGRITY")
  mkdir -p "$1/usr/local/lib/node_modules/npm"
  step "node: unpacking node $NODE_VERSION" tar --extract --no-same-owner --file "$node" -C "$1/usr/local" --strip-components=1 \
    package/bin package/LICENSE
  step "node: unpacking npm $NPM_VERSION" tar --extract --no-same-owner --file "$npm" -C "$1/usr/local/lib/node_modules/npm" \
    --strip-components=1 --exclude=package/man --exclude=package/docs
  mkdir -p "$1/usr/local/share/doc/node"
  mv "$1/usr/local/LICENSE" "$1/usr/local/share/doc/node/copyright"
}

# write_image NAME ROOT: into $WORK/new. Not compressed: on a fresh mount lz4 made a Python start 4 ms slower (16 to 21)
# and a Node start 25 ms (41 to 66), for files of 140 and 187 MB instead of 232 and 318.
# Extended inodes keep each file's own time, which Python's compiled files refer to; -T would set them all alike.
write_image() {
  local new=$WORK/new recipe epoch
  recipe=$(image_recipe "$1")
  epoch=$(cat "$WORK/epoch")
  rm -rf "$new"
  mkdir -m 755 "$new"
  SOURCE_DATE_EPOCH=$epoch mkfs.erofs -x-1 --preserve-mtime -E force-inode-extended -U "$(uuid_of "$recipe")" "$new/rootfs.erofs" "$2"
  chmod 644 "$new/rootfs.erofs"
  manifest "$1" "$2" >"$new/manifest.txt"
  DIGEST=$(sha256sum <"$new/rootfs.erofs" | cut -d ' ' -f 1)
  configuration "$1" "$recipe" "$DIGEST" >"$new/config.json"
  sync -d "$new"/*
  echo "$DIGEST" >"$WORK/digest"
}

# A filesystem's identifier that stays the same for the same recipe.
uuid_of() { sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/\1-\2-4\3-8\4-\5/' <<<"$1"; }

manifest() {
  echo "image: microsandbox/$1"
  echo "recipe: $(image_recipe "$1")"
  echo "built: $(date --utc +%Y-%m-%dT%H:%M:%SZ)"
  echo "archive: $(without_credentials "$MIRROR")"
  [ "$1" != node ] || printf 'node: %s\nnpm: %s\n' "$NODE_VERSION" "$NPM_VERSION"
  echo
  dpkg-query --admindir="$2/var/lib/dpkg" --show --showformat='${Package} ${Version} ${Architecture}\n'
}

configuration() {
  sed -e "s/@ARCHITECTURE@/$(architecture)/; s/@RECIPE@/$2/; s/@DIGEST@/$3/; s/@CREATED@/$(date --utc +%Y-%m-%dT%H:%M:%SZ)/" \
    -e "s/@NODE_VERSION@/$NODE_VERSION/; s/@SUITE@/$DEBIAN_SUITE/" "$RECIPES/$1/config.json"
}

# The folder appears under its digest whole, and only then becomes the current one.
publish() {
  local digest new target
  digest=$(cat "$WORK/digest")
  target=$OUT/$1/$digest
  mkdir -p "$OUT/$1"
  if [ -d "$target" ]; then
    # The same bytes once more: only what describes them is new.
    mv "$WORK/new/config.json" "$WORK/new/manifest.txt" "$target/"
  else
    new=$OUT/$1/.new.$digest
    mv "$WORK/new" "$new"
    sync "$new"
    mv --no-target-directory "$new" "$target"
  fi
  ln -s "$digest" "$OUT/$1/.new.current"
  mv --no-target-directory "$OUT/$1/.new.current" "$OUT/$1/current"
  sync "$OUT/$1"
  say "$1: $(du --apparent-size -m "$target/rootfs.erofs" | cut -f 1) MB, sha256:$digest"
}
