"""Lowers limits and puts them back.

A limit that was never lowered here is as it was found: its present value is its baseline. One that
was lowered has an entry in the journal until it is restored. Where somebody else (nvpmodel, a user)
has changed it since, their value is the new baseline, and is left alone when the time comes to
restore.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec import structs

from node.errors import GovernorRefusedError
from node.limits.choice import choose, clamped
from node.limits.journal import Entry
from node.limits.knobs import Files, Found, Knob, is_cooling
from node.limits.protocol import Code, Kind, KnobState, Outcome, Restoration

_log = logging.getLogger(__name__)


class Entries(Protocol):
    """What is asked of a journal; `node.limits.journal.Journal` is the real one."""

    def load(self) -> list[Entry]:
        """Read what an earlier helper left."""

    def save(self, entries: Iterable[Entry], *, durable: bool) -> None:
        """Replace the journal; `OSError` where that fails."""


@dataclass(frozen=True)
class _Plan:
    knob: Knob
    asked: int
    target: int
    changes: list[Entry]
    notes: list[str]


class Limits:
    """Every knob of one board."""

    def __init__(self, files: Files, journal: Entries, find: Callable[[Files], Found]) -> None:
        """Take the tree, the journal and the search for knobs; nothing is read yet."""
        self._files = files
        self._journal = journal
        self._find = find
        self._entries: dict[str, Entry] = {}
        self._knobs: dict[str, Knob] = {}
        """By file, as they were when they were lowered."""

    @property
    def held(self) -> list[str]:
        """Names of the knobs that are lowered."""
        return sorted({knob.name for knob in self._knobs.values()})

    def recover(self) -> list[Restoration]:
        """Restore what an earlier helper of this boot left lowered."""
        left = self._journal.load()
        if not left:
            return []
        _log.warning("journal_left_behind entries=%d", len(left))
        known = {path: knob for knob in self._find(self._files).knobs for path in knob.files}
        restorations = []
        for entry in left:
            knob = known.get(entry.file)
            if knob is None:
                # Its cores are offline, or no helper ever wrote this: either way not ours to write.
                restorations.append(_report(entry, None, False, "no file of a knob of this board"))
            else:
                self._entries[entry.file] = entry
                self._knobs[entry.file] = knob
        restorations += self._restore_all(set(self._knobs.values()))
        self._save_what_is_left()
        return restorations

    def describe(self) -> tuple[list[KnobState], list[str]]:
        """Say which knobs there are and where they stand, and what is left out and why."""
        found = self._find(self._files)
        states = []
        left_out = list(found.left_out)
        for knob in found.knobs:
            cooling = is_cooling(self._files, knob.kind)
            baselines = self._baselines(knob.ceilings, cooling=cooling)
            currents = [self._files.number(path) for path in knob.ceilings]
            present = [value for value in currents if value is not None]
            if not present or not baselines:
                left_out.append(f"{knob.name}: it went away")
                continue
            baseline = min(baselines.values())
            floor = min(knob.floor, baseline)
            states.append(
                KnobState(
                    knob=knob.name,
                    kind=knob.kind,
                    unit=knob.unit,
                    current=min(present),
                    baseline=baseline,
                    floor=floor,
                    steps=[step for step in knob.steps if floor <= step <= baseline],
                    capped=any(path in self._entries for path in knob.files),
                    note=knob.note,
                )
            )
        return states, left_out

    def cap(self, kind: Kind, asked: int, policy: int | None = None) -> list[Outcome]:
        """Lower every knob of a kind, or one policy's, to at most a value.

        Of several knobs, those that were found lower than asked are left so. All baselines are on
        disk before the first file is touched.

        Raises:
            GovernorRefusedError: none was; ``code`` says why.
        """
        knobs = [
            knob
            for knob in self._find(self._files).knobs
            if knob.kind == kind and policy in {None, knob.policy}
        ]
        if not knobs:
            which = kind if policy is None else f"{kind}:{policy}"
            raise _refusal("unknown_knob", f"this board has no {which} that can be capped")
        cooling = is_cooling(self._files, kind)
        plans = [self._plan(knob, asked, cooling=cooling) for knob in knobs]
        changes = [entry for plan in plans if isinstance(plan, _Plan) for entry in plan.changes]
        if changes:
            self._keep(changes)
            for plan in plans:
                if isinstance(plan, _Plan):
                    self._knobs.update((entry.file, plan.knob) for entry in plan.changes)
        done = [self._carry_out(plan) if isinstance(plan, _Plan) else plan for plan in plans]
        if changes:
            self._save_what_is_left()
        refusals = [each for each in done if isinstance(each, GovernorRefusedError)]
        if len(refusals) == len(done):
            raise refusals[0]
        return [
            each if isinstance(each, Outcome) else Outcome(knob.name, asked, None, None, str(each))
            for knob, each in zip(knobs, done, strict=True)
        ]

    def release(self, kind: Kind | None = None, policy: int | None = None) -> list[Restoration]:
        """Restore one kind of knob, or one policy, or everything."""
        restorations = self._restore_all(
            {
                knob
                for knob in self._knobs.values()
                if kind in {None, knob.kind} and policy in {None, knob.policy}
            }
        )
        if restorations:
            self._save_what_is_left()
        return restorations

    def _plan(self, knob: Knob, asked: int, *, cooling: bool) -> _Plan | GovernorRefusedError:
        """Say what is to be written for one knob, and in which order."""
        notes = self._forget_what_others_changed(knob, cooling=cooling)
        baselines = self._baselines(knob.files, cooling=cooling)
        if any(path not in baselines for path in knob.ceilings):
            return _refusal("unknown_knob", f"{knob.name} went away")
        if cooling and not any(path in self._entries for path in knob.files):
            return _refusal("throttled", f"the kernel itself holds {knob.name} down against heat")
        baseline = min(baselines[path] for path in knob.ceilings)
        target = choose(asked, baseline=baseline, floor=knob.floor, steps=knob.steps)
        if target is None:
            return _refusal("above_baseline", f"{knob.name} is at {baseline}; asked was {asked}")
        notes.append(clamped(asked, target))
        if asked < target:
            notes.append(knob.note)
        order = [path for path in knob.files if path in baselines]
        leading = self._entries.get(knob.ceilings[0])
        if target < (leading.written if leading else baseline):
            # Lowering: the minimum gives way before the limit comes down, the longest term first.
            order.reverse()
        wanted = [
            Entry(path, baselines[path], min(baselines[path], target), None) for path in order
        ]
        return _Plan(knob, asked, target, [each for each in wanted if self._differs(each)], notes)

    def _differs(self, wanted: Entry) -> bool:
        # What is ours already and as asked is not written again: neither is the journal then.
        entry = self._entries.get(wanted.file)
        return wanted.written != (wanted.baseline if entry is None else entry.written)

    def _carry_out(self, plan: _Plan) -> Outcome | GovernorRefusedError:
        """Write what was planned, and journalled, and read it back."""
        knob = plan.knob
        for change in plan.changes:
            try:
                self._files.write(change.file, change.written)
            except OSError as error:
                left = [each.file for each in self._restore_all({knob}) if not each.restored]
                state = f"{', '.join(left)} not restored" if left else "it is as it was found"
                return _refusal(
                    "write_failed", f"{knob.name}: {change.file}: {error.strerror}; {state}"
                )
            if change.written == change.baseline:
                self._forget(change.file)
            else:
                read_back = self._files.number(change.file)
                self._entries[change.file] = structs.replace(change, read_back=read_back)
        read = [self._files.number(path) for path in knob.ceilings]
        read_back = min((value for value in read if value is not None), default=None)
        notes = list(plan.notes)
        if read_back is not None and read_back > plan.target:
            notes.append(f"the kernel says {read_back}: not taken as written")
        note = "; ".join(filter(None, notes))
        return Outcome(knob.name, plan.asked, plan.target, read_back, note)

    def _forget_what_others_changed(self, knob: Knob, *, cooling: bool) -> list[str]:
        """Take the values that somebody else has put there since as what the files are found at."""
        notes = []
        for path in knob.files:
            entry, current = self._entries.get(path), self._files.number(path)
            if entry is None or current is None or entry.owns(current, cooling=cooling):
                continue
            self._forget(path)
            if current != entry.baseline:
                _log.warning(
                    "limit_changed_by_another file=%s now=%d ours=%s", path, current, entry
                )
                notes.append(f"{path.rsplit('/', 1)[-1]} was set to {current} by another")
        return notes

    def _baselines(self, paths: Sequence[str], *, cooling: bool) -> dict[str, int]:
        """What each file is to be restored to, those that are there."""
        baselines = {}
        for path in paths:
            current = self._files.number(path)
            if current is None:
                continue
            entry = self._entries.get(path)
            ours = entry is not None and entry.owns(current, cooling=cooling)
            baselines[path] = entry.baseline if entry is not None and ours else current
        return baselines

    def _restore_all(self, knobs: set[Knob]) -> list[Restoration]:
        restorations = []
        for knob in sorted(knobs, key=lambda knob: knob.name):
            cooling = is_cooling(self._files, knob.kind)
            for path in knob.files:
                entry = self._entries.get(path)
                if entry is not None:
                    restorations.append(self._restore(knob, entry, cooling=cooling))
        return restorations

    def _restore(self, knob: Knob, entry: Entry, *, cooling: bool) -> Restoration:
        current = self._files.number(entry.file)
        if current is None:
            self._forget(entry.file)
            return _report(entry, None, False, "it is not there any more")
        if current == entry.baseline:
            # Not written yet, not taken, or put back by another.
            self._forget(entry.file)
            return _report(entry, current, True, "")
        if not entry.owns(current, cooling=cooling):
            self._forget(entry.file)
            return _report(entry, current, False, "changed by another, and left so")
        if entry.file == knob.minimum and not cooling:
            ceiling = self._files.number(knob.ceilings[0])
            if ceiling is not None and ceiling < entry.baseline:
                self._forget(entry.file)
                return _report(entry, current, False, f"the limit is now {ceiling}, below it")
        try:
            self._files.write(entry.file, entry.baseline)
        except OSError as error:
            # It stays in the journal: the next chance is the next release, or the next start.
            return _report(entry, current, False, f"not written: {error.strerror}")
        self._forget(entry.file)
        read_back = self._files.number(entry.file)
        note = "" if read_back == entry.baseline else f"the kernel says {read_back}"
        return _report(entry, current, True, note)

    def _forget(self, path: str) -> None:
        self._entries.pop(path, None)
        self._knobs.pop(path, None)

    def _keep(self, changes: list[Entry]) -> None:
        """Put on disk what is about to be written; a new baseline is there for good."""
        entries = {**self._entries, **{entry.file: entry for entry in changes}}
        try:
            self._journal.save(entries.values(), durable=entries.keys() != self._entries.keys())
        except OSError as error:
            raise _refusal(
                "journal", f"the baseline cannot be put on disk: {error.strerror or error}"
            ) from error
        self._entries = entries

    def _save_what_is_left(self) -> None:
        """Bring the journal up to date after the fact.

        Where that fails it says too much, which does no harm: what is restored already is found to
        be so.
        """
        try:
            self._journal.save(self._entries.values(), durable=False)
        except OSError as error:
            _log.error("journal_not_updated reason=%s", error)


def _report(entry: Entry, found: int | None, restored: bool, note: str) -> Restoration:
    level = logging.INFO if restored and not note else logging.WARNING
    _log.log(
        level,
        "limit_%s file=%s baseline=%d found=%s note=%s",
        "restored" if restored else "left",
        entry.file,
        entry.baseline,
        found,
        note or "-",
    )
    return Restoration(entry.file, entry.baseline, found, restored, note)


def _refusal(code: Code, text: str) -> GovernorRefusedError:
    return GovernorRefusedError(code, text)
