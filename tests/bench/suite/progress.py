"""How far the run is: n of m questions, and about how long the rest takes."""

from __future__ import annotations

import sys
import time


class Progress:
    """Counts questions. What each part's questions take is estimated before, and mended by what the others took."""

    def __init__(self, total: int, expected_s: float) -> None:
        self.total, self.done = total, 0
        self.expected_s, self.expected_done_s = expected_s, 0.0
        self.begun = time.monotonic()
        self.shown_at = 0.0
        self.terminal = sys.stderr.isatty()

    def step(self, what: str, expected_s: float) -> None:
        """Says what is asked now; `expected_s` is what was expected of the question."""
        self.done += 1
        elapsed = time.monotonic() - self.begun
        slower = elapsed / self.expected_done_s if self.expected_done_s > 5 else 1.0
        left = max(0.0, self.expected_s - self.expected_done_s) * slower
        self.expected_done_s += expected_s
        text = f"[{self.done}/{self.total}, {int(left / 60)}:{int(left % 60):02} left] {what}"
        if self.terminal:
            print(f"\r\x1b[K{text[:118]}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self.shown_at > 20:
            self.shown_at = time.monotonic()
            print(text, file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Makes room for other output."""
        if self.terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
