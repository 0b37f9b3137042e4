"""e2e_test: a Python unittest against the real programs."""

def e2e_test(name, srcs, size = "medium", data = [], tags = [], **kwargs):
    """Runs unittest modules with the programs, the stubs and the fixture.

    Args:
      name: the test.
      srcs: one Python file.
      size: as for any test.
      data: what it needs beside the programs.
      tags: as for any test.
      **kwargs: handed to the sh_test.
    """
    native.sh_test(
        name = name,
        size = size,
        srcs = ["run_e2e.sh"],
        args = ["$(location %s)" % src for src in srcs],
        data = srcs + data + [
            "batch_case.py",
            "cluster.py",
            "deadline_case.py",
            "http_case.py",
            "loss_case.py",
            "nesting_case.py",
            "warm_case.py",
            "warm_up_case.py",
            "//client/cli:vigil",
            "//coordinator:coordinator",
            "//tests/e2e/stubs:python_stubs",
            "//tests/tasks:all_tasks",
            "//worker:worker",
            "//worker/slot:slot",
        ],
        # Real processes, sockets and locks: not in the sandbox's namespaces.
        tags = tags + ["no-sandbox"],
        **kwargs
    )
