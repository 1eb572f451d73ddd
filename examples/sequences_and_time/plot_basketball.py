"""
Basketball: one strength for each team, learned from the season, tested in the tournament
=========================================================================================

Two columns of a game hold ids of the same kind, its two teams. An entity branch looks both up in one table; with
vectors of length 1 and ``merge="subtract"`` the network learns one number per team, a strength, such that the
difference of two strengths predicts the difference of the scores. The tournament tests what the season has taught.

Set ``SKSTACK_DATA`` to a directory with ``basketball`` to use 156,089 season games and 2,117 tournament games of US
college teams; else the lesson makes up a league. Tournaments from 2010 on are tested. References there, as mean
absolute errors of the score difference in points: 11.65 in a course that does the same; 8.76 by a ridge regression with
a rating for each team and season. From two outputs, one for each score: 11.53 in the course. Difference and winner from
one network: 9.28, and a log-loss of 0.585 in the course; 8.78 and 0.562 by two linear models on seeds and ratings.
"""

# %%
# The data
# --------
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss, mean_absolute_error
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline

from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor, MultitaskNetwork
from skstack.branches import EntityBranch, NumericBranch
from skstack.datasets import find_data
from skstack.preprocessing import PredictionTransformer
from skstack.tasks import Classification

# A run of a few seconds that shows only that everything works.
QUICK = bool(os.environ.get("SKSTACK_QUICK"))

TEST_FROM = 2010


