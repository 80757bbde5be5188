"""Change the code in one place at a time, and see whether the tests notice.

A mutant is the code with one such change: a limit moved by one, a condition turned round, a
statement or an alternative of a pattern left out. Each is tested in a copy of the project; this
one stays as it is. A mutant that survives is a line which no test needs: write the test that a user
would miss, or remove the line, or list the change in mutants/equivalent.txt with the reason why it
changes nothing. The exit status is 1 only if the tests fail without a change.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import Queue
from typing import NamedTuple, NoReturn, TypeVar

import psutil
from calls import Calls
from changes import Mutant, Place, files, mutant, package_of, places
from copies import ROOT, Copy
from equivalent import LIST, read_list

LEFT_OUT_FOLDERS = {"e2e", "mutants", "real", "root", "test_package.py", "test_readme.py"}
_Work = TypeVar("_Work")
_Done = TypeVar("_Done")
LEAST = 20  # mutants of each package, however small it is: fewer tell little


class Result(NamedTuple):
    """A mutant, and whether a test has noticed it."""

    mutant: Mutant
    noticed: bool


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "files", nargs="*", metavar="MODULE", help="only in these, or in these folders"
    )
    parser.add_argument("--seed", type=int, help="the same mutants each time; any if not given")
    parser.add_argument("--sample", type=int, default=300, metavar="N", help="mutants in all (300)")
    parser.add_argument(
        "--seconds", type=float, help="stop after this long; the tests' own time aside"
    )
    parser.add_argument("--tests", nargs="+", metavar="PATH", help="only these tests (all)")
    parser.add_argument("--quick", action="store_true", help="of one package, any; only its tests")
    parser.add_argument("--workers", type=int, default=psutil.cpu_count() or 1, help="at once")
    return parser


def main() -> int:
    """Return the exit status: 1 if the tests fail without a change."""
    parser = _parser()
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupted)
    seed = options.seed if options.seed is not None else random.randrange(10**6)
    chosen = sorted(_chosen(options.files))
    if not chosen:
        parser.error(f"no module in {' '.join(options.files)}")
    dice = random.Random(seed)
    tests = options.tests or test_paths()
    if options.quick:
        packages = packages_with_tests(chosen)
        if not packages:
            parser.error(f"no package with tests of its own in {' '.join(options.files)}")
        package = dice.choice(packages)
        chosen = [file for file in chosen if package_of(file) == package]
        tests = [path for path in tests if path.startswith(f"tests/{package}/")]
        print(f"{package}, with its own tests only: others may notice what survives here")
    wanted = sample(chosen, options.sample, dice)
    print(f"seed {seed}: {len(wanted)} mutants", flush=True)
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        copies = [Copy(Path(scratch, str(number))) for number in range(options.workers)]
        try:
            calls = watched(copies, tests)
            if calls is None:
                return 1
            until = time.monotonic() + options.seconds if options.seconds else float("inf")
            results = list(tested(copies, wanted, calls, until, slow_too=not options.quick))
        finally:
            for copy in copies:
                copy.end()
    print(table(results))
    for result in sorted(results):
        if not result.noticed:
            print(result.mutant)
    return 0


def _interrupted(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def _chosen(asked: list[str]) -> Iterator[str]:
    for file in files(ROOT):
        named = [Path(path).resolve() for path in asked]
        if not asked or any((ROOT / file).is_relative_to(path) for path in named):
            yield file


def packages_with_tests(chosen: Iterable[str]) -> list[str]:
    """Return the packages of these files that have a folder of tests, in order."""
    packages = {package_of(file) for file in chosen}
    folders = {Path(path).parts[1] for path in test_paths()}
    return sorted(packages & folders)


def sample(chosen: list[str], wanted: int, dice: random.Random) -> list[Mutant]:
    """Return that many mutants: of each package as many as it has places, and LEAST or all of it.

    They are in an order of chance, one of each package first: so the first ones are a sample, too.
    """
    equivalent = {known[:3] for known in read_list(LIST.read_text())}
    sources = {file: (ROOT / file).read_text() for file in chosen}
    of_package: dict[str, list[list[Place]]] = defaultdict(list)
    for file, source in sources.items():
        at = defaultdict(list)
        for place in places(file, source):
            at[place.position].append(place)
        of_package[package_of(file)] += list(at.values())
    total = sum(map(len, of_package.values()))
    drawn = []
    for package, there in sorted(of_package.items()):
        share = max(LEAST, round(wanted * len(there) / total))
        dice.shuffle(there)
        found: list[Mutant] = []
        for choices in there:
            place = dice.choice(choices)
            made = mutant(place, sources[place.file])
            if made and (made.file, made.before, made.after) not in equivalent:
                found.append(made)
            if len(found) == share:
                break
        drawn += [
            (dice.random() if number else 0, package, made) for number, made in enumerate(found)
        ]
    return [made for _, _, made in sorted(drawn)]


def watched(copies: list[Copy], paths: list[str]) -> Calls | None:
    """Run the tests without any change; return what each calls, or nothing if one fails."""
    calls = Calls()
    left_out: list[str] = []
    for path, ended in _each(copies, paths, Copy.watch):
        if ended.status:
            print(f"{ended.said}\n{path}: the tests fail without a mutant")
            return None
        left_out += ended.failed
    for name in left_out:
        print(f"left out, it fails while it is watched: {name}")
    for copy in copies:
        calls.add(copy, left_out, files(ROOT))
    print(f"{len(calls.seconds)} tests, {sum(calls.seconds.values()):.0f} s", flush=True)
    return calls


def test_paths() -> list[str]:
    """Return the files of tests, the largest first: they take longest."""
    found = [
        path.relative_to(ROOT)
        for path in sorted(
            (ROOT / "tests").rglob("test_*.py"), key=lambda path: -path.stat().st_size
        )
    ]
    return [str(path) for path in found if path.parts[1] not in LEFT_OUT_FOLDERS]


def tested(
    copies: list[Copy], mutants: list[Mutant], calls: Calls, until: float, *, slow_too: bool
) -> Iterator[Result]:
    """Test mutants until all are done, or the time (of ``time.monotonic``) is over."""

    def test(copy: Copy, made: Mutant) -> bool | None:
        if time.monotonic() > until:
            return None
        # Of the copy: here somebody may go on working meanwhile.
        tests = calls.of(made.file, (copy.tree / made.file).read_text(), made.line)
        return copy.notices(made, tests, slow_too=slow_too)

    for number, (made, noticed) in enumerate(_each(copies, mutants, test), 1):
        if noticed is None:
            continue
        if not noticed:
            print(f"{number}: survived: {made}", flush=True)
        yield Result(made, noticed)


def _each(
    copies: list[Copy], work: list[_Work], do: Callable[[Copy, _Work], _Done]
) -> Iterator[tuple[_Work, _Done]]:
    """Do each piece of work in a copy that is free."""
    free: Queue[Copy] = Queue()
    for copy in copies:
        free.put(copy)

    def in_a_copy(piece: _Work) -> tuple[_Work, _Done]:
        copy = free.get()
        try:
            return piece, do(copy, piece)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        waiting = [pool.submit(in_a_copy, piece) for piece in work]
        try:
            for done in as_completed(waiting):
                yield done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for copy in copies:
                copy.end()
            raise


def table(results: Iterable[Result]) -> str:
    """Return a line for each package, and one for all of them."""
    mutants: Counter[str] = Counter()
    noticed: Counter[str] = Counter()
    for result in results:
        for name in (package_of(result.mutant.file), "all"):
            mutants[name] += 1
            noticed[name] += result.noticed
    lines = [f"{'package':16}{'mutants':>8}{'noticed':>8}{'%':>6}{'survived':>9}"]
    for name in (*sorted(mutants.keys() - {"all"}), *(["all"] if mutants else [])):
        part = 100 * noticed[name] / mutants[name]
        survived = mutants[name] - noticed[name]
        lines.append(f"{name:16}{mutants[name]:8}{noticed[name]:8}{part:6.1f}{survived:9}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
