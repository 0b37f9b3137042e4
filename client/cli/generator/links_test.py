#!/usr/bin/python3
"""Proves that each link in the references leads to a heading that is there, as
GitHub names headings, and that each name there is had by one of them only."""
import pathlib
import re
import unittest

PAGES = [pathlib.Path(name) for name in (
    "proto/REFERENCE.md",
    "client/cli/REFERENCE.md",
    "client/cli/generator/testdata/fruit_api.md",
    "client/cli/generator/testdata/fruit_cli.md")]


def anchors(page):
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in headings]


class LinksTest(unittest.TestCase):

    def test_links_lead_to_headings(self):
        for page in PAGES:
            links = re.findall(r"\]\(([^)#]*)#([^)]*)\)",
                               page.read_text(encoding="utf-8"))
            self.assertGreater(len(links), 5, page)
            for name, anchor in links:
                target = page.parent / name if name else page
                self.assertIn(anchor, anchors(target), f"{page}: {name}")

    def test_headings_have_names_of_their_own(self):
        for page in PAGES:
            names = anchors(page)
            self.assertCountEqual(names, set(names), page)


if __name__ == "__main__":
    unittest.main()