def make_league(n_programmes=40, seasons=range(2005, 2014), n_games=600, seed=0):
    """Return season and tournament games of a league that does not exist, each game once from each side."""
    generator = np.random.default_rng(seed)
    lasting = generator.normal(scale=6, size=n_programmes)
    season_games, tournament_games = [], []
    for number, season in enumerate(seasons):
        strength = lasting + generator.normal(scale=4, size=n_programmes)
        ids = np.arange(n_programmes) * len(seasons) + number
        season_games.append(play(generator, season, ids, strength, n_games))
        best = np.argsort(-strength)[:16]
        tournament = play(generator, season, ids[best], strength[best], 60, neutral=True)
        seeds = pd.Series(np.arange(16) // 2 + 1, index=ids[best])
        tournament["seed_diff"] = tournament["team_2"].map(seeds) - tournament["team_1"].map(seeds)
        tournament_games.append(tournament)
    return pd.concat(season_games, ignore_index=True), pd.concat(tournament_games, ignore_index=True)


def play(generator, season, ids, strength, n_games, neutral=False):
    """Return games between randomly drawn teams, from both sides."""
    sides = np.array([generator.choice(len(ids), 2, replace=False) for _ in range(n_games)])
    home = np.zeros(n_games, dtype=int) if neutral else generator.integers(0, 2, n_games)
    score_1, score_2 = 70 + strength[sides.T] + generator.normal(scale=8, size=(2, n_games))
    score_1 += 4.0 * home
    first = pd.DataFrame({"season": season, "team_1": ids[sides[:, 0]], "team_2": ids[sides[:, 1]], "home": home})
    first = first.assign(score_diff=(score_1 - score_2).round(), score_1=score_1.round(), score_2=score_2.round())
    swapped = {"team_1": "team_2", "team_2": "team_1", "score_1": "score_2", "score_2": "score_1"}
    second = first.rename(columns=swapped).assign(home=0, score_diff=-first["score_diff"])
    return pd.concat([first, second[first.columns]], ignore_index=True)


if (folder := find_data("basketball")) and not QUICK:
    season = pd.read_csv(folder / "games_season.csv.gz")
    tournament = pd.read_csv(folder / "games_tourney.csv.gz")
else:
    season, tournament = make_league(n_programmes=20 if QUICK else 40)
print(f"{len(season)} rows of season games, {len(tournament)} of tournament games")

# %%
# Where a game was played
# -----------------------
# ``home`` is 0 both in the other team's place and on neutral ground, where every tournament game is played: what a
# network learns about 0 in the season, mostly visits, is wrong there. Yet each game stands in the table twice, once
# from each side, and both rows together tell: the *site* is 1 at home, -1 away and 0 on neutral ground.


def number_games(games):
    """Return the number of the game that each row is about."""
    low, high = np.sort(games[["team_1", "team_2"]].to_numpy(), axis=1).T
    from_low = games["team_1"].to_numpy() == low
    difference = np.where(from_low, games["score_diff"], -games["score_diff"])
    keys = pd.DataFrame({"low": low, "high": high, "difference": difference, "side": from_low})
    keys["total"] = (games["score_1"] + games["score_2"]).to_numpy()
    keys["again"] = keys.groupby(list(keys)).cumcount()  # two games of the same teams may end alike
    return keys.groupby(["low", "high", "difference", "total", "again"]).ngroup().to_numpy()


season["site"] = 2 * season["home"] - season["home"].groupby(number_games(season)).transform("sum")
tournament["site"] = 0

# %%
# An id stands for a team in one season. Ids of a programme follow each other by season, which tells the programmes
# apart: the next one begins where the season jumps back.
season_of = season.groupby("team_1")["season"].first()
programme_of = (season_of.diff() <= 0).cumsum()
for games in (season, tournament):
    for side in ("1", "2"):
        games[f"programme_{side}"] = games[f"team_{side}"].map(programme_of)
print(f"{len(season_of)} teams of {programme_of.nunique()} programmes")

# %%
# Strengths
# ---------
# ``hidden=()`` and ``head=()`` leave a linear model: the difference of two strengths, plus the advantage of the site.
# The last network is free to make anything of two vectors and the site. A team plays 29 games in a season, and none of
# them is held out: few passes over the games, rather than early stopping, keep the network from learning them by heart.
TRAINING = {
    "head": (),
    "epochs": 2 if QUICK else 10,
    "batch_size": 1024 if folder else 256,
    "optimizer__learning_rate": 0.01,
    "early_stopping": False,
    "random_state": 0,
}
teams, programmes = ["team_1", "team_2"], ["programme_1", "programme_2"]
columns = [*teams, *programmes, "home", "site"]
strength = ("strength", EntityBranch(dim=1, merge="subtract"), teams)
versions = {
    "strength of a programme": [("strength", EntityBranch(dim=1, merge="subtract"), programmes)],
    "strength of a team and season": [strength],
    "... and home": [strength, ("home", NumericBranch(hidden=()), ["home"])],
    "... and site": [strength, ("site", NumericBranch(hidden=()), ["site"])],
    "vectors of 4, dense layer, site": [
        ("strength", EntityBranch(dim=4, merge="concatenate", hidden=(32,)), teams),
        ("site", NumericBranch(hidden=()), ["site"]),
    ],
}
test = tournament["season"] >= TEST_FROM
errors, networks = {}, {}
for name, branches in versions.items():
    network = MultimodalNetworkRegressor(branches, **TRAINING)
    if name.startswith("vectors"):  # more freedom, fewer and smaller steps
        network.set_params(epochs=2 if QUICK else 5, optimizer__learning_rate=0.002)
    network.fit(season[columns], season["score_diff"])
    networks[name] = network
    tournament[name] = network.predict(tournament[columns])
    errors[name] = mean_absolute_error(tournament["score_diff"][test], tournament[name][test])
    print(f"{name:32s} MAE {errors[name]:5.2f}")
print("References: course 11.65, ridge rating for each team and season 8.76")

# %%
# Team and season is the better entity: a team of 1990 says little about that of 2010, and a season is played before its
# tournament. (The ``home`` of a tournament game means nothing, and misleads by a few points.)
#
# The season's forecast as a column
# ---------------------------------
# Two tables, one prediction: what the network has learned from the games of all seasons becomes a column of the table
# of tournaments, beside the seeds, which a committee chooses by what it saw. A ``PredictionTransformer`` holds the
# fitted network, takes its columns out of a wider table and returns what it predicts; in a ``FrozenEstimator`` the same
# network is a base model of a stack. The next model learns from the tournaments before 2010, in whole seasons, as each
# game stands there twice. As in the course, the season of a tested tournament is among those that the network has seen:
# its games were played before.
columns_of_season = [*teams, "site"]
groups = tournament.loc[~test, "season"]


def next_models(fitted):
    """Return models that get the forecast of a network fitted to the seasons, and arguments of their fit."""
    forecast = ("season", PredictionTransformer(fitted, prefix="season_forecast"), columns_of_season)
    alone, beside = (
        ColumnTransformer([forecast, *others], verbose_feature_names_out=False).set_output(transform="pandas")
        for others in ([], [("seeds", "passthrough", ["seed_diff"])])
    )
    both = ["season_forecast", "seed_diff"]
    network = MultimodalNetworkRegressor(
        head=(), epochs=2 if QUICK else 30, batch_size=128, optimizer__learning_rate=0.01
    )
    stack = MultimodalStackingRegressor(
        [
            ("numbers", NumericBranch(hidden=(16,)), both),
            ("linear", LinearRegression(), both),
            ("boosting", HistGradientBoostingRegressor(max_depth=2, learning_rate=0.05), both),
        ],
        network=network,
        cv=GroupKFold(5),
        random_state=0,
    )
    frozen = [("season", FrozenEstimator(fitted), columns_of_season), ("seeds", LinearRegression(), ["seed_diff"])]
    return {
        "season, linear": (make_pipeline(alone, LinearRegression()), {}),
        "season and seeds, linear": (make_pipeline(beside, LinearRegression()), {}),
        "season and seeds, stack": (Pipeline([("columns", beside), ("stack", stack)]), {"stack__groups": groups}),
        "season as a base model": (MultimodalStackingRegressor(frozen, cv=GroupKFold(5)), {"groups": groups}),
    }


seeds_alone = LinearRegression().fit(tournament.loc[~test, ["seed_diff"]], tournament.loc[~test, "score_diff"])
predicted = seeds_alone.predict(tournament.loc[test, ["seed_diff"]])
print(f"seeds alone, linear MAE {mean_absolute_error(tournament.loc[test, 'score_diff'], predicted):.3f}")
rows = {}
for random_state in range(1 if QUICK else 3):
    fitted = MultimodalNetworkRegressor(versions["... and site"], **{**TRAINING, "random_state": random_state})
    fitted.fit(season[columns_of_season], season["score_diff"])
    predictions = {"season alone": fitted.predict(tournament.loc[test, columns_of_season])}
    for name, (model, arguments) in next_models(fitted).items():
        model.fit(tournament[~test], tournament.loc[~test, "score_diff"], **arguments)
        predictions[name] = model.predict(tournament[test])
    rows[f"random_state={random_state}"] = {
        name: mean_absolute_error(tournament.loc[test, "score_diff"], of_model)
        for name, of_model in predictions.items()
    }
runs = pd.DataFrame(rows)
print(runs.assign(mean=runs.mean(axis=1)).round(3).to_string())
print("References: course about 9, a ridge rating for each team and season 8.76, with the seeds beside it 8.78")

# %%
# On the real games (``SKSTACK_DATA=... python examples/plot_basketball.py``, 26 November 2026, means of three random
# states) the season alone is off by 8.78 points, rescaled by the earlier tournaments by 8.76, with the seeds beside it
# by 8.75; the seeds alone by 9.14. So the season is nearly all there is: the second table takes a few hundredths of a
# point off its error, while the season takes four tenths off that of the seeds.
#
# Two scores from one network
# ---------------------------
# A target of two columns gives a network with two outputs. It learns from earlier tournaments, from the seeds alone or
# with the forecast of the season's network beside them.
forecast = "... and site"
scores = ["score_1", "score_2"]
least_squares = LinearRegression().fit(tournament.loc[~test, ["seed_diff"]], tournament.loc[~test, scores])
both = {"least squares on the seeds": least_squares.predict(tournament.loc[test, ["seed_diff"]])}
for name, chosen in {"seeds": ["seed_diff"], "seeds and season": ["seed_diff", forecast]}.items():
    network = MultimodalNetworkRegressor(
        [("numbers", NumericBranch(hidden=(16,)), chosen)],
        head=(),
        epochs=2 if QUICK else 100,
        optimizer__learning_rate=0.003,
        random_state=0,
    )
    network.fit(tournament.loc[~test, chosen], tournament.loc[~test, scores], groups=groups)
    both[f"network, {name}"] = network.predict(tournament.loc[test, chosen])
for name, predicted in both.items():
    print(f"{name:32s} MAE of both scores {mean_absolute_error(tournament.loc[test, scores], predicted):5.2f}")
print("References: course 11.53, least squares on the seeds 9.14")

# %%
# Difference and winner from one network
# --------------------------------------
# Who wins follows from the difference of the scores: a task may be computed from the output of another. The chance to
# win then has two weights of its own and teaches the difference, too. Both inputs of the network are columns by now,
# the seeds and the forecast of the season; the two linear models beside it get the same. Rows of a season stay on one
# side when rows are set aside for early stopping: each game stands there from both sides.
chosen = ["seed_diff", forecast]
results = tournament[["score_diff"]].assign(won=(tournament["score_diff"] > 0).astype(int))
linear = LinearRegression().fit(tournament.loc[~test, chosen], results.loc[~test, "score_diff"])
logistic = LogisticRegression().fit(tournament.loc[~test, chosen], results.loc[~test, "won"])
games = tournament.loc[test, chosen]
answers = {"two linear models": (linear.predict(games), logistic.predict_proba(games)[:, 1])}
for seed in (0, 1, 2):
    network = MultitaskNetwork(
        [("numbers", NumericBranch(hidden=()), chosen)],
        tasks={"score_diff": "regression", "won": Classification(inputs="score_diff")},
        head=(),
        epochs=2 if QUICK else 60,
        optimizer__learning_rate=0.005,
        random_state=seed,
    )
    network.fit(tournament.loc[~test, chosen], results[~test], groups=groups)
    chance = network.predict_proba(games)["won"][:, 1]
    answers[f"one network, seed {seed}"] = (network.predict(games)["score_diff"], chance)
for name, (difference, chance) in answers.items():
    error = mean_absolute_error(results.loc[test, "score_diff"], difference)
    print(f"{name:32s} MAE {error:5.2f}, log-loss of who wins {log_loss(results.loc[test, 'won'], chance):.3f}")
print("References: course 9.28 and 0.585, linear models 8.78 and 0.562")

# %%
# The table of strengths lies in the network, in the order of ``entities_``, the first row for teams it does not know.
network = networks[forecast]
branch = network.branches_[0][1]
table = network.model_.get_layer("strength_branch").get_layer("entities").embeddings
learned = pd.Series(np.asarray(table)[1 : len(branch.entities_) + 1, 0], index=branch.entities_)
invited = learned.index.isin(tournament["team_1"])

figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
bins = np.histogram_bin_edges(learned, 40)
parts, labels = [learned[~invited], learned[invited]], ["stays at home", "in the tournament"]
axes[0].hist(parts, bins=bins, stacked=True, label=labels)
axes[0].set(xlabel="learned strength", ylabel="teams", title="Strengths")
axes[0].legend()
axes[1].scatter(tournament[forecast][test], tournament["score_diff"][test], s=4, alpha=0.4)
axes[1].set(xlabel="forecast", ylabel="score difference", title=f"Tournaments, MAE {errors[forecast]:.2f}")
plt.show()
