#!/usr/bin/env bash
# Makes the Python modules of our .proto files anew. They are committed: building and installing needs no compiler.
# usage: protos.sh PYTHON [DIR]    (DIR: write there and not into the sources)
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)/src/talkie/wire/protos
python=$1 out=${2:-$root}
mkdir -p "$out"
"$python" -m grpc_tools.protoc -I "$root" --python_out="$out" --pyi_out="$out" --grpc_python_out="$out" \
    "$root/talkie/v1/talkie.proto"
# protoc names modules by the path of the .proto file, which for the wire is talkie/v1; ours live deeper.
stub="$out/talkie/v1/talkie_pb2_grpc.py"
sed 's/^from talkie\.v1 import/from talkie.wire.protos.talkie.v1 import/' "$stub" >"$stub.new"
mv "$stub.new" "$stub"
