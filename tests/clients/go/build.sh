#!/bin/bash
# Builds the clients in Go against Debian's packages, without modules or
# network: build.sh OUT RUN_JOB_GO CONFORMANCE_TEST_GO PROTO...
# OUT gets run_job and conformance.
set -Eeuo pipefail

# Only the newer golang/protobuf has wire.go; with the older one everything builds
# and then panics, and Bazel would keep it.
for needed in /usr/bin/{go,protoc-gen-go,protoc-gen-go-grpc} \
  /usr/share/gocode/src/google.golang.org/{grpc,protobuf} \
  /usr/share/gocode/src/github.com/golang/protobuf/proto/wire.go; do
  if [[ ! -e $needed ]]; then
    echo "$needed is missing: tests/run.sh installs it, whatever targets it is" \
      "given" >&2
    exit 1
  fi
done

readonly out=$PWD/$1 sources=("$2" "$3") protos=("${@:4}")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
mkdir -p -- "$work/src/client"
protoc -Iproto --go_out="$work/src" --go-grpc_out="$work/src" "${protos[@]}"
cp -- "${sources[@]}" "$work/src/client"

export GO111MODULE=off GOPATH="$work:/usr/share/gocode" GOCACHE="$work/cache"
export GOFLAGS="" CGO_ENABLED=0 HOME="$work"
cd -- "$work/src/client"
go vet .
go build -o "$out/run_job" .
go test -c -o "$out/conformance" .
