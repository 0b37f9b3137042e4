#!/usr/bin/python3
"""Proves, with protoc and the plugin themselves, that a method added to a proto
becomes a command with help and flags by nothing else, and that protoc fails
with file and line where a proto cannot be a command line."""
import os
import pathlib
import re
import subprocess
import sys
import unittest

PROTOC, PLUGIN = sys.argv[1:3]
SCRATCH = pathlib.Path(os.environ["TEST_TMPDIR"])
FRUIT = pathlib.Path("client/cli/generator/testdata/fruit.proto").read_text(
    encoding="utf-8")
SQUEEZE = """
  // Squeezes a basket. Nothing is left of it.
  rpc SqueezeBasket(SqueezeBasketRequest) returns (GetBasketResponse);
}

// The market as a whole."""
SQUEEZE_REQUEST = """
message SqueezeBasketRequest {
  string basket_id = 1;
  // How hard.
  double force = 2;
}
"""


def protoc(text, *options):
    """Runs the plugin over a fruit.proto with this text."""
    (SCRATCH / "fruit.proto").write_text(text, encoding="utf-8")
    return subprocess.run(
        [PROTOC, f"--plugin=protoc-gen-vigil-cli={PLUGIN}",
         f"--vigil-cli_out={SCRATCH}",
         *[f"--vigil-cli_opt={option}" for option in options],
         f"-I{SCRATCH}", "-Iproto", "fruit.proto"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=60, check=False)


class PluginTest(unittest.TestCase):

    def commands(self, text):
        """The source of the commands of a fruit.proto with this text."""
        result = protoc(text, "output=commands", "file=commands",
                        "function=Commands")
        self.assertEqual((result.returncode, result.stdout), (0, ""))
        return (SCRATCH / "commands.cc").read_text(encoding="utf-8")

    def reference(self, text):
        result = protoc(text, "output=cli_reference", "file=commands.md",
                        "update=make", "api=api.md")
        self.assertEqual((result.returncode, result.stdout), (0, ""))
        return (SCRATCH / "commands.md").read_text(encoding="utf-8")

    def with_squeeze(self):
        return FRUIT.replace("}\n\n// The market as a whole.", SQUEEZE
                             ) + SQUEEZE_REQUEST

    def test_an_added_method_is_a_command_with_help_and_flags(self):
        self.assertNotIn("squeeze", self.commands(FRUIT))
        source = self.commands(self.with_squeeze())
        self.assertIn('{"squeeze", "/fruit.v1.BasketService/SqueezeBasket",',
                      source)
        self.assertIn('"Squeezes a basket.",\n', source)
        self.assertIn('"Squeezes a basket. Nothing is left of it."', source)
        flags = re.search(r"constexpr FlagSpec kFlags0_7\[\] = \{(.*?)\};",
                          source, re.S).group(1)
        self.assertIn('{"force", "force", "NUMBER",\n     "How hard."}', flags)
        self.assertIn('kPositionals0_7[] = {\n    "basket_id",\n}', source)

    def test_an_added_method_is_in_the_reference(self):
        self.assertNotIn("squeeze", self.reference(FRUIT))
        self.assertIn("\n### vigil basket squeeze\n\n"
                      "    vigil basket squeeze BASKET_ID [flags]\n\n"
                      "Squeezes a basket. Nothing is left of it.\n",
                      self.reference(self.with_squeeze()))

    def test_the_same_protos_give_the_same_commands(self):
        self.assertEqual(self.commands(FRUIT), self.commands(FRUIT))

    def test_what_cannot_be_a_command_line_fails_with_file_and_line(self):
        text = FRUIT.replace('columns: {path: "age"}',
                             'columns: {path: "aeg"}').replace(
                                 "string namespace = 1", "string limit = 1")
        result = protoc(text, "output=commands", "file=commands",
                        "function=Commands")
        self.assertEqual(result.returncode, 1)
        lines = text.split("\n")
        table = lines.index("message Basket {") + 1
        field = lines.index("  string limit = 1;") + 1
        self.assertEqual(
            result.stdout,
            f"--vigil-cli_out: fruit.proto:{table}: fruit.v1.Basket: "
            '(cli_table).columns: "aeg": fruit.v1.Basket has no field "aeg"\n'
            f"fruit.proto:{field}: fruit.v1.ListBasketsRequest.limit: its flag "
            "--limit is the command line's own; give the field another name, "
            "or no flag by (cli_field).hidden\n")

    def test_wrong_parameters_are_told(self):
        for options, message in [
                (["output=commands", "function=F"], "`file` is missing"),
                (["output=commands", "file=f"], "`function` is missing"),
                (["output=cli_reference", "file=f"], "`update` is missing"),
                (["output=cli_reference", "file=f", "update=u"],
                 "`api` is missing"),
                (["output=x", "file=f", "update=u"],
                 '`output` is "x", not commands, api_reference or '
                 "cli_reference"),
                (["colour=red"], 'unknown parameter "colour"')]:
            result = protoc(FRUIT, *options)
            self.assertEqual(result.returncode, 1)
            self.assertIn(message, result.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
