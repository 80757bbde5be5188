"""Fuzz the readers, or run one on files.

Each target starts from its kept corpus (fuzz/corpus/TARGET), the tests' captures and the strings in
the tests. What is found goes to fuzz/found, and makes the exit status 1; the corpus stays as it is,
unless --keep merges what reached something new into it.
"""

from __future__ import annotations

import argparse
import ast
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from targets import TARGETS

HERE = Path(__file__).parent
TESTS = HERE.parent / "tests"
FOUND = HERE / "found"
LARGEST_KEPT = 2048  # bytes of an input in the corpus
MOST_KEPT = 150  # inputs
LONGEST_INPUT = 10  # seconds, after which an input is a hang
MOST_MEMORY = 512  # MB
_DONE = re.compile(r"DONE +cov: (\d+) ft: (\d+) corp: (\d+)/\S+ .*?exec/s: (\d+)")
_RUNS = re.compile(r"^#(\d+)\t", re.M)


def main() -> int:
    """Return the exit status: 1 if something was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", nargs="?", choices=list(TARGETS), metavar="TARGET")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--seed", type=int, default=0, help="the same inputs each time (0: others)")
    parser.add_argument("--max-length", type=int, default=4096, help="of an input, in bytes (4096)")
    parser.add_argument("--keep", action="store_true", help="add what is new to the corpus")
    options = parser.parse_args()
    for file in options.files:
        TARGETS[options.target].run(file.read_bytes())
    if options.files:
        return 0
    print(f"{'target':14}{'seconds':>8}{'runs':>10}{'exec/s':>8}{'edges':>7}{'features':>9}")
    chosen = [options.target] if options.target else list(TARGETS)
    bad = [name for name in chosen if not fuzz(name, options)]
    if bad:
        print("FOUND something in: " + ", ".join(bad))
    return bool(bad)


def fuzz(name: str, how: argparse.Namespace) -> bool:
    """Fuzz one target and print a line about it; return whether all was well."""
    corpus = HERE / "corpus" / name
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        new, seeds = Path(scratch, "new"), Path(scratch, "seeds")
        new.mkdir()
        seeds.mkdir()
        for number, seed in enumerate(seeds_of(name)):
            (seeds / str(number)).write_bytes(seed)
        FOUND.mkdir(exist_ok=True)
        before = set(FOUND.glob(f"{name}-*"))
        directories = [path for path in (new, corpus, seeds) if path.is_dir()]
        options = [
            f"-max_total_time={how.seconds}",
            f"-seed={how.seed}",
            f"-timeout={LONGEST_INPUT}",
            f"-rss_limit_mb={MOST_MEMORY}",
            f"-max_len={how.max_length}",
            f"-artifact_prefix={FOUND}/{name}-",
            *dictionary(name),
        ]
        done = engine(name, *options, *directories)
        runs = _RUNS.findall(done.stdout) or ["0"]
        counted = _DONE.search(done.stdout)
        edges, features, _, speed = counted.groups() if counted else ("?",) * 4
        print(
            f"{name:14}{how.seconds:8}{runs[-1]:>10}{speed:>8}{edges:>7}{features:>9}", flush=True
        )
        found = sorted(set(FOUND.glob(f"{name}-*")) - before)
        if found or done.returncode:
            tail = re.sub(r"(?m)^(?:#|INFO: |NEW_FUNC).*\n", "", done.stdout)[-3000:]
            print(f"{tail}\n{name}: status {done.returncode}", flush=True)
            for file in found:
                print(f"Run it again: {sys.executable} {__file__} {name} {file}", flush=True)
            return False
        if how.keep:
            merge(name, Path(scratch, "merged"), directories)
    return True


def engine(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run libFuzzer on a target in a process of its own."""
    return subprocess.run(
        [sys.executable, HERE / "engine.py", name, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def merge(name: str, merged: Path, directories: list[Path]) -> None:
    """Make the corpus the fewest inputs that reach what all of these do."""
    merged.mkdir()
    engine(name, "-set_cover_merge=1", f"-max_len={LARGEST_KEPT}", merged, *directories)
    kept = [path for path in merged.iterdir() if path.stat().st_size <= LARGEST_KEPT]
    # Larger ones reach more.
    kept = sorted(kept, key=lambda path: -path.stat().st_size)[:MOST_KEPT]
    if kept:
        corpus = HERE / "corpus" / name
        shutil.rmtree(corpus, ignore_errors=True)
        corpus.mkdir(parents=True)
        for path in kept:
            shutil.copy(path, corpus)
        size = sum(path.stat().st_size for path in kept)
        print(f"{'':14}kept {len(kept)} inputs, {size} bytes", flush=True)


def seeds_of(name: str) -> Iterator[bytes]:
    """Yield a target's first inputs: captures, and the strings and lists of strings in tests."""
    for captures in TARGETS[name].captures:
        for path in sorted((TESTS / captures).rglob("*")):
            if path.is_file():
                yield path.read_bytes()
    for test in TARGETS[name].tests:
        for node in ast.walk(ast.parse((TESTS / f"{test}.py").read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
                value = node.value
                yield value if isinstance(value, bytes) else value.encode(errors="surrogatepass")
            elif isinstance(node, (ast.List, ast.Tuple)):
                words = [getattr(element, "value", None) for element in node.elts]
                if words and all(isinstance(word, str) for word in words):
                    yield "\0".join(map(str, words)).encode(errors="surrogatepass")


def dictionary(name: str) -> list[str]:
    """Return the option for a target's dictionary, if there is one."""
    path = HERE / "dictionaries" / f"{name}.dict"
    return [f"-dict={path}"] if path.is_file() else []


if __name__ == "__main__":
    sys.exit(main())
