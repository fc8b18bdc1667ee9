# An image opened for checks (its own files below, a throw-away layer above), and the counting of claims.

HELD=0 BROKEN=0 LEFT_OUT=()
SCRATCH=$(mktemp -d)
trap 'close_image; rm -rf --one-file-system "$SCRATCH"' EXIT

open_image() {
  NAME=$1 FOLDER=$2 ROOT=$SCRATCH/root
  mount -t tmpfs tmpfs "$SCRATCH"
  mkdir "$SCRATCH"/{image,upper,work,root}
  mount -t erofs -o ro,loop "$FOLDER/rootfs.erofs" "$SCRATCH/image"
  mount -t overlay -o "lowerdir=$SCRATCH/image,upperdir=$SCRATCH/upper,workdir=$SCRATCH/work" overlay "$ROOT"
  mount -t proc proc "$ROOT/proc"
  mount --rbind /dev "$ROOT/dev"
  cat /etc/resolv.conf >"$ROOT/etc/resolv.conf"
  cat /etc/ssl/certs/ca-certificates.crt >"$ROOT/etc/ssl/certs/ca-certificates.crt"
  mapfile -t ENVIRONMENT < <(sed -n '/"Env"/,/]/s/^ *"\([A-Z_]*=[^"]*\)".*/\1/p' "$FOLDER/config.json")
  ENVIRONMENT+=(NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt) # as the agent does for the host's authorities
}

close_image() {
  local point
  while IFS= read -r point; do umount --lazy "$point" 2>/dev/null || true; done < <(
    cut -d ' ' -f 5 /proc/self/mountinfo | grep "^$SCRATCH" | sort -r)
}

# check CLAIM COMMAND...
check() {
  local claim=$1 answer
  shift
  if answer=$("$@" 2>&1); then
    HELD=$((HELD + 1))
  else
    BROKEN=$((BROKEN + 1))
    printf 'FAILED  %s: %s\n%s\n' "$NAME" "$claim" "$(tail -n 10 <<<"$answer" | sed 's/^/        | /')"
  fi
}

# For what needs an archive or a registry, and none answers.
left_out() { LEFT_OUT+=("$NAME: $1: needs the public internet or a mirror: $2"); }

# inside USER COMMAND...: as the image's configuration has it, and with no more rights than a sandbox gives.
inside() {
  local user=$1 capabilities=-all
  shift
  [ "$user" != root ] || capabilities=-all,+chown,+dac_override,+fowner,+fsetid,+setuid,+setgid,+kill
  chroot "$ROOT" env -i "${ENVIRONMENT[@]}" HOME="$(home_of "$user")" /usr/bin/setpriv --reuid "$user" --regid "$user" \
    --init-groups --no-new-privs --inh-caps "$capabilities" --bounding-set "$capabilities" \
    /bin/sh -c 'cd "$HOME" && exec "$@"' sh "$@" </dev/null
}

home_of() { awk -F : -v user="$1" '$1 == user { print $6 }' "$ROOT/etc/passwd"; }

prints() { # prints PATTERN COMMAND...: the command succeeds and its output matches
  local pattern=$1 output
  shift
  output=$("$@" 2>&1) || { echo "$output"; return 1; }
  [[ $output =~ $pattern ]] || { echo "printed: $output"; return 1; }
}

answers() { curl --silent --head --fail --location --max-time 15 --output /dev/null "$1"; }

summary() {
  local line
  for line in "${LEFT_OUT[@]}"; do echo "SKIPPED: $line"; done
  echo "$HELD passed, $BROKEN failed"
  [ $BROKEN = 0 ]
}
