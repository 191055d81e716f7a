"""What `make docs` adds to the pages of this folder: README and others from the root, and the API reference."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
}
COPIED = ("CITATION.cff", "LICENSE", "examples/*")
PACKAGES = ("emobed_tf", "tuning", "serving")
REFERENCE = """# API reference

These pages are made from docstrings, one for each package. What `from emobed_tf import …` gives is a good start:

| name | what it is |
| --- | --- |
{rows}

A server is asked through [`serving.client.Client`][serving.client.client.Client].
"""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Lists the packages under the heading of the API reference."""
    (reference,) = (entry["API reference"] for entry in config.nav if "API reference" in entry)
    reference += [{name: f"api/{name}.md"} for name in packages()]
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Adds the pages that stand elsewhere, what they link to, and the API reference."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=_as_in_docs((ROOT / source).read_text(encoding="utf-8"))))
    for path in (path for pattern in COPIED for path in sorted(ROOT.glob(pattern)) if path.is_file()):
        files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))
    files.append(File.generated(config, "api/index.md", content=REFERENCE.format(rows="\n".join(_public_names()))))
    for name, modules in packages().items():
        content = "\n\n".join([f"# {name}", *(f"::: {module}" for module in modules)])
        files.append(File.generated(config, f"api/{name}.md", content=content))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """A page of docs/ reaches the root by `../`; on the site, what it links to there stands beside the pages."""
    return _with_pages(markdown, "../").replace("](../", "](")


def packages() -> dict[str, list[str]]:
    """Public modules by package, each with the package's own docstring first."""
    found: dict[str, list[str]] = {}
    for top in PACKAGES:
        for module in _modules(top):
            package = ".".join(module.split(".")[:2])
            found.setdefault(package if (ROOT / package.replace(".", "/")).is_dir() else top, []).append(module)
    return found


def _modules(top: str) -> Iterator[str]:
    for path in sorted((ROOT / top).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if not any(part.startswith("_") for part in parts):
            yield ".".join(parts)


def _public_names() -> Iterator[str]:
    """A row for each name that the package resolves on first use, with the first line of its docstring."""
    package = griffe.load("emobed_tf", search_paths=[str(ROOT)])
    for name, module in ast.literal_eval(str(package["_PUBLIC"].value)).items():
        found = package[f"{module}.{name}".removeprefix("emobed_tf.")]
        yield f"| [`{name}`][{found.canonical_path}] | {found.docstring.value.splitlines()[0]} |"


def _as_in_docs(markdown: str) -> str:
    """Links of a page of the root, as they are in docs/."""
    return _with_pages(markdown, "").replace("](docs/", "](")


def _with_pages(markdown: str, prefix: str) -> str:
    for source, page in PAGES.items():
        markdown = re.sub(rf"\]\({re.escape(prefix + source)}(?=[#)])", f"]({page}", markdown)
    return markdown
