"""Faults on purpose: a real OBS records while a seeded schedule breaks things, then each recorded picture is judged.

python -m tools.chaos --seed 1 --minutes 10 --report chaos-1
"""
