"""copied_files: source files where a program looks for them beside itself."""

def _copied_files_impl(ctx):
    copies = []
    for file in ctx.files.srcs:
        copy = ctx.actions.declare_file(
            "%s/%s" % (ctx.attr.directory, file.basename),
        )

        # Without substitutions it is a copy, and needs no shell.
        ctx.actions.expand_template(
            template = file,
            output = copy,
            substitutions = {},
        )
        copies.append(copy)
    return [DefaultInfo(
        files = depset(copies),
        runfiles = ctx.runfiles(files = copies),
    )]

copied_files = rule(
    doc = "Copies text files to a directory below bazel-bin's copy of the " +
          "package: a source file lies in runfiles only.",
    implementation = _copied_files_impl,
    attrs = {
        "directory": attr.string(
            mandatory = True,
            doc = "Below the package; may be that of another package.",
        ),
        "srcs": attr.label_list(
            allow_files = True,
            mandatory = True,
        ),
    },
)
