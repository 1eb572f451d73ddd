"""A clock that only tests move, and learners that take their time by it."""

from sklearn.linear_model import Ridge

from skstack import _clock


class FakeClock:
    """Stands still until somebody sleeps."""

    def __init__(self, monkeypatch):
        self.seconds = 0.0
        monkeypatch.setattr(_clock, "now", lambda: self.seconds)
        monkeypatch.setattr(Slow, "clock", self)

    def sleep(self, seconds):
        """Move on."""
        self.seconds += seconds


class Slow(Ridge):
    """Takes so many seconds for every 100 rows, and some more for any number of them."""

    clock = None

    def __init__(self, per_100=1.0, at_least=0.0):
        super().__init__()
        self.per_100 = per_100
        self.at_least = at_least

    def fit(self, X, y, sample_weight=None):
        """Take time and fit."""
        if self.clock is not None:  # in another process, no time passes
            self.clock.sleep(self.at_least + self.per_100 * len(y) / 100)
        return super().fit(X, y, sample_weight)
