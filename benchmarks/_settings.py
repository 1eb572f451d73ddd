"""What makes of our networks what peers train beside them; nothing heavy may be imported before a start is timed."""

#: Parameters of ours that make of branch and network what peers are: no more layers, dropout or another optimizer.
PLAIN_BRANCH = {"scale": "standard", "embedding": None, "dropout": 0.0, "impute": None}
PLAIN_NETWORK = {"dropout": 0.0, "optimizer": "adam", "early_stopping": False}
