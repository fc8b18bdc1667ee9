# Sourced by quickstart, test and msb: finds the tools, installs what is missing, builds what is out of date.
# Bash; expects $ROOT, the project's folder.

CACHE="$ROOT/.cache"
LOGS="$CACHE/logs"
NEEDED_JAVA=25
NEEDED_RUST=85 # 1.85, Debian 13's

say() { printf '%s\n' "$*" >&2; }
die() {
  printf '%s: %s\n' "$(basename "$0")" "$1" >&2
  [ -z "${2:-}" ] || printf '  %s\n' "$2" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@" || die "root is needed for: $*" "run this script as root, or allow sudo without a password"; fi
}

# step TITLE COMMAND…: runs it with its output in a log, shows that it is alive, and the log's end where it fails.
step() {
  local title=$1 log start
  shift
  mkdir -p "$LOGS"
  log="$LOGS/$(printf '%s' "$title" | tr -cs 'A-Za-z0-9' '-').log"
  start=$SECONDS
  printf '%s … ' "$title" >&2
  "$@" >"$log" 2>&1 </dev/null &
  local pid=$! shown=0
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    if [ $((SECONDS - start)) -ge $((shown + 10)) ]; then
      shown=$((SECONDS - start))
      printf '%ss … ' "$shown" >&2
    fi
  done
  if wait "$pid"; then
    say "done ($((SECONDS - start)) s)"
  else
    say "failed after $((SECONDS - start)) s; the end of $log:"
    tail -n 40 "$log" >&2
    return 1
  fi
}

# ---------------------------------------------------------------- tools

