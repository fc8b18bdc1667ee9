# What images/build promises beside the images.

NAME=build
STORE=$SCRATCH/store

silent_archive() { # no image, a remedy, and what an earlier killed build left is gone
  mkdir -p "$STORE/.build/work.killed" "$STORE/python/.new.killed"
  ! MSB_BUILD_NAMESPACE= MSB_DEBIAN_MIRROR=http://127.0.0.1:1/debian "$HERE/build" python --out "$STORE" >"$STORE/said" 2>&1 || return 1
  cat "$STORE/said"
  grep -q 'failed: the Debian archive http://127.0.0.1:1/debian does not answer' "$STORE/said" &&
    grep -q 'name another archive: MSB_DEBIAN_MIRROR=' "$STORE/said" &&
    [ ! -e "$STORE/python/current" ] && [ -z "$(find "$STORE" -name '*.killed')" ] && [ -z "$(find "$STORE" -name 'work.*')" ]
}

second_waits() {
  mkdir -p "$STORE/.build"
  flock "$STORE/.build/lock" sleep 1 &
  sleep 0.2
  MSB_BUILD_NAMESPACE= MSB_DEBIAN_MIRROR=http://127.0.0.1:1/debian "$HERE/build" python --out "$STORE" >"$STORE/said" 2>&1 || true
  wait
  grep -q 'another build is running' "$STORE/said"
}

wrong_integrity() {
  source "$HERE/lib/host.sh"
  printf abc >"$STORE/file"
  has_integrity "$STORE/file" "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==" &&
    ! has_integrity "$STORE/file" "sha512-AAAAoZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==" &&
    ! has_integrity "$STORE/absent" "sha512-AAAA"
}

credentials_dropped() {
  source "$HERE/lib/host.sh"
  [ "$(without_credentials https://user:secret@mirror.example/debian)" = https://mirror.example/debian ] &&
    [ "$(without_credentials http://mirror.example/a@b)" = http://mirror.example/a@b ]
}

refuses() { # as wrong usage, by exit code
  local status=0
  "$HERE/build" "$@" || status=$?
  [ $status = 2 ]
}

mkdir -p "$STORE"
check "no image named is wrong usage" refuses
check "so is an unknown one" refuses ruby
check "an archive that does not answer is told with its remedy, and leaves nothing" silent_archive
check "a second build waits for the first" second_waits
check "a download that is not what was pinned is refused" wrong_integrity
check "a mirror's credentials do not get into an image" credentials_dropped
