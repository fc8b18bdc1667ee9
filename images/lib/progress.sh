# Progress, failures with their remedy, and the folder a build works in.

say() { printf '[%4ds] %s\n' "$SECONDS" "$1" >&2; }

fail() {
  say "failed: $1"
  [ -z "${2:-}" ] || echo "        $2" >&2
  exit 1
}

# step TEXT COMMAND...: runs a command with its output in the log; a failure shows the log's end and what may help.
step() {
  local text=$1 began=$SECONDS status
  shift
  say "$text"
  echo "=== $text" >>"$LOG"
  set +e
  run "$@"
  status=$?
  set -e
  if [ $status != 0 ]; then
    sed -n '/^=== /h; //!H; ${g;p}' "$LOG" | tail -n 15 | sed 's/^/        | /' >&2
    fail "$text" "$(remedy)"
  fi
  [ $((SECONDS - began)) -lt 2 ] || say "  done in $((SECONDS - began)) s"
}

# In a process group of its own and waited for, so that a signal to the build ends at once what it runs. Never called
# within a condition: bash would forget `set -e` for all that runs below it.
run() {
  set -m
  ( set -e; "$@" ) >>"$LOG" 2>&1 </dev/null &
  CHILD=$!
  set +m
  wait "$CHILD"
}

interrupted() {
  trap '' INT TERM HUP
  say "interrupted"
  [ -z "${CHILD:-}" ] || kill -TERM -- "-$CHILD" 2>/dev/null && wait "$CHILD" || true
  exit 130
}

# What the end of the log suggests to do.
remedy() {
  case $(tail -n 40 "$LOG") in
    *"No space left"*) echo "the disk is full: free 2 GB under $OUT and run this again" ;;
    *"Could not resolve"* | *"Temporary failure resolving"* | *"Could not connect"* | *"Connection timed out"* | *"Failed to fetch"*)
      echo "the Debian archive $MIRROR does not answer: check the network, or name another by MSB_DEBIAN_MIRROR=URL" ;;
    *"NO_PUBKEY"* | *"not signed"* | *"no valid OpenPGP"*)
      echo "the archive's signature is unknown here: install a newer debian-archive-keyring" ;;
    *"ertificate verification failed"* | *"certificate verify failed"* | *"SSL certificate problem"*)
      echo "a TLS certificate was not accepted: install your network's authority with update-ca-certificates" ;;
    *) echo "the whole log is in $LOG" ;;
  esac
}

# One build at a time in a store. What a killed build left is removed by the next one: nothing but the lock's holder
# writes below .build, and programs started by a killed build keep the lock until they are gone.
begin_work() {
  STATE=$OUT/.build
  LOG=$STATE/build.log
  mkdir -p -m 700 "$STATE"
  exec 9>"$STATE/lock"
  if ! flock --nonblock 9; then
    say "another build is running in $OUT: waiting for it"
    flock 9
  fi
  rm -rf --one-file-system "$STATE"/work.* "$OUT"/*/.new.*
  : >"$LOG"
  WORK=$(mktemp -d "$STATE/work.XXXXXX")
  trap 'umount_below "$WORK"; rm -rf --one-file-system "$WORK"' EXIT
  trap interrupted INT TERM HUP
}
