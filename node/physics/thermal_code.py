"""The step of one thermal network as straight-line code, put together once for its figures.

A handful of nodes needs some sixty sums a step, and loops over tuples of nodes and links cost three
times as much as the sums. So the source of a function with a local variable for each temperature is
written from the network's figures and compiled, as `dataclasses` does with ``__init__``. Only
numbers go into it, never names of the scenario. A substep of a heated node 0 that is linked to a
node 1 with a face reads::

    f0 = p0 + 0.02 * w0                    after  w0 = t1 - t0
    f1 = p1 - 0.01 * w0 - 3e-12 * k1 * k1  after  k1 = t1 + 273.15; k1 *= k1
    a0 = t0 + h * f0
    a1 = t1 + h * f1
    ... g0 and g1 from a0 and a1, as f0 and f1 from t0 and t1 ...
    t0 += half * (f0 + g0)
    t1 += half * (f1 + g1)

with p the heat of a node in kelvin per second. The tests hold every network to the same step as
loops over its specification.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

_ZERO_CELSIUS_K = 273.15
SUBSTEP_RATE = 0.5
"""Substep times the fastest rate; Heun's method is stable to 2."""


MAX_NODES = 64
MAX_PARTS = 256
"""Links, faces and thermostats together."""


class Figures(NamedTuple):
    """A network in kelvin per second: every watt divided by the capacity of its node."""

    inverse_capacities: tuple[float, ...]
    conductive: tuple[tuple[int, int, float, float], ...]
    """By link: two nodes, and the rate of each for a kelvin between them."""
    radiative: tuple[tuple[int, int, float, float], ...]
    """The same for a difference of fourth powers."""
    radiating: tuple[tuple[int, float], ...]
    """By node with faces: the rate for a fourth power."""
    sky_k_per_s: tuple[float, ...]
    """By node: what space gives back."""
    surface_nodes: tuple[int, ...]
    heaters: tuple[tuple[int, float, float, float], ...]
    """Node, watts, on below, off above."""
    rates: tuple[float, float]
    """Bound of the fastest rate: a constant and a factor of kelvin cubed."""
    max_substep_s: float


def step_source(figures: Figures) -> str:
    """Write ``step(state, heat_w, surface_w, dt_s, *, bus_live)``.

    The names that it needs: ``inf``; ``refuse(heat_w, surface_w, dt_s)``, which raises;
    ``substep_s(left_s, hottest_c, fastest_rise_k_per_s)``; ``new``, which makes a named tuple of a
    class and its fields; ``ThermalState``.
    """
    return "\n".join(_step(figures)) + "\n"


def _step(figures: Figures) -> Iterator[str]:
    count = len(figures.inverse_capacities)
    nodes = range(count)
    heaters = range(len(figures.heaters))
    t = _names("t", nodes)
    yield "def step(state, heat_w, surface_w, dt_s, *, bus_live=True):"
    yield "    if not 0.0 < dt_s < inf:"
    yield "        refuse(heat_w, surface_w, dt_s)"
    yield f"    ({t}), heaters_on, _ = state"
    yield "    try:"
    yield f"        {_names('q', nodes)} = heat_w"
    yield f"        ({_names('s', range(len(figures.surface_nodes)))}) = surface_w"
    yield "    except ValueError:"
    yield "        refuse(heat_w, surface_w, dt_s)"
    for i in nodes:
        faces = "".join(f" + s{face}" for face, at in enumerate(figures.surface_nodes) if at == i)
        sky = f" + {figures.sky_k_per_s[i]!r}" if figures.sky_k_per_s[i] else ""
        yield f"    p{i} = (q{i}{faces}) * {figures.inverse_capacities[i]!r}{sky}"
    yield f"    if not -inf < {' + '.join(f'p{i}' for i in nodes)} < inf:"
    yield "        refuse(heat_w, surface_w, dt_s)"
    yield "    left_s = dt_s"
    if figures.heaters:
        yield f"    ({_names('on', heaters)}) = heaters_on"
        yield "    heater_j = 0.0"
    else:
        yield from _indented(_greatest("rise", "p", nodes), 1)
    yield "    while left_s > 0.0:"
    yield from _indented(_substep(figures), 2)
    yield "        left_s -= h"
    if figures.heaters:
        yield f"    heaters_on = ({_names('on', heaters)})"
    heater_w = "heater_j / dt_s" if figures.heaters else "0.0"
    yield f"    return new(ThermalState, (({t}), heaters_on, {heater_w}))"


