"""cc_grpc_library: the gRPC stubs of one proto_library, by Debian's plugin."""

load("@rules_proto//proto:defs.bzl", "ProtoInfo")

def _grpc_sources_impl(ctx):
    info = ctx.attr.proto[ProtoInfo]
    root = ctx.label.name
    outs = []
    args = ctx.actions.args()
    args.add("--plugin=protoc-gen-grpc=" + ctx.executable._plugin.path)
    args.add("--grpc_out=%s/%s/%s" % (
        ctx.genfiles_dir.path,
        ctx.label.package,
        root,
    ))
    args.add_all(info.transitive_proto_path, format_each = "-I%s")
    for src in info.direct_sources:
        # The name by which it is imported: behind the import root.
        name = src.path[len(info.proto_source_root) + 1:]
        stem = root + "/" + name[:-len(".proto")]
        outs.append(ctx.actions.declare_file(stem + ".grpc.pb.h"))
        outs.append(ctx.actions.declare_file(stem + ".grpc.pb.cc"))
        args.add(name)
    ctx.actions.run(
        executable = ctx.executable._protoc,
        arguments = [args],
        inputs = info.transitive_sources,
        tools = [ctx.executable._plugin],
        outputs = outs,
        mnemonic = "GrpcStubs",
    )
    return [DefaultInfo(files = depset(outs))]

_grpc_sources = rule(
    implementation = _grpc_sources_impl,
    attrs = {
        "proto": attr.label(providers = [ProtoInfo], mandatory = True),
        "_protoc": attr.label(
            default = "@com_google_protobuf//:protoc",
            executable = True,
            cfg = "host",
        ),
        "_plugin": attr.label(
            default = "@system//:grpc_cpp_plugin",
            executable = True,
            allow_single_file = True,
            cfg = "host",
        ),
    },
)

def cc_grpc_library(name, proto, deps, **kwargs):
    """Defines a cc_library with the stubs of every service in `proto`.

    Args:
      name: the library.
      proto: a proto_library; its direct sources are compiled.
      deps: the cc_proto_library of the messages.
      **kwargs: handed to the cc_library.
    """
    _grpc_sources(
        name = name + "_sources",
        proto = proto,
        testonly = kwargs.get("testonly", False),
    )
    native.cc_library(
        name = name,
        srcs = [":" + name + "_sources"],
        hdrs = [":" + name + "_sources"],
        includes = [name + "_sources"],
        deps = deps + ["@system//:grpc"],
        **kwargs
    )
