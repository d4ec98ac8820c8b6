"""Draw queries a second against the size of the list, from the result files.

python benchmarks/plot.py benchmarks/results docs/search
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
from report import KINDS, load

mpl.use("Agg")
# Text stays text, and the same results give the same file, byte for byte.
mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "ringmatch", "font.size": 11})

import matplotlib.pyplot as plt  # noqa: E402

LINES = {
    "join": ("ringmatch, bulk join", "#0b6e4f", "o", "-"),
    "ring": ("ringmatch, single look-ups", "#1b9e77", "s", "-"),
    "compact": ("ringmatch, compact form", "#66c2a5", "D", "--"),
    "scan": ("our blocked flat scan", "#7570b3", "v", "-"),
    "faiss_flat": ("faiss IndexBinaryFlat", "#d95f02", "^", "-"),
    "faiss_multihash": ("faiss IndexBinaryMultiHash", "#a6761d", "P", "-"),
}
PDQ_INDEX = ("threatexchange PDQIndex, one query a call", "#444444", "X", "none")


def draw(folder: Path, target: Path) -> None:
    """Draw one panel for each kind of list, with both axes in powers of ten."""
    results = load(folder)
    figure, panels = plt.subplots(1, len(KINDS), figsize=(12, 5.4), sharey=True, layout="constrained")
    for panel, kind in zip(panels, KINDS, strict=True):
        searches = sorted(
            (one for name, one in results.items() if name.startswith(f"search-{kind}-")), key=lambda one: one["size"]
        )
        for name, (label, colour, marker, style) in LINES.items():
            points = [
                (one["size"], one["contenders"][name]["queries_a_second_1"])
                for one in searches
                if name in one["contenders"]
            ]
            if points:
                panel.loglog(*zip(*points, strict=True), label=label, color=colour, marker=marker, linestyle=style)
        if drop_in := results.get(f"drop-in-{kind}"):
            label, colour, marker, style = PDQ_INDEX
            rate = drop_in["contenders"]["PDQIndex"]["queries_a_second"]
            panel.loglog([drop_in["size"]], [rate], label=label, color=colour, marker=marker, linestyle=style)
        panel.set_title(f"{kind} hashes, one thread")
        panel.set_xlabel("hashes in the list")
        panel.grid(which="major", color="#dddddd")
    panels[0].set_ylabel("queries a second")
    handles = {
        label: handle for panel in panels for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle("Every stored hash within 31 bits, none missed")
    for ending, metadata in ((".svg", {"Date": None}), (".png", {})):
        figure.savefig(target.with_suffix(ending), metadata=metadata, dpi=110)


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("target", type=Path, help="without an ending: .svg and .png are added")
    options = parser.parse_args()
    draw(options.results, options.target)


if __name__ == "__main__":
    main()
