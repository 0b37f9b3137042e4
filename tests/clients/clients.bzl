"""client_test: a client in another language against the real programs."""

def client_test(name, client, size = "medium", **kwargs):
    """Runs NAME.py with the programs, the driver and a client's files.

    Args:
      name: the test, and its Python file.
      client: what the client is made of.
      size: as for any test.
      **kwargs: handed to the sh_test.
    """
    native.sh_test(
        name = name,
        size = size,
        srcs = ["run_client.sh"],
        args = ["$(location %s.py)" % name],
        data = client + [
            name + ".py",
            "checks.txt",
            "client_case.py",
            "proxy.py",
            "task.sh",
            ":npm_packages",
            "//coordinator:coordinator",
            "//proto/vigil/v1:proto_files",
            "//tests/e2e:cluster.py",
            "//tests/e2e/stubs:python_stubs",
            "//worker:worker",
            "//worker/slot:slot",
        ],
        # Real processes, sockets and locks: not in the sandbox's namespaces.
        tags = ["no-sandbox"],
        **kwargs
    )
