"""Networks: branches, fusion and head as one Keras model behind a scikit-learn estimator."""
