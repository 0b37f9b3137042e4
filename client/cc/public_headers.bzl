"""public_headers_test: each header that users include compiles alone, and brings
none of gRPC's headers, which make builds slow."""

def public_headers_test(name, headers, deps):
    """Compiles a file for each header. That it builds is the test.

    Args:
      name: the test.
      headers: their names in this package, without `.h`.
      deps: the libraries that have them.
    """
    sources = []
    for header in headers:
        source = "%s_%s.cc" % (name, header)
        native.genrule(
            name = "%s_%s" % (name, header),
            testonly = True,
            outs = [source],
            cmd = """cat >$@ <<'END'
#include "%s/%s.h"

#if defined(GRPC_IMPL_CODEGEN_PORT_PLATFORM_H) || \\
    defined(GRPC_SUPPORT_PORT_PLATFORM_H)
#error "%s.h includes headers of gRPC"
#endif
END
""" % (native.package_name(), header, header),
        )
        sources.append(source)
    native.genrule(
        name = name + "_main",
        testonly = True,
        outs = [name + "_main.cc"],
        cmd = "echo 'int main() {}' >$@",
    )
    native.cc_test(
        name = name,
        size = "small",
        srcs = sources + [name + "_main.cc"],
        deps = deps,
    )
