"""Components are found once, by whoever asks, and no plug-in takes the place of a built-in."""

import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import pytest

import workbench.registry
from workbench.errors import UsageError
from workbench.options import Component
from workbench.registry import PLUGINS, Registry

INIT = """
from workbench.registry import Registry

registry = Registry("toy", __name__)
"""
COMPONENT = """
from typing import Literal

from workbench.options import Component
from {package} import registry


@registry.register
class {kind}(Component):
    name: Literal["{name}"] = "{name}"
"""


@pytest.fixture
def make_package(tmp_path, monkeypatch):
    """``make_package("boxes", bear=source)`` makes an importable package of components; returns its registry."""
    monkeypatch.delenv(PLUGINS, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def make(package, **files):
        folder = tmp_path / package
        folder.mkdir()
        (folder / "__init__.py").write_text(INIT)
        for stem, source in files.items():
            (folder / f"{stem}.py").write_text(source)
        return __import__(package).registry

    yield make
    for name in set(sys.modules) - before:
        if name.startswith(("toys_", "workbench_plugin_")):
            del sys.modules[name]


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """``plugin(source)`` puts one file into a folder of plug-ins."""
    folder = tmp_path / "plugins"
    folder.mkdir()

    def make(source, stem="mine"):
        (folder / f"{stem}.py").write_text(source)
        monkeypatch.setenv(PLUGINS, str(folder))

    return make


def component(package, name, kind="Toy"):
    return COMPONENT.format(package=package, name=name, kind=kind)


def test_threads_that_ask_at_once_all_find_everything(make_package):
    slow = "import time\ntime.sleep(0.3)\n"
    registry = make_package("toys_slow", bear=slow + component("toys_slow", "bear"), car=component("toys_slow", "car"))
    together = threading.Barrier(4)

    def ask(_):
        together.wait()
        return registry["bear"].__name__, registry.names()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == [("Toy", ["bear", "car"])] * 4


def test_threads_that_ask_for_different_kinds_share_a_plugin_file(make_package, plugin):
    first, second = make_package("toys_first"), make_package("toys_second")
    plugin("import time\n" + component("toys_first", "bear") + "\ntime.sleep(0.3)\n" + component("toys_second", "car"))
    with ThreadPoolExecutor(2) as pool:
        bears = pool.submit(first.names)
        time.sleep(0.1)  # the first thread is in the middle of the file now
        assert (pool.submit(second.names).result(), bears.result()) == (["car"], ["bear"])


def test_importing_a_component_while_another_thread_discovers_does_not_lock(tmp_path, make_package):
    slow = "import time\ntime.sleep(0.2)\n"
    make_package("toys_both", bear=slow + component("toys_both", "bear"), car=component("toys_both", "car"))
    code = (
        "import threading, toys_both\n"
        "asking = threading.Thread(target=toys_both.registry.names); asking.start()\n"
        "import toys_both.bear; asking.join(); print(toys_both.registry.names())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "['bear', 'car']", done.stderr


def test_a_component_may_ask_while_it_is_imported(make_package):
    asking = component("toys_asking", "bear") + "\nseen = registry.names()\n"
    registry = make_package("toys_asking", bear=asking, car=component("toys_asking", "car"))
    assert registry.names() == ["bear", "car"]
    assert "bear" in sys.modules["toys_asking.bear"].seen


def test_a_built_in_that_cannot_be_imported_is_a_fault_every_time(make_package):
    registry = make_package("toys_broken", bear="1 / 0")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            registry.names()


@pytest.mark.parametrize("kind", ["Bear", "Other"])
def test_a_plugin_cannot_take_the_place_of_a_built_in(make_package, plugin, kind):
    registry = make_package("toys_kept", bear=component("toys_kept", "bear", "Bear"))
    plugin(component("toys_kept", "bear", kind))
    with pytest.warns(UserWarning, match=r"mine\.py was left out: UsageError: two toys are called 'bear'"):
        found = registry["bear"]
    assert found.__module__ == "toys_kept.bear"
    assert registry.builtin_names() == ["bear"]


def test_a_plugin_beside_it_is_still_found(make_package, plugin):
    registry = make_package("toys_beside", bear=component("toys_beside", "bear"))
    plugin(component("toys_beside", "bear"), "a_clash")
    plugin(component("toys_beside", "car"), "b_new")
    with pytest.warns(UserWarning, match="a_clash"):
        assert registry.names() == ["bear", "car"]
    assert registry.builtin_names() == ["bear"]


def test_the_same_class_may_be_defined_again():
    registry = Registry("toy", "workbench.methods")
    made = []
    for _ in range(2):  # what running a notebook's cell twice does

        @registry.register
        class Toy(Component):
            name: Literal["toy"] = "toy"

        made.append(Toy)
    assert registry._classes == {"toy": made[1]}


def test_a_class_of_another_file_with_the_same_name_is_refused():
    registry = Registry("toy", "workbench.methods")

    class Toy(Component):
        name: Literal["toy"] = "toy"

    registry.register(Toy)
    namesake = type("Toy", (Toy,), {"__module__": "elsewhere", "__qualname__": Toy.__qualname__})
    with pytest.raises(UsageError, match=r"two toys are called 'toy': .*Toy and elsewhere\..*Toy; rename one of them"):
        registry.register(namesake)


def test_the_workbenchs_own_registries_find_everything_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for registry in (workbench.registry.datasets, workbench.registry.models, workbench.registry.methods):
            assert registry.builtin_names()
