"""Reports made by the command, and their pages taken apart."""

import html.parser
import shutil

from tests.commands import command


class Page(html.parser.HTMLParser):
    """A page taken apart: text by the element's name, attributes of every element."""

    def __init__(self, folder):
        super().__init__()
        self.elements, self.scripts, self.text, self._inside = [], {}, "", []
        self.source = (folder / "index.html").read_text(encoding="utf-8")
        self.feed(self.source)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag in ("script", "style"):
            self._inside.append((tag, dict(attributes).get("id")))

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self._inside.pop()

    def handle_data(self, data):
        if not self._inside:
            self.text += f" {data}"
        elif self._inside[-1][0] == "script":
            self.scripts[self._inside[-1][1]] = data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def report(output, *arguments):
    result = command("report", *arguments, "--output", output)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == f"report: {output / 'index.html'}"
    return Page(output)


def copied(run, tmp_path):
    return shutil.copytree(run, tmp_path / run.name)
