"""The command itself: how it starts, what it imports, how it ends."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import pytest
from commands import ENVIRONMENT, Capture, loaded, refused, status

import hpgrid
from hpgrid.answer import Answer, Table
from hpgrid.cli import COMMANDS, EXAMPLES, app
from hpgrid.cli.options import use_compilation_cache


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--help",), 0),
        (("reproduce", "--help"), 0),
        (("reproduce", "--list"), 0),
        (("reproduce", "fig1", "--C2", "-1"), 2),
    ],
    ids=["help", "help of a command", "list", "a mistake"],
)
def test_help_and_mistakes_load_nothing_slow(arguments: tuple[str, ...], code: int) -> None:
    assert loaded(*arguments, code=code) <= {"rich"}


def test_a_mistake_in_a_config_loads_nothing_slow(tmp_path: Path, capsys: Capture) -> None:
    own = tmp_path / "own.toml"
    own.write_text('figure = "fig1"\n[bound]\nname = "lmo"\nc2 = 3.0\n[regime]\ntuned = ["eta", "b"]\n')
    assert loaded("reproduce", "--config", own, code=2) == set()
    refused("reproduce", capsys, ["--config", own], f"hpgrid: error: {own}: ")


def test_help_loads_no_command_and_says_of_each_its_first_sentence() -> None:
    code = "import sys; from hpgrid.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "print([m for m in sys.modules if m.startswith(('hpgrid.cli.', 'hpgrid.config'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=ENVIRONMENT)
    assert done.stdout.splitlines()[-1] == "[]"
    for name, (where, what) in COMMANDS.items():
        module, _, function = where.partition(":")
        words = getattr(import_module(f"hpgrid.cli.{module}"), function).__doc__
        assert " ".join(words.partition("\n\n")[0].split()) == what, name


def test_it_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "hpgrid", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=ENVIRONMENT)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"hpgrid {hpgrid.__version__}\n", "")


# --- in this process ---


def test_without_a_word_it_shows_its_help(capsys: Capture) -> None:
    assert status() == 0
    out = capsys.readouterr().out
    assert "reproduce" in out
    assert "Usage: hpgrid" in out


def test_help_names_every_option(capsys: Capture) -> None:
    assert status("reproduce", "--help") == 0
    out = capsys.readouterr().out
    options = "--out --format --config --grid --n --C1 --C2 --C3 --dtype --refined --redraw --strict --list"
    assert [option for option in options.split() if option not in out] == []
    assert {word for word in out.split() if word.startswith("--no-")} == {"--no-refined"}  # figure 9 has it on


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(("reprodce",), '"reproduce"'), (("reproduce", "--dtypes", "float32"), "--dtype"), (("--versio",), "--versio")],
)
def test_an_unknown_word_is_named_or_its_nearest(capsys: Capture, arguments: tuple[str, ...], named: str) -> None:
    assert status(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("hpgrid: error: ")
    assert named in err


def test_an_interrupt_that_python_can_not_raise_is_heard(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """In what the garbage collector calls, jax's callback say, an error is printed and ignored."""

    class Collected:
        def __del__(self) -> None:
            raise KeyboardInterrupt

    def interrupt(path: Path) -> None:
        Collected()
        for _ in range(3000):  # not one sleep: an interrupt is raised between two steps
            time.sleep(0.01)

    monkeypatch.setattr(sys.modules["hpgrid.cli.reproduce"], "load", interrupt)
    assert status("reproduce", "fig1") == 130
    assert capsys.readouterr().err == "hpgrid: interrupted; what is on disk is whole\n"


@pytest.mark.parametrize("arguments", ["--help", "transfer --help", "reproduce --list"])
def test_who_reads_no_more_is_no_mistake(arguments: str) -> None:
    command = [sys.executable, "-m", "hpgrid", *arguments.split()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as started:
        assert started.stdout is not None
        assert started.stderr is not None
        started.stdout.close()
        assert started.stderr.read() == b""
    assert started.returncode == 0


@pytest.mark.parametrize("home", ["/dev/null", ""])
def test_where_no_home_can_be_written_to_nothing_is_kept_and_nothing_said(
    monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", home)
    monkeypatch.setenv("HOME", "/dev/null")
    for name in ("JAX_COMPILATION_CACHE_DIR", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"):
        monkeypatch.delenv(name, raising=False)
    use_compilation_cache()
    assert "JAX_COMPILATION_CACHE_DIR" not in os.environ


def test_what_was_given_is_echoed_as_far_as_it_fits(capsys: Capture) -> None:
    assert status("reproduce", f"--{'x' * 100_000}") == 2
    assert len(capsys.readouterr().err) < 1000


def test_an_interrupt_is_no_traceback(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["hpgrid.cli.reproduce"], "load", interrupt)
    assert status("reproduce", "fig1") == 130
    assert capsys.readouterr().err.startswith("hpgrid: interrupted")


def test_every_command_has_examples_that_can_be_read() -> None:
    assert EXAMPLES.keys() == COMMANDS.keys()
    for command, lines in EXAMPLES.items():
        for line in lines:
            words = shlex.split(line)
            assert words[:2] == ["hpgrid", command]
            app.parse_args(words[1:], exit_on_error=False, print_error=False)


def test_examples_in_help_fit_and_are_what_a_shell_takes() -> None:
    for command, lines in EXAMPLES.items():
        # In a process of its own: in one, help keeps the width that it had first.
        done = subprocess.run([sys.executable, "-m", "hpgrid", command, "--help"], capture_output=True, text=True,
                              env={**ENVIRONMENT, "COLUMNS": "80"})  # fmt: skip
        shown = done.stdout.partition("\nExamples:\n")[2].rstrip("\n")
        assert max(map(len, shown.splitlines())) <= 80
        assert shlex.split(shown.replace("\\\n", "")) == [word for line in lines for word in shlex.split(line)]


def test_help_ends_with_the_examples_and_completion_knows_every_option(capsys: Capture) -> None:
    assert status("transfer", "--help") == 0
    assert "\nExamples:\n  hpgrid transfer --from " in capsys.readouterr().out
    for shell in ("bash", "zsh", "fish"):
        script = app.generate_completion(shell=shell)
        assert all(word in script for word in (*COMMANDS, "max-b", "details"))


def test_on_a_terminal_the_answer_and_headings_are_bold_and_nothing_else_differs(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    shown = Answer(["Set eta = 0.5."], [[Table([("eta", "risk"), ("0.5", "1e-3")])]])
    shown.show()
    plain = capsys.readouterr().out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    for no_color in ("", "1"):  # bold is no colour
        monkeypatch.setenv("NO_COLOR", no_color)
        monkeypatch.setenv("TERM", "xterm")
        shown.show()
        out = capsys.readouterr().out
        assert re.sub(r"\x1b\[[\d;]*m", "", out) == plain
        assert set(re.findall(r"\x1b\[([\d;]*)m", out)) == {"1", "0"}
        assert [line.startswith("\x1b[1m") for line in out.splitlines()] == [True, False, True, False]
