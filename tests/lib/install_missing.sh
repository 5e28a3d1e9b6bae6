#!/usr/bin/env bash
# Installs the Debian packages that a task needs and this system lacks. Says what it installs; silent when nothing is
# missing. On other systems it only passes on the word: CMake fetches the libraries, the tools are the reader's to find.
#
#   tests/lib/install_missing.sh build            what it takes to build libcohort and the examples
#   tests/lib/install_missing.sh build check      ... and to run every stage of tests/run
#   tests/lib/install_missing.sh build example    ... or the mixed cluster of the examples
#   tests/lib/install_missing.sh build bench      ... or the servers that the benchmarks measure beside; none is started
set -euo pipefail

declare -A SETS=(
  [build]="ca-certificates g++ gcc make cmake ninja-build ccache pkg-config git
           libcpp-httplib-dev libprotobuf-dev protobuf-compiler libxxhash-dev libssl-dev zlib1g-dev libbrotli-dev
           nlohmann-json3-dev"
  [check]="clang-14 clang-tidy-14 clang-format-14 libclang-rt-14-dev llvm-14 libgtest-dev binutils abigail-tools doxygen
           swig python3 python3-dev python3-venv openjdk-17-jdk-headless maven bindgen libclang-14-dev curl openssl util-linux"
  [bench]="memcached redis-server util-linux"
  [example]="sqlite3 libsqlite3-dev libmicrohttpd-dev python3-dev python3-venv openjdk-17-jdk-headless maven curl"
)

wanted=()
for name in "$@"; do
  [[ -n "${SETS[$name]:-}" ]] || { echo "install_missing.sh: no set is called '$name'; there are: ${!SETS[*]}" >&2; exit 2; }
  read -r -d '' -a packages <<<"${SETS[$name]}" || true
  wanted+=("${packages[@]}")
done
((${#wanted[@]} > 0)) || { echo "usage: install_missing.sh build|check|example|bench ..." >&2; exit 2; }

if ! command -v dpkg-query >/dev/null; then
  echo "Not a Debian system: Cohort needs a C++20 compiler, CMake 3.25, Ninja and OpenSSL; CMake fetches the rest." >&2
  exit 0
fi

# A program that came another way (a CMake or a compiler of one's own) is as good as the package.
missing=()
for package in "${wanted[@]}"; do
  case "$package" in
    cmake | git | make | curl | python3) command -v "$package" >/dev/null && continue ;;
    python3-dev) python3 -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null && continue ;;
    python3-venv) python3 -c 'import ensurepip, venv' 2>/dev/null && continue ;;
    openjdk-*) command -v javac >/dev/null && continue ;;
    maven) command -v mvn >/dev/null && continue ;;
    ninja-build) command -v ninja >/dev/null && continue ;;
  esac
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ "$status" == installed ]] || missing+=("$package")
done
((${#missing[@]} > 0)) || exit 0

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "These packages are missing; ask someone who may to run: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "Installing ${#missing[@]} missing Debian packages: ${missing[*]}"
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A package of a server would start it: those of the benchmarks are run by the benchmarks alone.
policy=/usr/sbin/policy-rc.d
if [[ " ${missing[*]} " =~ \ (memcached|redis-server)\  && ! -e "$policy" ]]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod +x "$policy"
  trap 'rm -f "$log"; "${as_root[@]}" rm -f "$policy"' EXIT
fi
"${apt[@]}" update >"$log" 2>&1 || true # one source that is down is no reason to stop: the installation decides
if ! "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
  tail -n 40 "$log" >&2
  echo "apt-get could not install: ${missing[*]}" >&2
  exit 1
fi
