"""Imports point down: the layers of the package, and what importing it costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import hpgrid

PACKAGE = Path(hpgrid.__file__).parent

#: Layers that never import jax, by the first part of their name in the package.
WITHOUT_JAX = {
    *("grid", "proxy", "term", "bounds", "regime", "formula", "asymptotics", "theory", "transfers"),
    *("critical", "config", "cli", "checks", "text", "plotting", "norms", "newton_schulz", "statements", "comparison"),
}

#: Of others, what is made ready before jax loads, and what does without it.
MODULES_WITHOUT_JAX = {f"hpgrid.search.{m}" for m in ("brute", "tables", "many", "lanes")}
MODULES_WITHOUT_JAX |= {f"hpgrid.refinement.{m}" for m in ("newton", "optimum", "cost", "profile")}

#: What a layer never imports, not even inside a function.
FORBIDDEN = {layer: {"jax", "jaxlib", "jaxtyping"} for layer in WITHOUT_JAX}
#: What is held against what the others compute, or takes numbers from them alone.
COMPUTED = ("search", "refinement", "asymptotics", "proxy", "term")
FORBIDDEN["theory"] |= {f"hpgrid.{m}" for m in (*COMPUTED, "bounds")}
FORBIDDEN["plotting"] |= {f"hpgrid.{m}" for m in (*COMPUTED, "bounds", "slopes", "curves", "theory", "paper")}
for measurement in COMPUTED:
    FORBIDDEN[measurement] = FORBIDDEN.get(measurement, set()) | {"hpgrid.theory"}
FORBIDDEN["stochastic"] = {f"hpgrid.{m}" for m in (*COMPUTED, "theory", "claims", "paper", "plotting")}
FORBIDDEN["tuning"] = {"jax", "jaxlib", *(f"hpgrid.{m}" for m in ("theory", "paper", "plotting", "cli"))}
# Three routes that are held against each other share no code.
ROUTES = ("search", "refinement", "asymptotics")
for route in ROUTES:
    FORBIDDEN[route] |= {f"hpgrid.{other}" for other in ROUTES if other != route}


def module_name(path: Path) -> str:
    parts = ("hpgrid", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))}


def imports(source: str, *, lazy: bool) -> set[str]:
    """Return the modules that a source imports; ``lazy``: inside functions and for type checking, too."""
    found: set[str] = set()
    pending: list[ast.AST] = [ast.parse(source)]
    while pending:
        node = pending.pop()
        if not lazy and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if not lazy and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            homes = {f"{node.module}.{alias.name}" for alias in node.names}
            # A public name of hpgrid stands for the module that it lives in.
            found |= {node.module or "", *(hpgrid._HOME.get(h.removeprefix("hpgrid."), h) for h in homes)}
        pending.extend(ast.iter_child_nodes(node))
    return found


def within(module: str, parents: set[str]) -> bool:
    return any(module == parent or module.startswith(parent + ".") for parent in parents)


def layer(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("module", [m for m in MODULES if layer(m) in FORBIDDEN])
def test_a_layer_imports_nothing_that_is_forbidden_to_it(module: str) -> None:
    forbidden = FORBIDDEN[layer(module)]
    assert not {name for name in imports(MODULES[module], lazy=True) if within(name, forbidden)}


@pytest.mark.parametrize("module", [m for m in MODULES if layer(m) in WITHOUT_JAX or m in MODULES_WITHOUT_JAX])
def test_importing_a_layer_without_jax_reaches_no_module_with_jax(module: str) -> None:
    reached, pending = set(), [module]
    while pending:
        name = pending.pop()
        assert not within(name, {"jax", "jaxlib", "jaxtyping"}), f"{module} reaches {name}"
        if name in MODULES and name not in reached:
            reached.add(name)
            pending.extend(imports(MODULES[name], lazy=False))


def test_an_import_is_seen_wherever_it_stands() -> None:
    for source, found in {
        "import jax.numpy as jnp": "jax.numpy",
        "def f():\n    from jaxtyping import Float": "jaxtyping",
        "if TYPE_CHECKING:\n    from hpgrid.search.brute import SearchResult": "hpgrid.search.brute",
        "from hpgrid import grid_search": "hpgrid.search.brute",
        "from hpgrid import theory": "hpgrid.theory",
    }.items():
        assert found in imports(source, lazy=True)


def test_the_layers_that_are_checked_exist() -> None:
    existing = {layer(module) for module in MODULES}
    assert {"grid", "proxy", "bounds", "regime", "checks", "search"} <= existing & set(FORBIDDEN)


def loaded_after(statements: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter holds after some statements."""
    code = f"{statements}\nimport sys\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_what_is_imported_loads_none_of_the_large_packages_that_it_can_do_without() -> None:
    """hpgrid alone not even NumPy; a search jax when it searches; using axes, bounds and regimes loads NumPy."""
    assert not loaded_after("import hpgrid") & {"numpy", "jax"}
    assert not loaded_after("import hpgrid.search.many") & {"jax", "jaxlib"}
    loaded = loaded_after(
        "import hpgrid, hpgrid.grid, hpgrid.proxy, hpgrid.bounds, hpgrid.regime\n"
        "grid = hpgrid.Grid.footnote()\n"
        "hpgrid.bounds.lmo().form('K').risk(eta=1e-3, b=grid.b.values, alpha=0.1, K=100.0)\n"
        "hpgrid.Regime(('eta', 'b'), {'alpha': 1e-3})"
    )
    assert "hpgrid" in loaded
    assert not loaded & {"jax", "jaxlib", "jaxtyping", "matplotlib", "scipy", "rich", "xarray"}


def test_a_sum_of_powers_is_searched_and_refined_without_jax() -> None:
    """Nothing is compiled, in Python or on the command line."""
    refined = "import hpgrid\nhpgrid.refine(hpgrid.bounds.lmo(), ('eta', 'b'), T=[1e8, 1e9], fixed={'alpha': 0.1})"
    assert not loaded_after(refined) & {"jax", "jaxlib", "scipy"}
    command = "main('search lmo --over eta,b --fix beta=0.999'.split())"
    searched = f"from hpgrid.cli import main\ntry:\n    {command}\nexcept SystemExit:\n    pass"
    assert not loaded_after(searched) & {"jax", "jaxlib", "scipy", "matplotlib"}


def test_public_names_load_when_used_and_others_do_not_exist() -> None:
    assert dir(hpgrid) == sorted(hpgrid.__all__)
    for name, home in hpgrid._HOME.items():
        if home in MODULES:
            assert getattr(hpgrid, name).__module__ == home
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        hpgrid.nonsense  # noqa: B018