def _substep(figures: Figures) -> Iterator[str]:
    nodes = range(len(figures.inverse_capacities))
    heated = "p"
    if figures.heaters:
        heated = "r"
        yield from _thermostats(figures)
        yield from _greatest("rise", "r", nodes)
    yield from _greatest("hottest", "t", nodes)
    conduction, radiation = figures.rates
    # Mostly all that is left is short enough; then nothing has to be called.
    yield f"kelvin = hottest + {_ZERO_CELSIUS_K!r} + rise * left_s"
    yield (
        f"if left_s <= {figures.max_substep_s!r} and "
        f"({conduction!r} + {radiation!r} * kelvin * kelvin * kelvin) * left_s <= {SUBSTEP_RATE!r}:"
    )
    yield "    h = left_s"
    yield "else:"
    yield "    h = substep_s(left_s, hottest, rise)"
    yield from _slopes(figures, at="t", heat=heated, to="f")
    for i in nodes:
        yield f"a{i} = t{i} + h * f{i}"
    yield from _slopes(figures, at="a", heat=heated, to="g")
    yield "half = 0.5 * h"
    for i in nodes:
        yield f"t{i} += half * (f{i} + g{i})"
    if figures.heaters:
        yield "heater_j += power_w * h"


def _slopes(figures: Figures, *, at: str, heat: str, to: str) -> Iterator[str]:
    """The rate of change ``to`` of each temperature ``at``, K/s, with the heat given."""
    terms: list[list[str]] = [[] for _ in figures.inverse_capacities]
    for number, (i, j, at_i, at_j) in enumerate(figures.conductive):
        yield f"w{number} = {at}{j} - {at}{i}"
        terms[i].append(f" + {at_i!r} * w{number}")
        terms[j].append(f" - {at_j!r} * w{number}")
    shining = {i for i, _ in figures.radiating}
    shining.update(node for i, j, _, _ in figures.radiative for node in (i, j))
    for i in sorted(shining):
        yield f"k{i} = {at}{i} + {_ZERO_CELSIUS_K!r}"
        yield f"k{i} *= k{i}"
    for number, (i, j, at_i, at_j) in enumerate(figures.radiative):
        yield f"v{number} = k{j} * k{j} - k{i} * k{i}"
        terms[i].append(f" + {at_i!r} * v{number}")
        terms[j].append(f" - {at_j!r} * v{number}")
    for i, emission in figures.radiating:
        terms[i].append(f" - {emission!r} * k{i} * k{i}")
    for i, sums in enumerate(terms):
        yield f"{to}{i} = {heat}{i}{''.join(sums)}"


def _thermostats(figures: Figures) -> Iterator[str]:
    """Read at the beginning of each substep, where there is a bus to heat from."""
    yield "power_w = 0.0"
    for i in range(len(figures.inverse_capacities)):
        yield f"r{i} = p{i}"
    yield "if bus_live:"
    for number, (i, power_w, on_below_c, off_above_c) in enumerate(figures.heaters):
        on = f"on{number}"
        yield f"    {on} = t{i} < {on_below_c!r} or ({on} and t{i} <= {off_above_c!r})"
        yield f"    if {on}:"
        yield f"        r{i} += {power_w * figures.inverse_capacities[i]!r}"
        yield f"        power_w += {power_w!r}"


def _greatest(name: str, of: str, nodes: Sequence[int]) -> Iterator[str]:
    yield f"{name} = {of}{nodes[0]}"
    for i in nodes[1:]:
        yield f"if {of}{i} > {name}:"
        yield f"    {name} = {of}{i}"


def _names(letter: str, numbers: Iterable[int]) -> str:
    """A tuple's inside: each name with its comma."""
    return "".join(f"{letter}{number}, " for number in numbers).rstrip()


def _indented(lines: Iterable[str], levels: int) -> Iterator[str]:
    return ("    " * levels + line for line in lines)