java_version_of() { "$1/bin/javac" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p'; }

# Prints the home of a JDK that is new enough: JAVA_HOME, the PATH's, or one in the usual places beside an older default.
find_jdk() {
  local home version
  for home in "${JAVA_HOME:-}" "$(dirname "$(dirname "$(readlink -f "$(command -v javac 2>/dev/null)" 2>/dev/null)")" 2>/dev/null)" \
    /usr/lib/jvm/* /opt/jdk* /opt/java/* "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/*; do
    [ -n "$home" ] && [ -x "$home/bin/javac" ] || continue
    version=$(java_version_of "$home")
    if [ "${version:-0}" -ge "$NEEDED_JAVA" ]; then
      printf '%s\n' "$home"
      return 0
    fi
  done
  return 1
}

# Prints the home of the Java that msb and the server run in: a runtime made by scripts/link-runtime, else the JDK.
find_runtime() {
  if [ -x "$CACHE/runtime/bin/java" ]; then printf '%s\n' "$CACHE/runtime"; else find_jdk; fi
}

rust_is_enough() {
  local minor
  minor=$(cargo --version 2>/dev/null | sed -n 's/^cargo 1\.\([0-9]*\).*/\1/p')
  [ "${minor:-0}" -ge "$NEEDED_RUST" ]
}

candidate() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: //p' | grep -v '(none)'; }

APT_UPDATED=
apt_install() {
  command -v apt-get >/dev/null || die "missing: $*" "install these with your distribution's package manager, then run this again"
  if [ -z "$APT_UPDATED" ]; then
    step "apt-get update" as_root apt-get update -q
    APT_UPDATED=1
  fi
  step "apt-get install $*" as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

# Installs what building and running needs and the machine lacks.
install_missing() {
  local missing=()
  PATH="$PATH:$HOME/.cargo/bin:/usr/local/sbin:/usr/sbin:/sbin"
  command -v mvn >/dev/null || missing+=(maven)
  command -v cc >/dev/null || missing+=(gcc)
  [ -e /usr/include/stdio.h ] || missing+=(libc6-dev)
  command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
  command -v mkfs.erofs >/dev/null || missing+=(erofs-utils)
  command -v mkfs.ext4 >/dev/null || missing+=(e2fsprogs)
  command -v git >/dev/null || missing+=(git)
  command -v curl >/dev/null || missing+=(curl)
  command -v python3 >/dev/null || missing+=(python3)
  python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
  command -v runc >/dev/null || command -v crun >/dev/null || missing+=(crun runc)
  [ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
  [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing+=(debian-archive-keyring)
  [ ${#missing[@]} = 0 ] || apt_install "${missing[@]}"

  if ! find_jdk >/dev/null; then
    [ -n "$APT_UPDATED" ] || { step "apt-get update" as_root apt-get update -q && APT_UPDATED=1; }
    [ -n "$(candidate openjdk-25-jdk-headless)" ] \
      || die "no JDK $NEEDED_JAVA was found, and apt has none" "install one (for example Temurin 25) into /usr/lib/jvm, or set JAVA_HOME, then run this again"
    apt_install openjdk-25-jdk-headless
  fi
  JAVA_HOME=$(find_jdk)
  export JAVA_HOME PATH

  if ! rust_is_enough; then
    [ -n "$APT_UPDATED" ] || { step "apt-get update" as_root apt-get update -q && APT_UPDATED=1; }
    case "$(candidate cargo)" in
      '' | 0.[0-7]* | 1.[0-9].* | 1.[0-7][0-9].* | 1.8[0-4]*) die "no Rust 1.$NEEDED_RUST or later was found, and apt has none" "install one from https://rustup.rs, then run this again" ;;
    esac
    apt_install cargo rustc
  fi
}

# What the tests need beside that.
install_missing_for_tests() {
  local missing=()
  command -v node >/dev/null || missing+=(nodejs)
  command -v npm >/dev/null || missing+=(npm)
  command -v clippy-driver >/dev/null || cargo clippy --version >/dev/null 2>&1 || missing+=(rust-clippy)
  command -v rustfmt >/dev/null || missing+=(rustfmt)
  command -v openssl >/dev/null || missing+=(openssl)
  # The original system's Rust crate is built on the machine's OpenSSL.
  command -v pkg-config >/dev/null || missing+=(pkg-config)
  [ -e /usr/include/openssl/ssl.h ] || missing+=(libssl-dev)
  [ ${#missing[@]} = 0 ] || apt_install "${missing[@]}"
}

# ---------------------------------------------------------------- builds, each skipped when nothing changed

# up_to_date STAMP PATH…: whether nothing below the paths is newer than the stamp.
up_to_date() {
  local stamp=$1
  shift
  [ -e "$stamp" ] && [ -z "$(find "$@" \( -name target -o -name node_modules -o -name __pycache__ \) -prune -o -type f -newer "$stamp" -print -quit)" ]
}

AGENT="$ROOT/agent/target/release/agent"
APP="$ROOT/java/app/target"

# The jars that msb and the server run, as the AOT caches' list has them: size, time in seconds, name.
jars() { (LC_ALL=C; cd "$APP/lib" && exec stat -L -c '%s %Y %n' -- *.jar); }

# Whether the AOT caches were made of the jars that are there. JDK 25 does not look by itself where the class path was given as `lib/*`: it
# runs the classes of the cache, whatever is in the jars now. JavaOptions does the same for the server.
caches_fit() { [ -f "$APP/aot.jars" ] && [ "$(jars)" = "$(<"$APP/aot.jars")" ]; }

build_agent() {
  up_to_date "$CACHE/agent.stamp" "$ROOT/agent" "$ROOT/spec" && [ -x "$AGENT" ] && return
  mkdir -p "$CACHE" && touch "$CACHE/agent.new"
  step "building the agent (Rust)" "$ROOT/agent/build" || return
  mv "$CACHE/agent.new" "$CACHE/agent.stamp"
}

build_java() {
  up_to_date "$CACHE/java.stamp" "$ROOT/java" "$ROOT/sdk/java" "$ROOT/spec" "$ROOT/pom.xml" && [ -d "$APP/lib" ] && return
  mkdir -p "$CACHE" && touch "$CACHE/java.new"
  step "building the server and the command line (Java)" mvn -B -q -f "$ROOT/pom.xml" package -DskipTests || return
  # Not fatal: without the caches both programs only start more slowly.
  [ ! -x "$AGENT" ] || step "training the AOT caches" as_root "$ROOT/scripts/train-aot" || say "going on without AOT caches: msb and the server will start more slowly"
  mv "$CACHE/java.new" "$CACHE/java.stamp"
}

build_images() {
  as_root env "MICROSANDBOX_HOME=${MICROSANDBOX_HOME:-/var/lib/microsandbox}" "$ROOT/images/build" all
}

VENV="$CACHE/venv"
build_python_sdk() {
  local stamp="$CACHE/python.stamp"
  [ -x "$VENV/bin/python" ] || step "making a Python environment" python3 -m venv "$VENV" || return
  up_to_date "$stamp" "$ROOT/sdk/python/pyproject.toml" && return
  step "installing the Python SDK" "$VENV/bin/pip" install -q --disable-pip-version-check -e "$ROOT/sdk/python[dev]" || return
  touch "$stamp"
}

build_typescript_sdk() {
  local stamp="$CACHE/typescript.stamp" folder="$ROOT/sdk/typescript"
  [ -d "$folder/node_modules" ] && up_to_date "$stamp" "$folder/package-lock.json" && return
  step "installing the JavaScript SDK's tools" npm ci --no-audit --no-fund --prefix "$folder" || return
  touch "$stamp"
}

build_benchmarks() {
  local stamp="$CACHE/benchmarks.stamp" clients="$ROOT/benchmarks/clients"
  if ! up_to_date "$stamp" "$ROOT/benchmarks/requirements.txt" "$CACHE/python.stamp"; then
    step "installing the benchmarks' peers (ipykernel)" "$VENV/bin/pip" install -q --disable-pip-version-check -r "$ROOT/benchmarks/requirements.txt" || return
    touch "$stamp"
  fi
  step "building the benchmarks' JavaScript client" npm run --prefix "$ROOT/sdk/typescript" build || return
  step "building the benchmarks' Rust client" cargo build --release --locked --manifest-path "$clients/rust/Cargo.toml"
}
