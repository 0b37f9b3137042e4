"""What protoc-gen-vigil-cli makes of protos: commands and references."""

load("@rules_proto//proto:defs.bzl", "ProtoInfo")

def _vigil_cli_files_impl(ctx):
    infos = [proto[ProtoInfo] for proto in ctx.attr.protos]
    stem = "%s/%s" % (ctx.label.package, ctx.attr.stem)
    outs = [
        ctx.actions.declare_file(ctx.attr.stem + ending)
        for ending in ctx.attr.endings
    ]
    if len(outs) == 1:
        stem += ctx.attr.endings[0]
    args = ctx.actions.args()
    args.add("--plugin=protoc-gen-vigil-cli=" + ctx.executable._plugin.path)
    args.add("--vigil-cli_out=" + ctx.bin_dir.path)
    args.add("--vigil-cli_opt=file=" + stem)
    args.add_all(ctx.attr.parameters, format_each = "--vigil-cli_opt=%s")
    args.add_all(
        depset(transitive = [info.transitive_proto_path for info in infos]),
        format_each = "-I%s",
    )
    for info in infos:
        for src in info.direct_sources:
            # The name by which it is imported: behind the import root.
            args.add(src.path[len(info.proto_source_root) + 1:])
    ctx.actions.run(
        executable = ctx.executable._protoc,
        arguments = [args],
        inputs = depset(
            transitive = [info.transitive_sources for info in infos],
        ),
        tools = [ctx.executable._plugin],
        outputs = outs,
        mnemonic = "VigilCli",
    )
    return [DefaultInfo(
        files = depset(outs),
        runfiles = ctx.runfiles(files = outs),
    )]

_vigil_cli_files = rule(
    implementation = _vigil_cli_files_impl,
    attrs = {
        "endings": attr.string_list(mandatory = True),
        "parameters": attr.string_list(mandatory = True),
        "protos": attr.label_list(providers = [ProtoInfo], mandatory = True),
        "stem": attr.string(mandatory = True),
        "_protoc": attr.label(
            default = "@com_google_protobuf//:protoc",
            executable = True,
            cfg = "host",
        ),
        # Of the target's configuration: the protos that it is linked with are
        # compiled there anyway, and need not be once more.
        "_plugin": attr.label(
            default = "//client/cli/generator:protoc-gen-vigil-cli",
            executable = True,
            cfg = "target",
        ),
    },
)

def vigil_cli_reference(name, output, protos, update, api = None, **kwargs):
    """Makes `name`.md, a reference of some protos.

    Args:
      name: the target, and the file.
      output: `api_reference` or `cli_reference`.
      protos: the proto_library targets; of each the direct sources are told.
      update: the command that brings the copy in the source tree up to date;
        the page names it.
      api: for a cli_reference, the path from its copy to the api_reference's.
      **kwargs: handed to the rule.
    """
    _vigil_cli_files(
        name = name,
        endings = [".md"],
        parameters = [
            "output=" + output,
            "update=" + update,
        ] + (["api=" + api] if api else []),
        protos = protos,
        stem = name,
        **kwargs
    )

def vigil_cli_commands(name, protos, function, **kwargs):
    """Defines a cc_library with the table of the commands of some services.

    Its header is `name`.h and declares `function` in vigil::cli; see
    client/cli/command/command_table.h.

    Args:
      name: the library.
      protos: the proto_library targets with the services; of each the direct
        sources give commands.
      function: the one that returns the table.
      **kwargs: handed to the cc_library.
    """
    _vigil_cli_files(
        name = name + "_sources",
        endings = [
            ".cc",
            ".h",
        ],
        parameters = [
            "output=commands",
            "function=" + function,
        ],
        protos = protos,
        stem = name,
        testonly = kwargs.get("testonly", False),
    )
    native.cc_library(
        name = name,
        srcs = [":" + name + "_sources"],
        hdrs = [":" + name + "_sources"],
        deps = [
            "//client/cli/command:command_table",
            "@system//:absl",
        ],
        **kwargs
    )
