"""A time slider with play and pause, for a fragment that draws one step."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from workbench.pages import class_mode
from workbench.pages.frame import choose

TICK_SECONDS = 2.0  # between two steps of the film at its usual speed
SPEEDS = (0.5, 1, 2, 4)
SPEED = "choice-speed"
PLAYING, SINCE, SHOWN = "playing", "playing-since", "film-of"


def film(draw: Callable[..., None]) -> Callable[..., None]:
    """``draw`` as a fragment that is drawn again and again while the film is playing, and costs nothing otherwise.

    A film of another page, or of another first argument (the run), begins at rest.
    """

    def show(*arguments: Any) -> None:
        shown = f"{draw.__module__} {arguments[:1]}"
        if st.session_state.get(SHOWN) != shown:
            st.session_state.update({SHOWN: shown, PLAYING: False})
        st.fragment(draw, run_every=_tick() if st.session_state.get(PLAYING) else None)(*arguments)

    return show


def _tick() -> float:
    """Seconds between two steps."""
    speed = st.session_state.get(SPEED)
    return TICK_SECONDS / (speed if speed in SPEEDS else 1)


def time_slider(
    label: str, steps: Sequence[int], name: Callable[[int], str], parameter: str = "step", default: int | None = None
) -> int:
    """The step to draw, kept in the address as ``parameter``; ``default`` is shown first, or else the first one.

    While playing, every call goes one step on once the tick is over, and stops after the last.
    """
    kept = f"choice-{parameter}"  # where the slider keeps its value
    _go_on(steps, kept)
    playing = bool(st.session_state.get(PLAYING))
    before = _tick()
    buttons, slider, pace = st.columns([2.4, 7, 1.2], vertical_alignment="bottom")
    with pace:
        help = f"How fast the film plays: 1 × is a step every {TICK_SECONDS:g} seconds."
        choose(st.selectbox, "Speed", "speed", SPEEDS, 1, format_func=lambda times: f"{times} ×", help=help)
    if playing and _tick() != before:
        st.rerun()  # of the whole page, which sets the pace of the fragment
    with slider:
        step = steps[0]
        if len(steps) > 1:
            help = "What is shown. Play goes on from here, and from the beginning where this is the end."
            step = choose(st.select_slider, label, parameter, steps, default, format_func=name, help=help)
    index = list(steps).index(step)
    if class_mode.hidden("film", "Buttons of the film"):
        return step
    with buttons, st.container(horizontal=True, gap="small"):
        _move_button(":material/skip_previous:", "One step back", kept, steps, index - 1)
        icon, text = (":material/pause:", "Pause") if playing else (":material/play_arrow:", "Play")
        if st.button(text, icon=icon, type="primary", disabled=len(steps) == 1, key="play"):
            if not playing and index == len(steps) - 1:
                st.session_state["film-start"] = steps[0]
            st.session_state.update({PLAYING: not playing, SINCE: time.monotonic()})
            st.rerun()  # of the whole page, which sets or ends the pace of the fragment
        _move_button(":material/skip_next:", "One step on", kept, steps, index + 1)
    return step


def _go_on(steps: Sequence[int], kept: str) -> None:
    """Move the slider before it is drawn."""
    state = st.session_state
    if "film-start" in state:
        state[kept] = state.pop("film-start")
    if state.get(PLAYING) and len(steps) == 1:  # of another run, chosen while the film was playing
        state[PLAYING] = False
        st.rerun()
    if not state.get(PLAYING) or time.monotonic() - state[SINCE] < 0.8 * _tick() or state.get(kept) not in steps:
        return
    index = list(steps).index(state[kept]) + 1
    if index == len(steps):
        state[PLAYING] = False
        st.rerun()
    state.update({kept: steps[index], SINCE: time.monotonic()})


def _move_button(icon: str, help: str, kept: str, steps: Sequence[int], index: int) -> None:
    def move() -> None:
        st.session_state[kept] = steps[index]

    there = 0 <= index < len(steps)
    st.button("", icon=icon, help=help, disabled=not there, on_click=move, key=f"move-{help}")
