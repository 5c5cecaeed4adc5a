"""Networks that stand in for the models people bring: made here, their weights random, with the same contracts."""
