"""What makes the pages of the site from the code."""

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from torchfit.exceptions import TorchfitError
from torchfit.run.programs import conf_folder

pytest.importorskip("griffe", reason="needs the extra docs")

from generate import configuration, repository, schema
from generate.comments import comments
from generate.docstrings import arguments, summary, to_markdown
from generate.markdown import code, table

YAML = """\
# What it is,
# in two lines.
defaults:
  - other

_target_: a.B
# Of the first.
first: 1
tree:
  # Of the second,
  # which is inside.
  second: null
third: 3
"""

OPTIONS = [
    ("compare", "lasp"),
    ("data", "table"),
    ("emulator", "paper"),
    ("flags", "paper"),
    ("library", "bosz"),
    ("metric", "common"),
    ("misfit", "miles"),
    ("pack", "lamost_mrs"),
    ("uncertainty", "mcmc"),
]
"""Options that begin with others, hold trees, or are members of a list."""


class Parent:
    """What a parent is.

    Args:
        size: Its size
            in metres.
    """


class Child(Parent):
    """What a child is, :class:`a.B` with :math:`x^2`.

    More.

    Args:
        age: Its age.
    """


def test_a_comment_before_a_blank_line_is_of_the_file(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("# Of the file.\n\n# Of a.\na: 1\n")
    assert comments(path) == {"": "Of the file.", "a": "Of a."}


def test_comments_belong_to_the_key_below_them(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(YAML)
    found = comments(path)
    assert found[""] == "What it is, in two lines."
    assert found["first"] == "Of the first."
    assert found["tree.second"] == "Of the second, which is inside."
    assert found["third"] == ""


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_values_of_an_option_are_those_that_hydra_composes(group, option):
    program = "train" if group == "misfit" else "infer"
    node = configuration.node_of(group, option)
    with initialize_config_dir(str(conf_folder()), version_base=None):
        choice = f"{group}=[{option}]" if group == "compare" else f"{group}={option}"
        cfg = compose(program, ["output_dir=X", choice])
    theirs = OmegaConf.to_container(cfg[group], resolve=False, throw_on_missing=False)
    # A program may add keys of its own to a group.
    assert theirs == {**theirs, **node}


def test_an_option_that_begins_with_another_shows_what_it_changes():
    text = configuration.body("metric", "paper")
    assert "`metric=default`" in text
    assert "| `weighted` | `bool` | `false` |" in text
    assert "noise_floor" not in text
    assert "pack=lamost" in configuration.body("data", "lamost_dr10")


def test_keys_without_a_default_are_required():
    keys = {key.name: key for key in configuration.all_keys("data", "lamost_dr10")}
    assert keys["root"].value == "required"
    assert keys["catalogue"].value == "null"


@pytest.mark.parametrize("program", configuration.PROGRAMS)
def test_every_key_at_the_top_of_a_program_has_a_meaning(program):
    rows = configuration.program_table(program).splitlines()[2:]
    assert len(rows) > 2
    assert not [row for row in rows if row.endswith("|  |")]


def test_keys_that_a_program_has_for_itself_are_there():
    text = configuration.program_table("library")
    assert "| `library.bins.min_stars` | `int` | `5` |" in text
    assert "| `results` |" in text


def test_docstrings_of_arguments():
    assert arguments(Child) == {"size": "Its size in metres.", "age": "Its age."}
    assert summary(Child) == "What a child is, `a.B` with $x^2$."


def test_equations_of_docstrings():
    text = to_markdown("A.\n\n    .. math::\n        x = y\n        + z\n\n    B :data:`c.D`.")
    assert text == "A.\n\n    $$\n    x = y + z\n    $$\n\n    B `c.D`."
    assert "$$\nx\n$$" in to_markdown(".. math:: x")


def test_a_cell_stays_a_cell():
    (line,) = table(["a"], [[code("x | _y_") + " b |\nc"]]).splitlines()[2:]
    assert line.count("|") == 2
    assert code("") == ""
    assert code("_target_") == "`_target_`"


def test_equations_become_mathml():
    equations = pytest.importorskip("generate.equations", reason="needs the extra docs")
    page = (
        '<p><span class="arithmatex">\\(a &lt; b\\)</span></p><div class="arithmatex">\\[x\\]</div>'
    )
    made = equations.with_mathml(page)
    assert made.count("<math") == 2
    assert 'display="block"' in made
    assert "arithmatex" not in made


def test_links_of_files_of_the_repository():
    text = repository.page("CONTRIBUTING.md")
    assert "](method.md)" in text
    assert "](docs/" not in text


def test_every_error_is_in_the_table():
    text = schema.exception_table()
    assert f"`{TorchfitError.__name__}`" in text
    assert "`SpectrumError`" in text
    assert "OutsideLibraryWarning" in text
