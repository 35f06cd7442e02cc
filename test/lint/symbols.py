"""No folder calls upwards, whatever the headers say: symbols.py ROOT BUILD.

Reads by nm which symbols the objects of src/ need and define. A folder may need only what is
defined in its own objects, in folders above it in the list of src/meson.build, or outside of
src/; so there is no circle between folders either. A prototype written by hand gets past the
check of includes, but not past this one.
"""
import pathlib
import re
import subprocess
import sys

DEFINED, NEEDED = set("TDBRVWCGSi"), set("U")


def folders_of(root):
    text = (root / "src/meson.build").read_text(encoding="utf-8")
    return re.findall(r"'([^']+)'", re.search(r"foreach\s+folder\s*:\s*\[(.*?)\]", text, re.S).group(1))


def symbols_of(lines):
    """(folder, file, kind, symbol) of the lines of nm -A: PATH/FOLDER_FILE.c.o:[address] KIND SYMBOL."""
    for line in lines:
        found = re.match(r"(?:.*/)?([a-z0-9]+)_(\w+\.c)\.o:[0-9a-f ]* (\w) (\S+)$", line)
        if found:
            yield found.groups()


def findings(folders, lines):
    symbols = list(symbols_of(lines))
    home = {symbol: folder for folder, _, kind, symbol in symbols if kind in DEFINED}
    for folder, file, kind, symbol in symbols:
        if kind in NEEDED and folders.index(home.get(symbol, folder)) > folders.index(folder):
            yield f"src/{folder}/{file}: symbols: {symbol}() is of {home[symbol]}/, which stands below {folder}/"


def self_test(root):
    """What the examples say by a mark at the end of the line, and nothing else."""
    text = (root / "test/lint/bad/symbols").read_text(encoding="utf-8").splitlines()
    expected = {line.split()[-3] for line in text if line.endswith("# upwards")}
    found = {re.search(r"(\w+)\(\)", f).group(1)
             for f in findings(["base", "http", "web"], [line.split(" #")[0] for line in text])}
    for symbol in sorted(expected ^ found):
        print(f"lint: self-test: {'not' if symbol in expected else 'wrongly'} found: {symbol}")
    return found == expected


def main():
    root, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    if not self_test(root):
        sys.exit(1)
    objects = sorted(map(str, (build / "src/libtorhaus.a.p").glob("*.o")))
    if not objects:
        sys.exit(f"lint: no objects in {build}: build first")
    lines = subprocess.run(["nm", "-A", *objects], capture_output=True, text=True, check=True).stdout.splitlines()
    found = sorted(set(findings(folders_of(root), lines)))
    print("\n".join(found + [f"symbols: {len(objects)} objects, {len(found) or 'no'} upward calls"]))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
